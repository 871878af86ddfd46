"""Writes the trace of a rank as a Chakra file of schema 0.0.4, as ASTRA-sim reads it.

Each attribute gets the type that Chakra's own feeder asks for: signed numbers for
operations, bytes, types and peers, an unsigned one for tensor sizes.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from cosmic.io.chakra_schema import SCHEMA, VERSION
from cosmic.io.delimited import length_prefix
from cosmic.trace.rank_trace import NODE, NodeKind, Present, RankTrace

_BLOCK = 8192  # nodes that are objects at a time
_MOST_KEPT = 65_536  # attributes
_LARGEST_INT32 = 2**31 - 1
_PEERS = {int(NodeKind.SEND): "comm_dst", int(NodeKind.RECEIVE): "comm_src"}
# Column and attribute of one name: the field of its value, the flag of its presence.
_ATTRIBUTES = (
    ("num_ops", "int64_val", int(Present.NUM_OPS)),
    ("tensor_size", "uint64_val", int(Present.TENSOR_SIZE)),
    ("comm_type", "int64_val", int(Present.COMM_TYPE)),
    ("comm_size", "int64_val", int(Present.COMM_SIZE)),
)


def write_rank_trace(trace: RankTrace, path: str | Path) -> None:
    """Write a trace to a file, packed with gzip if its name ends in `.gz`.

    All that a node waits for is written as its data dependencies. Reading the file
    gives an equal trace.

    Raises:
        OSError: The file cannot be written.
    """
    write_messages(encoded(trace, range(len(trace.nodes))), Path(path))


def write_messages(nodes: Iterable[bytes], path: Path) -> None:
    """Write nodes, as `encoded` gives them, behind the metadata.

    Raises:
        OSError: The file cannot be written.
    """
    metadata = SCHEMA.metadata(version=VERSION).SerializeToString()
    with ExitStack() as stack:
        file = stack.enter_context(path.open("wb"))
        stream: IO[bytes] | gzip.GzipFile = file
        if path.suffix == ".gz":  # without a time in it, equal traces are equal files
            packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0)
            stream = stack.enter_context(packed)
        stream.write(length_prefix(len(metadata)) + metadata)
        left = iter(nodes)
        while block := b"".join(islice(left, _BLOCK)):
            stream.write(block)


def encoded(trace: RankTrace, rows: Sequence[int]) -> Iterator[bytes]:
    """Some nodes of a trace as a file holds them: a length and a message each."""
    kept = _KeptAttributes(trace.groups)
    ids = trace.nodes["id"][trace.dependencies]
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        columns = trace.nodes[np.asarray(block)].tolist()
        for row, values in zip(block, columns, strict=True):
            columns_of_node = dict(zip(NODE.names or (), values, strict=True))
            before = ids[trace.offsets[row] : trace.offsets[row + 1]].tolist()
            name = trace.names[row] if trace.names else None
            yield _message(columns_of_node, before, name, kept)


def _message(
    columns: Mapping[str, int],
    before: Sequence[int],
    name: str | None,
    kept: "_KeptAttributes",
) -> bytes:
    node = SCHEMA.node(id=columns["id"], type=columns["kind"], data_deps=before)
    if name is not None:
        node.name = name
    if columns["duration_micros"]:
        node.duration_micros = columns["duration_micros"]
    node.attr.extend(kept.of(columns))
    message: bytes = node.SerializeToString()
    return length_prefix(len(message)) + message


class _KeptAttributes:
    """The bytes of attributes, each made once."""

    def __init__(self, groups: Sequence[str]) -> None:
        self._groups = groups
        self._kept: dict[tuple[str, str, object], bytes] = {}

    def of(self, columns: Mapping[str, int]) -> Iterator[bytes]:
        """Each attribute of a node."""
        present = columns["present"]
        yield self._bytes("is_cpu_op", "bool_val", bool(columns["is_cpu"]))
        for column, field, flag in _ATTRIBUTES:
            if present & flag:
                yield self._bytes(column, field, columns[column])
        if columns["group"] >= 0:
            yield self._bytes("pg_name", "string_val", self._groups[columns["group"]])
        if columns["involved_dim"] >= 0:
            bits, count = columns["involved_dim"], columns["involved_count"]
            involved = tuple(bool(bits >> place & 1) for place in range(count))
            yield self._bytes("involved_dim", "bool_list", involved)
        if present & Present.PEER and columns["kind"] in _PEERS:
            yield self._bytes(_PEERS[columns["kind"]], "int32_val", columns["peer"])
        if present & Present.TAG:
            field = "int32_val" if columns["tag"] <= _LARGEST_INT32 else "int64_val"
            yield self._bytes("comm_tag", field, columns["tag"])

    def _bytes(self, name: str, field: str, value: object) -> bytes:
        key = name, field, value
        known = self._kept.get(key)
        if known is not None:
            return known
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        attribute = SCHEMA.attribute(name=name)
        if isinstance(value, tuple):
            attribute.bool_list.values.extend(value)
            attribute.bool_list.SetInParent()  # an empty list is there, too
        else:
            setattr(attribute, field, value)
        made: bytes = attribute.SerializeToString()
        self._kept[key] = made
        return made
