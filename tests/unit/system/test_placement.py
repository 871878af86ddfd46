"""Placement against the coordinates of every member of every group."""

import math
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import ConsistencyError
from cosmic.network.dimension import Dimension, Shape
from cosmic.network.topology import Topology
from cosmic.system.placement import Span, spans
from cosmic.trace.execution_graph import Group


def topology(sizes: tuple[int, ...]) -> Topology:
    return Topology(
        tuple(
            Dimension(shape=Shape.RING, size=size, link_bandwidth=1e9, latency=0.0)
            for size in sizes
        )
    )


def coordinates(device: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    found = []
    for size in sizes:
        found.append(device % size)
        device //= size
    return tuple(found)


def box(members: list[int], sizes: tuple[int, ...]) -> tuple[Span, ...] | None:
    """The steps of even length in each dimension that make up a group, if any."""
    places = {coordinates(member, sizes) for member in members}
    axes = [sorted({place[d] for place in places}) for d in range(len(sizes))]
    found = []
    for d, axis in enumerate(axes):
        gaps = {after - here for here, after in pairwise(axis)}
        if len(gaps) > 1:
            return None
        if gaps:
            found.append(Span(d, len(axis), gaps.pop()))
    return tuple(found) if places == set(product(*axes)) else None


def surveyed(size: int, stride: int, sizes: tuple[int, ...]) -> tuple[Span, ...] | None:
    """The spans that all groups have in common, from every device's coordinates."""
    devices = math.prod(sizes)
    if devices % (size * stride):
        return None  # the last groups would reach beyond the last device
    found = {
        box([start + k * stride for k in range(size)], sizes)
        for start in range(devices)
        if start // stride % size == 0
    }
    return found.pop() if len(found) == 1 else None


@given(
    sizes=st.lists(st.sampled_from([1, 2, 3, 4, 6, 8]), min_size=1, max_size=4),
    size=st.sampled_from([2, 3, 4, 6, 8, 12, 16, 24, 32]),
    stride=st.sampled_from([1, 2, 3, 4, 6, 8, 12, 16]),
)
def test_spans_are_those_of_every_members_coordinates(
    sizes: list[int], size: int, stride: int
) -> None:
    shape = tuple(sizes)
    group = Group(name="any", size=size, stride=stride)
    expected = surveyed(size, stride, shape)

    if expected is None:
        with pytest.raises(ConsistencyError, match="does not factor over"):
            spans(group, topology(shape))
    else:
        assert spans(group, topology(shape)) == expected


@pytest.mark.parametrize("stride", [1, 3, 64])
def test_a_group_of_one_spans_nothing(stride: int) -> None:
    assert spans(Group(name="any", size=1, stride=stride), topology((4, 2))) == ()


def test_axes_share_the_dimensions_of_a_network() -> None:
    network = topology((4, 8, 4, 8))  # tensor 8, sequence 4, data 32
    tensor = Group(name="tensor", size=8, stride=1)
    sequence = Group(name="sequence", size=4, stride=8)
    data = Group(name="data", size=32, stride=32)

    assert spans(tensor, network) == (Span(0, 4, 1), Span(1, 2, 1))
    assert spans(sequence, network) == (Span(1, 4, 2),)
    assert spans(data, network) == (Span(2, 4, 1), Span(3, 8, 1))


def test_a_group_that_does_not_factor_says_so() -> None:
    message = (
        "the tensor group of 8 devices, 1 apart, does not factor over dimensions "
        "of 6 x 4 devices"
    )

    with pytest.raises(ConsistencyError, match=message):
        spans(Group(name="tensor", size=8, stride=1), topology((6, 4)))
