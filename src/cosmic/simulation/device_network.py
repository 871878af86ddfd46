"""One device's end of the network, played chunk by chunk, with a record of it.

The rules are those of `chunk_servers`, for a device whose peers all do the same: every
dimension has its links for one chunk at a time and so many chunks inside at once, and
takes next what the scheduling policy puts first.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from cosmic.collective.policy import CollectivePolicy, SchedulingPolicy
from cosmic.simulation.communication import PhaseTime, TimedRoute
from cosmic.units import Bytes, Seconds


@dataclass(slots=True)
class LinkUse:
    """Chunks of one collective that have a dimension's links in a row.

    Attributes:
        number: Which collective.
        dimension: Whose links.
        start: When the first of them gets the links.
        end: When the last of them lets go of them.
        busy: How long they have the links; the rest is latency between two chunks.
        sent: Bytes that the device sends.
        chunks: How many passages of a chunk these are.
    """

    number: int
    dimension: int
    start: Seconds
    end: Seconds
    busy: Seconds
    sent: Bytes
    chunks: int


@dataclass(frozen=True, slots=True)
class _Place:
    """A chunk at a place of its route."""

    number: int
    position: int
    route: int
    chunk: int


@dataclass(slots=True)
class _Server:
    """The device's end of one dimension: `waiting` is a heap of what comes first."""

    waiting: list[tuple[int, int, int, int, int]]
    sending: bool = False
    inside: int = 0
    latest: LinkUse | None = None


class DeviceNetwork:
    """What one device's collectives do on the network; lives for one run.

    Collectives are numbered in the order in which they are handed over.

    Args:
        policy: Which of them goes first, and how many chunks are inside at once.
        dimensions: How many the network has.

    Attributes:
        began: When the first chunk of each collective got links.
        ended: When each collective ended.
        uses: How links were used, in the order of time in each dimension.
    """

    def __init__(self, policy: CollectivePolicy, dimensions: int) -> None:
        self.began: dict[int, Seconds] = {}
        self.ended: dict[int, Seconds] = {}
        self.uses: list[LinkUse] = []
        self._lifo = policy.scheduling is SchedulingPolicy.LIFO
        self._most = policy.active_chunks
        self._servers = [_Server([]) for _ in range(dimensions)]
        self._routes: dict[int, Sequence[TimedRoute]] = {}
        self._left: dict[int, int] = {}  # chunks of what is under way
        self._queue: list[tuple[Seconds, int, bool, _Place]] = []
        self._sequence = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._left

    def issue(self, number: int, routes: Sequence[TimedRoute], now: Seconds) -> None:
        """Take over a collective; one without routes has ended at once."""
        if not routes:
            self.began[number] = self.ended[number] = now
            return
        self._routes[number] = routes
        self._left[number] = sum(route.chunks for route in routes)
        for which, route in enumerate(routes):
            for chunk in range(route.chunks):
                self._arrive(_Place(number, 0, which, chunk))

    def advance(self, now: Seconds, until: Seconds) -> None:
        """Go on from now until then; what begins then is left to the next call."""
        while self._left and now < until:
            self._take(now)
            if self._queue[0][0] > until:
                return
            now = self._pass()

    def finish(self, number: int, now: Seconds) -> Seconds:
        """Go on until a collective has ended: when it has, or now if it had before."""
        while number in self._left:
            self._take(now)
            now = self._pass()
        return now

    def _phase(self, place: _Place) -> PhaseTime:
        return self._routes[place.number][place.route].phases[place.position]

    def _arrive(self, place: _Place) -> None:
        """A chunk waits for a phase."""
        rank = -place.number if self._lifo else place.number
        waiting = self._servers[self._phase(place).dimension].waiting
        key = (rank, place.position, place.route, place.chunk, place.number)
        heapq.heappush(waiting, key)

    def _take(self, now: Seconds) -> None:
        """Every dimension with free links and room takes its next chunk, if any."""
        for dimension, server in enumerate(self._servers):
            if server.sending or server.inside == self._most or not server.waiting:
                continue
            _, position, route, chunk, number = heapq.heappop(server.waiting)
            place = _Place(number, position, route, chunk)
            phase = self._phase(place)
            server.sending = True
            server.inside += 1
            self._push(now + phase.link_seconds, True, place)
            self._push(now + phase.seconds, False, place)
            self.began.setdefault(number, now)
            self._note(server, dimension, phase, (number, now))

    def _push(self, time: Seconds, release: bool, place: _Place) -> None:
        heapq.heappush(self._queue, (time, self._sequence, release, place))
        self._sequence += 1

    def _note(
        self,
        server: _Server,
        dimension: int,
        phase: PhaseTime,
        what: tuple[int, Seconds],
    ) -> None:
        """Add a chunk to the use of the links that it goes on with, or begins."""
        number, now = what
        use = server.latest
        if use is None or use.number != number:
            use = LinkUse(number, dimension, now, now, 0.0, 0.0, 0)
            server.latest = use
            self.uses.append(use)
        use.end = now + phase.link_seconds
        use.busy += phase.link_seconds
        use.sent += phase.sent
        use.chunks += 1

    def _pass(self) -> Seconds:
        """All that happens at the next instant, and when that is."""
        now = self._queue[0][0]
        while self._queue and self._queue[0][0] == now:
            _, _, release, place = heapq.heappop(self._queue)
            server = self._servers[self._phase(place).dimension]
            if release:
                server.sending = False
            else:
                server.inside -= 1
                self._go_on(place, now)
        return now

    def _go_on(self, place: _Place, now: Seconds) -> None:
        """A chunk has passed a phase."""
        number, route = place.number, self._routes[place.number][place.route]
        if place.position + 1 < len(route.phases):
            further = place.position + 1
            self._arrive(_Place(number, further, place.route, place.chunk))
            return
        self._left[number] -= 1
        if self._left[number] == 0:
            del self._left[number]
            self.ended[number] = now
