"""The traffic on a network's links, and all that waits for some of it or for a time."""

from collections.abc import Callable

import numpy as np

from cosmic.simulation.event_queue import EventQueue
from cosmic.simulation.link_flows import Flows
from cosmic.simulation.link_network import LinkNetwork, Way
from cosmic.units import Bytes, Seconds

_MOMENT = 1e-12  # of the time passed: what lies nearer together happens at once

Action = Callable[[Seconds], None]


class Traffic:
    """Lets flows cross the links and actions happen, each told the time.

    Attributes:
        network: The links and the ways over them.
        carried: Bytes that have set out over each link.
    """

    def __init__(self, network: LinkNetwork) -> None:
        self.network = network
        self.carried = np.zeros(len(network.links))
        self._flows = Flows(np.array([link.bandwidth for link in network.links]))
        self._queue: EventQueue[Action] = EventQueue()
        self._after: list[Action] = []  # by name of the flow

    def at(self, time: Seconds, action: Action) -> None:
        """Let `action` happen at `time`."""
        self._queue.push(time, action)

    def flow(self, way: Way, nbytes: Bytes, after: Action) -> None:
        """Let a flow set out now, and `after` happen when all of it has left."""
        self.carried[list(way.links)] += nbytes
        self._flows.start(len(self._after), way.links, nbytes)
        self._after.append(after)

    def run(self, settle: Action) -> None:
        """Go on until nothing is left to happen.

        Args:
            settle: What happens when all else at an instant has happened.
        """
        settle(0.0)
        while (now := self._next_time()) < float("inf"):
            moment = now * (1 + _MOMENT)
            for name in self._flows.ended(now, moment):
                self._after[name](now)
            while self._queue.next_time() <= moment:
                for action in self._queue.pop_instant()[1]:
                    action(now)
            if self._next_time() > moment:
                settle(now)

    def _next_time(self) -> Seconds:
        return min(self._queue.next_time(), self._flows.next_end())
