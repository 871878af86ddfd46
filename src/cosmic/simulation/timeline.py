"""The timeline of one step: what one device of each pipeline stage does when.

All devices of a stage do the same at the same time, so one of them stands for all. The
times are those of the simulators, to the tick: the stages take their turns in the order
of the schedule, each as soon as the device is free and its message is there, and
messages of one direction go one after the other.

Time counts from the start of the first stage's first forward. A step of a device is
counted from the end of its first forward, which belongs to the step before, to that of
its update, which has the first forward of the next step. So every stage's step lasts as
long as the last stage's, and begins as much earlier as its first forward ends earlier.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from cosmic.simulation.chunk_servers import route_on_grid
from cosmic.simulation.device_run import Costs, DeviceRun, Inside, Known
from cosmic.simulation.durations import Durations
from cosmic.simulation.expansion import Direction, Turn, programs_in_order, receiver
from cosmic.simulation.flat_graph import flat_graph
from cosmic.simulation.simulator import check_fit
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.units import Bytes, Seconds


class Work(enum.Enum):
    """What a turn of a stage is for."""

    FORWARD = "forward"
    BACKWARD = "backward"
    WEIGHTS = "weight gradients"
    FINISH = "finish"
    UPDATE = "update"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One program, as a stage runs it once.

    Attributes:
        work: What it is for.
        micro_batch: Of which micro-batch; of the update, one more than there are.
        part: Which of the stage's parts of the model, from 0.
        start: When it begins.
        inside: What is done in it.
    """

    work: Work
    micro_batch: int
    part: int
    start: Seconds
    inside: Inside

    @property
    def end(self) -> Seconds:
        """When it ends."""
        return self.start + self.inside.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a stage sends to a neighbor when a run has ended.

    Attributes:
        direction: Forward, or backward.
        micro_batch: Of which micro-batch.
        start: When it leaves.
        seconds: How long it travels.
        nbytes: How much that is.
        sender: Which run of the stage sends it.
        to: The stage that gets it.
        receiver: Which run of that stage waits for it; None where that is in the next
            step.
    """

    direction: Direction
    micro_batch: int
    start: Seconds
    seconds: Seconds
    nbytes: Bytes
    sender: int
    to: int
    receiver: int | None


@dataclass(frozen=True, slots=True)
class Idle:
    """A stage waits for another one.

    Attributes:
        start: From when on.
        seconds: For how long.
        before: The run that cannot begin yet; None at the end of the step.
    """

    start: Seconds
    seconds: Seconds
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageTimeline:
    """What a device of one stage does.

    Attributes:
        start: When its step begins.
        runs: One after the other; of a training step, the first is before it.
        messages: What it sends, in the order of time for each direction.
        idle: Where it waits for other stages within its step.
    """

    start: Seconds
    runs: tuple[Run, ...]
    messages: tuple[Message, ...]
    idle: tuple[Idle, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """One step, or one forward pass.

    Attributes:
        graph: What runs.
        system: On what.
        makespan: How long it takes, as the simulators say.
        stages: What a device of each pipeline stage does.
    """

    graph: ExecutionGraph
    system: System
    makespan: Seconds
    stages: tuple[StageTimeline, ...]

    @property
    def start(self) -> Seconds:
        """When the step begins to be counted, on the last stage."""
        return self.stages[-1].start

    @property
    def end(self) -> Seconds:
        """When the last stage's last run ends, and nothing runs any more."""
        return self.stages[-1].runs[-1].end


def timeline(graph: ExecutionGraph, system: System) -> Timeline:
    """The timeline of a step on a system.

    Raises:
        ConsistencyError: The graph does not fit the system, as for a simulator.
        SpecError: A collective algorithm does not exist for a group's size.
    """
    check_fit(graph, system)
    pipeline = _Pipeline(graph, system)
    pipeline.play()
    return pipeline.timeline()


_Awaited = tuple[Direction, int, int]
"""A message by its direction, micro-batch and the virtual stage that it is for."""


class _Stage:
    """One stage while it is played."""

    def __init__(self, turns: list[Turn], device: DeviceRun) -> None:
        self.turns, self.device = turns, device
        self.starts: list[Seconds] = []
        self.free: Seconds = 0.0
        self.sent: dict[Direction, Seconds] = dict.fromkeys(Direction, 0.0)
        self.messages: list[tuple[_Awaited, int, Seconds, Seconds]] = []


class _Pipeline:
    """All stages of a step; lives for its length."""

    def __init__(self, graph: ExecutionGraph, system: System) -> None:
        durations = Durations.of(graph, system)
        costs, known = _costs(graph, durations), Known()
        self._graph, self._system, self._durations = graph, system, durations
        self._places = len(graph.stages) * graph.chunks
        self._arrived: dict[_Awaited, Seconds] = {}
        self._received: dict[_Awaited, int] = {}  # by which run
        self._stages = [
            _Stage(
                list(programs_in_order(graph, stage)), DeviceRun(costs, system, known)
            )
            for stage in range(len(graph.stages))
        ]

    def play(self) -> None:
        """All turns of all stages."""
        going = True
        while going:
            going = False
            for number in range(len(self._stages)):
                while self._turn(number):
                    going = True
        stages = self._stages
        assert all(len(s.starts) == len(s.turns) for s in stages), "stages wait"

    def timeline(self) -> Timeline:
        """What has been played."""
        runs = [tuple(self._runs(stage)) for stage in self._stages]
        passes = self._graph.forward_only
        begun = [0.0 if passes else first.end for first, *_ in runs]
        makespan = runs[-1][-1].end - begun[-1]
        return Timeline(
            graph=self._graph,
            system=self._system,
            makespan=makespan,
            stages=tuple(
                StageTimeline(
                    start=start,
                    runs=own,
                    messages=tuple(self._messages(number)),
                    idle=tuple(_idle(own, start, start + makespan)),
                )
                for number, (own, start) in enumerate(zip(runs, begun, strict=True))
            ),
        )

    def _turn(self, number: int) -> bool:
        """The next turn of a stage, if it has one and its message is there."""
        stage = self._stages[number]
        place = len(stage.starts)
        if place == len(stage.turns):
            return False
        turn = stage.turns[place]
        ready = self._ready(turn, place)
        if ready is None:
            return False
        start = max(stage.free, ready)
        stage.starts.append(start)
        stage.free = stage.device.run(turn.program, start)
        self._send(number, turn)
        return True

    def _ready(self, turn: Turn, place: int) -> Seconds | None:
        """When a turn's message is there; None if it has not been sent."""
        direction = turn.direction
        if direction is None or not (0 <= turn.place - direction.value < self._places):
            return 0.0
        awaited = direction, turn.micro_batch, turn.place
        self._received[awaited] = place
        return self._arrived.get(awaited)

    def _send(self, number: int, turn: Turn) -> None:
        """Send what a turn has made to whom it is for."""
        to = receiver(self._graph, turn)
        if to is None or turn.direction is None:
            return
        stage, direction = self._stages[number], turn.direction
        start = max(stage.sent[direction], stage.free)
        seconds = self._transfer(number, direction)
        message = direction, turn.micro_batch, to
        stage.sent[direction] = self._arrived[message] = start + seconds
        stage.messages.append((message, len(stage.starts) - 1, start, seconds))

    def _transfer(self, stage: int, direction: Direction) -> Seconds:
        if direction is Direction.FORWARD:
            return float(self._durations.onward[stage])
        return float(self._durations.back[stage - 1])

    def _runs(self, stage: _Stage) -> Iterator[Run]:
        insides = stage.device.insides()
        for turn, start, inside in zip(stage.turns, stage.starts, insides, strict=True):
            yield Run(
                work=self._work(turn),
                micro_batch=turn.micro_batch,
                part=turn.place // len(self._stages),
                start=start,
                inside=inside,
            )

    def _work(self, turn: Turn) -> Work:
        graph = self._graph
        if turn.direction is Direction.BACKWARD:
            return Work.BACKWARD
        if turn.direction is None:
            finishes = turn.program is graph.stages[turn.place].finish
            return Work.FINISH if finishes and turn.program else Work.WEIGHTS
        updates = turn.micro_batch == graph.micro_batches
        return Work.UPDATE if updates else Work.FORWARD

    def _messages(self, number: int) -> Iterator[Message]:
        for awaited, sender, start, seconds in self._stages[number].messages:
            direction, micro_batch, place = awaited
            yield Message(
                direction=direction,
                micro_batch=micro_batch,
                start=start,
                seconds=seconds,
                nbytes=self._graph.boundary_bytes,
                sender=sender,
                to=place % len(self._stages),
                receiver=self._received.get(awaited),
            )


def _costs(graph: ExecutionGraph, durations: Durations) -> Costs:
    """How long everything takes, on the grid."""
    flat = flat_graph(graph)
    computes = zip(flat.computes, durations.computes.tolist(), strict=True)
    routes = zip(flat.collectives, durations.routes, strict=True)
    return Costs(
        computes=dict(computes),
        routes={
            node: [route_on_grid(route, durations.unit) for route in row]
            for node, row in routes
        },
    )


def _idle(runs: tuple[Run, ...], start: Seconds, end: Seconds) -> Iterator[Idle]:
    """Gaps between runs from the start of a stage's step to its end."""
    if runs[0].start > start:  # of a forward pass, which no run precedes
        yield Idle(start, runs[0].start - start, 0)
    for place, (run, following) in enumerate(pairwise(runs), start=1):
        if following.start > run.end:
            yield Idle(run.end, following.start - run.end, place)
    if runs[-1].end < end:
        yield Idle(runs[-1].end, end - runs[-1].end, None)
