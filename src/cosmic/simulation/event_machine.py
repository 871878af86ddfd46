"""The machine on which written-out nodes are played, event by event.

Every device has a server for each dimension of the network, which passes one chunk at a
time through one phase. Those devices of a group that lie along one dimension pass it
together: when all are free and it comes first with all of them, and all for as long.
What comes first is told by the scheduling policy, by the order in which the device
issued its collectives; then the lowest phase, then the lowest chunk.

At an instant, all that ends is taken note of and all that devices can do is done,
before any server takes a chunk.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from cosmic.collective.policy import SchedulingPolicy
from cosmic.network.topology import Topology
from cosmic.simulation.communication import PhaseTime
from cosmic.simulation.durations import Durations
from cosmic.simulation.event_queue import EventQueue
from cosmic.simulation.expansion import (
    Await,
    Begin,
    Direction,
    Expansion,
    Send,
    expand,
    stage_of,
)
from cosmic.simulation.flat_graph import flat_graph
from cosmic.system.placement import Span, spans
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.trace.node import CollectiveNode, ComputeNode
from cosmic.units import Bytes, Seconds


@dataclass(frozen=True, slots=True)
class Played:
    """What happened.

    Attributes:
        expansion: All nodes.
        ends: When each node ended.
        sent: What each device sent from its second program on, by dimension;
            collectives only.
    """

    expansion: Expansion
    ends: list[Seconds]
    sent: list[list[Bytes]]


@dataclass(frozen=True, slots=True)
class _Passage:
    """A chunk in a phase, on all devices that pass it together."""

    members: tuple[int, ...]
    phase: int
    chunk: int


@dataclass(slots=True)
class _Server:
    """One device's end of one dimension: `waiting` is a heap of what comes first."""

    waiting: list[tuple[int, int, int, int]]
    busy: bool = False


def play(graph: ExecutionGraph, system: System) -> Played:
    """Let every device of the system do all that the graph asks of it."""
    machine = _Machine(graph, system)
    machine.play()
    return Played(machine.expansion, machine.ends, machine.sent)


class _Machine:
    """The state of everything; lives for the length of one step."""

    def __init__(self, graph: ExecutionGraph, system: System) -> None:
        self._times = _Times(graph, system)
        self.expansion = expand(graph)
        self.nodes = self.expansion.nodes
        self.ends = [float("inf")] * len(self.nodes)
        dimensions = range(len(system.cluster.topology.dimensions))
        self.sent = [[0.0 for _ in dimensions] for _ in range(graph.devices)]
        self._graph, self._system = graph, system
        self._missing = [len(node.after) for node in self.nodes]
        self._followers: list[list[int]] = [[] for _ in self.nodes]
        for place, node in enumerate(self.nodes):
            for before in node.after:
                self._followers[before].append(place)
        self._queue: EventQueue[int | _Passage] = EventQueue()
        self._servers = [[_Server([]) for _ in dimensions] for _ in self.sent]
        self._stirred: set[tuple[int, int]] = set()  # servers that may take something
        self._left: dict[int, int] = {}  # chunks of each collective under way

    def play(self) -> None:
        """All of the step."""
        for place, node in enumerate(self.nodes):
            if not node.after:
                self._start(place, 0.0)
        while len(self._queue):
            now, events = self._queue.pop_instant()
            for event in events:
                if isinstance(event, _Passage):
                    self._pass(event, now)
                else:
                    self._end(event, now)
            if self._queue.next_time() > now:
                self._take(now)
        assert max(self.ends) < float("inf"), "devices wait for each other"

    def _start(self, place: int, now: Seconds) -> None:
        """All that a node waited for has ended."""
        work = self.nodes[place].work
        match work:
            case Begin() | Await():
                self._queue.push(now, place)
            case ComputeNode():
                self._queue.push(now + self._times.computes[work], place)
            case Send(direction):
                stage = stage_of(self._graph, self.nodes[place].device)
                self._queue.push(now + self._times.transfer(stage, direction), place)
            case CollectiveNode():
                self._issue(place, work, now)
            case _:
                assert_never(work)

    def _end(self, place: int, now: Seconds) -> None:
        self.ends[place] = now
        for follower in self._followers[place]:
            self._missing[follower] -= 1
            if self._missing[follower] == 0:
                self._start(follower, now)

    def _issue(self, place: int, node: CollectiveNode, now: Seconds) -> None:
        """Hand a collective to the network; one without phases ends at once."""
        if not self._times.phases[node]:
            self._queue.push(now, place)
            return
        self._left[place] = self._system.policy.chunks
        for chunk in range(self._system.policy.chunks):
            self._arrive(place, 0, chunk)

    def _arrive(self, place: int, phase: int, chunk: int) -> None:
        """A chunk waits for a phase at one device."""
        node = self.nodes[place]
        assert isinstance(node.work, CollectiveNode)
        dimension = self._times.phases[node.work][phase].dimension
        lifo = self._system.policy.scheduling is SchedulingPolicy.LIFO
        rank = -node.number if lifo else node.number
        server = self._servers[node.device][dimension]
        heapq.heappush(server.waiting, (rank, phase, chunk, place))
        self._stirred.add((node.device, dimension))

    def _take(self, now: Seconds) -> None:
        """Begin each passage that comes next on all devices that take part."""
        for device, dimension in sorted(self._stirred):
            passage = self._next(device, dimension)
            if passage is not None and all(
                self._next(self.nodes[member].device, dimension) == passage
                for member in passage.members
            ):
                self._begin(passage, dimension, now)
        self._stirred.clear()

    def _next(self, device: int, dimension: int) -> _Passage | None:
        """What a device would take next, were it for itself; nothing if it is busy."""
        server = self._servers[device][dimension]
        if server.busy or not server.waiting:
            return None
        _, phase, chunk, place = server.waiting[0]
        return _Passage(self._members(place, dimension), phase, chunk)

    def _begin(self, passage: _Passage, dimension: int, now: Seconds) -> None:
        for member in passage.members:
            server = self._servers[self.nodes[member].device][dimension]
            heapq.heappop(server.waiting)
            server.busy = True
        timed = self._phases(passage)[passage.phase]
        self._queue.push(now + timed.seconds, passage)

    def _pass(self, passage: _Passage, now: Seconds) -> None:
        """A passage ends: the chunk goes on to its next phase, or is done."""
        phases = self._phases(passage)
        timed = phases[passage.phase]
        for member in passage.members:
            node = self.nodes[member]
            self._servers[node.device][timed.dimension].busy = False
            self._stirred.add((node.device, timed.dimension))
            if node.turn > 0:
                self.sent[node.device][timed.dimension] += timed.sent
            if passage.phase + 1 < len(phases):
                self._arrive(member, passage.phase + 1, passage.chunk)
                continue
            self._left[member] -= 1
            if self._left[member] == 0:
                self._end(member, now)

    def _phases(self, passage: _Passage) -> Sequence[PhaseTime]:
        work = self.nodes[passage.members[0]].work
        assert isinstance(work, CollectiveNode)
        return self._times.phases[work]

    def _members(self, place: int, dimension: int) -> tuple[int, ...]:
        """The same node on all devices of the group along one dimension."""
        node = self.nodes[place]
        assert isinstance(node.work, CollectiveNode)
        group = self._graph.group(node.work.group)
        devices = self._times.peers[group, dimension][node.device]
        first = self.expansion.first
        return tuple(first[device] + node.number for device in devices)


class _Times:
    """Durations by node, and who passes a phase with whom."""

    def __init__(self, graph: ExecutionGraph, system: System) -> None:
        flat, durations = flat_graph(graph), Durations.of(graph, system)
        seconds = iter(durations.phase_seconds.tolist())
        self.computes = dict(
            zip(flat.computes, durations.computes.tolist(), strict=True)
        )
        self.phases = {
            node: [PhaseTime(p.dimension, next(seconds), p.sent) for p in row]
            for node, row in zip(flat.collectives, durations.phases, strict=True)
        }
        self.peers = {
            (group, span.dimension): _peers(span, system.cluster.topology)
            for group in {graph.group(node.group) for node in flat.collectives}
            for span in spans(group, system.cluster.topology)
        }
        self._onward: list[Seconds] = durations.onward.tolist()

    def transfer(self, stage: int, direction: Direction) -> Seconds:
        """Duration of a message from a stage to its neighbor."""
        return self._onward[stage if direction is Direction.FORWARD else stage - 1]


def _peers(span: Span, topology: Topology) -> list[list[int]]:
    """For each device those that differ from it along one span only, and itself."""
    inner = topology.strides[span.dimension]
    size = topology.dimensions[span.dimension].size
    peers = []
    for device in range(topology.devices):
        position = device // inner % size // span.stride % span.extent
        start = device - position * span.stride * inner
        peers.append([start + k * span.stride * inner for k in range(span.extent)])
    return peers
