"""`cosmic trace show`: what stands in traces, added up."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from cosmic.cli.console import say, show_pairs, show_table, write_json
from cosmic.io.chakra import rank_files, read_rank_trace
from cosmic.trace.rank_summary import Message, RankSummary, summarize, unmatched
from cosmic.units import format_quantity

_SHOWN = 12  # rows of a table


def show(reference: str, *, as_json: bool) -> None:
    """Read traces one after the other and print their sums.

    Args:
        reference: A file, or what stands before the rank in the names of several.
        as_json: Whether to print JSON.

    Raises:
        TraceError: A trace is not sound, or one is missing.
    """
    path = Path(reference)
    files = (path,) if path.is_file() else rank_files(path)
    ranks = (_rank(path),) if path.is_file() else range(len(files))
    summaries = [
        summarize(read_rank_trace(file, rank))
        for file, rank in zip(files, ranks, strict=True)
    ]
    if as_json:
        write_json(_document(reference, summaries))
    else:
        _show(reference, summaries)


def _rank(path: Path) -> int:
    """The rank that a file's name tells; 0 if it tells none."""
    named = re.search(r"\.(\d{1,9})\.et(\.gz)?$", path.name)
    return int(named[1]) if named else 0


def _document(reference: str, summaries: Sequence[RankSummary]) -> dict[str, object]:
    lost, awaited = unmatched(summaries)
    return {
        "trace": reference,
        "ranks": [_of_rank(summary) for summary in summaries],
        "unmatched_sends": lost.total(),
        "unmatched_receives": awaited.total(),
    }


def _of_rank(summary: RankSummary) -> dict[str, object]:
    return {
        "rank": summary.rank,
        "nodes": summary.nodes,
        "kinds": summary.kinds,
        "num_ops": summary.num_ops,
        "tensor_size": summary.tensor_size,
        "recorded": summary.recorded / 1e6,
        "collectives": [
            {
                "type": each.comm_type,
                "group": each.group,
                "count": each.count,
                "bytes": each.nbytes,
            }
            for each in summary.collectives
        ],
        "sent": summary.sent,
        "received": summary.received,
        "longest_chain": summary.longest_chain,
    }


def _show(reference: str, summaries: Sequence[RankSummary]) -> None:
    show_pairs(_numbers(reference, summaries))
    if any(summary.collectives for summary in summaries):
        _show_collectives(summaries)
    if len(summaries) > 1:
        _show_messages(summaries)


def _numbers(
    reference: str, summaries: Sequence[RankSummary]
) -> Iterator[tuple[str, str]]:
    kinds: Counter[str] = Counter()
    for summary in summaries:
        kinds.update(summary.kinds)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
    yield "trace", f"{reference}: {len(summaries):,} ranks"
    yield "nodes", f"{kinds.total():,}: {counts}" if counts else "none"
    yield "operations", _spread([summary.num_ops for summary in summaries], "FLOP")
    yield "bytes", _spread([summary.tensor_size for summary in summaries], "B")
    if any(summary.recorded for summary in summaries):
        yield "recorded", _spread([s.recorded / 1e6 for s in summaries], "s")
    if any(summary.sent for summary in summaries):
        yield "sent", _spread([summary.sent for summary in summaries], "B")
    chains = [summary.longest_chain for summary in summaries]
    yield "longest chain", f"{max(chains):,} nodes"


def _spread(amounts: Sequence[float], unit: str) -> str:
    """Least and most of the ranks."""
    low, high = (format_quantity(f(amounts), unit) for f in (min, max))
    return f"{low} a rank" if low == high else f"{low} to {high} a rank"


def _show_collectives(summaries: Sequence[RankSummary]) -> None:
    """By type and group, those with the most bytes first."""
    ranks: Counter[tuple[str, str]] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    nbytes: Counter[tuple[str, str]] = Counter()
    for summary in summaries:
        for each in summary.collectives:
            key = each.comm_type, each.group
            ranks[key] += 1
            counts[key] += each.count
            nbytes[key] += each.nbytes
    rows = [
        (
            key[0],
            key[1] or "all",
            f"{ranks[key]:,}",
            f"{counts[key] / ranks[key]:,.6g}",
            format_quantity(size / counts[key], "B"),
            format_quantity(size / ranks[key], "B"),
        )
        for key, size in nbytes.most_common(_SHOWN)
    ]
    heads = ("type", "group", "ranks", "a rank", "bytes each", "bytes a rank")
    more = len(nbytes) - len(rows)
    also = f", {len(rows)} of {len(nbytes)} with the most bytes" if more else ""
    show_table(f"Collectives{also}", heads, rows, words=(0, 1))


def _show_messages(summaries: Sequence[RankSummary]) -> None:
    for messages, what in zip(
        unmatched(summaries),
        ("sent and never received", "awaited and never sent"),
        strict=True,
    ):
        if messages:
            say()
            say(f"{messages.total():,} messages are {what}; {_told(messages)}")


def _told(messages: Counter[Message]) -> str:
    tag, source, destination, size = min(messages)
    return f"the first is {size:,} B from rank {source} to {destination}, tag {tag}"
