"""The machine on which a collective is played: whose turn it is, in which dimension.

Every device has a queue for each dimension, which serves as many chunks at a time as
the policy allows. Devices that pass a phase together begin it together: when it comes
first with all of them, as the lowest place in its chunk's route, then the lowest chunk.
So they agree on an order, whichever chunk came to whom first, and never wait for each
other in a circle: what is lowest of all can always begin.
"""

import heapq
from collections.abc import Sequence
from functools import partial

from cosmic.simulation.link_phases import LinkPhase
from cosmic.simulation.link_steps import Part, Steps
from cosmic.simulation.link_traffic import Traffic
from cosmic.system.system import System
from cosmic.units import Seconds

_Turn = tuple[int, int]  # place in the chunk's route, chunk: the lowest goes first


class LinkMachine:
    """Plays one collective of all devices, from time 0.

    Args:
        traffic: The links, with nothing on them.
        chunks: The phases of each chunk, in order.
        system: Delays and how many chunks a dimension serves at once.

    Attributes:
        finish: When each device has done its part; 0 if there is nothing to do.
    """

    def __init__(
        self,
        traffic: Traffic,
        chunks: Sequence[Sequence[LinkPhase]],
        system: System,
    ) -> None:
        devices = range(system.cluster.devices)
        dimensions = range(len(system.cluster.topology.dimensions))
        self.finish: list[Seconds] = [0.0 for _ in devices]
        self._traffic, self._chunks = traffic, chunks
        self._steps = Steps(traffic, system)
        self._active_chunks = system.policy.active_chunks
        self._waiting: list[list[list[_Turn]]] = [  # heaps, by device and dimension
            [[] for _ in dimensions] for _ in devices
        ]
        self._serving = [[0 for _ in dimensions] for _ in devices]
        self._stirred: set[tuple[int, int]] = set()  # who may begin something, where

    def play(self) -> None:
        """All of the collective."""
        for device in range(len(self.finish)):
            for chunk in range(len(self._chunks)):
                self._await_turn(device, (0, chunk), 0.0)
        self._traffic.run(self._begin_turns)
        assert not any(map(any, self._waiting)), "devices wait for each other"

    def _await_turn(self, device: int, turn: _Turn, now: Seconds) -> None:
        """A chunk is ready for a phase at one device, or has passed them all."""
        place, chunk = turn
        if place == len(self._chunks[chunk]):
            self.finish[device] = now
            return
        dimension = self._chunks[chunk][place].dimension
        heapq.heappush(self._waiting[device][dimension], turn)
        self._stirred.add((device, dimension))

    def _begin_turns(self, now: Seconds) -> None:
        """Begin each phase that comes next with all devices that pass it together."""
        while self._stirred:
            stirred = sorted(self._stirred)
            self._stirred.clear()
            for device, dimension in stirred:
                turn = self._next_turn(device, dimension)
                if turn is None:
                    continue
                members = self._phase(turn).members[device]
                if all(self._next_turn(m, dimension) == turn for m in members):
                    self._begin(members, turn, now)

    def _next_turn(self, device: int, dimension: int) -> _Turn | None:
        """What a device would begin next; nothing if none waits or it has enough."""
        full = self._serving[device][dimension] == self._active_chunks
        waiting = self._waiting[device][dimension]
        return None if full or not waiting else waiting[0]

    def _phase(self, turn: _Turn) -> LinkPhase:
        place, chunk = turn
        return self._chunks[chunk][place]

    def _begin(self, members: Sequence[int], turn: _Turn, now: Seconds) -> None:
        phase = self._phase(turn)
        parts = []
        for rank, device in enumerate(members):
            heapq.heappop(self._waiting[device][phase.dimension])
            self._serving[device][phase.dimension] += 1
            self._stirred.add((device, phase.dimension))
            end = partial(self._end, device, turn)
            parts.append(Part(device, rank, phase, end))
        self._steps.begin(parts, now)

    def _end(self, device: int, turn: _Turn, now: Seconds) -> None:
        """A device has done its part of a phase: the chunk goes on to the next one."""
        dimension = self._phase(turn).dimension
        self._serving[device][dimension] -= 1
        self._stirred.add((device, dimension))
        place, chunk = turn
        self._await_turn(device, (place + 1, chunk), now)
