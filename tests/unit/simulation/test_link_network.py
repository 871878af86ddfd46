from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.network.dimension import Dimension
from cosmic.network.wiring import Shape, links_per_device
from cosmic.simulation.link_network import LinkNetwork, Way


def dimension(shape: Shape, size: int, **rest: float) -> Dimension:
    return Dimension(shape=shape, size=size, link_bandwidth=1e9, latency=1e-6, **rest)


@st.composite
def networks(draw: st.DrawFn) -> tuple[LinkNetwork, list[Dimension], list[int]]:
    """Up to three dimensions of any shape, counted through in any order."""
    shapes = draw(st.lists(st.sampled_from(Shape), min_size=1, max_size=3))
    dimensions = [
        dimension(shape, draw(st.sampled_from((1, 2, 4, 8))))
        if shape is Shape.HYPERCUBE
        else dimension(shape, draw(st.integers(1, 6)))
        for shape in shapes
    ]
    strides = [0] * len(dimensions)
    stride = 1
    for index in draw(st.permutations(range(len(dimensions)))):
        strides[index] = stride
        stride *= dimensions[index].size
    return LinkNetwork(dimensions, strides), dimensions, strides


def ends(network: LinkNetwork, link: int) -> tuple[object, object]:
    """Where a link begins and ends, told from its port by hand."""
    this = network.links[link]
    index, device, port = this.dimension, this.device, this.port
    whole = network.dimensions[index]
    position = network.position(index, device)
    match whole.shape:
        case Shape.RING | Shape.MESH:
            return device, network.moved(index, device, (position + port) % whole.size)
        case Shape.FULLY_CONNECTED:
            return device, network.moved(index, device, port)
        case Shape.HYPERCUBE:
            return device, network.moved(index, device, position ^ (1 << port))
        case Shape.SWITCH:
            switch = "switch", index, network.moved(index, device, 0)
            return (device, switch) if port == 0 else (switch, device)


@given(made=networks(), data=st.data())
def test_a_message_follows_links_from_its_sender_to_its_receiver(
    made: tuple[LinkNetwork, list[Dimension], list[int]], data: st.DataObject
) -> None:
    network, dimensions, _ = made
    devices = 1
    for each in dimensions:
        devices *= each.size
    device = st.integers(0, devices - 1)
    source, goal = data.draw(device), data.draw(device)

    at: object = source
    for leg in network.legs(source, goal):
        reached = {follow(network, at, way) for way in leg}
        assert len(reached) == 1
        assert sum(way.share for way in leg) == 1
        at = reached.pop()

    assert at == goal


def follow(network: LinkNetwork, at: object, way: Way) -> object:
    for link in way.links:
        start, end = ends(network, link)
        assert start == at
        at = end
    return at


@given(shape=st.sampled_from(Shape), size=st.sampled_from((2, 4, 8)), data=st.data())
def test_no_way_through_a_dimension_is_shorter(
    shape: Shape, size: int, data: st.DataObject
) -> None:
    """A search over all links, breadth first, finds none."""
    network = LinkNetwork([dimension(shape, size)], [1])
    source = data.draw(st.integers(0, size - 1))
    distances: dict[object, int] = {source: 0}
    queue: deque[object] = deque([source])
    while queue:
        here = queue.popleft()
        for link in range(len(network.links)):
            start, end = ends(network, link)
            if start == here and end not in distances:
                distances[end] = distances[here] + 1
                queue.append(end)

    for goal in range(size):
        for leg in network.legs(source, goal):
            assert {len(way.links) for way in leg} == {distances[goal]}
            assert [way.latency for way in leg] == pytest.approx(
                [distances[goal] * 1e-6] * len(leg), rel=1e-12
            )


@pytest.mark.parametrize("shape", [Shape.RING, Shape.FULLY_CONNECTED, Shape.HYPERCUBE])
@pytest.mark.parametrize("size", [1, 2, 8])
def test_a_device_has_as_many_links_as_it_sends_into(shape: Shape, size: int) -> None:
    network = LinkNetwork([dimension(shape, size)], [1])

    assert len(network.links) == size * links_per_device(shape, size)


def test_half_goes_either_way_round_to_the_opposite_device_of_a_ring() -> None:
    network = LinkNetwork([dimension(Shape.RING, 4)], [1])

    ((clockwise, back),) = network.legs(3, 1)

    assert clockwise.share == back.share == 0.5
    assert [network.links[link].device for link in clockwise.links] == [3, 0]
    assert [network.links[link].device for link in back.links] == [3, 2]


def test_two_devices_in_a_ring_have_two_links_each_way() -> None:
    network = LinkNetwork([dimension(Shape.RING, 2)], [1])

    ((first, second),) = network.legs(0, 1)

    assert len(network.links) == 4
    assert first.links != second.links


def test_a_hypercube_is_crossed_lowest_bit_first() -> None:
    network = LinkNetwork([dimension(Shape.HYPERCUBE, 8)], [1])

    (((way),),) = network.legs(0, 6)

    assert [network.links[link].device for link in way.links] == [0, 2]


@pytest.mark.parametrize("shape", Shape)
def test_links_to_lower_positions_have_a_bandwidth_of_their_own(shape: Shape) -> None:
    network = LinkNetwork([dimension(shape, 4, asymmetry=0.25)], [1])

    ((up, *_),), ((down, *_),) = network.legs(0, 1), network.legs(1, 0)

    slowest = [min(network.links[k].bandwidth for k in w.links) for w in (up, down)]
    # a message crosses a switch by a link up and a link down, wherever it comes from
    assert slowest == ([0.25e9] * 2 if shape is Shape.SWITCH else [1e9, 0.25e9])


def test_all_messages_cross_the_core_of_an_oversubscribed_switch() -> None:
    network = LinkNetwork([dimension(Shape.SWITCH, 8, oversubscription=4.0)], [1])

    core = {
        network.links[link].bandwidth
        for source, goal in [(0, 1), (7, 2), (3, 6)]
        for link in network.legs(source, goal)[0][0].links
        if network.links[link].latency == 0
    }

    assert core == {2e9}  # 8 ports of 1 GB/s over 4
