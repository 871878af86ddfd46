"""Loads from distances alone, against routing every message of every group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.network.routing import Load, link_load
from cosmic.network.shift_load import shift_load
from cosmic.network.wiring import Shape, Wiring

Sent = list[tuple[int, float]]


def every_message(wiring: Wiring, extent: int, stride: int, sent: Sent) -> Load:
    """The load of all messages of all groups, written out one by one."""
    messages = [
        (start + i * stride, start + (i + distance) % extent * stride, weight)
        for block in range(0, wiring.size, extent * stride)
        for start in range(block, block + stride)
        for i in range(extent)
        for distance, weight in sent
    ]
    sources, destinations, weights = map(np.array, zip(*messages, strict=True))
    return link_load(wiring, sources, destinations, weights)


def of_distances(wiring: Wiring, extent: int, stride: int, sent: Sent) -> Load:
    distances, weights = map(np.array, zip(*sent, strict=True))
    return shift_load(wiring, extent, stride, distances, weights)


@st.composite
def cases(draw: st.DrawFn, shape: Shape) -> tuple[Wiring, int, int, Sent]:
    """Groups of any extent, stride and number, that send to any distances."""
    powers = shape is Shape.HYPERCUBE
    extent = draw(st.sampled_from([2, 4, 8, 16]) if powers else st.integers(2, 13))
    stride = draw(st.sampled_from([1, 2, 4] if powers else [1, 2, 3, 5]))
    blocks = draw(st.sampled_from([1, 2, 4] if powers else [1, 2, 3]))
    wiring = Wiring(
        shape,
        extent * stride * blocks,
        oversubscription=draw(st.sampled_from([1.0, 2.0, 3.0]))
        if shape is Shape.SWITCH
        else 1.0,
        asymmetry=draw(st.sampled_from([1.0, 0.5, 2.0, 0.3])),
    )
    weight = st.floats(0.01, 1.0)
    distance = st.integers(1, extent - 1)
    sent = draw(st.lists(st.tuples(distance, weight), min_size=1, max_size=extent))
    return wiring, extent, stride, sent


@pytest.mark.parametrize("shape", Shape)
@given(data=st.data())
def test_distances_tell_what_routing_finds(shape: Shape, data: st.DataObject) -> None:
    case = data.draw(cases(shape))

    found, expected = of_distances(*case), every_message(*case)

    assert found.hops == expected.hops
    # sums of up to some hundred weights of about 1, in another order
    assert found.busiest == pytest.approx(expected.busiest, rel=1e-12)


@pytest.mark.parametrize("size", [2, 3, 8, 9, 64])
def test_all_to_all_on_a_ring_loads_an_eighth_of_the_square(size: int) -> None:
    everyone = [(distance, 1.0) for distance in range(1, size)]
    ring = Wiring(Shape.RING, size)

    # each way: 1 + 2 + ... up to half the ring; of even rings n² / 8, of odd ones
    # (n² - 1) / 8
    assert of_distances(ring, size, 1, everyone).busiest == (size**2 - size % 2) / 8


@pytest.mark.parametrize("size", [2, 3, 8, 9, 64])
def test_all_to_all_on_a_mesh_loads_a_quarter_of_the_square(size: int) -> None:
    everyone = [(distance, 1.0) for distance in range(1, size)]
    mesh = Wiring(Shape.MESH, size)

    # over the middle: all on the left to all on the right
    middle = (size // 2) * (size - size // 2)
    assert of_distances(mesh, size, 1, everyone) == Load(size - 1, middle)


@pytest.mark.parametrize("size", [2, 4, 16, 64])
def test_all_to_all_in_a_hypercube_loads_half_the_size(size: int) -> None:
    everyone = [(distance, 1.0) for distance in range(1, size)]
    cube = Wiring(Shape.HYPERCUBE, size)

    # n - 1 messages a device, log2(n) / 2 · n / (n - 1) links each, log2(n) links
    expected = Load(size.bit_length() - 1, size / 2)
    assert of_distances(cube, size, 1, everyone) == expected
