"""Asked: the points that an agent asks for, each once, with their vectors."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.explanation import nearest
from cosmic.design.moves import IndexVector
from cosmic.errors import SpecError
from cosmic.search.agents.unseen import UnseenPoints
from cosmic.search.trial import WORST, Trial

_FURTHER_MUTATIONS = 8  # tries to make a new point of one seen before


class Asked:
    """The points that an agent asks for, each once, with their vectors until told.

    Args:
        space: Where the points lie.
        rng: From which random points and mutations are drawn.
    """

    def __init__(self, space: DesignSpace, rng: np.random.Generator) -> None:
        self._space = space
        self._rng = rng
        self._unseen = UnseenPoints(space, rng)
        self._random = iter(self._unseen.draw, None)
        self._untold: dict[str, IndexVector] = {}  # by digest

    def opening(self, count: int) -> list[DesignPoint]:
        """Random points, and before them the feasible one nearest to the baseline."""
        if self._space.baseline is None:
            return self.random(count)
        [point] = nearest(self._space, self._space.baseline, count=1)
        vector = self._space.vector(point)
        self._unseen.add(point)
        return [self._keep(vector, point), *self.random(count - 1)]

    def random(self, count: int) -> list[DesignPoint]:
        """Points drawn uniformly from those not asked for; fewer at the end."""
        return [self._keep(*found) for found in islice(self._random, count)]

    def bred(self, vector: IndexVector, probability: float) -> DesignPoint | None:
        """A new point by mutation of a feasible vector; None if none is left.

        A point that was asked for before is mutated further, ever more strongly, and
        at last replaced by a random one.

        Args:
            vector: Where to begin.
            probability: Chance of each gene to change.
        """
        return self._mutated(self._mutations(vector, probability))

    def near(self, vector: IndexVector) -> DesignPoint | None:
        """The point of a feasible vector, or if it was asked for one nearby.

        It is mutated as `bred` does; None if no point is left.
        """
        return self._mutated(self._vectors_near(vector))

    def told(self, trial: Trial) -> IndexVector | None:
        """The vector of a trial that one can learn from.

        None if its point is infeasible, has no score, or is a stranger outside the
        space; a stranger inside will not be asked for.
        """
        vector = self._vector(trial.point)
        good = trial.feasible and trial.score > WORST
        return vector if good else None

    def _vector(self, point: DesignPoint) -> IndexVector | None:
        vector = self._untold.pop(point.digest, None)
        if vector is None and point in self._space:
            vector = self._space.vector(point)
            self._unseen.add(self._space.point(vector))
        return vector

    def _mutated(self, vectors: Iterator[IndexVector]) -> DesignPoint | None:
        for vector in vectors:
            point = self._space.point(vector)
            if self._unseen.add(point):
                return self._keep(vector, point)
        found = self.random(1)
        return found[0] if found else None

    def _vectors_near(self, vector: IndexVector) -> Iterator[IndexVector]:
        yield vector
        yield from self._mutations(vector, 1 / max(1, vector.size))

    def _mutations(
        self, vector: IndexVector, probability: float
    ) -> Iterator[IndexVector]:
        for genes in range(1, 2 + _FURTHER_MUTATIONS):
            vector = self._space.mutate(vector, self._rng, probability)
            yield vector
            probability = max(probability, min(0.5, genes / max(1, vector.size)))

    def _keep(self, vector: IndexVector, point: DesignPoint) -> DesignPoint:
        self._untold[point.digest] = vector
        return point


def check_at_least(least: float, value: float, name: str) -> None:
    """Refuse a hyper-parameter below its range.

    Raises:
        SpecError: It is below.
    """
    if not value >= least:
        raise SpecError(f"{name} must be at least {least}, not {value}")


def check_fraction(value: float, name: str) -> None:
    """Refuse a hyper-parameter that is no share of one.

    Raises:
        SpecError: It is below 0 or above 1.
    """
    if not 0 <= value <= 1:
        raise SpecError(f"{name} must be from 0 to 1, not {value}")
