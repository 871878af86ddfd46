"""No collective on any network is faster than what its links allow."""

from math import log2, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.compute.device import Device
from cosmic.errors import SpecError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.collective_bound import least_time
from cosmic.simulation.single_collective import (
    algorithm_bandwidth,
    all_devices,
    bus_factor,
    fastest_collective,
    time_collective,
)
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind

ROUNDING = 1e-9
NAMES = ("ring", "bidirectionalRing", "direct", "direct2", "doubleBinaryTree")
IN_SWITCH = (*NAMES, "halvingDoubling", "inNetwork", "nvls")


@st.composite
def dimensions(draw: st.DrawFn) -> Dimension:
    shape = draw(st.sampled_from(Shape))
    switch = shape is Shape.SWITCH
    return Dimension(
        shape=shape,
        size=draw(st.sampled_from((2, 4, 8))),
        link_bandwidth=draw(st.sampled_from((1e9, 3e9, 5e10))),
        latency=draw(st.sampled_from((0.0, 1e-6))),
        oversubscription=draw(st.sampled_from((1.0, 2.0))) if switch else 1.0,
        asymmetry=draw(st.sampled_from((1.0, 0.5))),
    )


@st.composite
def systems(draw: st.DrawFn) -> System:
    joined = tuple(draw(st.lists(dimensions(), min_size=1, max_size=3)))

    def names() -> tuple[str, ...]:
        found = [
            draw(st.sampled_from(IN_SWITCH if d.shape is Shape.SWITCH else NAMES))
            for d in joined
        ]
        return tuple(found)

    policy = CollectivePolicy(
        all_reduce=names(),
        all_gather=names(),
        reduce_scatter=names(),
        all_to_all=names(),
        chunks=draw(st.sampled_from((1, 2, 5))),
        active_chunks=draw(st.sampled_from((1, 3))),
        multi_dimensional=draw(st.sampled_from(MultiDimensional)),
    )
    memory = draw(st.sampled_from((1e10, 1e12)))
    device = Device(peak_flops=1e12, memory_bandwidth=memory, memory_capacity=1e9)
    return System(Cluster(device, Topology(joined)), policy)


@st.composite
def groups(draw: st.DrawFn, system: System) -> Group:
    powers = int(log2(system.cluster.devices))
    size = draw(st.integers(0, powers))
    return Group(
        name="group", size=2**size, stride=2 ** draw(st.integers(0, powers - size))
    )


@given(st.data(), st.sampled_from(CollectiveKind), st.sampled_from((1e2, 1e6, 1e10)))
def test_a_collective_takes_no_less_time_than_its_bound(
    data: st.DataObject, kind: CollectiveKind, nbytes: float
) -> None:
    system = data.draw(systems())
    group = data.draw(groups(system))
    bound = least_time(kind, nbytes, group, system)
    found = time_collective(kind, nbytes, system, group)
    assert found.seconds >= bound.seconds * (1 - ROUNDING)


@given(st.data(), st.sampled_from(CollectiveKind), st.sampled_from((1e2, 1e8)))
def test_the_fastest_choice_is_no_slower_than_any_choice(
    data: st.DataObject, kind: CollectiveKind, nbytes: float
) -> None:
    system = data.draw(systems())
    names = ("ring", "direct", "halvingDoubling")
    best = fastest_collective(kind, nbytes, system, algorithms=names, chunks=(1, 4))
    again = fastest_collective(
        kind, nbytes, system, algorithms=[data.draw(st.sampled_from(names))], chunks=[4]
    )
    assert best.seconds <= again.seconds


@given(st.data())
def test_what_is_sent_agrees_with_the_bytes_that_reach_every_device(
    data: st.DataObject,
) -> None:
    """A direct reduce-scatter over D dimensions sends (n - 1) / n of the buffer."""
    joined = tuple(data.draw(st.lists(dimensions(), min_size=1, max_size=3)))
    names = ("direct",) * len(joined)
    policy = CollectivePolicy(
        all_reduce=names, all_gather=names, reduce_scatter=names, all_to_all=names
    )
    device = Device(peak_flops=1e12, memory_bandwidth=1e12, memory_capacity=1e9)
    system = System(Cluster(device, Topology(joined)), policy)
    found = time_collective(CollectiveKind.REDUCE_SCATTER, 1e6, system)
    devices = prod(d.size for d in joined)
    sent = sum(found.sent(d) for d in range(len(joined)))
    assert np.isclose(sent, 1e6 * (devices - 1) / devices, rtol=ROUNDING)


def ring_of(size: int) -> System:
    ring = Dimension(shape=Shape.RING, size=size, link_bandwidth=1e9, latency=1e-6)
    names = ("bidirectionalRing",)
    policy = CollectivePolicy(
        all_reduce=names, all_gather=names, reduce_scatter=names, all_to_all=names
    )
    device = Device(peak_flops=1e12, memory_bandwidth=1e15, memory_capacity=1e9)
    return System(Cluster(device, Topology((ring,))), policy)


def test_a_ring_both_ways_round_reaches_the_bound_of_bandwidth() -> None:
    """8 devices, 2 links of 1 GB/s each: 2 x 7/8 x 1 GB / 2 GB/s."""
    system = ring_of(8)
    bound = least_time(CollectiveKind.ALL_REDUCE, 1e9, all_devices(system), system)
    assert bound.transfer == pytest.approx(0.875, rel=ROUNDING)
    found = time_collective(CollectiveKind.ALL_REDUCE, 1e9, system).seconds
    assert found == pytest.approx(bound.transfer + 14e-6, rel=1e-5)  # 14 hops


def test_the_farthest_device_of_a_ring_is_half_way_round() -> None:
    system = ring_of(8)
    bound = least_time(CollectiveKind.ALL_GATHER, 1.0, all_devices(system), system)
    assert bound.latency == pytest.approx(4e-6, rel=ROUNDING)
    assert bound.name == "latency"


def test_bus_bandwidth_of_an_all_reduce_is_what_a_device_sends() -> None:
    """nccl-tests: 1 GB in 10 ms on 8 devices is 100 GB/s, times 2 x 7/8."""
    assert bus_factor(CollectiveKind.ALL_REDUCE, 8) == 1.75
    assert bus_factor(CollectiveKind.ALL_TO_ALL, 8) == 0.875
    assert bus_factor(CollectiveKind.BROADCAST, 8) == 1.0
    assert algorithm_bandwidth(1e9, 0.01) == 1e11


def test_one_device_alone_takes_no_time() -> None:
    system = ring_of(4)
    alone = Group(name="alone", size=1, stride=1)
    assert time_collective(CollectiveKind.ALL_REDUCE, 1e9, system, alone).seconds == 0.0


def test_algorithms_that_exist_nowhere_are_named() -> None:
    with pytest.raises(SpecError, match="none of inNetwork can do an all_reduce"):
        fastest_collective(
            CollectiveKind.ALL_REDUCE, 1e6, ring_of(4), algorithms=["inNetwork"]
        )
