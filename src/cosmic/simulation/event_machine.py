"""The machine on which written-out nodes are played, event by event.

Collectives are handed to the servers of the network, which `chunk_servers` describes.
At an instant, all that ends is taken note of and all that devices can do is done,
before any server takes a chunk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from typing_extensions import override

from cosmic.simulation.chunk_servers import (
    ChunkServers,
    Collectives,
    Passage,
    Release,
    passing_together,
    route_on_grid,
)
from cosmic.simulation.communication import PhaseTime, TimedRoute
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
from cosmic.system.placement import spans
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
        self._graph = graph
        self._missing = [len(node.after) for node in self.nodes]
        self._followers: list[list[int]] = [[] for _ in self.nodes]
        for place, node in enumerate(self.nodes):
            for before in node.after:
                self._followers[before].append(place)
        self._queue: EventQueue[int | Passage | Release] = EventQueue()
        collectives = _Collectives(graph, self.expansion, self._times)
        self._servers = ChunkServers(system, collectives, self._queue)

    def play(self) -> None:
        """All of the step."""
        for place, node in enumerate(self.nodes):
            if not node.after:
                self._start(place, 0.0)
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
                self._servers.take(now)
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
        """Hand a collective to the network; one without routes ends at once."""
        if self._times.routes[node]:
            self._servers.issue(place)
        else:
            self._queue.push(now, place)

    def _pass(self, passage: Passage, now: Seconds) -> None:
        """A chunk has passed a phase."""
        timed = self._servers.phase(passage)
        before = 0 if self._graph.forward_only else 1  # turns of the step before
        for member in passage.members:
            if self.nodes[member].turn >= before:
                self.sent[self.nodes[member].device][timed.dimension] += timed.sent
        for place in self._servers.passed(passage):
            self._end(place, now)


@dataclass(frozen=True, slots=True, eq=False)
class _Collectives(Collectives):
    """Collectives by the places of their nodes."""

    graph: ExecutionGraph
    expansion: Expansion
    times: "_Times"

    @override
    def device(self, number: int) -> int:
        return self.expansion.nodes[number].device

    @override
    def turn(self, number: int) -> int:
        return self.expansion.nodes[number].number

    @override
    def routes(self, number: int) -> Sequence[TimedRoute]:
        return self.times.routes[self._node(number)]

    @override
    def members(self, number: int, phase: PhaseTime) -> tuple[int, ...]:
        """The same node on all devices of the group that pass the phase together."""
        node = self.expansion.nodes[number]
        group = self.graph.group(self._node(number).group)
        devices = self.times.peers[group, phase.span][node.device]
        first = self.expansion.first
        return tuple(first[device] + node.number for device in devices)

    def _node(self, number: int) -> CollectiveNode:
        work = self.expansion.nodes[number].work
        assert isinstance(work, CollectiveNode)
        return work


class _Times:
    """Durations by node, and who passes a phase with whom."""

    def __init__(self, graph: ExecutionGraph, system: System) -> None:
        flat, durations = flat_graph(graph), Durations.of(graph, system)
        self.computes = dict(
            zip(flat.computes, durations.computes.tolist(), strict=True)
        )
        self.routes = {
            node: [route_on_grid(route, durations.unit) for route in row]
            for node, row in zip(flat.collectives, durations.routes, strict=True)
        }
        self.peers = {
            (group, span): [
                passing_together(group, span, device, system)
                for device in range(system.cluster.devices)
            ]
            for group in {graph.group(node.group) for node in flat.collectives}
            for span in spans(group, system)
        }
        self._onward: list[Seconds] = durations.onward.tolist()
        self._back: list[Seconds] = durations.back.tolist()

    def transfer(self, stage: int, direction: Direction) -> Seconds:
        """Duration of a message from a stage to its neighbor."""
        if direction is Direction.FORWARD:
            return self._onward[stage]
        return self._back[stage - 1]
