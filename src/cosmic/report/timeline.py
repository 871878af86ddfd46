"""A timeline in the trace event format that Perfetto and chrome://tracing open.

Every pipeline stage is a process, and what its device does is on threads: its step, its
compute stream with what is inside, its messages to other stages, its communication by
group, and the links of each dimension. Complete events of a thread lie inside each
other or apart, as the format asks; communication that overlaps has several threads.

Times are in microseconds, on whole nanoseconds, since readers round them there.

Reference:
    The Chromium project, "Trace Event Format"; Perfetto, "Visualizing external trace
    formats", section on Chrome JSON.
"""

import enum
import json
from collections.abc import Iterator, Mapping
from itertools import chain, count
from pathlib import Path

from cosmic.report.timeline_parts import Event, Parts, complete, run_name
from cosmic.simulation.expansion import Direction
from cosmic.simulation.timeline import Message, Run, StageTimeline, Timeline
from cosmic.units import Seconds

MOST_EVENTS = 100_000
"""Up to so many, the inside of every run is written; beyond, that of one of each."""

_THREADS = 1000  # of a process, at most
_STEP, _COMPUTE, _SENDS = 1, 2, 3  # threads; the second one of sends goes back
_COMMUNICATION = 10  # the first thread of it


class Detail(enum.Enum):
    """How much of what is inside a run is written."""

    STEPS = "steps"
    LAYERS = "layers"
    OPERATORS = "operators"


def trace_document(
    timeline: Timeline,
    detail: Detail = Detail.LAYERS,
    about: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """A timeline as an object of the trace event format.

    Args:
        timeline: Of one step.
        detail: How much of what is inside runs is told.
        about: What else is to be known of it.
    """
    writer = _Writer(timeline, detail)
    return {
        "traceEvents": list(writer.events()),
        "displayTimeUnit": "ms",
        "otherData": {
            **(about or {}),
            "makespan_seconds": timeline.makespan,
            "step_begins_seconds": timeline.start,
            "devices": timeline.graph.devices,
            "stages": len(timeline.stages),
            "micro_batches": timeline.graph.micro_batches,
            "schedule": timeline.graph.schedule.value,
            "detail": detail.value,
            "every_run_has_its_inside": writer.whole,
        },
    }


def write_trace(document: Mapping[str, object], path: str) -> None:
    """Write what `trace_document` gives to a file.

    Raises:
        OSError: The file cannot be written.
    """
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


class _Writer:
    """Makes the events of one timeline."""

    def __init__(self, timeline: Timeline, detail: Detail) -> None:
        self._timeline, self._detail = timeline, detail
        self._parts = Parts(timeline, operators=detail is Detail.OPERATORS)
        self._flows = count(1)
        runs = [run for stage in timeline.stages for run in stage.runs]
        inside = sum(self._parts.size(run.inside) for run in runs)
        self.whole = detail is not Detail.STEPS and inside <= MOST_EVENTS

    def events(self) -> Iterator[Event]:
        """All of them: names first, then by time, what is outside before its inside."""
        timed: list[Event] = []
        names: list[Event] = []
        for number, stage in enumerate(self._timeline.stages):
            threads = {_STEP: "step", _COMPUTE: "compute"}
            timed += self._stage(number, stage, threads)
            names += _names(number, threads)
        timed.sort(key=_place)
        yield from names
        yield from timed

    def _stage(
        self, number: int, stage: StageTimeline, threads: dict[int, str]
    ) -> Iterator[Event]:
        whole = self._timeline.makespan
        told: dict[str, object] = {"makespan_seconds": whole}
        yield _on(number, _STEP, complete("step", "step", (stage.start, whole), told))
        insides = self._shown(stage)
        shown = []
        for place, run in enumerate(stage.runs):
            yield _on(number, _COMPUTE, self._run(stage, place, insides))
            if insides and (self.whole or insides[id(run.inside)] == place):
                shown.append(run)
        for event in chain.from_iterable(map(self._parts.inside, shown)):
            yield _on(number, _COMPUTE, event)
        for idle in stage.idle:
            yield _on(number, _COMPUTE, self._parts.idle(number, idle))
        lanes = self._parts.communication(shown)
        for thread, (name, events) in enumerate(lanes, start=_COMMUNICATION):
            threads[thread] = name
            for event in events:
                yield _on(number, thread, event)
        for message in stage.messages:
            back = message.direction is Direction.BACKWARD
            threads[_SENDS + back] = f"sends {'back' if back else 'onward'}"
            yield from self._message(number, message)

    def _shown(self, stage: StageTimeline) -> dict[int, int]:
        """In which run each inside is shown first; empty if none is to be."""
        first: dict[int, int] = {}
        if self._detail is not Detail.STEPS:
            for place, run in enumerate(stage.runs):
                first.setdefault(id(run.inside), place)
        return first

    def _run(
        self, stage: StageTimeline, place: int, insides: Mapping[int, int]
    ) -> Event:
        run, graph = stage.runs[place], self._timeline.graph
        told = {"micro_batch": run.micro_batch, **self._parts.sums(run.inside)}
        if graph.chunks > 1:
            told["part"] = run.part
        if place == 0 and not graph.forward_only:
            told["belongs_to"] = "the step before"
        shown = insides.get(id(run.inside), place)
        if shown != place and not self.whole:
            told["inside"] = f"as in {self._name(stage.runs[shown])}"
        lasting = run.start, run.inside.seconds
        return complete(self._name(run), run.work.value, lasting, told)

    def _name(self, run: Run) -> str:
        return run_name(run, several=self._timeline.graph.chunks > 1)

    def _message(self, number: int, message: Message) -> Iterator[Event]:
        """A message, and an arrow to the run that waits for it."""
        back = message.direction is Direction.BACKWARD
        what = "gradients" if back else "activations"
        thread, flow = _SENDS + back, next(self._flows)
        told: dict[str, object] = {
            "to": f"stage {message.to}",
            "bytes": message.nbytes,
            "micro_batch": message.micro_batch,
        }
        lasting = message.start, message.seconds
        name = f"{what} of {message.micro_batch}"
        yield _on(number, thread, complete(name, "send", lasting, told))
        if message.receiver is None:
            return
        received = self._timeline.stages[message.to].runs[message.receiver]
        arrow = {"name": what, "cat": "send", "id": flow}
        begins = {"ph": "s", "ts": _microseconds(message.start)}
        ends = {"ph": "f", "bp": "e", "ts": _microseconds(received.start)}
        yield _on(number, thread, arrow | begins)
        yield _on(message.to, _COMPUTE, arrow | ends)


def _names(stage: int, threads: Mapping[int, str]) -> Iterator[Event]:
    """What a stage and its threads are called, and in which order they stand."""
    process = {"name": "process_name", "args": {"name": f"stage {stage}"}}
    place = {"name": "process_sort_index", "args": {"sort_index": stage}}
    for what in (process, place):
        yield _on(stage, _STEP, {"ph": "M", **what})
    for thread, name in sorted(threads.items()):
        named = {"name": "thread_name", "args": {"name": name}}
        sorts = {"name": "thread_sort_index", "args": {"sort_index": thread}}
        for what in (named, sorts):
            yield _on(stage, thread, {"ph": "M", **what})


def _on(stage: int, thread: int, event: Event) -> Event:
    """An event on a thread of a stage; ids are the only ones of their kind."""
    return {**event, "pid": stage + 1, "tid": _THREADS * (stage + 1) + thread}


def _place(event: Event) -> tuple[float, bool, float]:
    """By time; at one time arrows last, and what is longer before what is inside."""
    start, lasts = event["ts"], event.get("dur", 0.0)
    assert isinstance(start, float)
    assert isinstance(lasts, float)
    return start, event["ph"] != "X", -lasts


def _microseconds(seconds: Seconds) -> float:
    return round(seconds * 1e9) / 1e3
