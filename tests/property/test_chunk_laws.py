"""What holds for one collective alone, whatever its chunks and routes."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.single_collective import CollectiveTime, time_collective
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.node import CollectiveKind

ROUNDING = 1e-12  # of sums of some hundred floats

every_time_alike = settings(derandomize=True, max_examples=100)


def dimensions(most: int) -> st.SearchStrategy[list[Dimension]]:
    """Some of any shape, size and speed."""
    one = st.builds(
        Dimension,
        shape=st.sampled_from(Shape),
        size=st.sampled_from((2, 4, 8)),
        link_bandwidth=st.sampled_from((1e9, 2e9, 7.3e9, 1e11)),
        latency=st.sampled_from((0.0, 1e-6, 1e-5)),
    )
    return st.lists(one, min_size=1, max_size=most)


@st.composite
def systems(draw: st.DrawFn, most: int = 3) -> System:
    network = draw(dimensions(most))
    names = st.sampled_from(("ring", "direct", "halvingDoubling", "doubleBinaryTree"))
    chosen = tuple(draw(names) for _ in network)
    policy = CollectivePolicy(
        all_reduce=chosen,
        all_gather=chosen,
        reduce_scatter=chosen,
        all_to_all=chosen,
        chunks=draw(st.integers(1, 20)),
        active_chunks=draw(st.integers(1, 4)),
        multi_dimensional=draw(st.sampled_from(MultiDimensional)),
        endpoint_delay=draw(st.sampled_from((0.0, 1e-6))),
    )
    return on(network, policy)


def on(network: list[Dimension], policy: CollectivePolicy) -> System:
    device = Device(peak_flops=1e12, memory_bandwidth=1e12, memory_capacity=1e12)
    return System(Cluster(device, Topology(tuple(network))), policy)


kinds = st.sampled_from(CollectiveKind)
buffers = st.sampled_from((0.0, 1e3, 1e6, 1e9))


def busy(timed: CollectiveTime, dimension: int) -> float:
    """For how long chunks have a dimension for themselves."""
    return sum(
        route.chunks * phase.link_seconds
        for route in timed.routes
        for phase in route.phases
        if phase.dimension == dimension
    )


@settings(every_time_alike)
@given(kind=kinds, nbytes=buffers, system=systems())
def test_no_collective_is_faster_than_its_busiest_dimension(
    kind: CollectiveKind, nbytes: float, system: System
) -> None:
    timed = time_collective(kind, nbytes, system)

    each = [busy(timed, d) for d in range(system.policy.dimensions)]
    assert timed.seconds >= max(each) * (1 - ROUNDING)


@settings(every_time_alike)
@given(kind=kinds, nbytes=buffers, system=systems(most=1))
def test_on_one_dimension_a_collective_takes_what_the_closed_form_says(
    kind: CollectiveKind, nbytes: float, system: System
) -> None:
    """A chunk waits for the links, and for the chunk that is `active` before it."""
    chunks, active = system.policy.chunks, system.policy.active_chunks

    timed = time_collective(kind, nbytes, system)

    ((phase,),) = (route.phases for route in timed.routes)
    rounds, more = divmod(chunks - 1, active)
    last_start = max(
        (chunks - 1) * phase.link_seconds,
        rounds * phase.seconds + more * phase.link_seconds,
    )
    assert timed.seconds == pytest.approx(last_start + phase.seconds, rel=ROUNDING)


@settings(every_time_alike)
@given(kind=kinds, nbytes=buffers, system=systems(most=1))
def test_on_one_dimension_more_active_chunks_take_no_longer(
    kind: CollectiveKind, nbytes: float, system: System
) -> None:
    def seconds(active: int) -> float:
        policy = replace(system.policy, active_chunks=active)
        return time_collective(kind, nbytes, replace(system, policy=policy)).seconds

    times = [seconds(active) for active in (1, 2, 3, 4, 20)]
    assert all(later <= before * (1 + ROUNDING) for before, later in pairwise(times))


@settings(every_time_alike)
@given(kind=kinds, nbytes=buffers, system=systems())
def test_themis_changes_nothing_for_one_chunk_or_on_one_dimension(
    kind: CollectiveKind, nbytes: float, system: System
) -> None:
    network = list(system.cluster.topology.dimensions)
    chunks = 1 if len(network) > 1 else system.policy.chunks

    def seconds(scheme: MultiDimensional) -> float:
        policy = replace(system.policy, chunks=chunks, multi_dimensional=scheme)
        return time_collective(kind, nbytes, on(network, policy)).seconds

    themis, aware = MultiDimensional.THEMIS, MultiDimensional.LOCAL_BW_AWARE
    assert seconds(themis) == seconds(aware)


@pytest.mark.parametrize(
    ("scheme", "seconds"),
    [
        # All chunks scatter over the first dimension until 12 s, then gather over it
        # until 24; beside that, each passes the second one in 1.5 s.
        (MultiDimensional.LOCAL_BW_AWARE, 24.0),
        # Two chunks scatter over the first dimension until 6 s, two over the second.
        # Until 9, each pair all-reduces its quarters where the other one was; then it
        # gathers, until 15. Either dimension has been busy all the time.
        (MultiDimensional.THEMIS, 15.0),
        # Whole all-reduces of 6 s; the second dimension is one behind the first.
        (MultiDimensional.BASELINE, 30.0),
    ],
)
def test_an_all_reduce_of_four_chunks_over_two_dimensions_by_hand(
    scheme: MultiDimensional, seconds: float
) -> None:
    # a chunk of 4 B on switches of 4 devices and 1 B/s: 3 steps of 1 B for a scatter
    # or a gather
    switch = Dimension(shape=Shape.SWITCH, size=4, link_bandwidth=1.0, latency=0.0)
    rings = ("ring", "ring")
    policy = CollectivePolicy(
        all_reduce=rings,
        all_gather=rings,
        reduce_scatter=rings,
        all_to_all=rings,
        chunks=4,
        multi_dimensional=scheme,
    )
    device = Device(peak_flops=1.0, memory_bandwidth=1e30, memory_capacity=1.0)
    system = System(Cluster(device, Topology((switch, switch))), policy)

    timed = time_collective(CollectiveKind.ALL_REDUCE, 16.0, system)

    assert timed.seconds == pytest.approx(seconds, rel=ROUNDING)
