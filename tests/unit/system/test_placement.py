"""Spans against the coordinates of every member of every group."""

import math
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.system.cluster import Cluster
from cosmic.system.device_order import Placement
from cosmic.system.placement import Span, spans
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group

DEVICE = Device(peak_flops=1e12, memory_bandwidth=1e9, memory_capacity=1e9)


def rings(
    *sizes: int,
    bandwidths: tuple[float, ...] = (),
    placement: Placement = Placement.INNER_FIRST,
    flat_rings: bool = False,
) -> System:
    """Rings of these sizes, of 1 GB/s unless told otherwise."""
    speeds = bandwidths or (1e9,) * len(sizes)
    topology = Topology(
        tuple(
            Dimension(shape=Shape.RING, size=size, link_bandwidth=speed, latency=0.0)
            for size, speed in zip(sizes, speeds, strict=True)
        )
    )
    names = ("ring",) * len(sizes)
    policy = CollectivePolicy(
        all_reduce=names, all_gather=names, reduce_scatter=names, all_to_all=names
    )
    cluster = Cluster(DEVICE, topology)
    return System(cluster, policy, placement=placement, flat_rings=flat_rings)


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
        with pytest.raises(ConsistencyError, match=r"does not (factor over|divide)"):
            spans(group, rings(*shape))
    else:
        assert spans(group, rings(*shape)) == expected


@st.composite
def meshes(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Sizes of one to three dimensions and of four axes, of one product."""
    primes = draw(st.lists(st.sampled_from([2, 3]), min_size=4, max_size=6))
    borders = st.integers(1, len(primes) - 1)

    def cut(times: int) -> list[int]:
        cuts = draw(st.sets(borders, min_size=times, max_size=times))
        ends = [0, *sorted(cuts), len(primes)]
        return [math.prod(primes[start:end]) for start, end in pairwise(ends)]

    return cut(draw(st.integers(0, 2))), cut(3)


@settings(max_examples=300)
@given(mesh=meshes(), placement=st.sampled_from(Placement), data=st.data())
def test_walking_the_spans_of_axes_meets_the_devices_of_their_group(
    mesh: tuple[list[int], list[int]], placement: Placement, data: st.DataObject
) -> None:
    """Two arrays of all ids know nothing of strides: that of axes, that of places."""
    sizes, degrees = mesh
    speeds = data.draw(st.tuples(*(st.sampled_from([1e9, 2e9]) for _ in sizes)))
    system = rings(*sizes, bandwidths=speeds, placement=placement)
    chosen = data.draw(st.sampled_from([(0,), (1,), (2,), (0, 2), (1, 3), (0, 1, 3)]))
    group = Group.joined(
        "any", [(degrees[axis], math.prod(degrees[:axis])) for axis in chosen]
    )
    try:
        found = spans(group, system)
    except ConsistencyError:
        return  # where this is right is another test's business
    order = placement.order(system.cluster.topology)
    filled = np.arange(math.prod(sizes)).reshape([sizes[d] for d in order[::-1]])
    places = filled.transpose([order[::-1].index(d) for d in range(len(sizes))])
    axes = np.arange(math.prod(sizes)).reshape(degrees[::-1])
    here = data.draw(st.integers(0, math.prod(sizes) - 1))

    at: list[int | slice] = [int(where[0]) for where in np.nonzero(axes == here)]
    for axis in chosen:
        at[len(degrees) - 1 - axis] = slice(None)
    members = set(axes[tuple(at)].ravel().tolist())
    walked = {here}
    for span in found:
        walked |= {
            neighbor for device in walked for neighbor in line(places, device, span)
        }

    assert math.prod(span.extent for span in found) == group.size
    assert walked == members == set(group.members(here))


def line(places: NDArray[np.int64], device: int, span: Span) -> list[int]:
    """The devices that differ from one along a span, and itself."""
    at = [int(where[0]) for where in np.nonzero(places == device)]
    along = np.moveaxis(places, span.dimension, -1)[
        (*at[: span.dimension], *at[span.dimension + 1 :])
    ]
    step = at[span.dimension] // span.stride
    start = at[span.dimension] - step % span.extent * span.stride
    end = start + span.extent * span.stride
    return list(map(int, along[start : end : span.stride]))


@pytest.mark.parametrize("stride", [1, 3, 64])
def test_a_group_of_one_spans_nothing(stride: int) -> None:
    assert spans(Group(name="any", size=1, stride=stride), rings(4, 2)) == ()


def test_axes_share_the_dimensions_of_a_network() -> None:
    network = rings(4, 8, 4, 8)  # tensor 8, sequence 4, data 32
    tensor = Group(name="tensor", size=8, stride=1)
    sequence = Group(name="sequence", size=4, stride=8)
    data = Group(name="data", size=32, stride=32)

    assert spans(tensor, network) == (Span(0, 4, 1), Span(1, 2, 1))
    assert spans(sequence, network) == (Span(1, 4, 2),)
    assert spans(data, network) == (Span(2, 4, 1), Span(3, 8, 1))


def test_a_group_may_have_two_spans_in_one_dimension() -> None:
    """Devices 0, 1, 4, 5 of a ring of 8, between which tensor devices lie."""
    data = Group.joined("data", [(2, 1), (2, 4)])

    assert spans(data, rings(8, 2)) == (Span(0, 2, 1), Span(0, 2, 4))


def test_a_part_may_reach_from_one_dimension_into_the_next() -> None:
    data = Group.joined("data", [(2, 1), (4, 4)])  # 2 in the ring, 2 x 2 beyond

    assert spans(data, rings(8, 4)) == (Span(0, 2, 1), Span(0, 2, 4), Span(1, 2, 1))


def test_placement_says_which_dimension_neighbors_fill() -> None:
    tensor = Group(name="tensor", size=8, stride=1)
    network = rings(4, 8, bandwidths=(1e9, 2e9))

    assert spans(tensor, network) == (Span(0, 4, 1), Span(1, 2, 1))
    for placement in (Placement.OUTER_FIRST, Placement.FASTEST_FIRST):
        placed = replace(network, placement=placement)
        assert spans(tensor, placed) == (Span(1, 8, 1),)


def test_spans_go_from_the_inner_dimension_outward_whatever_the_placement() -> None:
    everybody = Group(name="data", size=32, stride=1)
    network = rings(4, 8, placement=Placement.OUTER_FIRST)

    assert spans(everybody, network) == (Span(0, 4, 1), Span(1, 8, 1))


def test_a_group_that_does_not_factor_says_so_and_what_to_do() -> None:
    message = (
        "the tensor group of 8 devices, 1 apart (the first is 0, 1, 2, 3, ...), does "
        "not factor over dimensions of 6 x 4 devices, filled inner_first; change the "
        "degrees, the axis order, the placement or the dimensions, or allow flat rings"
    )

    with pytest.raises(ConsistencyError) as error:
        spans(Group(name="tensor", size=8, stride=1), rings(6, 4))
    assert str(error.value) == message


def test_groups_that_leave_devices_over_are_no_flat_rings_either() -> None:
    message = "the any group of 3 devices, 1 apart, does not divide the network's 8"

    with pytest.raises(ConsistencyError, match=message):
        spans(Group(name="any", size=3, stride=1), rings(4, 2, flat_rings=True))


@pytest.mark.parametrize(
    ("bandwidths", "slowest"),
    [((2e9, 1e9, 1e9), 1), ((1e9, 2e9, 1e9), 0), ((1e9, 1e9, 1e9), 1)],
)
def test_a_flat_ring_lies_in_the_slowest_dimension_that_it_touches(
    bandwidths: tuple[float, ...], slowest: int
) -> None:
    """Of two that are equally slow in the outer one; the last is not touched."""
    network = rings(6, 4, 2, bandwidths=bandwidths, flat_rings=True)
    tensor = Group(name="tensor", size=8, stride=1)

    assert spans(tensor, network) == (Span(slowest, 8, 1, flat=True),)


def test_a_group_touches_what_any_group_of_its_axis_touches() -> None:
    """Devices 0 to 3 differ in the ring alone, 4 to 7 in both dimensions."""
    network = rings(6, 2, bandwidths=(2e9, 1e9), flat_rings=True)

    (flat,) = spans(Group(name="tensor", size=4, stride=1), network)

    assert flat == Span(1, 4, 1, flat=True)


def test_a_group_that_factors_is_no_flat_ring() -> None:
    tensor = Group(name="tensor", size=8, stride=1)

    assert spans(tensor, rings(4, 4, flat_rings=True)) == spans(tensor, rings(4, 4))
