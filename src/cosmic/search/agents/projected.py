"""ProjectedAgent: what a library proposes, moved to the nearest feasible points."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.moves import IndexVector, Target
from cosmic.search.agent import Agent
from cosmic.search.agents.asked import Asked, check_at_least
from cosmic.search.agents.unseen import generator
from cosmic.search.trial import WORST, Trial


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one point.

    Attributes:
        proposal: Its place among the last proposals; None for a random point and for
            one that somebody else asked for.
        vector: The feasible vector that was tried; None if nothing can be learnt.
        trial: What was found; None if nobody said.
    """

    proposal: int | None
    vector: IndexVector | None
    trial: Trial | None

    @property
    def score(self) -> float:
        """Of the trial, the worst if there is none."""
        return WORST if self.trial is None or self.vector is None else self.trial.score


class ProjectedAgent(Agent):
    """Asks in generations: the library proposes vectors, the space makes them feasible.

    The library keeps its own genes. Each proposal is projected onto the nearest
    feasible vector, and mutated if that was asked for before; what is found there is
    told as what the proposal is worth. The first generation is random and holds the
    feasible point nearest to the baseline, if the space has one.

    The sequence of points does not depend on how many are asked for at a time.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        opening: Points of the first generation.
        generation: Points of each further one.

    Raises:
        SpecError: If a hyper-parameter is out of its range.
    """

    def __init__(
        self, space: DesignSpace, seed: int, opening: int, generation: int
    ) -> None:
        check_at_least(1, opening, "opening")
        check_at_least(1, generation, "generation")
        self.space = space
        self.rng = generator(seed)
        self.searched = np.flatnonzero(space.radices > 1)
        self._asked = Asked(space, self.rng)
        self._generation = generation
        self._places: dict[str, int] = {}
        self._found: list[Found] = []
        self._points = iter(self._asked.opening(opening))

    @abstractmethod
    def propose(self, count: int) -> Sequence[Target]:
        """Places along the choices of each gene, which need not be feasible."""

    @abstractmethod
    def learn(self, found: Sequence[Found]) -> None:
        """Take in what came of the last proposals, and of other points."""

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        points = list(islice(self._points, count))
        if not points and count > 0:
            self._points = iter(self._next_generation())
            points = list(islice(self._points, count))
        return points

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            place = self._places.pop(trial.point.digest, None)
            vector = self._asked.told(trial)
            if place is not None or vector is not None:
                self._found.append(Found(place, vector, trial))

    def _next_generation(self) -> list[DesignPoint]:
        silent = [Found(place, None, None) for place in self._places.values()]
        self.learn([*self._found, *silent])
        self._found, self._places = [], {}
        points: list[DesignPoint] = []
        for place, target in enumerate(self._proposals()):
            point = self._asked.near(self.space.project(target))
            if point is not None:
                self._places[point.digest] = place
                points.append(point)
        return points

    def _proposals(self) -> Sequence[Target]:
        if not len(self.searched):  # a space of one point
            return [np.zeros(len(self.space.genes))]
        return self.propose(self._generation)
