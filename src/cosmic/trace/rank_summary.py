"""What stands in the trace of a rank, added up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from cosmic.trace.rank_trace import CommType, Ints, NodeKind, Present, RankTrace

Message = tuple[int, int, int, int]
"""Tag, source, destination and bytes, by which a send finds its receive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectiveSum:
    """All collectives of one type in groups of one name.

    Attributes:
        comm_type: What they do.
        group: The name of the group; empty where none is given, which means all ranks.
        count: How many there are.
        nbytes: Their `comm_size` together.
    """

    comm_type: str
    group: str
    count: int
    nbytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankSummary:
    """What one rank does.

    Attributes:
        rank: Whose trace it is.
        kinds: Nodes of each kind, by its name in lower case.
        num_ops: Operations of compute nodes.
        tensor_size: Bytes of compute nodes.
        recorded: Microseconds that nodes say that they took.
        collectives: Collectives by type and group.
        sent: Bytes of sends.
        received: Bytes of receives.
        longest_chain: Nodes of the longest chain in which each waits for another.
        sends: Every message that is sent, with how often.
        receives: Every message that is awaited, with how often.
    """

    rank: int
    kinds: dict[str, int]
    num_ops: int
    tensor_size: int
    recorded: int
    collectives: tuple[CollectiveSum, ...]
    sent: int
    received: int
    longest_chain: int
    sends: Counter[Message] = field(repr=False)
    receives: Counter[Message] = field(repr=False)

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return sum(self.kinds.values())


def summarize(trace: RankTrace) -> RankSummary:
    """Add up a trace."""
    nodes = trace.nodes
    kinds = Counter(nodes["kind"].tolist())
    compute = nodes["kind"] == NodeKind.COMPUTE
    sends, receives = (
        _messages(trace, kind) for kind in (NodeKind.SEND, NodeKind.RECEIVE)
    )
    return RankSummary(
        rank=trace.rank,
        kinds={kind.name.lower(): kinds[kind] for kind in NodeKind if kinds[kind]},
        num_ops=_total(nodes["num_ops"][compute]),
        tensor_size=_total(nodes["tensor_size"][compute]),
        recorded=_total(nodes["duration_micros"]),
        collectives=tuple(_collectives(trace)),
        sent=sum(message[3] * count for message, count in sends.items()),
        received=sum(message[3] * count for message, count in receives.items()),
        longest_chain=longest_chain(trace),
        sends=sends,
        receives=receives,
    )


def unmatched(
    summaries: Iterable[RankSummary],
) -> tuple[Counter[Message], Counter[Message]]:
    """Messages that are sent and not awaited, and that are awaited and not sent."""
    sends: Counter[Message] = Counter()
    receives: Counter[Message] = Counter()
    for summary in summaries:
        sends.update(summary.sends)
        receives.update(summary.receives)
    return sends - receives, receives - sends


def longest_chain(trace: RankTrace) -> int:
    """Nodes of the longest chain in which each waits for the one before it."""
    length = [0] * len(trace.nodes)
    starts, ends = trace.offsets[:-1].tolist(), trace.offsets[1:].tolist()
    before = trace.dependencies.tolist()
    for row in _in_order(trace):
        length[row] = 1 + max(
            [length[b] for b in before[starts[row] : ends[row]]], default=0
        )
    return max(length, default=0)


def _in_order(trace: RankTrace) -> Iterable[int]:
    """The rows, each behind what it waits for."""
    rows = np.repeat(np.arange(len(trace.nodes)), np.diff(trace.offsets))
    if bool((trace.dependencies < rows).all()):
        return range(len(trace.nodes))
    by_dependency = np.argsort(trace.dependencies, kind="stable")
    followers = rows[by_dependency].tolist()
    places = np.arange(len(trace.nodes) + 1)
    first = np.searchsorted(trace.dependencies[by_dependency], places).tolist()
    waiting = np.diff(trace.offsets).tolist()
    free = [row for row, count in enumerate(waiting) if count == 0]
    for row in free:  # grows as rows become free
        for follower in followers[first[row] : first[row + 1]]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                free.append(follower)
    return free


def _collectives(trace: RankTrace) -> Iterable[CollectiveSum]:
    collectives = trace.nodes[trace.nodes["kind"] == NodeKind.COLLECTIVE]
    counts: Counter[tuple[int, int]] = Counter()
    nbytes: Counter[tuple[int, int]] = Counter()
    columns = collectives[["comm_type", "group", "comm_size"]].tolist()
    for comm_type, group, size in columns:
        counts[comm_type, group] += 1
        nbytes[comm_type, group] += size
    for (comm_type, group), count in counts.items():
        yield CollectiveSum(
            comm_type=CommType(comm_type).name.lower(),
            group=trace.groups[group] if group >= 0 else "",
            count=count,
            nbytes=nbytes[comm_type, group],
        )


def _messages(trace: RankTrace, kind: NodeKind) -> Counter[Message]:
    nodes = trace.nodes[trace.nodes["kind"] == kind]
    named = nodes[nodes["present"] & Present.PEER > 0]
    columns = named[["tag", "peer", "comm_size"]].tolist()
    if kind is NodeKind.SEND:
        return Counter((tag, trace.rank, peer, size) for tag, peer, size in columns)
    return Counter((tag, peer, trace.rank, size) for tag, peer, size in columns)


def _total(column: Ints) -> int:
    """A sum that cannot overflow."""
    return sum(column.tolist())
