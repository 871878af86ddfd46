"""Phases over protocols: hand calculations, and laws for all."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.collective.policy import CollectivePolicy
from cosmic.collective.protocol import Protocol
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.communication import routes, transfer_time
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind, CollectiveNode

US, GB, MB = 1e-6, 1e9, 1e6
FLAGS = Protocol(
    name="LL", launch_delay=6 * US, step_delays=(1 * US,), bandwidth_fractions=(0.25,)
)
FENCES = Protocol(
    name="Simple",
    launch_delay=8 * US,
    step_delays=(3 * US,),
    bandwidth_fractions=(0.8,),
)
GROUP = Group(name="all", size=4, stride=1)
ALL_REDUCE, REDUCE_SCATTER = CollectiveKind.ALL_REDUCE, CollectiveKind.REDUCE_SCATTER


def system(*protocols: Protocol, chunks: int = 1, active: int = 1) -> System:
    """Four devices on a switch of 100 GB/s, with memory of 1,000 GB/s."""
    ring = ("ring",)
    return System(
        Cluster(
            Device(peak_flops=1e12, memory_bandwidth=1000 * GB, memory_capacity=1e9),
            Topology(
                (
                    Dimension(
                        shape=Shape.SWITCH,
                        size=4,
                        link_bandwidth=100 * GB,
                        latency=0.0,
                    ),
                )
            ),
        ),
        CollectivePolicy(
            all_reduce=ring,
            all_gather=ring,
            reduce_scatter=ring,
            all_to_all=("direct",),
            chunks=chunks,
            active_chunks=active,
            protocols=protocols,
        ),
    )


def seconds(
    on: System, nbytes: float, kind: CollectiveKind = ALL_REDUCE
) -> tuple[float, str]:
    node = CollectiveNode(name="c", kind=kind, group="all", nbytes=nbytes)
    ((phase,),) = (route.phases for route in routes(node, GROUP, on))
    return phase.seconds, phase.protocol


def test_a_small_message_takes_the_protocol_that_is_quick_to_start() -> None:
    time, protocol = seconds(system(FLAGS, FENCES), 0.0)

    assert protocol == "LL"
    assert time == pytest.approx(12 * US)  # launch 6, and 6 steps of 1


def test_a_large_message_takes_the_protocol_that_fills_the_link() -> None:
    time, protocol = seconds(system(FLAGS, FENCES), 800 * MB)

    # launch 8 + 6 steps x 3; 1.5 x 800 MB at 80 GB/s; a last slice of 200 MB read and
    # written at 1,000 GB/s
    assert protocol == "Simple"
    assert time == pytest.approx((26 + 15_000 + 400) * US)


def test_chunks_do_not_take_what_makes_the_others_wait_for_the_links() -> None:
    # a chunk of 0.2 MB is through after 12 + 12 us with flags, 26 + 3.75 us with
    # fences, but eight of them need the links for 96 us or for 30 us
    alone, of_eight = system(FLAGS, FENCES), system(FLAGS, FENCES, chunks=8, active=8)

    assert seconds(system(FLAGS), 0.2 * MB)[0] < seconds(system(FENCES), 0.2 * MB)[0]
    assert seconds(alone, 0.2 * MB)[1] == "LL"
    assert seconds(of_eight, 1.6 * MB)[1] == "Simple"


def test_a_sum_reads_two_slices_and_writes_one() -> None:
    time, _ = seconds(system(FENCES), 800 * MB, REDUCE_SCATTER)

    assert time == pytest.approx((8 + 3 * 3 + 7_500 + 600) * US)


def test_what_is_not_buffered_is_in_its_place_when_it_arrives() -> None:
    time, _ = seconds(system(replace(FENCES, buffered=False)), 800 * MB)

    assert time == pytest.approx((26 + 15_000) * US)


@pytest.mark.parametrize(("active", "launched"), [(1, 8 / 4), (2, 8 / 2), (8, 8)])
def test_chunks_share_a_launch_as_far_as_they_follow_each_other(
    active: int, launched: float
) -> None:
    time, _ = seconds(system(FENCES, chunks=4, active=active), 0.0)

    assert time == pytest.approx((launched + 18) * US)


def test_a_message_between_two_devices_is_one_step() -> None:
    time = transfer_time(GROUP, (0, 1), 80 * MB, system(FENCES))

    assert time == pytest.approx((8 + 3 + 1000) * US)


kinds = st.sampled_from(CollectiveKind)
bytes_ = st.floats(0, 1e10)


@given(kind=kinds, nbytes=bytes_)
def test_a_choice_is_never_slower_than_any_of_its_protocols(
    kind: CollectiveKind, nbytes: float
) -> None:
    best, _ = seconds(system(FLAGS, FENCES), nbytes, kind)

    assert best == min(seconds(system(p), nbytes, kind)[0] for p in (FLAGS, FENCES))


@given(kind=kinds, nbytes=bytes_, fraction=st.floats(0.01, 1.0))
def test_less_of_the_bandwidth_never_helps(
    kind: CollectiveKind, nbytes: float, fraction: float
) -> None:
    less = replace(FENCES, bandwidth_fractions=(0.8 * fraction,))

    assert (
        seconds(system(less), nbytes, kind)[0]
        >= seconds(system(FENCES), nbytes, kind)[0]
    )


@given(kind=kinds, nbytes=bytes_)
def test_a_free_protocol_leaves_what_the_links_carry(
    kind: CollectiveKind, nbytes: float
) -> None:
    free = Protocol(
        name="free",
        launch_delay=0.0,
        step_delays=(0.0,),
        bandwidth_fractions=(1.0,),
        buffered=False,
    )
    node = CollectiveNode(name="c", kind=kind, group="all", nbytes=nbytes)

    (bare,) = routes(node, GROUP, system())

    assert seconds(system(free), nbytes, kind)[0] == bare.phases[0].link_seconds
