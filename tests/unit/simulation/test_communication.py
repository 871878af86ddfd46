"""The time of the phases of a collective: by hand, and ASTRA-sim's.

The times are those of ASTRA-sim where the physics is the same. They differ on
purpose in three places: a device adds up all that it receives (ASTRA-sim lets the
messages of a direct reduce-scatter be added side by side, and counts all sums of a
halving but the largest); messages that cross one link at once share it (in ASTRA-sim's
congestion-unaware network each has it alone); and a ring of two devices has two links.
"""

from typing import Any, NamedTuple

import pytest

from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape, Wiring
from cosmic.simulation.communication import PhaseTime, phase_cost, routes
from cosmic.simulation.single_collective import time_collective
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


def phase_times(
    node: CollectiveNode, group: Group, machine: System
) -> tuple[PhaseTime, ...]:
    """What every chunk passes: all go one way."""
    (route,) = routes(node, group, machine)
    return route.phases


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

    assert routes(collective(AR, 1e9), Group(name="a", size=1, stride=4), machine) == ()


@pytest.mark.parametrize(
    ("kind", "memory", "busy"),
    [
        # 3 x 3 x 1000 B through the memory, against 3 x 1000 B at 1 GB/s
        (RS, 2e9, 4.5e-6),
        (RS, 8e9, 3e-6),
        (AR, 2e9, 6e-6),  # sends twice as much and adds up the same
        (AR, 1e9, 9e-6),
        (AG, 1e9, 3e-6),  # adds up nothing
    ],
)
def test_a_chunk_has_links_and_memory_for_itself_until_the_slower_is_done(
    kind: CollectiveKind, memory: float, busy: float
) -> None:
    ring = dimension(RING, 4, bandwidth=1e9, latency=1e-6)
    machine = system(ring, memory_bandwidth=memory, endpoint_delay=1e-7)
    everybody = Group(name="data", size=4, stride=1)

    (phase,) = phase_times(collective(kind, 4000.0), everybody, machine)

    assert phase.link_seconds == pytest.approx(busy)
    assert phase.link_seconds < phase.seconds


def test_sums_of_two_chunks_share_the_memory() -> None:
    # each of two chunks sends 3 x 1000 B at 1 GB/s and adds up as much, in 9 us; the
    # second waits 9 us for the memory, then takes 3 + 9 us
    ring = dimension(RING, 4, bandwidth=1e9)
    machine = system(ring, memory_bandwidth=1e9, chunks=2, active_chunks=2)
    everybody = Group(name="data", size=4, stride=1)

    timed = time_collective(RS, 8000.0, machine, everybody)

    assert timed.seconds == pytest.approx(9e-6 + 12e-6)


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
    wiring = Wiring(run.shape, run.n)
    steps = phase_cost(run.algorithm, run.kind, wiring, Span(0, run.n, 1)).steps
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
