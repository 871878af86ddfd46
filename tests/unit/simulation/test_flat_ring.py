"""A flat ring costs what its messages lay on every link that they cross."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.collective.policy import CollectivePolicy
from cosmic.collective.ring import Ring
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.flat_ring import flat_ring_cost, hand_over
from cosmic.simulation.link_network import LinkNetwork
from cosmic.system.cluster import Cluster
from cosmic.system.device_order import Placement
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind

ROUNDING = 1e-12  # sums of a few dozen floats
DEVICE = Device(peak_flops=1e12, memory_bandwidth=1e30, memory_capacity=1e9)


def dimension(
    shape: Shape, size: int, bandwidth: float = 1.0, latency: float = 0.0
) -> Dimension:
    return Dimension(shape=shape, size=size, link_bandwidth=bandwidth, latency=latency)


def system(
    *dimensions: Dimension, placement: Placement = Placement.INNER_FIRST
) -> System:
    names = ("direct",) * len(dimensions)
    policy = CollectivePolicy(
        all_reduce=names, all_gather=names, reduce_scatter=names, all_to_all=names
    )
    cluster = Cluster(DEVICE, Topology(dimensions))
    return System(cluster, policy, placement=placement, flat_rings=True)


def test_eight_devices_on_rings_of_six_behind_a_switch_of_four_by_hand() -> None:
    """Groups 0-7, 8-15 and 16-23; each goes through parts of two rings or three."""
    network = system(
        dimension(Shape.RING, 6, bandwidth=10.0, latency=1.0),
        dimension(Shape.SWITCH, 4, bandwidth=1.0, latency=5.0),
    )
    tensor = Group(name="tensor", size=8, stride=1)

    gather = flat_ring_cost(CollectiveKind.ALL_GATHER, tensor, network)
    reduce = flat_ring_cost(CollectiveKind.ALL_REDUCE, tensor, network)

    # No ring link carries two of the messages of a step, of 1/8 each. Those that leave
    # a ring cross the switch at the first place of their ring: from the second ring
    # both 7 -> 0 and 11 -> 12. So a step takes 1 + 2 x 5 s, and 1/10 + 2 s a byte.
    assert (gather.steps, gather.latency) == (7, 77.0)
    assert gather.byte_seconds == pytest.approx(7 / 8 * 2.1)
    assert (gather.reduced, gather.sent) == pytest.approx((0, 7 / 8))
    assert (reduce.steps, reduce.latency) == (14, 154.0)
    assert reduce.byte_seconds == pytest.approx(2 * gather.byte_seconds)
    assert (reduce.reduced, reduce.sent) == pytest.approx((7 / 8, 14 / 8))


def test_neighbors_that_lie_far_apart_pay_for_it() -> None:
    """Devices 0, 4, 8 on a ring of 12 that ids go round are no neighbors there."""
    near = Group(name="tensor", size=3, stride=1)
    far = Group(name="tensor", size=3, stride=4)
    network = system(dimension(Shape.RING, 12, latency=1.0))

    assert hand_over(near, (0, 1), network).latency == 1.0
    assert hand_over(far, (0, 1), network).latency == 4.0
    # 4 groups x 3 messages over 4 links each, on 12 links one way round
    gather = flat_ring_cost(CollectiveKind.ALL_GATHER, far, network)
    assert gather.byte_seconds == pytest.approx(2 * 1 / 3 * 4)


@st.composite
def networks(draw: st.DrawFn) -> System:
    """Two or three dimensions, some with slower ways back or a narrow core."""
    shapes = st.sampled_from((Shape.RING, Shape.SWITCH, Shape.FULLY_CONNECTED))
    dimensions = []
    for _ in range(draw(st.integers(2, 3))):
        shape = draw(shapes)
        plain = dimension(
            shape,
            draw(st.sampled_from((6, 4, 3, 2))),
            bandwidth=draw(st.sampled_from((1.0, 2.0, 8.0))),
            latency=draw(st.sampled_from((0.0, 1.0, 3.0))),
        )
        wide = draw(st.sampled_from((1.0, 2.0))) if shape is Shape.SWITCH else 1.0
        back = draw(st.sampled_from((1.0, 0.5)))
        dimensions.append(replace(plain, oversubscription=wide, asymmetry=back))
    return system(*dimensions, placement=draw(st.sampled_from(Placement)))


@settings(max_examples=80)
@given(kind=st.sampled_from(CollectiveKind), network=networks(), data=st.data())
def test_a_flat_ring_costs_what_its_messages_lay_on_the_links(
    kind: CollectiveKind, network: System, data: st.DataObject
) -> None:
    """The network of all links one by one knows nothing of lines and their loads."""
    devices = network.cluster.devices
    fitting = [
        (size, stride)
        for size in (2, 3, 4, 6, 8)
        for stride in (1, 2, 3, 4)
        if devices % (size * stride) == 0
    ]
    size, stride = data.draw(st.sampled_from(fitting or [(2, 1)]))
    group = Group(name="any", size=size, stride=stride)
    latency = byte_seconds = 0.0
    for step in Ring().steps(kind, size):
        rows = zip(
            step.sources.tolist(),
            step.destinations.tolist(),
            step.fractions.tolist(),
            strict=True,
        )
        sent = [
            (group.members(device)[source], group.members(device)[destination], part)
            for source, destination, part in rows
            for device in range(devices)
            if group.position(device) == 0
        ]
        slow, busy = link_by_link(sent, network)
        latency += step.repeat * slow
        byte_seconds += step.repeat * busy

    cost = flat_ring_cost(kind, group, network)

    if kind is CollectiveKind.BROADCAST:  # as if all sent, from the first step on
        assert cost.latency >= latency * (1 - ROUNDING)
        assert cost.byte_seconds >= byte_seconds * (1 - ROUNDING)
    else:
        assert cost.latency == pytest.approx(latency, rel=ROUNDING)
        assert cost.byte_seconds == pytest.approx(byte_seconds, rel=ROUNDING)


def link_by_link(
    messages: list[tuple[int, int, float]], network: System
) -> tuple[float, float]:
    """The longest way and the busiest link of each dimension, summed over them."""
    links = LinkNetwork(network.cluster.topology.dimensions, network.strides)
    longest: dict[int, float] = defaultdict(float)
    busiest: dict[int, float] = defaultdict(float)
    carried: dict[int, float] = defaultdict(float)
    for source, destination, part in messages:
        for way in (way for leg in links.legs(source, destination) for way in leg):
            where = links.links[way.links[0]].dimension
            longest[where] = max(longest[where], way.latency)
            for link in way.links:
                carried[link] += part * way.share / links.links[link].bandwidth
                busiest[where] = max(busiest[where], carried[link])
    return sum(longest.values()), sum(busiest.values())
