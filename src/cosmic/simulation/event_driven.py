"""The event-driven simulator: every device, every node; slow, and plain to see.

It expands the whole step, plays it event by event and reads the answer off the recorded
times. Nothing is inferred from symmetry: that all devices of a stage did the same at
the same time is checked when all is over.
"""

from collections.abc import Sequence

from typing_extensions import override

from cosmic.errors import BackendError, SpecError
from cosmic.simulation.communication import crossings
from cosmic.simulation.event_machine import Played, play
from cosmic.simulation.expansion import Await, Direction, Send, stage_of
from cosmic.simulation.result import Breakdown, SimulationResult
from cosmic.simulation.simulator import Simulator, check_fit
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.trace.node import ComputeNode, OperatorKind
from cosmic.units import Bytes, Seconds

_MOST_NODES = 5_000_000  # some 5 GB and minutes


class EventDrivenSimulator(Simulator):
    """Plays every node of every device; the oracle of the fast simulators.

    It takes time and memory in proportion to devices x layers x micro-batches, and
    refuses what would not fit.
    """

    @override
    def run(self, graph: ExecutionGraph, system: System) -> SimulationResult:
        check_fit(graph, system)
        _check_size(graph)
        played = play(graph, system)
        check_symmetry(graph, played)
        return _Recording(graph, system, played).result()


def _check_size(graph: ExecutionGraph) -> None:
    """Refuse a graph of more nodes than can be played in reasonable time.

    Raises:
        SpecError: It is one.
    """
    times = graph.micro_batches, *graph.turns[1:]
    nodes = sum(
        turns * len(block.instructions) * block.repeat
        for stage in graph.stages
        for program, turns in zip(stage.programs, times, strict=True)
        for block in program
    )
    total = nodes * (graph.devices // len(graph.stages))
    if total > _MOST_NODES:
        raise SpecError(
            f"the event-driven simulator plays at most {_MOST_NODES:,} nodes, and this "
            f"workload has {total:,}; use the symmetric simulator"
        )


def check_symmetry(graph: ExecutionGraph, played: Played) -> None:
    """Check that all devices of a stage did the same at the same time.

    Raises:
        BackendError: Two devices differ, at the node that is named.
    """
    first: dict[int, int] = {}  # a device of each stage
    for device in range(graph.devices):
        stage = stage_of(graph, device)
        other = first.setdefault(stage, device)
        pairs = zip(_ends(played, device), _ends(played, other), strict=True)
        for number, (end, expected) in enumerate(pairs):
            if end != expected:
                raise BackendError(
                    f"devices {device} and {other} of stage {stage} are not alike: "
                    f"node {number} ends at {end} s on one and at {expected} s on the "
                    "other"
                )


def _ends(played: Played, device: int) -> Sequence[Seconds]:
    places = played.expansion.of_device(device)
    return played.ends[places.start : places.stop]


class _Recording:
    """What was played, and what it tells.

    A step is everything but each device's first forward, which belongs to the step
    before: the update ends with that of the step after. A forward pass is everything.
    """

    def __init__(self, graph: ExecutionGraph, system: System, played: Played) -> None:
        self._graph, self._system, self._played = graph, system, played
        self._nodes, self._ends = played.expansion.nodes, played.ends
        self._devices = [  # the first of each stage
            graph.pipeline.offset(stage) for stage in range(graph.pipeline.size)
        ]

    def result(self) -> SimulationResult:
        """The answer."""
        makespan = self._makespan()
        return SimulationResult(
            makespan=makespan,
            stages=tuple(self._breakdown(d, makespan) for d in self._devices),
            sent=tuple(self._sent(device) for device in self._devices),
        )

    def _makespan(self) -> Seconds:
        """From the end of the first forward to that of the update, on the last stage.

        The first forward is the first program of every device. A forward pass lasts
        from the start to its end on the last stage.
        """
        device = self._devices[-1]
        stream = [p for p in self._places(device) if self._nodes[p].in_stream]
        if self._graph.forward_only:
            return self._ends[stream[-1]]
        first = [place for place in stream if self._nodes[place].turn == 0]
        return self._ends[stream[-1]] - self._ends[first[-1]]

    def _breakdown(self, device: int, makespan: Seconds) -> Breakdown:
        compute = optimizer = 0.0
        exposed = {group.name: 0.0 for group in self._graph.groups}
        for place in self._step(device):
            match self._nodes[place].work:
                case ComputeNode(kind=OperatorKind.OPTIMIZER):
                    optimizer += self._seconds(place)
                case ComputeNode():
                    compute += self._seconds(place)
                case Await(group):
                    exposed[group] += self._seconds(place)
                case _:
                    pass  # of no duration, or beside the compute stream
        return Breakdown(
            compute=compute,
            optimizer=optimizer,
            exposed=exposed,
            bubble=makespan - compute - optimizer - sum(exposed.values()),
        )

    def _seconds(self, place: int) -> Seconds:
        """How long a node kept the compute stream, which it took from `after[0]`."""
        return self._ends[place] - self._ends[self._nodes[place].after[0]]

    def _sent(self, device: int) -> tuple[Bytes, ...]:
        sent = list(self._played.sent[device])
        # on the last stage of several parts, the first message stands for the update's
        several = self._graph.chunks > 1
        last = stage_of(self._graph, device) == len(self._graph.stages) - 1
        whole = self._places(device) if several and last else self._step(device)
        for place in whole:
            if isinstance(work := self._nodes[place].work, Send):
                for dimension in self._crossed(device, work.direction):
                    sent[dimension] += self._graph.boundary_bytes
        return tuple(sent)

    def _crossed(self, device: int, direction: Direction) -> list[int]:
        """The dimensions that a message to the neighboring stage crosses."""
        stage = stage_of(self._graph, device)
        pair = stage, (stage + direction.value) % len(self._graph.stages)
        crossed = crossings(self._graph.pipeline, pair, self._system)
        return [span.dimension for span, _, _ in crossed]

    def _step(self, device: int) -> list[int]:
        """The device's nodes, of a training step without its first program."""
        first = 0 if self._graph.forward_only else 1
        return [p for p in self._places(device) if self._nodes[p].turn >= first]

    def _places(self, device: int) -> range:
        return self._played.expansion.of_device(device)
