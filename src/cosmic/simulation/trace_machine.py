"""Plays the traces of all ranks on a system, event by event.

It is the model of the event-driven simulator, for graphs that come from elsewhere:

* A rank computes one node at a time, of those that are ready the one with the lowest
  id. A node that says what it does takes what the system's cost model says; one that
  does not takes the time that it recorded. Memory nodes move their bytes through the
  device's memory. CPU operations have a stream of their own and take what they
  recorded.
* A collective begins when all ranks of its group have come to it. Any number may be
  under way; who goes first in a dimension is told by the scheduling policy, by the
  order in which they began. How long phases take supposes, as everywhere here, that
  all groups of that shape communicate at once.
* A send takes the time of a transfer with nothing else on its way, and goes on beside
  all else. A receive ends when the message is there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cosmic.errors import ConsistencyError, TraceError
from cosmic.simulation.chunk_servers import (
    ChunkServers,
    Collectives,
    Passage,
    Release,
    passing_together,
)
from cosmic.simulation.communication import PhaseTime, TimedRoute
from cosmic.simulation.event_queue import EventQueue
from cosmic.simulation.trace_program import TraceProgram, trace_program
from cosmic.system.system import System
from cosmic.trace.rank_trace import RankTrace
from cosmic.units import Bytes, Seconds

MOST_NODES = 5_000_000  # some 5 GB and minutes


@dataclass(frozen=True, slots=True, eq=False)
class TraceRun:
    """What came out.

    Attributes:
        ends: When each node of each rank ended, by rank, in the order of ids.
        compute: How long each rank computed.
        sent: What each rank sent in collectives, by dimension.
    """

    ends: tuple[NDArray[np.float64], ...]
    compute: tuple[Seconds, ...]
    sent: tuple[tuple[Bytes, ...], ...]

    @property
    def finish(self) -> tuple[Seconds, ...]:
        """When each rank was done."""
        return tuple(float(ends.max(initial=0.0)) for ends in self.ends)


def run_traces(
    traces: Sequence[RankTrace], groups: Mapping[str, Sequence[int]], system: System
) -> TraceRun:
    """Play traces, one a rank, on a system.

    Args:
        traces: By rank, one for each device of the system.
        groups: The ranks of each group that nodes name.
        system: What they run on.

    Raises:
        TraceError: Nodes of different ranks do not fit, wait for each other, or are too
            many.
        ConsistencyError: There are not as many traces as devices, or a group does not
            fit the network.
        SpecError: A collective algorithm does not exist for a group's size.
    """
    if len(traces) != system.cluster.devices:
        raise ConsistencyError(
            f"{system.cluster.devices:,} devices run one trace each, and there are "
            f"{len(traces):,}"
        )
    total = sum(len(trace.nodes) for trace in traces)
    if total > MOST_NODES:
        raise TraceError(f"{total:,} nodes; at most {MOST_NODES:,} are played")
    machine = _Machine(trace_program(traces, groups, system), system)
    machine.play()
    stuck = next((p for p, end in enumerate(machine.ends) if end == float("inf")), None)
    if stuck is not None:
        rank = machine.program.rank[stuck]
        node = traces[rank].nodes["id"][stuck - machine.program.first[rank]]
        raise TraceError(f"rank {rank}, node {node}: ranks wait for each other here")
    return machine.result()


class _Machine:
    """The state of everything; lives for the length of one run."""

    def __init__(self, program: TraceProgram, system: System) -> None:
        self.program = program
        self.ends = [float("inf")] * program.first[-1]
        dimensions = range(len(system.cluster.topology.dimensions))
        self._sent = [[0.0 for _ in dimensions] for _ in program.first[:-1]]
        self._missing = list(program.waits)
        self._absent = [len(call.rows) for call in program.calls]
        self._complete: list[int] = []  # collectives to which all ranks have come
        self._turns: dict[int, int] = {}  # of each collective that has begun
        self._ready: dict[tuple[int, bool], list[int]] = defaultdict(list)
        self._busy: set[tuple[int, bool]] = set()  # streams of ranks, CPU or not
        self._stirred: set[tuple[int, bool]] = set()  # those that may begin something
        self._queue: EventQueue[int | Passage | Release] = EventQueue()
        collectives = _Collectives(program, system, self._turns)
        self._servers = ChunkServers(system, collectives, self._queue)

    def play(self) -> None:
        """All of it, or as far as it goes."""
        for place, missing in enumerate(self._missing):
            if missing == 0:
                self._start(place, 0.0)
        self._go_on(0.0)
        while len(self._queue):
            now, events = self._queue.pop_instant()
            for event in events:
                match event:
                    case Passage():
                        self._pass(event, now)
                    case Release(passage):
                        self._servers.release(passage)
                    case _:
                        self._end(event, now)
            if self._queue.next_time() > now:
                self._go_on(now)

    def result(self) -> TraceRun:
        """What came out."""
        program = self.program
        ends, first = np.array(self.ends), program.first
        seconds = np.where(program.computes, program.seconds, 0.0)
        ranks = list(pairwise(first))
        return TraceRun(
            ends=tuple(ends[a:b] for a, b in ranks),
            compute=tuple(float(seconds[a:b].sum()) for a, b in ranks),
            sent=tuple(map(tuple, self._sent)),
        )

    def _start(self, place: int, now: Seconds) -> None:
        """All that a node waited for has ended."""
        program = self.program
        if program.computes[place] or program.on_cpu[place]:
            stream = program.rank[place], program.on_cpu[place]
            heappush(self._ready[stream], place)
            self._stirred.add(stream)
        elif place in program.call:
            number = program.call[place]
            self._absent[number] -= 1
            if self._absent[number] == 0:
                self._complete.append(number)
        else:
            self._queue.push(now + program.seconds[place], place)

    def _end(self, place: int, now: Seconds) -> None:
        program = self.program
        self.ends[place] = now
        if program.computes[place] or program.on_cpu[place]:
            stream = program.rank[place], program.on_cpu[place]
            self._busy.discard(stream)
            self._stirred.add(stream)
        for follower in program.followers[place]:
            self._missing[follower] -= 1
            if self._missing[follower] == 0:
                self._start(follower, now)

    def _go_on(self, now: Seconds) -> None:
        """At the end of an instant: begin what can begin, and servers last of all."""
        for stream in self._stirred - self._busy:
            if self._ready[stream]:
                place = heappop(self._ready[stream])
                self._busy.add(stream)
                self._queue.push(now + self.program.seconds[place], place)
        self._stirred.clear()
        for number in sorted(self._complete, key=self._order):
            self._begin(number, now)
        self._complete.clear()
        if self._queue.next_time() > now:
            self._servers.take(now)

    def _order(self, number: int) -> list[tuple[int, int]]:
        """Of collectives that begin at once: by row, which is the order of ids."""
        rows = self.program.calls[number].rows
        return [(row, rank) for rank, row in sorted(rows.items())]

    def _begin(self, number: int, now: Seconds) -> None:
        program = self.program
        self._turns[number] = len(self._turns)
        for rank, row in program.calls[number].rows.items():
            place = program.first[rank] + row
            if program.routes[number]:
                self._servers.issue(place)
            else:
                self._queue.push(now, place)

    def _pass(self, passage: Passage, now: Seconds) -> None:
        """A chunk has passed a phase."""
        timed = self._servers.phase(passage)
        for place in passage.members:
            self._sent[self.program.rank[place]][timed.dimension] += timed.sent
        for place in self._servers.passed(passage):
            self._end(place, now)


@dataclass(frozen=True, slots=True, eq=False)
class _Collectives(Collectives):
    """Collectives by the places of their nodes."""

    program: TraceProgram
    system: System
    turns: Mapping[int, int]

    @override
    def device(self, number: int) -> int:
        return self.program.rank[number]

    @override
    def turn(self, number: int) -> int:
        return self.turns[self.program.call[number]]

    @override
    def routes(self, number: int) -> Sequence[TimedRoute]:
        return self.program.routes[self.program.call[number]]

    @override
    def members(self, number: int, phase: PhaseTime) -> tuple[int, ...]:
        program = self.program
        call = program.calls[program.call[number]]
        rank = program.rank[number]
        ranks = passing_together(call.group, phase.span, rank, self.system)
        return tuple(program.first[other] + call.rows[other] for other in ranks)
