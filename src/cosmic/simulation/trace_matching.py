"""Which nodes of several ranks' traces belong together: collectives and messages.

Ranks of a group take part in its collectives in the order of their node ids, the first
of each rank in the first of the group, as communication libraries have it. A send finds
the receive of the same tag, ends and bytes, the first the first.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cosmic.errors import TraceError, suggest
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind
from cosmic.trace.rank_group import group_of
from cosmic.trace.rank_trace import CommType, NodeKind, Present, RankTrace
from cosmic.units import Bytes

KINDS = {
    CommType.ALL_REDUCE: CollectiveKind.ALL_REDUCE,
    CommType.ALL_GATHER: CollectiveKind.ALL_GATHER,
    CommType.REDUCE_SCATTER: CollectiveKind.REDUCE_SCATTER,
    CommType.REDUCE_SCATTER_BLOCK: CollectiveKind.REDUCE_SCATTER,
    CommType.ALL_TO_ALL: CollectiveKind.ALL_TO_ALL,
    CommType.BROADCAST: CollectiveKind.BROADCAST,
}
_ALL = ("", "0")  # names of the group of all ranks
_MESSAGE = int(Present.PEER | Present.COMM_SIZE)
_CALL = int(Present.COMM_TYPE | Present.COMM_SIZE)

Row = tuple[int, int]
"""A rank, and a row of its trace."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One collective, with its node on every rank of the group.

    Attributes:
        kind: What it does.
        nbytes: The buffer of one rank, as `CollectiveKind` counts it.
        group: Who takes part.
        rows: The row on each rank that does.
    """

    kind: CollectiveKind
    nbytes: Bytes
    group: Group
    rows: Mapping[int, int]


def matched_calls(
    traces: Sequence[RankTrace],
    groups: Mapping[str, Sequence[int]],
    system: System,
) -> list[Call]:
    """Every collective of the traces.

    Args:
        traces: One a rank, by rank.
        groups: The ranks of each group, by name.
        system: Whose dimensions `involved_dim` speaks of.

    Raises:
        TraceError: A collective lacks its type or size, names a group that is not
            there or that its rank is not in, or does not fit those of the other ranks.
        ConsistencyError: The ranks of a group are not of even strides.
    """
    found = _Groups(traces, groups, system)
    rows: dict[tuple[int, ...], dict[int, list[int]]] = defaultdict(dict)
    known: dict[tuple[int, ...], Group] = {}
    for trace in traces:
        for row in _rows(trace, NodeKind.COLLECTIVE):
            group = found.group(trace, row)
            members = group.members(trace.rank)
            known[members] = group
            rows[members].setdefault(trace.rank, []).append(row)
    calls: list[Call] = []
    for members, by_rank in rows.items():
        calls += _calls(traces, known[members], members, by_rank)
    return calls


def matched_messages(traces: Sequence[RankTrace]) -> list[tuple[Row, Row]]:
    """Every send with its receive.

    Raises:
        TraceError: A message lacks its peer or size, names a rank that is not there, or
            has no other end.
    """
    ends: dict[tuple[int, int, int, int], tuple[list[Row], list[Row]]] = defaultdict(
        lambda: ([], [])
    )
    for trace in traces:
        for side, kind in enumerate((NodeKind.SEND, NodeKind.RECEIVE)):
            for row in _rows(trace, kind):
                ends[_message(trace, row, len(traces))][side].append((trace.rank, row))
    pairs: list[tuple[Row, Row]] = []
    for sends, receives in ends.values():
        both = min(len(sends), len(receives))
        for rank, row in sends[both:] + receives[both:]:
            raise _refusal(traces[rank], row, _lonely(traces[rank], row))
        pairs += zip(sends, receives, strict=True)
    return pairs


class _Groups:
    """The groups that nodes name, as groups of even strides."""

    def __init__(
        self,
        traces: Sequence[RankTrace],
        groups: Mapping[str, Sequence[int]],
        system: System,
    ) -> None:
        self._ranks, self._groups, self._system = len(traces), groups, system
        self._found: dict[str, Group] = {}

    def group(self, trace: RankTrace, row: int) -> Group:
        """The group in which a rank's collective takes place."""
        place = int(trace.nodes["group"][row])
        name = "" if place < 0 else trace.groups[place]
        if name in _ALL:
            return self._along(int(trace.nodes["involved_dim"][row]))
        if name not in self._groups:
            hint = (
                suggest(name, self._groups) if self._groups else "no groups are given"
            )
            raise _refusal(trace, row, f"no group is named {name!r}; {hint}")
        if trace.rank not in self._groups[name]:
            raise _refusal(trace, row, f"rank {trace.rank} is not in group {name!r}")
        if name not in self._found:
            self._found[name] = group_of(name, self._groups[name])
        return self._found[name]

    def _along(self, involved: int) -> Group:
        """All ranks, or those that differ in the dimensions that are involved."""
        strides, topology = self._system.strides, self._system.cluster.topology
        parts = sorted(
            (
                (dimension.size, strides[d])
                for d, dimension in enumerate(topology.dimensions)
                if involved < 0 or involved >> d & 1
            ),
            key=lambda part: part[1],
        )
        return Group.joined("all", parts or [(1, 1)])


def _calls(
    traces: Sequence[RankTrace],
    group: Group,
    members: Sequence[int],
    by_rank: Mapping[int, Sequence[int]],
) -> Iterator[Call]:
    """The collectives of one group, all its ranks agreeing on each."""
    first = min(by_rank)
    for turn, row in enumerate(by_rank[first]):
        told = _told(traces[first], row)
        rows = {}
        for rank in members:
            own = by_rank.get(rank, ())
            if turn >= len(own):
                what = f"rank {rank} takes no part in this {told[0].value}"
                raise _refusal(traces[first], row, what)
            rows[rank] = own[turn]
            if (other := _told(traces[rank], own[turn])) != told:
                raise _refusal(
                    traces[rank],
                    own[turn],
                    f"{other[0].value} of {other[1]:,} bytes, where rank {first} has "
                    f"{told[0].value} of {told[1]:,}, in node "
                    f"{traces[first].nodes['id'][row]}",
                )
        kind, size = told
        nbytes = size * group.size if kind is CollectiveKind.ALL_GATHER else size
        yield Call(kind=kind, nbytes=float(nbytes), group=group, rows=rows)
    for rank, own in by_rank.items():
        for row in own[len(by_rank[first]) :]:
            what = f"rank {first} takes no part in this collective"
            raise _refusal(traces[rank], row, what)


def _told(trace: RankTrace, row: int) -> tuple[CollectiveKind, int]:
    """Type and `comm_size` of a collective."""
    node = trace.nodes[row]
    if int(node["present"]) & _CALL != _CALL:
        raise _refusal(trace, row, "a collective without comm_type or comm_size")
    comm_type = CommType(int(node["comm_type"]))
    if comm_type not in KINDS:
        raise _refusal(trace, row, f"{comm_type.name} is not simulated")
    return KINDS[comm_type], int(node["comm_size"])


def _message(trace: RankTrace, row: int, ranks: int) -> tuple[int, int, int, int]:
    """Tag, source, destination and bytes."""
    node = trace.nodes[row]
    if int(node["present"]) & _MESSAGE != _MESSAGE:
        raise _refusal(trace, row, "a message without its peer or comm_size")
    peer = int(node["peer"])
    if peer >= ranks:
        raise _refusal(trace, row, f"there is no rank {peer}; there are {ranks}")
    sends = node["kind"] == NodeKind.SEND
    ends = (trace.rank, peer) if sends else (peer, trace.rank)
    return int(node["tag"]), *ends, int(node["comm_size"])


def _lonely(trace: RankTrace, row: int) -> str:
    node = trace.nodes[row]
    sends = node["kind"] == NodeKind.SEND
    way = "sends to" if sends else "receives from"
    return (
        f"{way} rank {node['peer']} {node['comm_size']:,} bytes, tag {node['tag']}, "
        f"which that rank does not {'receive' if sends else 'send'}"
    )


def _rows(trace: RankTrace, kind: NodeKind) -> list[int]:
    rows: list[int] = (trace.nodes["kind"] == kind).nonzero()[0].tolist()
    return rows


def _refusal(trace: RankTrace, row: int, what: str) -> TraceError:
    return TraceError(f"rank {trace.rank}, node {trace.nodes['id'][row]}: {what}")
