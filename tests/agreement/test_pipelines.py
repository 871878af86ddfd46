"""Both simulators say the same of stages that hold several parts of the model.

Gradients of the last part are under way while the others still go backward, so that
what one stage is told by the next depends on how they share the network.
"""

from dataclasses import replace
from itertools import product

import pytest

from cosmic.collective.policy import CollectivePolicy, SchedulingPolicy
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.event_driven import EventDrivenSimulator
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import Schedule
from cosmic.workload.lowering import lower
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.workload import Workload

UNEVEN = (2, 1, 3, 1)


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


def system(scheduling: SchedulingPolicy, bandwidth: float = 1e9) -> System:
    """Two dimensions, over both of which the gradients go."""
    topology = Topology(
        tuple(
            Dimension(shape=shape, size=4, link_bandwidth=bandwidth, latency=1e-6)
            for shape in (Shape.RING, Shape.SWITCH)
        )
    )
    device = Device(peak_flops=1e13, memory_bandwidth=1e12, memory_capacity=1e12)
    ring = ("ring", "ring")
    policy = CollectivePolicy(
        all_reduce=ring,
        all_gather=ring,
        reduce_scatter=ring,
        all_to_all=ring,
        chunks=3,
        scheduling=scheduling,
    )
    return System(Cluster(device, topology), policy)


def interleaved(
    sharding: int, rounds: int, layers: tuple[int, ...] = (), shards: int = 0
) -> Workload:
    """Two stages of two parts each, on 16 devices."""
    return Workload(
        model=model(sum(layers) or 8),
        batch=4 * 2 * rounds,
        parallelism=Parallelism(
            tensor=2,
            data=4,
            pipeline=2,
            weight_sharding=sharding,
            sharding_group=shards,
            virtual_stages=2,
        ),
        stage_layers=layers,
    )


def assert_same(workload: Workload, machine: System) -> None:
    graph = lower(workload)
    fast = SymmetricSimulator().run(graph, machine)
    slow = EventDrivenSimulator().run(graph, machine)

    assert fast.makespan == slow.makespan
    for ours, theirs in zip(fast.stages, slow.stages, strict=True):
        near = pytest.approx(list(theirs.exposed.values()), abs=1e-9 * slow.makespan)
        assert list(ours.exposed.values()) == near
        assert ours.compute == pytest.approx(theirs.compute, rel=1e-9)
        assert ours.bubble == pytest.approx(theirs.bubble, abs=1e-9 * slow.makespan)
    for sent, really in zip(fast.sent, slow.sent, strict=True):
        assert sent == pytest.approx(really, rel=1e-9)


@pytest.mark.parametrize("scheduling", SchedulingPolicy)
@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize(
    ("sharding", "layers"), [*product(range(4), [(), UNEVEN]), (1, (1, 2, 2, 1))]
)
def test_parts_are_run_alike(
    sharding: int,
    layers: tuple[int, ...],
    rounds: int,
    scheduling: SchedulingPolicy,
) -> None:
    assert_same(interleaved(sharding, rounds, layers), system(scheduling))


@pytest.mark.parametrize("sharding", range(4))
def test_parts_are_run_alike_without_overlap(sharding: int) -> None:
    workload = interleaved(sharding, 2, UNEVEN)
    split = replace(workload.parallelism, gradient_overlap=False)

    assert_same(replace(workload, parallelism=split), system(SchedulingPolicy.LIFO))


@pytest.mark.parametrize("sharding", [1, 2, 3])
def test_parts_are_run_alike_with_copies_of_shards(sharding: int) -> None:
    workload = interleaved(sharding, 2, shards=2)

    assert_same(workload, system(SchedulingPolicy.FIFO))


@pytest.mark.parametrize("bandwidth", [1e8, 1e11])
@pytest.mark.parametrize("sharding", [0, 1])
def test_four_stages_of_three_parts_are_run_alike(
    sharding: int, bandwidth: float
) -> None:
    workload = Workload(
        model=model(24),
        batch=2 * 8,
        parallelism=Parallelism(
            tensor=2, data=2, pipeline=4, virtual_stages=3, weight_sharding=sharding
        ),
    )

    assert_same(workload, system(SchedulingPolicy.LIFO, bandwidth))


@pytest.mark.parametrize("scheduling", SchedulingPolicy)
@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize(
    ("sharding", "shards"), [*product(range(4), [0]), (2, 2), (3, 2)]
)
def test_gradients_of_weights_are_put_off_alike(
    sharding: int, shards: int, overlap: bool, scheduling: SchedulingPolicy
) -> None:
    split = Parallelism(
        tensor=2,
        data=4,
        pipeline=2,
        weight_sharding=sharding,
        sharding_group=shards,
        gradient_overlap=overlap,
    )
    workload = Workload(
        model=model(7),
        batch=4 * 5,
        parallelism=split,
        schedule=Schedule.ZB_H1,
        stage_layers=(3, 4),
    )

    assert_same(workload, system(scheduling))


@pytest.mark.parametrize("micro_batches", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("bandwidth", [1e8, 1e11])
def test_four_stages_put_gradients_of_weights_off_alike(
    bandwidth: float, micro_batches: int
) -> None:
    workload = Workload(
        model=model(8),
        batch=2 * micro_batches,
        parallelism=Parallelism(tensor=2, data=2, pipeline=4, weight_sharding=1),
        schedule=Schedule.ZB_H1,
    )

    assert_same(workload, system(SchedulingPolicy.FIFO, bandwidth))


def test_gradients_of_the_last_part_hold_up_what_the_others_do() -> None:
    """Else nothing above would tell the end of a stage from any other time."""
    workload = interleaved(0, 1)
    split = replace(workload.parallelism, gradient_overlap=False)
    machine, simulator = system(SchedulingPolicy.FIFO, 1e8), SymmetricSimulator()
    overlapping, apart = (
        simulator.run(lower(w), machine).stages[0].exposed["tensor"]
        for w in (workload, replace(workload, parallelism=split))
    )

    assert overlapping > 1.01 * apart
