"""Ranks that communicate, given one by one, as a group of even strides."""

from collections.abc import Sequence

from cosmic.errors import ConsistencyError
from cosmic.trace.execution_graph import Group

_SHOWN = 8  # ranks that a message names


def group_of(name: str, ranks: Sequence[int]) -> Group:
    """The group that has these ranks among its instances.

    Ranks are taken in ascending order: who stands where in a group makes no difference
    to an algorithm of which all ranks do their share.

    Raises:
        ConsistencyError: The ranks are not so many, so far apart, and again so many of
            these, so much farther apart; or they do not begin where a group would.

    >>> group_of("4", [1, 3, 5, 7]).parts, group_of("5", [0, 1, 8, 9]).parts
    (((4, 2),), ((2, 1), (2, 8)))
    """
    members = sorted(ranks)
    if len(set(members)) < len(members) or not members:
        raise ConsistencyError(
            f"group {name!r}: {_show(members)}: ranks are not distinct"
        )
    if len(members) == 1:
        return Group(name=name, size=1, stride=1)
    parts, starts = [], members
    while len(starts) > 1:
        run = _run(starts)
        parts.append((run, starts[1] - starts[0]))
        starts = starts[::run]
    found = _joined(name, parts)
    if found is None or found.members(members[0]) != tuple(members):
        raise ConsistencyError(
            f"group {name!r}: ranks {_show(members)} are not of even strides, which "
            "begin where such groups do; so how they lie in the network is not known"
        )
    return found


def _run(starts: Sequence[int]) -> int:
    """How many of the first ones are evenly apart."""
    stride = starts[1] - starts[0]
    count = 1
    while count < len(starts) and starts[count] - starts[count - 1] == stride:
        count += 1
    return count


def _joined(name: str, parts: Sequence[tuple[int, int]]) -> Group | None:
    """The group of these parts, if they nest."""
    reach = 1
    for size, stride in parts:
        if stride % reach:
            return None
        reach = size * stride
    return Group.joined(name, parts)


def _show(members: Sequence[int]) -> str:
    shown = ", ".join(map(str, members[:_SHOWN]))
    return f"{shown}, ..." if len(members) > _SHOWN else shown
