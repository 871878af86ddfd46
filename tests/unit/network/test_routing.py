"""Routing against a router that walks every message link by link."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.network.dimension import Shape
from cosmic.network.routing import Load, link_load

Message = tuple[int, int, float]
Link = tuple[object, ...]


def ways(shape: Shape, size: int, source: int, to: int) -> list[list[Link]]:
    """The shortest ways, each a list of directed links."""
    if shape is Shape.FULLY_CONNECTED:
        return [[(source, to)]]
    if shape is Shape.SWITCH:
        return [[("up", source), ("down", to)]]
    both = [list(walk(size, source, to, step)) for step in (1, -1)]
    shortest = min(len(way) for way in both)
    return [way for way in both if len(way) == shortest]


def walk(size: int, source: int, to: int, step: int) -> Iterator[Link]:
    here = source
    while here != to:
        yield here, step
        here = (here + step) % size


def walked(shape: Shape, size: int, messages: list[Message]) -> Load:
    """The load, found link by link; two shortest ways take half each."""
    links: dict[Link, float] = defaultdict(float)
    hops = 0
    for source, to, weight in messages:
        if source == to:
            continue
        shortest = ways(shape, size, source, to)
        hops = max(hops, len(shortest[0]))
        for way in shortest:
            for link in way:
                links[link] += weight / len(shortest)
    return Load(hops, max(links.values(), default=0.0))


def routed(shape: Shape, size: int, messages: list[Message]) -> Load:
    sources = np.array([source for source, _, _ in messages], dtype=np.int64)
    destinations = np.array([to for _, to, _ in messages], dtype=np.int64)
    weights = np.array([weight for _, _, weight in messages])
    return link_load(shape, size, sources, destinations, weights)


@st.composite
def traffic(draw: st.DrawFn) -> tuple[int, list[Message]]:
    size = draw(st.integers(2, 9))
    device = st.integers(0, size - 1)
    weight = st.integers(0, 64).map(float)  # sums of halves of these are exact
    return size, draw(st.lists(st.tuples(device, device, weight), max_size=20))


@pytest.mark.parametrize("shape", Shape)
@given(case=traffic())
def test_loads_are_those_of_walking_every_message(
    shape: Shape, case: tuple[int, list[Message]]
) -> None:
    size, messages = case

    assert routed(shape, size, messages) == walked(shape, size, messages)


@pytest.mark.parametrize("shape", Shape)
def test_a_message_to_oneself_loads_nothing(shape: Shape) -> None:
    assert routed(shape, 4, [(2, 2, 7.0)]) == Load(0, 0.0)


def test_a_ring_sends_the_shorter_way_and_shares_its_links() -> None:
    # 0 -> 2 over links 0, 1 and 1 -> 3 over links 1, 2: link 1 carries 3 + 5;
    # 0 -> 5 goes one link the other way
    messages = [(0, 2, 3.0), (1, 3, 5.0), (0, 5, 7.0)]

    assert routed(Shape.RING, 6, messages) == Load(2, 8.0)


def test_a_ring_halves_a_message_to_the_opposite_device() -> None:
    assert routed(Shape.RING, 6, [(1, 4, 8.0)]) == Load(3, 4.0)


def test_a_ring_of_two_uses_both_links() -> None:
    assert routed(Shape.RING, 2, [(0, 1, 8.0), (1, 0, 8.0)]) == Load(1, 4.0)


def test_a_switch_shares_the_port_of_sender_and_receiver() -> None:
    # device 3 receives 2 + 4; no sender sends more
    assert routed(Shape.SWITCH, 4, [(0, 3, 2.0), (1, 3, 4.0)]) == Load(2, 6.0)


def test_fully_connected_devices_share_nothing_between_pairs() -> None:
    messages = [(0, 3, 2.0), (1, 3, 4.0), (3, 1, 5.0), (0, 3, 1.0)]

    assert routed(Shape.FULLY_CONNECTED, 4, messages) == Load(1, 5.0)
