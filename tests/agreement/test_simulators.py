"""The symmetric simulator says what the event-driven one says, to 1e-9 of the step.

Times lie on one grid on which sums are exact, so nothing but the order of summing bytes
could tell them apart; the tolerance is that of the promise, not of need.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosmic.collective.policy import (
    CollectivePolicy,
    MultiDimensional,
    SchedulingPolicy,
)
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension, Shape
from cosmic.network.topology import Topology
from cosmic.simulation.event_driven import EventDrivenSimulator
from cosmic.simulation.result import Breakdown
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.testing.strategies import graphs, systems_for, systems_of, workloads
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
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.workload import Workload

SHARE = 1e-9

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
    topology = Topology(
        tuple(
            Dimension(shape=shape, size=size, link_bandwidth=1e9, latency=1e-6)
            for shape, size in zip(Shape, sizes, strict=True)
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
