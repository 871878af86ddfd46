"""A group's devices are those that differ along its axes alone."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import TraceError
from cosmic.trace.execution_graph import Group


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    data=st.data(),
)
def test_a_group_over_axes_has_the_devices_of_a_slice_of_the_mesh(
    sizes: list[int], data: st.DataObject
) -> None:
    """The mesh is an array of all ids, the innermost axis last."""
    chosen = data.draw(st.sets(st.integers(0, len(sizes) - 1), min_size=1))
    strides = [prod(sizes[:axis]) for axis in range(len(sizes))]
    mesh = np.arange(prod(sizes)).reshape(sizes[::-1])
    along = [len(sizes) - 1 - axis for axis in sorted(chosen, reverse=True)]
    last = range(len(sizes) - len(along), len(sizes))
    members = np.moveaxis(mesh, along, last).reshape(
        -1, prod(sizes[axis] for axis in chosen)
    )

    group = Group.joined("any", [(sizes[axis], strides[axis]) for axis in chosen])

    for row in members.tolist():
        for place, device in enumerate(row):
            assert group.members(device) == tuple(row)
            assert group.position(device) == place
            assert group.offset(place) == device - row[0]


def test_axes_side_by_side_are_one_part() -> None:
    joined = Group.joined("data", [(3, 4), (1, 12), (2, 2), (1, 1)])

    assert joined == Group(name="data", size=6, stride=2)
    assert joined.parts == ((6, 2),)


def test_axes_apart_are_parts() -> None:
    joined = Group.joined("data", [(2, 8), (2, 1)])

    assert (joined.size, joined.stride, joined.reach) == (4, 1, 16)
    assert joined.parts == ((2, 1), (2, 8))
    assert str(joined) == "data group of 2 x 2 devices, 1 and 8 apart"


def test_axes_of_one_device_are_a_group_of_one() -> None:
    alone = Group.joined("data", [(1, 2), (1, 6)])

    assert alone == Group(name="data", size=1, stride=2)
    assert alone.members(5) == (5,)
    assert str(alone) == "data group of 1 devices, 2 apart"


@pytest.mark.parametrize(
    "parts", [((2, 1), (2, 1)), ((4, 1), (2, 2)), ((2, 2), (2, 3)), ((2, 1), (2, 3))]
)
def test_parts_that_do_not_nest_are_refused(parts: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(TraceError, match=r"its parts .* do not nest"):
        Group.joined("data", parts)


def test_parts_that_do_not_make_up_the_group_are_refused() -> None:
    with pytest.raises(TraceError, match=r"of 8 devices, 1 apart: its parts"):
        Group(name="data", size=8, stride=1, parts=((2, 1), (2, 8)))
