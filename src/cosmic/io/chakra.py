"""Chakra execution traces: files of one rank each, read into columns and written.

A trace of many ranks is a file a rank, `PREFIX.<rank>.et`, from rank 0. Nodes are read
one at a time, so that a file never stands in memory as objects. What is wrong with a
file is said in one line: the file, the place in it, the node, and what is wrong there.
"""

import re
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosmic.errors import TraceError
from cosmic.io.chakra_attributes import RawNode
from cosmic.io.chakra_layout import Layout, LayoutError, layout_of
from cosmic.io.chakra_schema import VARINT, DecodeError, fields_of
from cosmic.io.delimited import read_messages
from cosmic.trace.rank_trace import NODE, RankTrace, rank_trace

MOST_NODES = 20_000_000  # of one rank; 3 GB
_BLOCK = 8192  # nodes that are objects at a time
_SAMPLE = 64  # messages that tell the layout
_ROW = itemgetter(*(NODE.names or ()))


def rank_files(prefix: str | Path) -> tuple[Path, ...]:
    """The files of a trace, `PREFIX.<rank>.et` or `.et.gz`, by rank.

    Raises:
        TraceError: There are none, or a rank between the first and the last has none.
    """
    prefix = Path(prefix)
    name = re.compile(re.escape(prefix.name) + r"\.(\d{1,9})\.et(\.gz)?")
    found = {
        int(match[1]): path
        for path in (prefix.parent.iterdir() if prefix.parent.is_dir() else ())
        if (match := name.fullmatch(path.name))
    }
    if not found:
        raise TraceError(f"{prefix}: no trace files; they are named {prefix}.0.et, ...")
    missing = next(rank for rank in range(len(found) + 1) if rank not in found)
    if missing < len(found):
        raise TraceError(
            f"{prefix}: no file of rank {missing}, but of rank {max(found)}"
        )
    return tuple(found[rank] for rank in range(len(found)))


def read_rank_trace(path: str | Path, rank: int, *, names: bool = False) -> RankTrace:
    """The trace of one rank.

    Takes 3 to 10 microseconds and some 200 bytes of memory a node.

    Args:
        path: The file, packed with gzip or not.
        rank: Whose trace it is; a file does not say.
        names: Whether to keep the nodes' names.

    Raises:
        TraceError: The file is no sound trace; says where.
        OSError: It cannot be read.
    """
    path = Path(path)
    columns = _Columns(path, names)
    columns.read()
    try:
        return columns.trace(rank)
    except TraceError as error:
        raise TraceError(f"{path.name}: {error}") from error


class _Columns:
    """The nodes of a file as they come, by block."""

    def __init__(self, path: Path, names: bool) -> None:
        self._path = path
        self._blocks: list[NDArray[np.void]] = []
        self._rows: list[tuple[int, ...]] = []
        self._counts = array("q")
        self._dependencies = array("Q")
        self._groups: Iterable[str] = ()
        self._names: list[str] | None = [] if names else None

    def read(self) -> None:
        """Read all nodes."""
        last = -1
        messages, layout = self._messages()
        self._groups = layout.attributes.groups
        for place, message in messages:
            try:
                node = layout.node(message)
                self._take(node)
            except (DecodeError, TraceError) as error:
                raise self._refusal(error, place, message) from error
            if node.columns["id"] == last:  # the cheapest way to fill a memory
                raise self._refusal("the id stands twice", place, message)
            last = node.columns["id"]

    def trace(self, rank: int) -> RankTrace:
        """The trace of what was read."""
        self._end_block()
        nodes = np.concatenate(self._blocks) if self._blocks else np.zeros(0, NODE)
        self._blocks.clear()
        offsets = np.zeros(len(nodes) + 1, np.int64)
        np.cumsum(np.frombuffer(self._counts, np.int64), out=offsets[1:])
        return rank_trace(
            rank,
            nodes,
            offsets,
            np.frombuffer(self._dependencies, np.uint64),
            tuple(self._groups),
            tuple(self._names or ()),
        )

    def _messages(self) -> tuple[Iterable[tuple[int, bytes]], Layout]:
        """Those that are nodes, with their places, and the layout that they have."""
        messages = read_messages(self._path)
        sample = list(islice(messages, 1))
        if not sample:
            raise TraceError(f"{self._path.name}: empty; not even Chakra's metadata")

        def following() -> Iterator[bytes]:
            for each in islice(messages, _SAMPLE):
                sample.append(each)
                yield each[1]

        try:
            layout, metadata = layout_of(sample[0][1], following())
        except LayoutError as error:
            raise self._refusal(f"not a Chakra trace: {error}", *sample[0]) from error
        return chain(sample[metadata:], messages), layout

    def _take(self, node: RawNode) -> None:
        if len(self._counts) >= MOST_NODES:
            raise TraceError(f"more than {MOST_NODES:,} nodes, which are not read")
        before = len(self._dependencies)
        self._rows.append(_ROW(node.columns))
        self._dependencies.extend(node.dependencies)
        self._counts.append(len(self._dependencies) - before)
        if self._names is not None:
            self._names.append(node.name)
        if len(self._rows) == _BLOCK:
            self._end_block()

    def _end_block(self) -> None:
        self._blocks.append(np.array(self._rows, NODE))
        self._rows.clear()

    def _refusal(
        self, error: Exception | str, place: int, message: bytes
    ) -> TraceError:
        node = ""
        try:
            node_id = fields_of(message).get((1, VARINT))
            if node_id is not None:
                node = f"node {node_id}: "
        except DecodeError:
            pass
        what = _reason(error)
        return TraceError(f"{self._path.name}: {node}{what} @ byte {place:,}")


def _reason(error: Exception | str) -> str:
    if isinstance(error, DecodeError):
        return "the bytes are no message of Chakra's"
    return str(error)
