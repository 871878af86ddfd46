"""Hypothesis strategies for workloads, graphs and the systems that they fit.

What they draw is small enough to be written out device by device, and full of ties:
sizes and speeds are few and round, so that things often end at the same instant.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import accumulate, pairwise
from math import prod

from cosmic.collective.policy import (
    CollectivePolicy,
    MultiDimensional,
    SchedulingPolicy,
)
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.system.cluster import Cluster
from cosmic.system.device_order import Placement
from cosmic.system.placement import spans
from cosmic.system.system import System
from cosmic.testing.hypothesis_extra import strategies as st
from cosmic.testing.model_strategies import fitting_parts, models_like, over_experts
from cosmic.testing.program_strategies import stages_of
from cosmic.trace.execution_graph import (
    ExecutionGraph,
    Group,
    Schedule,
    Stage,
)
from cosmic.trace.precision import Precision
from cosmic.workload.lowering import lower
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.parallelism import Axis, Parallelism, Recompute, SequenceMethod
from cosmic.workload.workload import Workload

_schedules = st.sampled_from(Schedule)
_ALGORITHMS = ("ring", "direct", "doubleBinaryTree", "halvingDoubling")


@st.composite
def workloads(draw: st.DrawFn, most_devices: int = 16) -> Workload:
    """A step of a small transformer, split over no more than `most_devices`."""
    split = draw(parallelisms(most_devices))
    heads = split.tensor * split.sequence * draw(st.sampled_from((1, 2)))
    shared = draw(st.sampled_from((1, split.tensor, heads)))
    micro_batch = draw(st.sampled_from((1, 2)))
    layers = draw(_stage_layers(split))
    recompute = draw(st.sampled_from(Recompute))
    most = 0 if recompute is Recompute.NONE else max(layers)
    model = TransformerModel(
        layers=sum(layers),
        hidden=heads * 64,
        heads=heads,
        key_value_heads=shared,
        head_dim=64,
        feed_forward=split.tensor * draw(st.sampled_from((128, 1024))),
        feed_forward_kind=draw(st.sampled_from(FeedForward)),
        sequence=split.sequence * split.tensor * draw(st.sampled_from((16, 512))),
        vocabulary=draw(st.sampled_from((0, 0, 100, 32000))),
    )
    model = draw(models_like(model, split.tensor))
    split = draw(st.sampled_from(list(over_experts(split, model))))
    parts = split.virtual_stages
    rounds = st.sampled_from((split.pipeline, 2 * split.pipeline))
    micro_batches = draw(rounds if parts > 1 else st.integers(1, 5))
    return Workload(
        model=model,
        batch=split.data * micro_batch * micro_batches,
        micro_batch=micro_batch,
        parallelism=split,
        stage_layers=layers,
        recompute=recompute,
        recompute_layers=draw(st.integers(0, most)),
        fused_attention=draw(st.booleans()),
        schedule=draw(st.just(Schedule.ONE_F_ONE_B) if parts > 1 else _schedules),
        precision=draw(st.sampled_from(Precision)),
        gradient_precision=draw(st.sampled_from((None, Precision.FP32))),
    )


@st.composite
def _stage_layers(draw: st.DrawFn, split: Parallelism) -> tuple[int, ...]:
    """Layers of each virtual stage, alike or not."""
    places = split.pipeline * split.virtual_stages
    if draw(st.booleans()):
        return (draw(st.integers(1, max(1, 4 // split.pipeline))),) * places
    return tuple(draw(st.lists(st.integers(1, 3), min_size=places, max_size=places)))


@st.composite
def parallelisms(draw: st.DrawFn, most_devices: int = 16) -> Parallelism:
    """Degrees of 1 to 4 each, the product at most `most_devices`."""
    degrees = [1, 1, 1, 1]
    for axis in draw(st.permutations(range(4))):
        room = most_devices // prod(degrees)
        fitting = [degree for degree in (1, 2, 2, 3, 4) if degree <= room]
        degrees[axis] = draw(st.sampled_from(fitting))
    tensor, sequence, data, pipeline = degrees
    tensor_sequence = draw(st.booleans())
    split = Parallelism(
        tensor=tensor,
        sequence=sequence,
        data=data,
        pipeline=pipeline,
        weight_sharding=draw(st.integers(0, 3)),
        sequence_method=draw(st.sampled_from(SequenceMethod)),
        tensor_sequence=tensor_sequence,
        axis_order=tuple(draw(st.permutations(tuple(Axis)))),
        gradient_overlap=draw(st.booleans()),
        prefetch=draw(st.sampled_from((0, 1, 1, 2, 3))),
        tensor_overlap=tensor_sequence and draw(st.booleans()),
        virtual_stages=draw(st.sampled_from((1, 1, 2, 3))) if pipeline > 1 else 1,
    )
    return draw(st.sampled_from(list(_shared_out(split))))


def _shared_out(split: Parallelism) -> Iterator[Parallelism]:
    """The split with every group over which its weights can be sharded."""
    for group in range(split.replicas + 1):
        with suppress(ConsistencyError):
            shared = replace(split, sharding_group=group)
            shards, _ = shared.replica_parts()
            if fitting_parts(split, shards):
                yield shared


def systems_for(workload: Workload) -> st.SearchStrategy[System]:
    """Systems of one to three dimensions over which the workload's groups factor."""
    return systems_of(lower(workload))


@st.composite
def systems_of(draw: st.DrawFn, graph: ExecutionGraph) -> System:
    """Systems of one to three dimensions over which the graph's groups factor."""
    topology = draw(topologies_of(graph))
    return draw(_systems_on(graph, topology))


@st.composite
def placed_systems_of(draw: st.DrawFn, graph: ExecutionGraph) -> System:
    """Systems of any dimensions and placement; what does not factor is a flat ring."""
    topology = draw(_cut(draw(st.permutations(_factors(graph)))))
    placement = draw(st.sampled_from(Placement))
    return draw(_systems_on(graph, topology, placement=placement, flat_rings=True))


@st.composite
def _systems_on(
    draw: st.DrawFn,
    graph: ExecutionGraph,
    topology: Topology,
    placement: Placement = Placement.INNER_FIRST,
    flat_rings: bool = False,
) -> System:
    peak = draw(st.sampled_from((1e12, 1e15)))
    device = Device(
        peak_flops=peak,
        peak_fp8=2 * peak,
        peak_tf32=peak / 2,
        peak_fp32=peak / 8,
        memory_bandwidth=draw(st.sampled_from((1e11, 1e12, 1e30))),
        memory_capacity=1e12,
    )
    rings = ("ring",) * len(topology.dimensions)
    policy = CollectivePolicy(
        all_reduce=rings, all_gather=rings, reduce_scatter=rings, all_to_all=rings
    )
    cluster = Cluster(device, topology)
    system = System(cluster, policy, placement=placement, flat_rings=flat_rings)
    return replace(system, policy=draw(policies_for(graph, system)))


def topologies_of(graph: ExecutionGraph) -> st.SearchStrategy[Topology]:
    """The devices of the graph, cut into dimensions at borders of its groups."""
    return _cut(_factors(graph))


@st.composite
def _cut(draw: st.DrawFn, factors: list[int]) -> Topology:
    """One to three dimensions of as many devices as the factors' product."""
    cuts = draw(st.lists(st.integers(0, len(factors)), max_size=2).map(sorted))
    ends = [0, *cuts, len(factors)]
    sizes = [prod(factors[start:end]) for start, end in pairwise(ends)]
    return Topology(tuple(draw(_dimensions(size)) for size in sizes))


@st.composite
def policies_for(
    draw: st.DrawFn, graph: ExecutionGraph, system: System
) -> CollectivePolicy:
    """Policies whose algorithms exist for the sizes that the graph's groups have."""
    extents: list[set[int]] = [set() for _ in system.cluster.topology.dimensions]
    for group in graph.groups:
        for span in spans(group, system):
            if span.flat:
                continue  # a ring, whatever the policy
            extents[span.dimension].add(span.extent)
    algorithms = st.tuples(*(_algorithms(found) for found in extents))
    return CollectivePolicy(
        all_reduce=draw(algorithms),
        all_gather=draw(algorithms),
        reduce_scatter=draw(algorithms),
        all_to_all=draw(algorithms),
        chunks=draw(st.sampled_from((1, 1, 2, 3, 4, 8))),
        scheduling=draw(st.sampled_from(SchedulingPolicy)),
        multi_dimensional=draw(st.sampled_from(MultiDimensional)),
        active_chunks=draw(st.sampled_from((1, 1, 2, 3, 4))),
        endpoint_delay=draw(st.sampled_from((0.0, 1e-6))),
    )


def _algorithms(extents: Iterable[int]) -> st.SearchStrategy[str]:
    powers = all(extent & (extent - 1) == 0 for extent in extents)
    return st.sampled_from(_ALGORITHMS if powers else _ALGORITHMS[:-1])


@st.composite
def _dimensions(draw: st.DrawFn, size: int) -> Dimension:
    power = size & (size - 1) == 0
    shapes = [shape for shape in Shape if power or shape is not Shape.HYPERCUBE]
    return Dimension(
        shape=draw(st.sampled_from(shapes)),
        size=size,
        link_bandwidth=draw(st.sampled_from((1e9, 1e9, 2e9, 7.3e9, 1e11))),
        latency=draw(st.sampled_from((0.0, 0.0, 1e-6, 1e-5))),
    )


def _factors(graph: ExecutionGraph) -> list[int]:
    """Prime factors of the devices, innermost first, with a border at each group's."""
    borders = {1, graph.devices}
    for group in (*graph.groups, graph.pipeline):
        for size, stride in group.parts:
            borders.update((stride, stride * size))
    steps = [outer // inner for inner, outer in pairwise(sorted(borders))]
    return [prime for step in steps for prime in _primes(step)]


def _primes(number: int) -> list[int]:
    found = []
    divisor = 2
    while number > 1:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return found


@st.composite
def graphs(draw: st.DrawFn, most_devices: int = 8) -> ExecutionGraph:
    """A graph that no transformer has: any order of starts and waits, many ties."""
    sizes = [draw(st.sampled_from((1, 2, 2, 3)) if i else st.just(2)) for i in range(4)]
    while prod(sizes) > most_devices:
        sizes[sizes.index(max(sizes))] -= 1
    strides = [1, *accumulate(sizes, lambda a, b: a * b)]
    groups = tuple(
        Group(name=name, size=sizes[i], stride=strides[i])
        for i, name in enumerate(("inner", "middle", "outer"))
    )
    flat = draw(st.booleans())
    both = Group(name="both", size=sizes[0] * sizes[1], stride=1, flat=flat)
    apart = Group.joined("apart", [(sizes[i], strides[i]) for i in (0, 2)])
    parts = draw(st.sampled_from((1, 1, 2, 3))) if sizes[3] > 1 else 1
    schedule = draw(st.just(Schedule.ONE_F_ONE_B) if parts > 1 else _schedules)
    stages = draw(st.lists(stages_of(parts, schedule), min_size=1, max_size=2))
    chosen = draw(
        st.lists(st.sampled_from(stages), min_size=sizes[3], max_size=sizes[3])
    )
    forward_only = parts == 1 and draw(st.sampled_from((False, False, True)))
    several = st.sampled_from((sizes[3], 2 * sizes[3]))
    if forward_only:
        chosen = [Stage.passing(stage.forward) for stage in chosen]
    return ExecutionGraph(
        devices=prod(sizes),
        groups=(*groups, both, apart),
        pipeline=Group(name="pipeline", size=sizes[3], stride=strides[3]),
        stages=tuple(chosen),
        micro_batches=draw(several if parts > 1 else st.integers(1, 5)),
        boundary_bytes=draw(st.sampled_from((0.0, 1e6, 3e6))),
        schedule=schedule,
        forward_only=forward_only,
    )
