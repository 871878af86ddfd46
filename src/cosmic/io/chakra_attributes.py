"""The attributes of a Chakra node that say what it costs: found, checked, kept.

An attribute is a name and a value of any kind; files give whole numbers as signed, as
unsigned, as floating-point numbers and as booleans, and all are taken for what they
mean. Attributes that say nothing about timing are passed over.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cosmic.errors import TraceError
from cosmic.trace.rank_trace import NODE, CommType, NodeKind, Present

Value = int | tuple[int, ...] | str
"""A number, involved dimensions or the name of a group."""

Filled = Mapping[str, int]
"""Columns of `NODE` that one attribute fills, and `present`, the flag that says so."""

_MOST_DIMENSIONS = 63  # bits of a column
_MOST_KEPT = 65_536  # attributes
_LARGEST = 2**63 - 1
_UPPER = {
    "comm_type": max(CommType),
    "comm_src": 2**31 - 1,
    "comm_dst": 2**31 - 1,
}
# Attribute: the column that it fills, and the flag that says so.
_COLUMNS = {
    "is_cpu_op": ("is_cpu", 0),
    "num_ops": ("num_ops", int(Present.NUM_OPS)),
    "tensor_size": ("tensor_size", int(Present.TENSOR_SIZE)),
    "comm_type": ("comm_type", int(Present.COMM_TYPE)),
    "comm_size": ("comm_size", int(Present.COMM_SIZE)),
    "comm_tag": ("tag", int(Present.TAG)),
    "comm_src": ("source", 0),
    "comm_dst": ("destination", 0),
    "duration_micros": ("duration_micros", 0),
}
WANTED = frozenset({*_COLUMNS, "pg_name", "involved_dim"})
_BLANK = dict.fromkeys(NODE.names or (), 0) | {"group": -1, "involved_dim": -1}
_NOTHING: Filled = {"present": 0}
_PEERS = {int(NodeKind.SEND): "destination", int(NodeKind.RECEIVE): "source"}


@dataclass(slots=True)  # not frozen: there are millions, each lives for a moment
class RawNode:
    """A node as it stands in a file.

    Attributes:
        columns: A value for each column of `NODE`.
        dependencies: Ids of the nodes that it waits for.
        name: For people.
    """

    columns: dict[str, int]
    dependencies: Sequence[int]
    name: str


class Attributes:
    """What the attributes of a file's nodes mean; each is looked into once.

    Nodes have most of their attributes in common, so this is what makes reading fast.

    Args:
        look_into: Gives the name and value in an attribute's bytes, or nothing if it is
            not wanted.

    Attributes:
        groups: The names of groups, with their places.
    """

    def __init__(self, look_into: Callable[[bytes], tuple[str, object] | None]) -> None:
        self.groups: dict[str, int] = {}
        self._look_into = look_into
        self._kept: dict[bytes, Filled] = {}
        self._passed_over: set[bytes] = set()  # beginnings of attributes: their names

    def of(self, attributes: Sequence[bytes]) -> list[Filled]:
        """What each attribute fills.

        Raises:
            TraceError: A value cannot be right.
        """
        kept = self._kept
        return [kept.get(each) or self._keep(each) for each in attributes]

    def filled(self, name: str, value: object) -> Filled:
        """What an attribute fills, by its name and value.

        Raises:
            TraceError: The value is of the wrong kind, or out of range.
        """
        match checked(name, value):
            case str(group):
                place = self.groups.setdefault(group, len(self.groups))
                return {"group": place, "present": 0}
            case int(number):
                column, present = _COLUMNS[name]
                return {column: number, "present": present}
            case tuple(involved):
                bits = sum(1 << place for place, yes in enumerate(involved) if yes)
                count = len(involved)
                return {"involved_dim": bits, "involved_count": count, "present": 0}

    def _keep(self, attribute: bytes) -> Filled:
        name = attribute[: 2 + attribute[1]] if len(attribute) > 1 else attribute
        if name in self._passed_over:
            return _NOTHING
        for kept in (self._kept, self._passed_over):
            if len(kept) >= _MOST_KEPT:
                kept.clear()
        found = self._look_into(attribute)
        if found is None:
            self._passed_over.add(name)
            return _NOTHING
        filled = self._kept[attribute] = self.filled(*found)
        return filled


def columns_of(node_id: int, kind: int, attributes: list[Filled]) -> dict[str, int]:
    """A node's columns; of two attributes of one name, the first counts.

    Raises:
        TraceError: The kind is none that can be run.
    """
    if not 0 <= kind < len(NodeKind):
        raise TraceError(f"type {kind}, which is not one that can be run")
    columns = _BLANK.copy()
    present = 0
    for filled in reversed(attributes):
        columns.update(filled)
        present |= filled["present"]
    columns["id"] = node_id
    columns["kind"] = kind
    peer = _PEERS.get(kind)
    if peer in columns:
        columns["peer"] = columns[peer]
        present |= Present.PEER
    columns["present"] = present
    return columns


def checked(name: str, value: object) -> Value:
    """The value of a wanted attribute as what it means.

    Raises:
        TraceError: It is of the wrong kind, or out of range.

    >>> checked("comm_size", 8.0), checked("involved_dim", (True, False))
    (8, (1, 0))
    """
    match name:
        case "pg_name":
            if not isinstance(value, str | int):
                raise TraceError(f"pg_name is {_show(value)}, not text")
            return str(value)
        case "involved_dim":
            return _dimensions(value)
        case _:
            return _whole(name, value)


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int | float):
        raise TraceError(f"{name} is {_show(value)}, not a number")
    if not math.isfinite(value) or value != int(value):
        raise TraceError(f"{name} is {value}, not a whole number")
    if value < 0:
        raise TraceError(f"{name} is negative: {value}")
    upper = _UPPER.get(name, _LARGEST)
    if value > upper:
        raise TraceError(f"{name} is {value}; it is at most {upper:,}")
    return int(value)


def _dimensions(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(isinstance(v, int) for v in value):
        raise TraceError(f"involved_dim is {_show(value)}, not a list of booleans")
    if len(value) > _MOST_DIMENSIONS:
        raise TraceError(
            f"involved_dim has {len(value):,} dimensions; at most {_MOST_DIMENSIONS} "
            "are read"
        )
    return tuple(int(involved) for involved in value)


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
