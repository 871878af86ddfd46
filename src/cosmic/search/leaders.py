"""Leaders: the best of many trials that go by, none of which is kept."""

from dataclasses import dataclass
from heapq import heappush, heapreplace

from cosmic.search.trial import WORST


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """The best that a study had found after so many trials.

    Attributes:
        trials: After how many.
        best: The number of the best feasible one; None if there was none.
        score: Its score, higher is better.
    """

    trials: int
    best: int | None
    score: float


class Leaders:
    """The best feasible trials of different points, and the best so far.

    As `Study.top` ranks them: best first, of equals the earlier one, and of two
    looks at one point the first.

    Args:
        count: How many of the best are kept.

    >>> leaders = Leaders(2)
    >>> for number, score in enumerate([1.0, 3.0, 2.0]):
    ...     leaders.see(number, f"point {number}", score)
    >>> leaders.top
    (1, 2)
    >>> [(m.trials, m.best) for m in leaders.milestones(3)]
    [(1, 0), (3, 1)]
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._heap: list[tuple[float, int, str]] = []  # the worst one first
        self._points: set[str] = set()
        self._best: tuple[int | None, float] = (None, WORST)
        self._reached: list[Milestone] = []
        self._next = 1

    def see(self, number: int, digest: str, score: float) -> None:
        """Look at a feasible trial, of a number above those seen before."""
        while number >= self._next:
            self._pass()
        if self._best[0] is None or score > self._best[1]:
            self._best = (number, score)
        if digest in self._points:
            return
        if len(self._heap) < self._count:
            heappush(self._heap, (score, -number, digest))
            self._points.add(digest)
        elif self._heap and score > self._heap[0][0]:
            self._points.remove(self._heap[0][2])
            heapreplace(self._heap, (score, -number, digest))
            self._points.add(digest)

    @property
    def top(self) -> tuple[int, ...]:
        """The numbers of the best trials, best first."""
        return tuple(-number for _, number, _ in sorted(self._heap, reverse=True))

    def scores(self) -> dict[int, float]:
        """The scores of the best trials, by number."""
        return {-number: score for score, number, _ in self._heap}

    def milestones(self, trials: int) -> tuple[Milestone, ...]:
        """The best after 1, 10, 100, ... trials, and after all of them.

        Args:
            trials: How many the study has, infeasible ones included.
        """
        while self._next < trials:
            self._pass()
        if not trials:
            return ()
        return (*self._reached, self._milestone(trials))

    def _pass(self) -> None:
        self._reached.append(self._milestone(self._next))
        self._next *= 10

    def _milestone(self, trials: int) -> Milestone:
        best, score = self._best
        return Milestone(trials=trials, best=best, score=score)
