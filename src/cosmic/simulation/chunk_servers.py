"""The network on which chunks of collectives are played, event by event.

Every device has a server for each dimension of the network. A chunk that passes a phase
first has the links of the server, then stays on without them; so many chunks may be
there at once. Those devices of a group that lie along one dimension pass it together:
when all have free links and room and it comes first with all of them, and all for as
long. What comes first is told by the scheduling policy, by the order in which the
device issued its collectives; then the earliest place in a route, then the lowest
route, then the lowest chunk.

Whoever plays hands collectives over by `issue`, calls `take` at the end of an instant,
and gives events back by `release` and `passed` when their time has come.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from cosmic.collective.policy import SchedulingPolicy
from cosmic.simulation.clock import on_grid
from cosmic.simulation.communication import PhaseTime, TimedRoute
from cosmic.simulation.event_queue import EventQueue
from cosmic.system.placement import Span
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.units import Seconds


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk at a place of its route, on all devices that pass it together.

    Attributes:
        members: The collective's number on each of these devices.
        position: Which of the route's phases.
        route: Which of the collective's routes.
        chunk: Which of the route's chunks.
    """

    members: tuple[int, ...]
    position: int
    route: int
    chunk: int


@dataclass(frozen=True, slots=True)
class Release:
    """The end of a passage's hold on the links.

    Attributes:
        passage: Which.
    """

    passage: Passage


class Collectives(Protocol):
    """What the servers ask about a collective, by its number on one device."""

    def device(self, number: int) -> int:
        """Whose it is."""
        ...

    def turn(self, number: int) -> int:
        """Its place in the order in which the device issued its collectives."""
        ...

    def routes(self, number: int) -> Sequence[TimedRoute]:
        """The ways of its chunks; at least one."""
        ...

    def members(self, number: int, phase: PhaseTime) -> tuple[int, ...]:
        """Its numbers on all devices that pass a phase together."""
        ...


@dataclass(slots=True)
class _Server:
    """One device's end of one dimension: `waiting` is a heap of what comes first."""

    waiting: list[tuple[int, int, int, int, int]]
    sending: bool = False
    inside: int = 0


class ChunkServers:
    """The servers of all devices; lives for the length of one run.

    Args:
        system: Devices, network and policy.
        collectives: What there is to know about collectives.
        queue: Where passages, and their releases of the links, come up as events.
    """

    def __init__(
        self,
        system: System,
        collectives: Collectives,
        queue: "EventQueue[int | Passage | Release]",
    ) -> None:
        self._policy, self._collectives, self._queue = system.policy, collectives, queue
        dimensions = range(len(system.cluster.topology.dimensions))
        self._servers = [
            [_Server([]) for _ in dimensions] for _ in range(system.cluster.devices)
        ]
        self._stirred: set[tuple[int, int]] = set()  # servers that may take something
        self._left: dict[int, int] = {}  # chunks of each collective under way

    def issue(self, number: int) -> None:
        """Take over a collective on one device."""
        routes = self._collectives.routes(number)
        self._left[number] = sum(route.chunks for route in routes)
        for place, route in enumerate(routes):
            for chunk in range(route.chunks):
                self._arrive(number, 0, place, chunk)

    def take(self, now: Seconds) -> None:
        """Begin each passage that comes next on all devices that take part."""
        device_of = self._collectives.device
        for device, dimension in sorted(self._stirred):
            passage = self._next(device, dimension)
            if passage is not None and all(
                self._next(device_of(member), dimension) == passage
                for member in passage.members
            ):
                self._begin(passage, dimension, now)
        self._stirred.clear()

    def release(self, passage: Passage) -> None:
        """The links are free for another chunk; this one stays on."""
        dimension = self.phase(passage).dimension
        for member in passage.members:
            device = self._collectives.device(member)
            self._servers[device][dimension].sending = False
            self._stirred.add((device, dimension))

    def passed(self, passage: Passage) -> list[int]:
        """A passage ends: the chunk goes on to its next phase, or is done.

        Returns:
            The numbers of the collectives that have ended.
        """
        timed, position, route = self.phase(passage), passage.position, passage.route
        ended = []
        for member in passage.members:
            device = self._collectives.device(member)
            self._servers[device][timed.dimension].inside -= 1
            self._stirred.add((device, timed.dimension))
            if position + 1 < len(self._collectives.routes(member)[route].phases):
                self._arrive(member, position + 1, route, passage.chunk)
                continue
            self._left[member] -= 1
            if self._left[member] == 0:
                ended.append(member)
        return ended

    def phase(self, passage: Passage) -> PhaseTime:
        """The phase that a passage passes, with its times."""
        return self._phase(passage.members[0], passage.position, passage.route)

    def _phase(self, number: int, position: int, route: int) -> PhaseTime:
        return self._collectives.routes(number)[route].phases[position]

    def _arrive(self, number: int, position: int, route: int, chunk: int) -> None:
        """A chunk waits for a phase at one device."""
        device = self._collectives.device(number)
        dimension = self._phase(number, position, route).dimension
        turn = self._collectives.turn(number)
        lifo = self._policy.scheduling is SchedulingPolicy.LIFO
        rank = -turn if lifo else turn
        server = self._servers[device][dimension]
        heapq.heappush(server.waiting, (rank, position, route, chunk, number))
        self._stirred.add((device, dimension))

    def _next(self, device: int, dimension: int) -> Passage | None:
        """What a device would take next, were it for itself; nothing if it cannot."""
        server = self._servers[device][dimension]
        full = server.inside == self._policy.active_chunks
        if server.sending or full or not server.waiting:
            return None
        _, position, route, chunk, number = server.waiting[0]
        phase = self._phase(number, position, route)
        members = self._collectives.members(number, phase)
        return Passage(members, position, route, chunk)

    def _begin(self, passage: Passage, dimension: int, now: Seconds) -> None:
        for member in passage.members:
            server = self._servers[self._collectives.device(member)][dimension]
            heapq.heappop(server.waiting)
            server.sending = True
            server.inside += 1
        timed = self.phase(passage)
        self._queue.push(now + timed.link_seconds, Release(passage))
        self._queue.push(now + timed.seconds, passage)


def route_on_grid(route: TimedRoute, unit: Seconds) -> TimedRoute:
    """The route with its durations rounded to multiples of `unit`."""

    def rounded(phase: PhaseTime) -> PhaseTime:
        times = on_grid(np.array([phase.seconds, phase.link_seconds]), unit)
        seconds, link_seconds = times.tolist()
        return replace(phase, seconds=seconds, link_seconds=link_seconds)

    return replace(route, phases=tuple(map(rounded, route.phases)))


def passing_together(
    group: Group, span: Span, device: int, system: System
) -> tuple[int, ...]:
    """Those of a device's group that differ from it along one span only.

    The device itself is one of them; a flat ring is the whole group.
    """
    if span.flat:
        return group.members(device)
    stride = system.strides[span.dimension] * span.stride
    along = Group(name=group.name, size=span.extent, stride=stride)
    return along.members(device)
