"""What a node's message holds, by the layout of the file: one meaning, three spellings.

Kinds of nodes and of collectives are numbered as in 0.0.4, durations are microseconds.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Protocol

from typing_extensions import override

from cosmic.errors import TraceError
from cosmic.io.chakra_attributes import WANTED, Attributes, RawNode, columns_of
from cosmic.io.chakra_schema import DELIMITED, SCHEMA, VARINT, DecodeError, fields_of
from cosmic.trace.rank_trace import CommType, NodeKind

_COMM_TYPES_OF_2023 = (
    CommType.ALL_REDUCE,
    CommType.ALL_TO_ALL,
    CommType.ALL_GATHER,
    CommType.REDUCE_SCATTER,
    CommType.BROADCAST,
)
_FLAT_KINDS = (
    NodeKind.INVALID,
    NodeKind.MEMORY_LOAD,
    NodeKind.MEMORY_STORE,
    NodeKind.COMPUTE,
    NodeKind.SEND,
    NodeKind.RECEIVE,
    NodeKind.COLLECTIVE,
)


class Layout(Protocol):
    """Takes nodes out of their messages; keeps what many nodes have in common.

    Attributes:
        attributes: What the attributes of the file's nodes mean.
    """

    attributes: Attributes

    def node(self, message: bytes) -> RawNode:
        """The node in a message.

        Raises:
            DecodeError: It is no node of this layout.
            TraceError: A value cannot be right.
        """
        ...


class LayoutError(Exception):
    """The first messages of a file are not those of a Chakra trace; says why."""


def layout_of(first: bytes, following: Iterable[bytes]) -> tuple[Layout, bool]:
    """The layout of a file, and whether its first message is metadata.

    Args:
        first: The first message.
        following: Some of the messages after it; looked at if the first is one.

    Raises:
        LayoutError: The first is neither metadata nor a node of a layout without.
    """
    try:
        head = fields_of(first)
    except DecodeError as error:
        raise LayoutError("what comes first is no message") from error
    is_node = (1, VARINT) in head
    if not is_node and any(number > 2 for number, _ in head):
        raise LayoutError("neither metadata nor a node comes first")
    version = head.get((1, DELIMITED), b"")
    if version and not version.startswith(b"\n"):  # an attribute begins with that
        return _Current(), True
    seen = set(head) if is_node else set()
    for message in following:
        with suppress(DecodeError):  # it will be refused where it stands
            seen |= fields_of(message).keys()
    if (11, DELIMITED) in seen:
        return _Attributes(), not is_node
    if not is_node:
        return _Current(), True
    if (10, DELIMITED) in seen:
        raise LayoutError("a node comes first, not metadata")
    return _Flat(), False


class _Current(Layout):
    """0.0.4 and 1.0."""

    def __init__(self) -> None:
        self.attributes = Attributes(_current_attribute)
        self._parse = SCHEMA.node.FromString

    @override
    def node(self, message: bytes) -> RawNode:
        node = self._parse(message)
        filled = self.attributes.of(node.attr[:])  # a slice: far faster than to walk
        if duration := node.duration_micros:
            filled.append(self.attributes.filled("duration_micros", duration))
        columns = columns_of(node.id, node.type, filled)
        dependencies = node.data_deps[:]
        if node.ctrl_deps:
            dependencies += node.ctrl_deps[:]
        return RawNode(columns, dependencies, node.name)


def _current_attribute(attribute: bytes) -> tuple[str, object] | None:
    message = SCHEMA.attribute.FromString(attribute)
    if message.name not in WANTED:
        return None
    which = message.WhichOneof("value")
    if which is None:
        raise TraceError(f"{message.name} has no value")
    value = getattr(message, which)
    return message.name, tuple(value.values) if which.endswith("_list") else value


class _Attributes(Layout):
    """0.0.3, in which attributes stand elsewhere and a duration is one of them."""

    def __init__(self) -> None:
        self.attributes = Attributes(_attribute_of_2023)
        self._parse = SCHEMA.attribute_node.FromString

    @override
    def node(self, message: bytes) -> RawNode:
        node = self._parse(message)
        filled = self.attributes.of(node.attribute[:])
        columns = columns_of(node.id, node.type, filled)
        return RawNode(columns, node.parent[:], node.name)


def _attribute_of_2023(attribute: bytes) -> tuple[str, object] | None:
    for schema in SCHEMA.attributes_of_2023:
        message = schema.FromString(attribute)
        name = "duration_micros" if message.name == "runtime" else message.name
        if name not in WANTED:
            return None
        value = _value_of_2023(message)
        if name == "comm_type" and value is not None:
            return name, _comm_type_of_2023(value)
        if value is not None:
            return name, value
    raise TraceError(f"{name} has no value of its type")


def _value_of_2023(message: Any) -> object:
    """What stands in the field that the attribute's type names; nothing if empty."""
    field = message.DESCRIPTOR.fields_by_number.get(message.type + 4)
    if field is None:
        return None
    value = getattr(message, field.name)
    if field.name.endswith("s"):  # as in `ints`: any number of them
        return tuple(value) or None
    return value if message.HasField(field.name) else None


def _comm_type_of_2023(value: object) -> int:
    if isinstance(value, int) and 0 <= value < len(_COMM_TYPES_OF_2023):
        return int(_COMM_TYPES_OF_2023[value])
    raise TraceError(f"comm_type is {value}, which this version does not know")


class _Flat(Layout):
    """0.0.1, in which all that a node may hold is a field of it."""

    def __init__(self) -> None:
        self.attributes = Attributes(lambda _: None)
        self._parse = SCHEMA.flat_node.FromString

    @override
    def node(self, message: bytes) -> RawNode:
        node = self._parse(message)
        if not 0 <= node.type < len(_FLAT_KINDS):
            raise TraceError(f"type {node.type}, which this version does not know")
        filled = [self.attributes.filled(*pair) for pair in _flat_values(node)]
        columns = columns_of(node.id, _FLAT_KINDS[node.type], filled)
        return RawNode(columns, node.parent[:], node.name)


def _flat_values(node: Any) -> Iterator[tuple[str, object]]:
    """The attributes of 0.0.4 that a node of 0.0.1 has as fields."""
    for name in (
        "tensor_size",
        "num_ops",
        "comm_size",
        "comm_tag",
        "comm_src",
        "comm_dst",
    ):
        if node.HasField(name):
            yield name, getattr(node, name)
    if node.comm_type:
        yield "comm_type", _comm_type_of_2023(node.comm_type - 1)
    if node.simulated_run_time:
        yield "duration_micros", node.simulated_run_time
    if node.involved_dim:
        yield "involved_dim", tuple(node.involved_dim)
    if node.HasField("communicator_id"):
        yield "pg_name", node.communicator_id
