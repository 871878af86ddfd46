"""The symmetric simulator says what the event-driven one says, to 1e-9 of the step.

Times lie on one grid on which sums are exact, so nothing but the order of summing bytes
could tell them apart; the tolerance is that of the promise, not of need.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosmic.collective.policy import (
    CollectivePolicy,
    MultiDimensional,
    SchedulingPolicy,
)
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.event_driven import EventDrivenSimulator
from cosmic.simulation.result import Breakdown
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.cluster import Cluster
from cosmic.system.placement import spans
from cosmic.system.system import System
from cosmic.testing.pass_strategies import passes
from cosmic.testing.strategies import (
    graphs,
    placed_systems_of,
    systems_for,
    systems_of,
    workloads,
)
from cosmic.trace.execution_graph import (
    Block,
    ExecutionGraph,
    Group,
    Schedule,
    Stage,
)
from cosmic.trace.node import CollectiveKind, CollectiveNode, Start, Token, Wait
from cosmic.workload.lowering import lower
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Axis, Parallelism
from cosmic.workload.workload import Workload

SHARE = 1e-9
AROUND = (Axis.SEQUENCE, Axis.PIPELINE, Axis.DATA, Axis.TENSOR)  # data goes round

every_time_alike = settings(
    derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def assert_agree(graph: ExecutionGraph, system: System) -> None:
    fast = SymmetricSimulator().run(graph, system)
    slow = EventDrivenSimulator().run(graph, system)
    tolerance = SHARE * slow.makespan

    assert fast.makespan == pytest.approx(slow.makespan, rel=SHARE, abs=0)
    assert len(fast.stages) == len(slow.stages)
    for ours, theirs in zip(fast.stages, slow.stages, strict=True):
        assert parts(ours) == pytest.approx(parts(theirs), rel=0, abs=tolerance)
    for sent, really in zip(fast.sent, slow.sent, strict=True):
        assert sent == pytest.approx(really, rel=SHARE, abs=0)


def parts(breakdown: Breakdown) -> dict[str, float]:
    return {
        "compute": breakdown.compute,
        "optimizer": breakdown.optimizer,
        "bubble": breakdown.bubble,
        **{f"exposed {name}": time for name, time in breakdown.exposed.items()},
    }


@settings(every_time_alike, max_examples=80)
@given(data=st.data())
def test_both_agree_on_transformers(data: st.DataObject) -> None:
    workload = data.draw(workloads())

    assert_agree(lower(workload), data.draw(systems_for(workload)))


@settings(every_time_alike, max_examples=80)
@given(data=st.data())
def test_both_agree_on_passes_of_inference(data: st.DataObject) -> None:
    workload = data.draw(passes())

    assert_agree(lower(workload), data.draw(systems_for(workload)))


@settings(every_time_alike, max_examples=60)
@given(data=st.data())
def test_both_agree_on_any_placement_and_on_flat_rings(data: st.DataObject) -> None:
    workload = data.draw(workloads())
    graph = lower(workload)

    assert_agree(graph, data.draw(placed_systems_of(graph)))


@settings(every_time_alike, max_examples=120)
@given(data=st.data())
def test_both_agree_on_graphs_that_no_transformer_has(data: st.DataObject) -> None:
    graph = data.draw(graphs())

    assert_agree(graph, data.draw(systems_of(graph)))


@settings(every_time_alike, max_examples=100)
@given(kind=st.sampled_from(CollectiveKind), data=st.data())
def test_both_agree_on_one_collective_over_all_devices(
    kind: CollectiveKind, data: st.DataObject
) -> None:
    """Its chunks meet in dimensions that they pass twice."""
    node = CollectiveNode(name="one", kind=kind, group="all", nbytes=1e7)
    token = Token("one")
    block = Block(name="step", instructions=(Start(node, token), Wait(token)))
    graph = ExecutionGraph(
        devices=12,
        groups=(
            Group(name="all", size=12, stride=1),
            Group(name="half", size=4, stride=1),
        ),
        pipeline=Group(name="pipeline", size=1, stride=12),
        stages=(Stage(forward=(), backward=(), last_backward=(block,), update=()),),
        micro_batches=1,
        boundary_bytes=0.0,
    )

    assert_agree(graph, data.draw(systems_of(graph)))


@pytest.mark.parametrize("schedule", Schedule)
@pytest.mark.parametrize("scheduling", SchedulingPolicy)
@pytest.mark.parametrize("scheme", MultiDimensional)
@pytest.mark.parametrize("sharding", [0, 2, 3])
def test_both_agree_on_32_devices_with_every_axis_split(
    sharding: int,
    scheme: MultiDimensional,
    scheduling: SchedulingPolicy,
    schedule: Schedule,
) -> None:
    workload = Workload(
        model=model(layers=4),
        batch=12,
        parallelism=Parallelism(
            tensor=2, sequence=2, data=4, pipeline=2, weight_sharding=sharding
        ),
        schedule=schedule,
    )

    assert_agree(lower(workload), system(4, 4, 2, scheduling=scheduling, scheme=scheme))


@pytest.mark.parametrize("scheduling", SchedulingPolicy)
@pytest.mark.parametrize("sizes", [(6, 1, 2), (3, 1, 4)])
@pytest.mark.parametrize(
    "split",
    [
        Parallelism(tensor=4, data=3),
        Parallelism(tensor=4, pipeline=3),
        Parallelism(tensor=2, data=2, pipeline=3, weight_sharding=3),
        Parallelism(sequence=2, data=3, pipeline=2, axis_order=AROUND),
    ],
)
def test_both_agree_where_groups_are_flat_rings(
    split: Parallelism, sizes: tuple[int, ...], scheduling: SchedulingPolicy
) -> None:
    graph = lower(Workload(model=model(layers=6), batch=6, parallelism=split))
    flat = replace(system(*sizes, scheduling=scheduling), flat_rings=True)

    assert any(s.flat for g in (*graph.groups, graph.pipeline) for s in spans(g, flat))
    assert_agree(graph, flat)


@pytest.mark.parametrize("active", [2, 3])
@pytest.mark.parametrize("scheme", MultiDimensional)
@pytest.mark.parametrize("sharding", [0, 3])
def test_both_agree_where_a_dimension_serves_several_chunks(
    sharding: int, scheme: MultiDimensional, active: int
) -> None:
    """The groups of gradients span two dimensions, so that Themis has a choice."""
    split = Parallelism(tensor=2, data=8, weight_sharding=sharding)
    workload = Workload(model=model(layers=6), batch=16, parallelism=split)
    machine = system(4, 2, 2, scheduling=SchedulingPolicy.LIFO, scheme=scheme)
    policy = replace(machine.policy, active_chunks=active, endpoint_delay=1e-6)

    assert_agree(lower(workload), replace(machine, policy=policy))


@pytest.mark.parametrize("scheduling", SchedulingPolicy)
@pytest.mark.parametrize("sharding", [0, 1, 3])
def test_both_agree_where_the_gradients_of_many_layers_queue_up(
    sharding: int, scheduling: SchedulingPolicy
) -> None:
    workload = Workload(
        model=model(layers=24),
        batch=4,
        parallelism=Parallelism(tensor=2, data=4, weight_sharding=sharding),
    )

    assert_agree(lower(workload), system(4, 2, 1, scheduling=scheduling))


def model(layers: int) -> TransformerModel:
    return TransformerModel(
        layers=layers,
        hidden=256,
        heads=4,
        key_value_heads=4,
        head_dim=64,
        feed_forward=1024,
        sequence=256,
        vocabulary=1000,
    )


def system(
    *sizes: int,
    scheduling: SchedulingPolicy,
    scheme: MultiDimensional = MultiDimensional.LOCAL_BW_AWARE,
) -> System:
    """A ring, a fully connected dimension and a switch."""
    shapes = Shape.RING, Shape.FULLY_CONNECTED, Shape.SWITCH
    topology = Topology(
        tuple(
            Dimension(shape=shape, size=size, link_bandwidth=1e9, latency=1e-6)
            for shape, size in zip(shapes, sizes, strict=True)
        )
    )
    device = Device(peak_flops=1e12, memory_bandwidth=1e12, memory_capacity=1e12)
    names = ("ring", "halvingDoubling", "direct")
    policy = CollectivePolicy(
        all_reduce=names,
        all_gather=names,
        reduce_scatter=names,
        all_to_all=names,
        chunks=4,
        scheduling=scheduling,
        multi_dimensional=scheme,
    )
    return System(Cluster(device, topology), policy)
