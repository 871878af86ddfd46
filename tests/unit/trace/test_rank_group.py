"""Ranks given one by one are recognized as the groups that graphs speak of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import ConsistencyError
from cosmic.trace.execution_graph import Group
from cosmic.trace.rank_group import group_of


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Groups of up to three parts, with room between these."""
    parts, reach = [], 1
    for _ in range(draw(st.integers(1, 3))):
        size, gap = draw(st.integers(2, 4)), draw(st.integers(1, 3))
        parts.append((size, reach * gap))
        reach *= gap * size
    return Group.joined("some", parts)


@given(groups(), st.integers(0, 50))
def test_the_members_of_a_group_are_that_group(group: Group, device: int) -> None:
    members = group.members(device)

    assert group_of("some", members[::-1]).parts == group.parts
    assert group_of("some", members).members(device) == members


def test_one_rank_alone_is_a_group_of_one() -> None:
    assert group_of("0", [5]).size == 1


@pytest.mark.parametrize(
    "ranks", [[1, 2], [0, 1, 3], [0, 1, 3, 4], [0, 2, 3, 5], [0, 1, 2, 8, 9]]
)
def test_ranks_of_no_even_stride_are_refused(ranks: list[int]) -> None:
    with pytest.raises(
        ConsistencyError, match=r"group 'x': ranks .* not of even strides"
    ):
        group_of("x", ranks)


def test_a_rank_stands_once_in_a_group() -> None:
    with pytest.raises(ConsistencyError, match="0, 1, 1: ranks are not distinct"):
        group_of("x", [0, 1, 1])
