"""Routing against a router that walks every message link by link."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.network.routing import Load, link_load
from cosmic.network.wiring import Shape, Wiring

Message = tuple[int, int, float]
Link = tuple[object, ...]

MESH, CUBE = Shape.MESH, Shape.HYPERCUBE


def ways(wiring: Wiring, source: int, to: int) -> list[list[Link]]:
    """The ways that a message takes, each a list of links and whether they go down."""
    match wiring.shape:
        case Shape.FULLY_CONNECTED:
            return [[(source, to, to < source)]]
        case Shape.SWITCH:
            return [[("up", source, False), ("down", to, True)]]
        case Shape.HYPERCUBE:
            return [list(walk_cube(source, to))]
        case Shape.MESH:
            step = 1 if to > source else -1
            return [[(here, step, step < 0) for here in range(source, to, step)]]
        case Shape.RING:
            both = [list(walk(wiring.size, source, to, step)) for step in (1, -1)]
            shortest = min(len(way) for way in both)
            return [way for way in both if len(way) == shortest]


def walk(size: int, source: int, to: int, step: int) -> Iterator[Link]:
    here = source
    while here != to:
        yield here, step, step < 0
        here = (here + step) % size


def walk_cube(source: int, to: int) -> Iterator[Link]:
    here = source
    while here != to:
        wrong = here ^ to
        following = here ^ (wrong & -wrong)  # the lowest digit that is not yet right
        yield here, following, following < here
        here = following


def walked(wiring: Wiring, messages: list[Message]) -> Load:
    """The load, found link by link; two shortest ways take half each."""
    links: dict[Link, float] = defaultdict(float)
    hops, core = 0, 0.0
    for source, to, weight in messages:
        if source == to:
            continue
        shortest = ways(wiring, source, to)
        hops = max(hops, len(shortest[0]))
        core += weight
        for way in shortest:
            for link in way:
                slowness = 1 / wiring.asymmetry if link[-1] else 1.0
                links[link] += weight / len(shortest) * slowness
    if wiring.shape is Shape.SWITCH:
        links["core",] = core * wiring.oversubscription / wiring.size
    return Load(hops, max(links.values(), default=0.0))


def routed(wiring: Wiring, messages: list[Message]) -> Load:
    sources = np.array([source for source, _, _ in messages], dtype=np.int64)
    destinations = np.array([to for _, to, _ in messages], dtype=np.int64)
    weights = np.array([weight for _, _, weight in messages])
    return link_load(wiring, sources, destinations, weights)


@st.composite
def traffic(draw: st.DrawFn, shape: Shape) -> tuple[Wiring, list[Message]]:
    """Messages whose loads are exact: halves and quarters of whole numbers."""
    sizes = [2, 4, 8, 16] if shape is Shape.HYPERCUBE else list(range(2, 10))
    wiring = Wiring(
        shape,
        draw(st.sampled_from(sizes)),
        asymmetry=draw(st.sampled_from([1.0, 0.5, 0.25, 2.0])),
    )
    device = st.integers(0, wiring.size - 1)
    weight = st.integers(0, 64).map(float)
    messages = draw(st.lists(st.tuples(device, device, weight), max_size=20))
    return wiring, messages


@pytest.mark.parametrize("shape", Shape)
@given(data=st.data())
def test_loads_are_those_of_walking_every_message(
    shape: Shape, data: st.DataObject
) -> None:
    wiring, messages = data.draw(traffic(shape))

    assert routed(wiring, messages) == walked(wiring, messages)


@given(case=traffic(Shape.SWITCH), factor=st.sampled_from([1.0, 1.5, 2.0, 8.0]))
def test_the_core_of_a_switch_is_a_link_that_all_messages_share(
    case: tuple[Wiring, list[Message]], factor: float
) -> None:
    wiring, messages = replace(case[0], oversubscription=factor), case[1]

    found, expected = routed(wiring, messages), walked(wiring, messages)

    assert found.hops == expected.hops
    assert found.busiest == pytest.approx(expected.busiest, rel=1e-15)  # one quotient


@pytest.mark.parametrize("shape", Shape)
def test_a_message_to_oneself_loads_nothing(shape: Shape) -> None:
    assert routed(Wiring(shape, 4), [(2, 2, 7.0)]) == Load(0, 0.0)


def test_a_ring_sends_the_shorter_way_and_shares_its_links() -> None:
    # 0 -> 2 over links 0, 1 and 1 -> 3 over links 1, 2: link 1 carries 3 + 5;
    # 0 -> 5 goes one link the other way
    messages = [(0, 2, 3.0), (1, 3, 5.0), (0, 5, 7.0)]

    assert routed(Wiring(Shape.RING, 6), messages) == Load(2, 8.0)


def test_a_ring_halves_a_message_to_the_opposite_device() -> None:
    assert routed(Wiring(Shape.RING, 6), [(1, 4, 8.0)]) == Load(3, 4.0)


def test_a_ring_of_two_uses_both_links() -> None:
    messages = [(0, 1, 8.0), (1, 0, 8.0)]

    assert routed(Wiring(Shape.RING, 2), messages) == Load(1, 4.0)


def test_a_mesh_has_no_way_round() -> None:
    # 0 -> 2 and 0 -> 5 share links 0 and 1; 5 -> 0 has the other directions to itself
    messages = [(0, 2, 3.0), (0, 5, 7.0), (5, 0, 9.0)]

    assert routed(Wiring(MESH, 6), messages) == Load(5, 10.0)


def test_slower_links_count_for_more() -> None:
    # 9 backward over links of half the bandwidth are as 18 forward
    messages = [(0, 2, 3.0), (5, 0, 9.0)]

    assert routed(Wiring(MESH, 6, asymmetry=0.5), messages) == Load(5, 18.0)


def test_a_hypercube_corrects_the_lowest_digit_first() -> None:
    # 000 -> 001 -> 011 -> 111 and 000 -> 001 share the first link, 1 + 4; the message
    # from 010 goes by 011 and shares the last link with the first one, 1 + 2
    messages = [(0b000, 0b111, 1.0), (0b000, 0b001, 4.0), (0b010, 0b111, 2.0)]

    assert routed(Wiring(CUBE, 8), messages) == Load(3, 5.0)
    assert routed(Wiring(CUBE, 8), messages[::2]) == Load(3, 3.0)


def test_a_switch_shares_the_port_of_sender_and_receiver() -> None:
    # device 3 receives 2 + 4; no sender sends more
    messages = [(0, 3, 2.0), (1, 3, 4.0)]

    assert routed(Wiring(Shape.SWITCH, 4), messages) == Load(2, 6.0)


def test_an_oversubscribed_switch_carries_less_than_its_ports() -> None:
    # four ports could send 4 at once, the core carries 4 / 8 of a port's bandwidth
    messages = [(0, 1, 2.0), (1, 0, 2.0)]

    tree = Wiring(Shape.SWITCH, 4, oversubscription=8.0)

    assert routed(tree, messages) == Load(2, 8.0)  # (2 + 2) / (4 / 8)


def test_fully_connected_devices_share_nothing_between_pairs() -> None:
    messages = [(0, 3, 2.0), (1, 3, 4.0), (3, 1, 5.0), (0, 3, 1.0)]

    assert routed(Wiring(Shape.FULLY_CONNECTED, 4), messages) == Load(1, 5.0)
