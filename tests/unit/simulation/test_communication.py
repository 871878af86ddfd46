"""The cost of a phase: closed forms, groups that share links, and ASTRA-sim's times.

The closed forms are those of ASTRA-sim where the physics is the same. They differ on
purpose in three places: a device adds up all that it receives (ASTRA-sim lets the
messages of a direct reduce-scatter be added side by side, and counts all sums of a
halving but the largest); messages that cross one link at once share it (in ASTRA-sim's
congestion-unaware network each has it alone); and a ring of two devices has two links.
"""

from typing import Any, NamedTuple

import pytest

from cosmic.collective.algorithm import ALGORITHMS
from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError, SpecError
from cosmic.network.dimension import Dimension, Shape
from cosmic.network.topology import Topology
from cosmic.simulation.communication import (
    crossings,
    phase_cost,
    phase_times,
    transfer_time,
)
from cosmic.system.cluster import Cluster
from cosmic.system.placement import Span
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind, CollectiveNode

AR, AG, RS, A2A = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL,
)
RING, SWITCH, FULL = Shape.RING, Shape.SWITCH, Shape.FULLY_CONNECTED
HOPS = {RING: 1, FULL: 1, SWITCH: 2}  # to the next device


def whole(size: int) -> Span:
    return Span(0, size, 1)


def dimension(
    shape: Shape, size: int, bandwidth: float = 1e9, latency: float = 0.0
) -> Dimension:
    return Dimension(shape=shape, size=size, link_bandwidth=bandwidth, latency=latency)


def system(
    *dimensions: Dimension,
    algorithm: str = "ring",
    memory_bandwidth: float = 1e30,
    **policy: Any,
) -> System:
    names = (algorithm,) * len(dimensions)
    device = Device(
        peak_flops=1e12, memory_bandwidth=memory_bandwidth, memory_capacity=1e9
    )
    return System(
        Cluster(device, Topology(dimensions)),
        CollectivePolicy(
            all_reduce=names,
            all_gather=names,
            reduce_scatter=names,
            all_to_all=names,
            **policy,
        ),
    )


def collective(kind: CollectiveKind, nbytes: float) -> CollectiveNode:
    return CollectiveNode(name="any", kind=kind, group="data", nbytes=nbytes)


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("n", [3, 4, 7, 16])
def test_a_ring_takes_its_steps_to_the_next_device(shape: Shape, n: int) -> None:
    for kind, rounds, sums in ((AR, 2, 1), (RS, 1, 1), (AG, 1, 0)):
        cost = phase_cost("ring", kind, shape, n, whole(n))
        assert cost.steps == rounds * (n - 1)
        assert cost.hops == rounds * (n - 1) * HOPS[shape]
        assert cost.load == pytest.approx(rounds * (n - 1) / n)
        assert cost.reduced == pytest.approx(sums * (n - 1) / n)
        assert cost.sent == pytest.approx(rounds * (n - 1) / n)


@pytest.mark.parametrize("shape", Shape)
def test_a_ring_hands_on_an_all_to_all(shape: Shape) -> None:
    cost = phase_cost("ring", A2A, shape, 5, whole(5))

    # (4 + 3 + 2 + 1) slices of a fifth, in four steps
    assert (cost.steps, cost.hops) == (4, 4 * HOPS[shape])
    assert cost.load == pytest.approx(2.0)


def test_a_ring_of_two_sends_half_over_each_link() -> None:
    assert phase_cost("ring", AR, RING, 2, whole(2)).load == 0.5  # 2 steps of 1/2 / 2


@pytest.mark.parametrize("n", [2, 4, 7, 16])
def test_direct_needs_a_link_to_everybody(n: int) -> None:
    for kind, rounds, sums in ((AR, 2, 1), (RS, 1, 1), (AG, 1, 0), (A2A, 1, 0)):
        cost = phase_cost("direct", kind, FULL, n, whole(n))
        assert (cost.steps, cost.hops) == (rounds, rounds)
        assert cost.load == pytest.approx(rounds / n)
        assert cost.reduced == pytest.approx(sums * (n - 1) / n)


@pytest.mark.parametrize("n", [2, 4, 7, 16])
def test_direct_shares_the_port_to_a_switch(n: int) -> None:
    cost = phase_cost("direct", AG, SWITCH, n, whole(n))

    assert cost.hops == 2
    assert cost.load == pytest.approx((n - 1) / n)


def test_direct_on_a_ring_pays_for_the_way() -> None:
    # one way round, 8 devices send slices of 1/8 over 1 + 2 + 3 + 4/2 = 8 links
    cost = phase_cost("direct", AG, RING, 8, whole(8))

    assert cost.hops == 4
    assert cost.load == pytest.approx(1.0)


@pytest.mark.parametrize("n", [2, 4, 16, 64])
def test_halving_and_doubling_take_a_logarithm_of_steps(n: int) -> None:
    levels = n.bit_length() - 1
    for kind, rounds, sums in ((AR, 2, 1), (RS, 1, 1), (AG, 1, 0)):
        cost = phase_cost("halvingDoubling", kind, SWITCH, n, whole(n))
        assert cost.steps == rounds * levels
        assert cost.hops == 2 * rounds * levels
        assert cost.load == pytest.approx(rounds * (n - 1) / n)
        assert cost.reduced == pytest.approx(sums * (n - 1) / n)


def test_halving_on_a_ring_pays_for_distance() -> None:
    # distance 1: 1/2 on its link; distance 2: 1/4, both ways half, two overlap:
    # devices 0 and 1 go right to 2 and 3 over link 1, and 1/8 + 1/8 is 1/4
    cost = phase_cost("halvingDoubling", RS, RING, 4, whole(4))

    assert (cost.steps, cost.hops) == (2, 3)
    assert cost.load == pytest.approx(0.75)


@pytest.mark.parametrize("n", [2, 4, 8, 64])
def test_a_double_binary_tree_sends_no_more_than_must_be(n: int) -> None:
    cost = phase_cost("doubleBinaryTree", AR, SWITCH, n, whole(n))

    assert cost.steps == 2 * (n.bit_length() - 1)
    assert cost.sent == pytest.approx(2 * (n - 1) / n)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_groups_that_are_spread_over_a_ring_share_its_links(stride: int) -> None:
    extent = 16 // stride
    cost = phase_cost("ring", AG, RING, 16, Span(0, extent, stride))

    assert cost.hops == stride * (extent - 1)
    assert cost.load == pytest.approx(stride * (extent - 1) / extent)


def test_a_part_of_a_ring_has_no_link_to_close_it() -> None:
    part = phase_cost("ring", AG, RING, 8, Span(0, 4, 1))

    # the message from the last to the first device goes back over the 3 links between
    assert part.hops == 3 * 3
    assert part.load == pytest.approx(3 / 4)


def test_half_of_a_spread_ring_shares_links_and_has_none_to_close_it() -> None:
    part = phase_cost("ring", AG, RING, 16, Span(0, 4, 2))

    assert part.hops == 3 * 6  # back from position 6 to 0
    assert part.load == pytest.approx(2 * 3 / 4)


@pytest.mark.parametrize("shape", [SWITCH, FULL])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_ports_and_direct_links_are_not_shared_between_groups(
    shape: Shape, stride: int
) -> None:
    spread = phase_cost("ring", AR, shape, 16, Span(0, 4, stride))

    assert spread == phase_cost("ring", AR, shape, 4, whole(4))


@pytest.mark.parametrize("name", ALGORITHMS.names())
@pytest.mark.parametrize("kind", CollectiveKind)
def test_a_group_of_one_costs_nothing(name: str, kind: CollectiveKind) -> None:
    cost = phase_cost(name, kind, RING, 4, whole(1))

    assert (cost.steps, cost.hops, cost.load, cost.reduced, cost.sent) == (0,) * 5


def test_an_algorithm_that_does_not_exist_for_a_size_says_so() -> None:
    with pytest.raises(SpecError, match="halvingDoubling needs a power of two"):
        phase_cost("halvingDoubling", AR, SWITCH, 6, whole(6))


def test_a_phase_takes_delays_latencies_links_and_sums() -> None:
    ring = dimension(RING, 4, bandwidth=1e9, latency=1e-6)
    machine = system(ring, memory_bandwidth=4e9, chunks=2, endpoint_delay=1e-7)
    group = Group(name="data", size=4, stride=1)

    (phase,) = phase_times(collective(AR, 8000.0), group, machine)

    # a chunk of 4000 B: (6 + 1) x 0.1 us + 6 x 1 us + 6 x 1000 B / 1 GB/s
    #                    + 3 x 3 x 1000 B / 4 GB/s
    assert phase.seconds == pytest.approx(0.7e-6 + 6e-6 + 6e-6 + 2.25e-6)
    assert phase.sent == pytest.approx(6000.0)


def test_phases_follow_the_dimensions_that_the_group_spans() -> None:
    machine = system(dimension(RING, 4), dimension(SWITCH, 8, bandwidth=1e8))
    group = Group(name="data", size=8, stride=2)  # 2 of the ring, 4 of the switch

    phases = phase_times(collective(AR, 1600.0), group, machine)

    # out: 2 steps apart on a ring of 4, both ways half, 2 groups share a link: 800 B;
    # all-reduce of 800 B over 4: 6 x 200 B at a tenth; back as out
    assert [phase.dimension for phase in phases] == [0, 1, 0]
    assert [phase.seconds for phase in phases] == pytest.approx([0.8e-6, 12e-6, 0.8e-6])
    assert [phase.sent for phase in phases] == pytest.approx([800, 1200, 800])


def test_a_baseline_all_reduce_sends_more_over_the_outer_dimension() -> None:
    network = (dimension(RING, 4), dimension(RING, 4))
    group = Group(name="data", size=16, stride=1)
    node = collective(AR, 1600.0)

    aware = phase_times(node, group, system(*network))
    baseline = phase_times(
        node,
        group,
        system(*network, multi_dimensional=MultiDimensional.BASELINE),
    )

    # 2 x 3/4 of 1600 B against 2 x 3/4 of 400 B
    assert sum(p.sent for p in baseline if p.dimension == 1) == 2400
    assert sum(p.sent for p in aware if p.dimension == 1) == 600
    assert sum(p.sent for p in aware) == 2 * 15 / 16 * 1600  # the least that there is


def test_a_group_of_one_has_no_phases() -> None:
    machine = system(dimension(RING, 4))

    assert (
        phase_times(collective(AR, 1e9), Group(name="a", size=1, stride=4), machine)
        == []
    )


class Measured(NamedTuple):
    """A collective, and when ASTRA-sim had done it.

    `bandwidth` is in GB/s of 2**30 B, `latency` and `finish` are in ns; an all-gather's
    `size` is that of a shard.
    """

    algorithm: str
    kind: CollectiveKind
    shape: Shape
    n: int
    size: int
    bandwidth: float
    latency: float
    chunks: int
    finish: float


# Measured with ASTRA-sim 518bd51, analytical back end, congestion unaware, one queue
# and one active chunk, endpoint delay 10 ns, memory 1600 GB/s.
MEASURED = [
    Measured("ring", AR, RING, 8, 4194304, 50, 500, 2, 157842),
    Measured("ring", AR, RING, 8, 268435456, 150, 500, 4, 3385576),
    Measured("ring", AR, RING, 5, 3145728, 100, 500, 4, 67912),
    Measured("ring", AG, RING, 8, 4194304, 100, 1000, 8, 330032),
    Measured("ring", AR, FULL, 4, 4194304, 100, 2000, 4, 112732),
    Measured("ring", AR, FULL, 8, 1048576, 175, 2000, 32, 911552),
    Measured("ring", AG, FULL, 4, 4194304, 150, 1000, 16, 126736),
    Measured("ring", AR, SWITCH, 8, 4194304, 50, 1000, 16, 593760),
    Measured("ring", RS, SWITCH, 8, 1073741824, 150, 2000, 32, 8493056),
    Measured("ring", AG, SWITCH, 16, 16777216, 150, 2000, 2, 1682810),
    Measured("direct", AG, FULL, 16, 1048576, 375, 1000, 2, 4644),
    Measured("direct", AG, FULL, 64, 16777216, 50, 500, 2, 313540),
    Measured("direct", A2A, FULL, 4, 262144, 100, 2000, 2, 4650),
    Measured("halvingDoubling", AG, SWITCH, 8, 4194304, 150, 500, 4, 194444),
    Measured("halvingDoubling", AG, SWITCH, 16, 16777216, 50, 2000, 4, 4751700),
]


def later(run: Measured) -> float:
    """How many ns later we are done than ASTRA-sim, one chunk after the other."""
    machine = system(
        dimension(run.shape, run.n, run.bandwidth * 2**30, run.latency * 1e-9),
        algorithm=run.algorithm,
        memory_bandwidth=1600e9,
        chunks=run.chunks,
        endpoint_delay=10e-9,
    )
    nbytes = float(run.size * run.n if run.kind is AG else run.size)
    everybody = Group(name="data", size=run.n, stride=1)
    (phase,) = phase_times(collective(run.kind, nbytes), everybody, machine)
    return run.chunks * phase.seconds * 1e9 - run.finish


def cut_off(run: Measured) -> float:
    """The ns that ASTRA-sim may cut off: 1 a message, 1 a sum, counted threefold."""
    steps = phase_cost(run.algorithm, run.kind, run.shape, run.n, whole(run.n)).steps
    return run.chunks * steps * 4


@pytest.mark.parametrize("run", MEASURED)
def test_astra_sim_finds_the_same_time_where_no_link_is_shared(run: Measured) -> None:
    assert -1e-6 <= later(run) <= cut_off(run)


@pytest.mark.parametrize(
    ("run", "fraction"),
    [
        # all but the largest sum, of half the buffer
        (
            Measured("halvingDoubling", RS, SWITCH, 4, 268435456, 50, 500, 2, 3879886),
            1 / 2,
        ),
        (
            Measured("halvingDoubling", AR, SWITCH, 16, 1048576, 375, 2000, 1, 37822),
            1 / 2,
        ),
        # one sum of an eighth in the time of seven
        (Measured("direct", AR, FULL, 8, 4194304, 100, 500, 1, 11775), 6 / 8),
    ],
)
def test_astra_sim_leaves_out_sums_that_we_count(
    run: Measured, fraction: float
) -> None:
    left_out = 3 * fraction * run.size / 1600e9 * 1e9

    assert -1e-6 <= later(run) - left_out <= cut_off(run)


def test_a_transfer_loads_the_links_between_neighbors() -> None:
    network = dimension(RING, 4, 1e9, 1e-6), dimension(SWITCH, 2, 1e8, 5e-6)
    machine = system(*network, endpoint_delay=1e-7)
    stages = Group(name="pipeline", size=4, stride=2)

    # stage 0 -> 1: from 0 to 2 and from 1 to 3 on a ring of four, both ways half, and
    # the two groups share a link: 0.1 + 2 x 1 us + 1000 B / 1 GB/s
    assert transfer_time(stages, 0, 1000.0, machine) == pytest.approx(3.1e-6)
    # stage 1 -> 2: back on the ring, then over the switch: 2 x 5 us + 1000 B / 0.1 GB/s
    assert transfer_time(stages, 1, 1000.0, machine) == pytest.approx(23.1e-6)
    assert transfer_time(stages, 2, 1000.0, machine) == pytest.approx(3.1e-6)


def test_neighbors_cross_the_dimensions_in_which_they_differ() -> None:
    network = Topology((dimension(RING, 4), dimension(SWITCH, 2)))
    stages = Group(name="pipeline", size=4, stride=2)
    ring, switch = Span(0, 2, 2), Span(1, 2, 1)

    assert crossings(stages, 0, network) == [(ring, 0, 1)]
    assert crossings(stages, 1, network) == [(ring, 1, 0), (switch, 0, 1)]


def test_a_pipeline_that_does_not_factor_says_so() -> None:
    machine = system(dimension(RING, 6))

    with pytest.raises(ConsistencyError, match="the pipeline group of 4 devices"):
        transfer_time(Group(name="pipeline", size=4, stride=1), 0, 1.0, machine)
