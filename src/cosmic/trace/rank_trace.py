"""The trace of one rank as Chakra files hold it: columns of nodes and dependencies.

One row is one node, rows stand in the order of ascending node ids. What a node waits
for, be it for data or for control, stands as rows in compressed form: the dependencies
of row `r` are `dependencies[offsets[r] : offsets[r + 1]]`.
"""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosmic.errors import TraceError

Ints = NDArray[np.int64]
Ids = NDArray[np.uint64]


class NodeKind(enum.IntEnum):
    """What a node is, numbered as Chakra's `NodeType`."""

    INVALID = 0
    METADATA = 1
    MEMORY_LOAD = 2
    MEMORY_STORE = 3
    COMPUTE = 4
    SEND = 5
    RECEIVE = 6
    COLLECTIVE = 7


class CommType(enum.IntEnum):
    """What a collective does, numbered as Chakra's `CollectiveCommType`."""

    ALL_REDUCE = 0
    REDUCE = 1
    ALL_GATHER = 2
    GATHER = 3
    SCATTER = 4
    BROADCAST = 5
    ALL_TO_ALL = 6
    REDUCE_SCATTER = 7
    REDUCE_SCATTER_BLOCK = 8
    BARRIER = 9


class Present(enum.IntFlag):
    """Attributes that a node's message holds; an absent one is 0 in its column."""

    NUM_OPS = 1
    TENSOR_SIZE = 2
    COMM_TYPE = 4
    COMM_SIZE = 8
    PEER = 16
    TAG = 32


NODE = np.dtype(
    [
        ("id", np.uint64),
        ("kind", np.int8),
        ("is_cpu", np.bool_),
        ("present", np.uint8),
        ("comm_type", np.int8),
        ("involved_count", np.uint8),
        ("group", np.int32),
        ("peer", np.int32),
        ("tag", np.int64),
        ("involved_dim", np.int64),
        ("duration_micros", np.int64),
        ("num_ops", np.int64),
        ("tensor_size", np.int64),
        ("comm_size", np.int64),
    ]
)
"""One node.

id: the node's id in the file; kind: a `NodeKind`; is_cpu: `is_cpu_op`; present: which
`Present` attributes the message holds; comm_type: a `CommType`; group: index into
`RankTrace.groups` or -1; peer: the other end of a send or receive; involved_dim: bit
`d` set where dimension `d` takes part, of the first `involved_count`, or -1 where the
message does not say; the rest as Chakra names them. Amounts are bytes, or operations.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankTrace:
    """The nodes of one rank, by ascending id, and what each waits for.

    Attributes:
        rank: Whose trace this is, from 0.
        nodes: One row a node, dtype `NODE`, ids ascending.
        offsets: Where each row's dependencies begin, shape (nodes + 1,).
        dependencies: Rows that must have ended first, shape (offsets[-1],).
        groups: Names that `group` counts through, as in `pg_name`.
        names: One a node, or none at all.

    Raises:
        TraceError: Ids do not ascend, a dependency or a group is out of range, an
            amount is negative, a kind is unknown, or nodes wait for each other.
    """

    rank: int
    nodes: NDArray[np.void]
    offsets: Ints
    dependencies: Ints
    groups: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.nodes)
        sound = (
            self.nodes.dtype == NODE
            and self.offsets.shape == (count + 1,)
            and self.offsets[0] == 0
            and self.offsets[-1] == len(self.dependencies)
            and bool((np.diff(self.offsets) >= 0).all())
            and len(self.names) in (0, count)
        )
        if not sound:
            raise TraceError(f"rank {self.rank}: the columns are of different lengths")
        self._check_ids()
        self._check_columns()
        self._check_order()

    def _check_ids(self) -> None:
        ids = self.nodes["id"]
        repeated = np.flatnonzero(ids[1:] == ids[:-1])
        if len(repeated):
            self._refuse(int(repeated[0]), "the id stands twice")
        unordered = np.flatnonzero(ids[1:] < ids[:-1])
        if len(unordered):
            self._refuse(int(unordered[0]) + 1, "the ids do not ascend")

    def _check_columns(self) -> None:
        kinds = self.nodes["kind"]
        self._refuse_where((kinds < 0) | (kinds > max(NodeKind)), "kind is unknown")
        groups = self.nodes["group"]
        self._refuse_where(
            (groups < -1) | (groups >= len(self.groups)), "group is unknown"
        )
        for name in ("duration_micros", "num_ops", "tensor_size", "comm_size", "tag"):
            self._refuse_where(self.nodes[name] < 0, f"{name} is negative")

    def _check_order(self) -> None:
        rows = np.repeat(np.arange(len(self.nodes)), np.diff(self.offsets))
        outside = (self.dependencies < 0) | (self.dependencies >= len(self.nodes))
        if outside.any():
            self._refuse(int(rows[outside][0]), "a dependency is out of range")
        if (self.dependencies < rows).all():
            return
        stuck = _stuck(self.offsets, self.dependencies)
        if stuck >= 0:
            self._refuse(stuck, "waits for itself through its dependencies")

    def _refuse_where(self, wrong: NDArray[np.bool_], what: str) -> None:
        if wrong.any():
            self._refuse(int(wrong.argmax()), what)

    def _refuse(self, row: int, what: str) -> None:
        raise TraceError(f"rank {self.rank}, node {self.nodes['id'][row]}: {what}")


def blank_nodes(count: int) -> NDArray[np.void]:
    """Give rows of nodes that say nothing: no group, no involved dimensions, zeros."""
    nodes = np.zeros(count, NODE)
    nodes["group"] = -1
    nodes["involved_dim"] = -1
    return nodes


def rank_trace(
    rank: int,
    nodes: NDArray[np.void],
    offsets: Ints,
    dependency_ids: Ids,
    groups: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
) -> RankTrace:
    """Make a trace of nodes in any order, whose dependencies are node ids.

    Args:
        rank: Whose trace this is.
        nodes: One row a node, dtype `NODE`, in any order.
        offsets: Where each row's dependencies begin, shape (nodes + 1,).
        dependency_ids: Ids of the nodes that must have ended first.
        groups: As in `RankTrace`.
        names: As in `RankTrace`, in the order of `nodes`.

    Raises:
        TraceError: A dependency is not in the trace, or what `RankTrace` refuses.

    >>> nodes = blank_nodes(2)
    >>> nodes["id"] = [7, 3]
    >>> trace = rank_trace(0, nodes, np.array([0, 1, 1]), np.array([3], np.uint64))
    >>> trace.nodes["id"].tolist(), trace.offsets.tolist(), trace.dependencies.tolist()
    ([3, 7], [0, 0, 1], [0])
    """
    order = np.argsort(nodes["id"], kind="stable")
    ids = nodes["id"][order]
    places = np.searchsorted(ids, dependency_ids)
    missing = (
        np.flatnonzero(ids.take(places, mode="clip") != dependency_ids)
        if len(ids)
        else np.arange(len(dependency_ids))
    )
    if len(missing):
        row = int(np.searchsorted(offsets, missing[0], side="right")) - 1
        raise TraceError(
            f"rank {rank}, node {nodes['id'][row]}: depends on node "
            f"{dependency_ids[missing[0]]}, which is not in the trace"
        )
    counts = np.diff(offsets)[order]
    sorted_offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    shift = np.repeat(offsets[:-1][order] - sorted_offsets[:-1], counts)
    return RankTrace(
        rank=rank,
        nodes=nodes[order],
        offsets=sorted_offsets,
        dependencies=places[np.arange(len(dependency_ids)) + shift],
        groups=groups,
        names=tuple(names[i] for i in order) if names else (),
    )


def _stuck(offsets: Ints, dependencies: Ints) -> int:
    """A row that waits for itself by way of others; -1 if there is none."""
    count = len(offsets) - 1
    waiting = np.diff(offsets).tolist()
    order = np.argsort(dependencies, kind="stable")
    rows = np.repeat(np.arange(count), np.diff(offsets))
    followers = rows[order].tolist()
    first = np.searchsorted(dependencies[order], np.arange(count + 1)).tolist()
    free = [row for row in range(count) if waiting[row] == 0]
    for row in free:  # grows as rows become free
        for follower in followers[first[row] : first[row + 1]]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                free.append(follower)
    stuck = (row for row in range(count) if waiting[row])
    return _on_a_cycle(next(stuck, -1), waiting, offsets, dependencies)


def _on_a_cycle(row: int, waiting: list[int], offsets: Ints, dependencies: Ints) -> int:
    """From a row that never becomes free back to one that waits for itself."""
    seen: set[int] = set()
    while row >= 0 and row not in seen:
        seen.add(row)
        before = dependencies[offsets[row] : offsets[row + 1]].tolist()
        row = next(other for other in before if waiting[other])
    return row
