"""AntColony: ants walk the feasible choices and follow the trails of the best."""

from collections.abc import Sequence
from itertools import islice

import numpy as np
from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.moves import IndexVector
from cosmic.search.agent import Agent
from cosmic.search.agents.asked import Asked, check_at_least, check_fraction
from cosmic.search.agents.unseen import generator
from cosmic.search.agents.walks import Open, drawn, walk
from cosmic.search.trial import WORST, Trial

_LEAST = 1e-6  # pheromone, so that no choice is ever out of reach


class AntColony(Agent):
    """Ants choose gene by gene, drawn by pheromone; the best point leaves a trail.

    An ant walks the decision diagrams of the space, so it only meets choices that can
    still be completed. With probability `greediness` it takes the choice with the most
    pheromone, otherwise one at random in proportion to the pheromone. Where an ant has
    gone the pheromone fades a little towards where it began, so that the next ones look
    elsewhere. Between two colonies all pheromone evaporates, and the best point so far
    gains what its choices lack of 1. A point that was asked for before is mutated.

    The sequence of points does not depend on how many are asked for at a time.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        ants: Points of one colony.
        greediness: Chance of taking the choice with the most pheromone.
        evaporation: Share of the pheromone that goes between two colonies.
        pheromone_start: Pheromone of every choice at first.
        pheromone_decay: Share of the way back to this that an ant's choices go.

    Raises:
        SpecError: If a hyper-parameter is out of its range.

    Reference:
        M. Dorigo and L. Gambardella, "Ant colony system", IEEE Transactions on
        Evolutionary Computation 1(1), 1997; pheromone is kept between 0 and 1 as in
        C. Blum and M. Dorigo, "The hyper-cube framework for ant colony optimization",
        IEEE Transactions on Systems, Man, and Cybernetics B 34(2), 2004.
    """

    def __init__(  # noqa: PLR0913 - the hyper-parameters of the paper
        self,
        space: DesignSpace,
        seed: int = 0,
        *,
        ants: int = 16,
        greediness: float = 0.5,
        evaporation: float = 0.25,
        pheromone_start: float = 0.1,
        pheromone_decay: float = 0.1,
    ) -> None:
        check_at_least(1, ants, "ants")
        check_fraction(greediness, "greediness")
        check_fraction(evaporation, "evaporation")
        check_fraction(pheromone_start, "pheromone_start")
        check_fraction(pheromone_decay, "pheromone_decay")
        self._components = space.components
        self._rng = generator(seed)
        self._asked = Asked(space, self._rng)
        self._ants = ants
        self._greediness = greediness
        self._evaporation = evaporation
        self._start = pheromone_start
        self._decay = pheromone_decay
        self._pheromone = [np.full(r, pheromone_start) for r in space.radices]
        self._best: IndexVector | None = None
        self._best_score = WORST
        self._colony = iter(self._asked.opening(ants))

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        points = list(islice(self._colony, count))
        if not points and count > 0:
            self._colony = iter(self._next_colony())
            points = list(islice(self._colony, count))
        return points

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            vector = self._asked.told(trial)
            if vector is not None and trial.score > self._best_score:
                self._best, self._best_score = vector, trial.score

    def _next_colony(self) -> list[DesignPoint]:
        self._renew()
        walks = (walk(self._components, self._choose) for _ in range(self._ants))
        found = map(self._asked.near, walks)
        return [point for point in found if point is not None]

    def _renew(self) -> None:
        """Pheromone evaporates, and gathers where the best point goes."""
        kept = 1 - self._evaporation
        self._pheromone = [kept * trail for trail in self._pheromone]
        if self._best is not None:
            for trail, choice in zip(self._pheromone, self._best, strict=True):
                trail[choice] += self._evaporation

    def _choose(self, gene: int, possible: Open) -> int:
        """One of the open choices by its pheromone, of which a little fades."""
        trail = self._pheromone[gene]
        if self._rng.random() < self._greediness:
            most = np.flatnonzero(possible & (trail == trail[possible].max()))
            choice = int(most[self._rng.integers(len(most))])
        else:
            weights = np.where(possible, np.maximum(trail, _LEAST), 0.0)
            choice = drawn(self._rng, weights)
        trail[choice] += self._decay * (self._start - trail[choice])
        return choice
