"""How gradients and weights travel: in groups of shards, at once or behind the work.

Times by hand: rings on a Switch of bandwidth B without latency take N (n - 1) / (n B)
for a reduce-scatter or an all-gather of N bytes over n devices, twice as long for an
all-reduce.
"""

from collections import Counter
from typing import Any

import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError, SpecError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.result import SimulationResult
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import Program, collective_nodes
from cosmic.trace.node import CollectiveKind
from cosmic.workload.lowering import groups, lower
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Axis, Parallelism
from cosmic.workload.weights import layer_weights
from cosmic.workload.workload import Workload

AR, AG, RS = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
)
INNER, OUTER = 8e9, 2e9  # bytes a second


def workload(layers: int = 1, batch: int = 4, **split: Any) -> Workload:
    model = TransformerModel(
        layers=layers,
        hidden=64,
        heads=4,
        key_value_heads=4,
        head_dim=16,
        feed_forward=256,
        sequence=32,
    )
    return Workload(model=model, batch=batch, parallelism=Parallelism(**split))


def step(given: Workload) -> SimulationResult:
    """A step of four devices: two near ones, and another two far away."""
    switches = (
        Dimension(shape=Shape.SWITCH, size=2, link_bandwidth=INNER, latency=0.0),
        Dimension(shape=Shape.SWITCH, size=2, link_bandwidth=OUTER, latency=0.0),
    )
    rings = ("ring", "ring")
    policy = CollectivePolicy(
        all_reduce=rings, all_gather=rings, reduce_scatter=rings, all_to_all=rings
    )
    device = Device(peak_flops=1e12, memory_bandwidth=1e30, memory_capacity=1e12)
    system = System(Cluster(device, Topology(switches)), policy)
    return SymmetricSimulator().run(lower(given), system)


def sent(program: Program) -> Counter[tuple[CollectiveKind, str]]:
    """Bytes by kind and group."""
    found: Counter[tuple[CollectiveKind, str]] = Counter()
    for node, times in collective_nodes(program):
        found[node.kind, node.group] += int(node.nbytes) * times
    return found


@pytest.mark.parametrize("sharding", [1, 2])
def test_scattered_gradients_are_summed_over_copies_of_the_shard(sharding: int) -> None:
    split: dict[str, Any] = {
        "data": 8,
        "weight_sharding": sharding,
        "sharding_group": 4,
    }
    shared = workload(3, 16, **split)
    nbytes = 3 * 2 * layer_weights(shared)
    (stage,) = lower(shared).stages

    assert not sent(stage.backward)
    assert sent(stage.last_backward) + sent(stage.finish) == {
        (RS, "shard"): nbytes,
        (AR, "copies"): nbytes // 4,
    }
    assert sent(stage.update) == {(AG, "shard"): nbytes}


def test_sharded_weights_are_summed_over_copies_once_a_step() -> None:
    shared = workload(3, 16, data=8, weight_sharding=3, sharding_group=4)
    nbytes = 3 * 2 * layer_weights(shared)
    each = {(RS, "shard"): nbytes, (AG, "shard"): nbytes}
    (stage,) = lower(shared).stages

    assert sent(stage.backward) == each
    once = {(AR, "copies"): nbytes // 4}
    assert sent(stage.last_backward) + sent(stage.finish) == each | once
    assert sent(stage.update) == {(AG, "shard"): nbytes}


def test_shards_are_neighbours_and_copies_are_far_away() -> None:
    shared = workload(data=8, tensor=2, weight_sharding=1, sharding_group=4, batch=8)

    found = {group.name: group.members(5) for group in groups(shared)}

    assert found["shard"] == (1, 3, 5, 7)
    assert found["copies"] == (5, 13)
    assert found["data"] == (1, 3, 5, 7, 9, 11, 13, 15)


def test_a_group_over_all_is_no_group_of_its_own() -> None:
    split: dict[str, Any] = {"data": 8, "weight_sharding": 3}
    names = [g.name for g in groups(workload(batch=8, **split, sharding_group=8))]

    assert names == [g.name for g in groups(workload(batch=8, **split))]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"sharding_group": -1}, "must not be negative, but is -1"),
        ({"sharding_group": 2}, "weight_sharding is 0: nothing is sharded"),
        ({"sharding_group": 3, "weight_sharding": 1}, "3 does not divide 8"),
        ({"sharding_group": 1, "weight_sharding": 1}, "= 1 shares nothing out"),
        ({"prefetch": -1}, "prefetch must not be negative, but is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(split: dict[str, Any], message: str) -> None:
    with pytest.raises((SpecError, ConsistencyError), match=message):
        Parallelism(data=8, **split)


def test_shards_that_another_axis_would_cut_in_parts_are_refused() -> None:
    order = (Axis.SEQUENCE, Axis.TENSOR, Axis.DATA, Axis.PIPELINE)
    with pytest.raises(ConsistencyError, match="another axis lies between"):
        Parallelism(
            sequence=4,
            tensor=2,
            data=3,
            weight_sharding=1,
            sharding_group=6,
            axis_order=order,
        )


@pytest.mark.parametrize("sharding", [0, 1, 2])
def test_without_overlap_all_that_travels_is_waited_for(sharding: int) -> None:
    shared = workload(data=4, weight_sharding=sharding, gradient_overlap=False)
    nbytes = 2 * layer_weights(shared)
    # half of the gradients over the near switch, then a quarter over the far one; sums,
    # or the updated weights, go the same way back
    once = nbytes / 2 / INNER + nbytes / 4 / OUTER

    assert step(shared).breakdown.exposed["data"] == pytest.approx(2 * once, rel=1e-9)


def test_shards_of_near_devices_send_a_half_to_far_ones() -> None:
    split: dict[str, Any] = {"data": 4, "weight_sharding": 1, "sharding_group": 2}
    shared = workload(**split, gradient_overlap=False)
    nbytes = 2 * layer_weights(shared)

    waited = step(shared).breakdown.exposed

    # scatter and gather among two near devices; half of all is all-reduced among two
    assert waited["shard"] == pytest.approx(2 * nbytes / 2 / INNER, rel=1e-9)
    assert waited["copies"] == pytest.approx(nbytes / 2 / OUTER, rel=1e-9)
    assert waited["data"] == 0


@pytest.mark.parametrize("sharding", [0, 1, 2, 3])
@pytest.mark.parametrize("group", [0, 2])
def test_overlap_hides_some_of_it_and_changes_no_work(
    sharding: int, group: int
) -> None:
    group = group if sharding else 0
    split: dict[str, Any] = {
        "data": 4,
        "weight_sharding": sharding,
        "sharding_group": group,
    }
    late, early = (
        step(workload(6, 8, **split, gradient_overlap=overlap))
        for overlap in (False, True)
    )

    assert early.makespan < late.makespan
    assert early.sent == late.sent
    assert early.breakdown.compute == late.breakdown.compute
    assert early.breakdown.optimizer == pytest.approx(late.breakdown.optimizer)


def test_weights_that_are_not_fetched_ahead_are_waited_for() -> None:
    """Three layers; forward, backward and the next forward take turns, one each."""
    split: dict[str, Any] = {"data": 4, "weight_sharding": 3, "gradient_overlap": False}
    shared = workload(3, **split, prefetch=0)
    nbytes = 3 * 2 * layer_weights(shared)
    once = nbytes / 2 / INNER + nbytes / 4 / OUTER  # a gather, or a scatter

    # the step: gathered forward and backward, scattered behind each layer
    waited = step(shared).breakdown.exposed["data"]

    assert waited == pytest.approx(3 * once, rel=1e-9)


def test_weights_fetched_ahead_are_waited_for_less() -> None:
    split: dict[str, Any] = {"data": 4, "weight_sharding": 3}
    times = [step(workload(6, 8, **split, prefetch=n)).makespan for n in range(4)]

    assert times[0] > max(times[1:])
    assert times[1] != times[2]
