"""What is to happen, in order: by time, and at one time by who came first."""

import heapq
from typing import Generic, TypeVar

from cosmic.units import Seconds

E = TypeVar("E")


class EventQueue(Generic[E]):
    """Events in the order of time; those of one time in the order of their coming.

    Times are compared as they are: on the grid of `clock`, what ought to happen at one
    instant does.

    >>> queue = EventQueue[str]()
    >>> for time, event in ((2.0, "late"), (1.0, "first"), (1.0, "second")):
    ...     queue.push(time, event)
    >>> queue.pop_instant()
    (1.0, ['first', 'second'])
    """

    def __init__(self) -> None:
        self._heap: list[tuple[Seconds, int, E]] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, time: Seconds, event: E) -> None:
        """Let `event` happen at `time`."""
        heapq.heappush(self._heap, (time, self._sequence, event))
        self._sequence += 1

    def next_time(self) -> Seconds:
        """When the next event happens; infinity if there is none."""
        return self._heap[0][0] if self._heap else float("inf")

    def pop_instant(self) -> tuple[Seconds, list[E]]:
        """The earliest time, and all that happens then; taken out of the queue.

        Raises:
            IndexError: The queue is empty.
        """
        now = self._heap[0][0]
        events = []
        while self._heap and self._heap[0][0] == now:
            events.append(heapq.heappop(self._heap)[2])
        return now, events
