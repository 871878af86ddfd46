"""UnseenPoints: uniform feasible points, none of them twice."""

from collections.abc import Iterator

import numpy as np

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.moves import IndexVector
from cosmic.errors import SpecError

_BLOCK = 128  # points sampled at once, whatever is asked for
_REDRAWS = 64  # seen points in a row after which the rest is enumerated
_ENUMERABLE = 4  # a space is enumerated if at most this many times what was seen


def generator(seed: int) -> np.random.Generator:
    """The source of an agent's random numbers: PCG64 of its seed.

    Raises:
        SpecError: If the seed is negative.
    """
    if seed < 0:
        raise SpecError(f"a seed must not be negative, but is {seed}")
    return np.random.Generator(np.random.PCG64(seed))


class UnseenPoints:
    """Draws uniform feasible points and remembers which were seen.

    When nearly all points have been seen, so that drawing finds no other, those
    that are left are listed and served in random order, and then there are none.

    Args:
        space: Where the points lie.
        rng: From which they are drawn.
    """

    def __init__(self, space: DesignSpace, rng: np.random.Generator) -> None:
        self._space = space
        self._rng = rng
        self._seen: set[str] = set()
        self._drawn = self._draw_blocks()
        self._left: Iterator[tuple[IndexVector, DesignPoint]] | None = None

    def add(self, point: DesignPoint) -> bool:
        """Mark a point as seen; tell whether it is the first time."""
        before = len(self._seen)
        self._seen.add(point.digest)
        return len(self._seen) > before

    def draw(self) -> tuple[IndexVector, DesignPoint] | None:
        """A point not seen before, marked as seen, or None when there is none left.

        A space that is far too large to be listed and still yields nothing new may
        give a point a second time.
        """
        if self._left is None:
            for _ in range(_REDRAWS):
                vector, point = next(self._drawn)
                if self.add(point):
                    return vector, point
            if self._space.count > _ENUMERABLE * len(self._seen):
                return vector, point
            self._left = self._list_left()
        return next(((v, p) for v, p in self._left if self.add(p)), None)

    def _draw_blocks(self) -> Iterator[tuple[IndexVector, DesignPoint]]:
        while True:
            block = self._space.sample(self._rng, _BLOCK)
            yield from zip(block, self._space.points(block), strict=True)

    def _list_left(self) -> Iterator[tuple[IndexVector, DesignPoint]]:
        everything = ((v, self._space.point(v)) for v in self._space.enumerate())
        left = [(v, p) for v, p in everything if p.digest not in self._seen]
        return iter([left[i] for i in self._rng.permutation(len(left))])
