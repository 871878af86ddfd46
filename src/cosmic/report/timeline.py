"""A timeline in the trace event format that Perfetto and chrome://tracing open.

Every pipeline stage is a process, and what its device does is on threads: its step, its
compute stream with what is inside, its communication by group, the links of each
dimension, and its messages to other stages. Complete events lie inside each other or
apart, as the format asks; communication that overlaps is on several threads.

Times are in microseconds, on whole nanoseconds, since readers cut or round them there.

Reference:
    The Chromium project, "Trace Event Format"; Perfetto, "Visualizing external trace
    formats", section on Chrome JSON.
"""

import enum
import heapq
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from operator import itemgetter

from cosmic.simulation.device_run import Exchange, Inside, Sending
from cosmic.simulation.expansion import Direction
from cosmic.simulation.timeline import Message, Run, StageTimeline, Timeline, Work
from cosmic.system.placement import spans
from cosmic.trace.node import CollectiveNode, OperatorKind
from cosmic.units import Seconds

Event = dict[str, object]

MOST_EVENTS = 100_000
"""Up to so many, the inside of every run is written; beyond, that of one of each."""

_THREADS = 1000  # of a process, at most
_STEP, _COMPUTE, _SENDS, _GROUPS = 1, 2, 3, 10  # threads, and the first of groups
_LANES = 50  # threads of a group, at most
_LINKS = 900  # the first thread of dimensions


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
    events = list(writer.events())
    return {
        "traceEvents": events,
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


def run_name(run: Run, *, several: bool) -> str:
    """What a run is called, such as `forward 3`; with its part if there are several."""
    part = f", part {run.part}" if several else ""
    match run.work:
        case Work.FINISH:
            return "finish"
        case Work.UPDATE:
            return "update and next forward 0"
        case _:
            return f"{run.work.value} {run.micro_batch}{part}"


class _Writer:
    """Makes the events of one timeline."""

    def __init__(self, timeline: Timeline, detail: Detail) -> None:
        self._timeline, self._detail = timeline, detail
        self._several = timeline.graph.chunks > 1
        self._flows = count(1)
        self._known: dict[int, dict[str, object]] = {}  # what is told of an inside
        self._about = dict(_collectives(timeline))
        self._numbered = _numbered(timeline)
        inside = sum(
            self._size(run.inside) for stage in timeline.stages for run in stage.runs
        )
        self.whole = inside <= MOST_EVENTS

    def events(self) -> Iterator[Event]:
        """All of them: names first, then by time, what is outside before its inside."""
        timed: list[Event] = []
        for number, stage in enumerate(self._timeline.stages):
            timed += self._stage(number, stage)
        threads = dict.fromkeys((event["pid"], event["tid"]) for event in timed)
        yield from self._names(sorted(threads))
        timed.sort(key=_place)
        yield from timed

    def _stage(self, number: int, stage: StageTimeline) -> Iterator[Event]:
        step = {"makespan_seconds": self._timeline.makespan}
        whole = stage.start, self._timeline.makespan
        yield _event(number, _STEP, ("step", "step"), whole, step)
        drawn: dict[int, str] = {}  # insides, and in which run
        first = 0 if self._timeline.graph.forward_only else 1
        for place, run in enumerate(stage.runs):
            name = run_name(run, several=self._several)
            told = self._told(run.inside) | {"micro_batch": run.micro_batch}
            if self._several:
                told["part"] = run.part
            if place < first:
                told["belongs_to"] = "the step before"
            writes = self._detail is not Detail.STEPS and (
                self.whole or id(run.inside) not in drawn
            )
            if not writes and id(run.inside) in drawn:
                told["inside"] = f"as in {drawn[id(run.inside)]}"
            what = name, run.work.value
            lasting = run.start, run.inside.seconds
            yield _event(number, _COMPUTE, what, lasting, told)
            if writes:
                drawn.setdefault(id(run.inside), name)
                yield from self._inside(number, run)
        if self._detail is not Detail.STEPS:
            runs = [
                run for run in stage.runs
                if self.whole or self._draws(drawn, run)
            ]
            yield from self._communication(number, runs)
        yield from self._idle(number, stage)
        for message in stage.messages:
            yield from self._message(number, message)

    def _draws(self, drawn: dict[int, str], run: Run) -> bool:
        return drawn.get(id(run.inside)) == run_name(run, several=self._several)
