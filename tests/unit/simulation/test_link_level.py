from dataclasses import replace

import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.collective.protocol import Protocol
from cosmic.compute.device import Device
from cosmic.errors import SpecError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.link_level import link_level_time, link_level_transfer
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind

US = 1e-6


def system(shape: Shape, size: int, algorithm: str, **rest: float) -> System:
    """Links of 1 GB/s and 1 us, an endpoint delay of 2 us, sums at 3 GB/s."""
    names = (algorithm,)
    return System(
        Cluster(
            Device(peak_flops=1e12, memory_bandwidth=9e9, memory_capacity=1e12),
            Topology(
                (
                    Dimension(
                        shape=shape, size=size, link_bandwidth=1e9, latency=US, **rest
                    ),
                )
            ),
        ),
        CollectivePolicy(
            all_reduce=names,
            all_gather=names,
            reduce_scatter=names,
            all_to_all=names,
            endpoint_delay=2 * US,
        ),
    )


def everybody(size: int) -> Group:
    return Group(name="all", size=size, stride=1)


def test_an_all_reduce_on_a_ring_is_six_steps_of_a_slice() -> None:
    ring = system(Shape.RING, 4, "ring")

    result = link_level_time(CollectiveKind.ALL_REDUCE, 4000.0, everybody(4), ring)

    # 6 steps of 2 us delay, 1 us for a slice of 1 kB, 1 us latency; 3 of them add a
    # slice in 1/3 us; 2 us delay at the end
    assert result.seconds == pytest.approx(27 * US, rel=1e-12)
    assert result.finish == pytest.approx([27 * US] * 4, rel=1e-12)


def test_links_know_what_they_carried() -> None:
    ring = system(Shape.RING, 4, "ring")

    result = link_level_time(CollectiveKind.ALL_REDUCE, 4000.0, everybody(4), ring)

    links = zip(result.links, result.carried, strict=True)
    carried = {(link.device, link.port): nbytes for link, nbytes in links}
    assert carried == {(d, p): 6000.0 * (p == 1) for d in range(4) for p in (1, -1)}
    assert max(result.utilization) == pytest.approx(6 / 27, rel=1e-12)


def test_slices_follow_each_other_down_a_chain() -> None:
    line = system(Shape.MESH, 3, "ring")

    result = link_level_time(CollectiveKind.BROADCAST, 3000.0, everybody(3), line)

    # a slice of 1 kB leaves every 3 us (delay and transfer): the third at 9 us, which
    # is there at 10, leaves the second device at 13 and is there at 14; 2 us at the end
    assert result.finish == pytest.approx([11 * US, 15 * US, 16 * US], rel=1e-12)


def test_a_message_alone_takes_its_hops_and_its_bytes() -> None:
    ring = system(Shape.RING, 8, "ring")

    result = link_level_transfer((0, 3), 5000.0, everybody(8), ring)

    assert result.seconds == pytest.approx((3 + 5 + 2) * US, rel=1e-12)


def test_a_switch_adds_up_while_it_receives() -> None:
    switch = system(Shape.SWITCH, 8, "inNetwork")

    result = link_level_time(CollectiveKind.ALL_REDUCE, 5000.0, everybody(8), switch)

    # the buffer once, at the speed of a link; a link up and one down; two delays
    assert result.seconds == pytest.approx((5 + 2 + 4) * US, rel=1e-12)


def test_an_answer_is_not_there_before_all_has_come_up() -> None:
    """A reduce-scatter sends a buffer up and an eighth of it down."""
    switch = system(Shape.SWITCH, 8, "inNetwork")

    result = link_level_time(
        CollectiveKind.REDUCE_SCATTER, 8000.0, everybody(8), switch
    )

    assert result.seconds == pytest.approx((8 + 2 + 4) * US, rel=1e-12)


def test_all_messages_share_the_core_of_a_switch() -> None:
    switch = system(Shape.SWITCH, 4, "direct", oversubscription=2.0)

    result = link_level_time(CollectiveKind.ALL_TO_ALL, 4000.0, everybody(4), switch)

    # 12 messages of 1 kB through 2 GB/s, where the ports alone would take 3 us
    assert result.seconds == pytest.approx((6 + 2 + 4) * US, rel=1e-12)


def test_groups_side_by_side_on_a_ring_share_its_links() -> None:
    ring = system(Shape.RING, 8, "halvingDoubling")
    pairs = Group(name="pairs", size=2, stride=2)

    result = link_level_time(CollectiveKind.ALL_GATHER, 2000.0, pairs, ring)

    # two messages of 1 kB on the link between the pairs, and two links on the way
    assert result.seconds == pytest.approx((2 + 2 + 4) * US, rel=1e-12)


def test_one_device_alone_sends_nothing() -> None:
    result = link_level_time(
        CollectiveKind.ALL_REDUCE, 1e6, everybody(1), system(Shape.RING, 4, "ring")
    )

    assert result.seconds == 0
    assert set(result.carried) == set(result.utilization) == {0.0}


def test_more_devices_than_it_can_play_are_refused() -> None:
    big = system(Shape.SWITCH, 1024, "inNetwork")

    with pytest.raises(SpecError, match="at most 512 devices, not 1024"):
        link_level_time(CollectiveKind.ALL_REDUCE, 1e6, everybody(1024), big)


def test_more_messages_than_it_can_play_are_refused() -> None:
    big = system(Shape.RING, 512, "ring")

    with pytest.raises(SpecError, match=r"at most 200000 messages.* sends 523264;"):
        link_level_time(CollectiveKind.ALL_REDUCE, 1e6, everybody(512), big)


def test_protocols_of_a_library_are_refused() -> None:
    ring = system(Shape.RING, 4, "ring")
    protocol = Protocol(
        name="Simple", launch_delay=0.0, step_delays=(0.0,), bandwidth_fractions=(1.0,)
    )
    fenced = replace(ring, policy=replace(ring.policy, protocols=(protocol,)))

    with pytest.raises(SpecError, match=r"knows no protocols.* has Simple"):
        link_level_time(CollectiveKind.ALL_REDUCE, 1e6, everybody(4), fenced)
