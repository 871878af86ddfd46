"""What a picture of a timeline shows: panels with rows of bars, not yet drawn."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from cosmic.report.timeline_parts import computed_again
from cosmic.simulation.device_run import Inside, Operation, Span
from cosmic.simulation.timeline import Run, StageTimeline, Timeline, Work
from cosmic.trace.node import ComputeNode, OperatorKind
from cosmic.units import Seconds

FORWARD, BACKWARD, WEIGHTS = "forward", "backward", "weight gradients"
RECOMPUTED, OPTIMIZER, IDLE = "recomputation", "optimizer", "idle"

_MOST_BARS = 200  # of a row, beyond which it is cut into stretches of time
_STRETCHES = 90  # of a row that is cut
_MOST_ROWS = 12  # stages that are shown
_TOGETHER = 1 / 500  # of a panel: communication that is closer is one bar


@dataclass(frozen=True, slots=True)
class Bar:
    """Some time of a row.

    Attributes:
        start: When it begins.
        seconds: How long it takes.
        shares: What this time goes to; the name of a group means waiting for it, or
            in a row of communication that it communicates.
        label: What is written into it, if there is room.
    """

    start: Seconds
    seconds: Seconds
    shares: Mapping[str, float]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows over one stretch of time.

    Attributes:
        title: What is seen.
        start: When it begins.
        seconds: How long it is.
        rows: Bars by the name of their row, from top to bottom.
    """

    title: str
    start: Seconds
    seconds: Seconds
    rows: Mapping[str, tuple[Bar, ...]]


def panels(timeline: Timeline) -> Iterator[Panel]:
    """The step, then one layer of each kind of run, then the end of a training step.

    What is inside is that of the stage that waits least for others.
    """
    again = computed_again(timeline.graph)
    yield _whole(timeline, again)
    number = min(range(len(timeline.stages)), key=lambda s: _waited(timeline.stages[s]))
    stage = timeline.stages[number]
    for work in (Work.FORWARD, Work.BACKWARD, Work.WEIGHTS):
        runs = [run for run in stage.runs if run.work is work and run.inside.spans]
        if runs and runs[0].inside.seconds:
            yield _layer(timeline, number, runs[len(runs) > 1], again)
    if not timeline.graph.forward_only:
        yield _end(timeline, number, again)


def groups_of(timeline: Timeline) -> tuple[str, ...]:
    """The groups that communicate, in the order of the graph."""
    found = {
        exchange.node.group
        for stage in timeline.stages
        for inside in {id(run.inside): run.inside for run in stage.runs}.values()
        for exchange in inside.exchanges
        if exchange.seconds
    }
    return tuple(g.name for g in timeline.graph.groups if g.name in found)


Again = frozenset[ComputeNode]


def _waited(stage: StageTimeline) -> Seconds:
    return sum(idle.seconds for idle in stage.idle)


def _whole(timeline: Timeline, again: Again) -> Panel:
    count = len(timeline.stages)
    every = ceil(count / _MOST_ROWS)
    shown = sorted({*range(0, count, every), count - 1})
    title = "one pass" if timeline.graph.forward_only else "the step"
    if len(shown) < count:
        title += f", {len(shown)} of its {count} stages"
    rows = {
        f"stage {number}": tuple(_stage_bars(timeline, timeline.stages[number], again))
        for number in shown
    }
    return Panel(title, 0.0, timeline.end, rows)


def _stage_bars(
    timeline: Timeline, stage: StageTimeline, again: Again
) -> Iterator[Bar]:
    """Runs and waiting for others; too many of them as stretches of time."""
    known: dict[tuple[int, Work], dict[str, float]] = {}
    bars = [Bar(idle.start, idle.seconds, {IDLE: 1.0}) for idle in stage.idle]
    for run in stage.runs:
        key = id(run.inside), run.work
        if key not in known:
            known[key] = _shares(run, run.inside.operations, _waits(run.inside), again)
        label = str(run.micro_batch) if run.work in _COUNTED else ""
        bars.append(Bar(run.start, run.inside.seconds, known[key], label))
    bars.sort(key=lambda bar: bar.start)
    if len(bars) <= _MOST_BARS or not timeline.end:
        return iter(bars)
    return _stretches(bars, timeline.end / _STRETCHES)


_COUNTED = (Work.FORWARD, Work.BACKWARD, Work.WEIGHTS)
_COLORS = {
    Work.FORWARD: FORWARD,
    Work.BACKWARD: BACKWARD,
    Work.WEIGHTS: WEIGHTS,
    Work.FINISH: OPTIMIZER,
    Work.UPDATE: FORWARD,
}


def _color(run: Run, node: ComputeNode, again: Again) -> str:
    """What an operator of a run is for."""
    if node.kind is OperatorKind.OPTIMIZER:
        return OPTIMIZER
    if run.work in (Work.BACKWARD, Work.WEIGHTS) and node in again:
        return RECOMPUTED
    return _COLORS[run.work]


def _waits(inside: Inside) -> Iterator[tuple[str, Seconds]]:
    return ((wait.node.group, wait.seconds) for wait in inside.waits)


def _shares(
    run: Run,
    operations: Iterable[Operation],
    waits: Iterable[tuple[str, Seconds]],
    again: Again,
) -> dict[str, float]:
    """What the time of some operators and waits goes to."""
    sums: dict[str, float] = {}
    for operation in operations:
        name = _color(run, operation.node, again)
        sums[name] = sums.get(name, 0.0) + operation.seconds
    for group, seconds in waits:
        sums[group] = sums.get(group, 0.0) + seconds
    whole = sum(sums.values())
    return _ordered({n: seconds / whole for n, seconds in sums.items() if seconds})


def _ordered(shares: dict[str, float]) -> dict[str, float]:
    """Work from below in an order that is always the same, then waiting."""
    known = (BACKWARD, RECOMPUTED, FORWARD, WEIGHTS, OPTIMIZER)
    work = {name: shares[name] for name in known if name in shares}
    waits = {name: shares[name] for name in sorted(shares) if name not in work}
    return work | waits


def _stretches(bars: Iterable[Bar], width: Seconds) -> Iterator[Bar]:
    """Bars as stretches of equal width, each with what its time goes to."""
    sums: dict[int, dict[str, float]] = {}
    for bar in bars:
        end = bar.start + bar.seconds
        for place in range(int(bar.start / width), ceil(end / width)):
            inside = min(end, (place + 1) * width) - max(bar.start, place * width)
            here = sums.setdefault(place, {})
            for name, share in bar.shares.items():
                here[name] = here.get(name, 0.0) + share * inside / width
    for place, shares in sorted(sums.items()):
        yield Bar(place * width, width, _ordered(shares))


def _layer(timeline: Timeline, number: int, run: Run, again: Again) -> Panel:
    """The middle one of the layers that take most of a run."""
    sums: dict[str, float] = {}
    for span in run.inside.spans:
        sums[span.name] = sums.get(span.name, 0.0) + span.seconds
    name = max(sums, key=lambda n: sums[n])
    spans = [s for s in run.inside.spans if s.name == name and s.seconds]
    span = spans[len(spans) // 2]
    start = run.start + span.start
    title = f"inside: {run.work.value} of {name} {span.layer} on stage {number}"
    rows = {"compute": tuple(_operators(run, span, again))}
    rows |= _communication(timeline, [run], (start, span.seconds), named=True)
    return Panel(title, start, span.seconds, rows)


def _operators(run: Run, span: Span, again: Again) -> Iterator[Bar]:
    """Operators and waits of a layer."""
    found = [
        (o.start, o.seconds, _color(run, o.node, again), o.node.name)
        for o in run.inside.operations
    ]
    found += [
        (w.start, w.seconds, w.node.group, f"wait: {w.node.group}")
        for w in run.inside.waits
    ]
    for start, seconds, name, label in sorted(found):
        if seconds and span.start <= start < span.start + span.seconds:
            yield Bar(run.start + start, seconds, {name: 1.0}, _plain(label))


def _plain(label: str) -> str:
    return label.removesuffix(" backward").replace("_", " ")


def _end(timeline: Timeline, number: int, again: Again) -> Panel:
    """From the last backward, whose gradients travel, to the end of the step."""
    stage = timeline.stages[number]
    last = max(place for place, run in enumerate(stage.runs) if run.work in _COUNTED)
    runs = stage.runs[last:]
    start = runs[0].start
    seconds = runs[-1].end - start
    bars = [bar for run in runs for bar in _span_bars(run, again)]
    bars += [
        Bar(idle.start, idle.seconds, {IDLE: 1.0})
        for idle in stage.idle
        if start <= idle.start < start + seconds
    ]
    bars.sort(key=lambda bar: bar.start)
    if len(bars) > _MOST_BARS and seconds:
        moved = (Bar(b.start - start, b.seconds, b.shares) for b in bars)
        stretches = _stretches(moved, seconds / _STRETCHES)
        bars = [Bar(start + b.start, b.seconds, b.shares) for b in stretches]
    rows = {"compute": tuple(bars)}
    rows |= _communication(timeline, stage.runs, (start, seconds), named=False)
    title = f"the end of the step on stage {number}: last gradients, update"
    return Panel(title, start, seconds, rows)


def _span_bars(run: Run, again: Again) -> Iterator[Bar]:
    """The layers of a run, each with what its time goes to."""
    operations, waits = iter(run.inside.operations), iter(run.inside.waits)
    operation, wait = next(operations, None), next(waits, None)
    for span in run.inside.spans:
        end = span.start + span.seconds
        if not span.seconds:
            continue
        inside, waited = [], []
        while operation is not None and operation.start < end:
            inside.append(operation)
            operation = next(operations, None)
        while wait is not None and wait.start < end:
            waited.append((wait.node.group, wait.seconds))
            wait = next(waits, None)
        shares = _shares(run, inside, waited, again)
        yield Bar(run.start + span.start, span.seconds, shares)


def _communication(
    timeline: Timeline,
    runs: Iterable[Run],
    window: tuple[Seconds, Seconds],
    *,
    named: bool,
) -> dict[str, tuple[Bar, ...]]:
    """Rows of the groups that communicate in a stretch of time."""
    start, seconds = window
    rows: dict[str, list[tuple[Seconds, Seconds, str]]] = {}
    for run in runs:
        for exchange in run.inside.exchanges:
            begins = max(start, run.start + exchange.start)
            ends = run.start + exchange.start + exchange.seconds
            ends = min(start + seconds, ends)
            if ends > begins:
                row = rows.setdefault(exchange.node.group, [])
                row.append((begins, ends, _plain(exchange.node.name) if named else ""))
    return {
        group.name: tuple(_merged(rows[group.name], group.name, seconds * _TOGETHER))
        for group in timeline.graph.groups
        if group.name in rows
    }


def _merged(
    found: list[tuple[Seconds, Seconds, str]], group: str, near: Seconds
) -> Iterator[Bar]:
    """Communication as bars that lie apart, those that overlap or are near as one."""
    found.sort()
    start, end, label = found[0]
    for begins, ends, name in found[1:]:
        if begins > end + near:
            yield Bar(start, end - start, {group: 1.0}, label)
            start, end, label = begins, ends, name
        else:
            end = max(end, ends)
            label = label if label == name else ""
    yield Bar(start, end - start, {group: 1.0}, label)
