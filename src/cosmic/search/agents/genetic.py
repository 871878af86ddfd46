"""GeneticAlgorithm: breeds the best points found so far."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.moves import IndexVector
from cosmic.search.agent import Agent
from cosmic.search.agents.asked import Asked, check_at_least, check_fraction
from cosmic.search.agents.unseen import generator
from cosmic.search.trial import Trial


@dataclass(frozen=True, slots=True)
class _Individual:
    """A feasible point that may breed."""

    score: float
    vector: IndexVector
    digest: str


class GeneticAlgorithm(Agent):
    """Breeds the best points found so far; crossover and mutation stay feasible.

    The population is the best feasible points of all that were told (survival of
    mu + lambda, so the best is never lost). Two parents, each the winner of a
    tournament, give a child by crossover and mutation in the original genes. A
    child that was asked for before is mutated further, ever more strongly, and at
    last replaced by a random point. The first generation is random and holds the
    feasible point nearest to the baseline, if the space has one. Infeasible points
    never breed: while fewer than two feasible ones are known, the search stays random.

    The sequence of points does not depend on how many are asked for at a time,
    because an `ask` ends where a brood ends; the next is bred when it is asked for.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        population: Points that may breed, and points of the first generation.
        mutation_probability: Chance of each gene of a child to change.
        tournament: Points that compete to become a parent.
        offspring: Children bred at once.

    Raises:
        SpecError: If a hyper-parameter is out of its range.

    Reference:
        A. E. Eiben and J. E. Smith, "Introduction to Evolutionary Computing",
        2nd edition, Springer, 2015, chapters 4 and 5.
    """

    def __init__(
        self,
        space: DesignSpace,
        seed: int = 0,
        population: int = 32,
        mutation_probability: float = 0.05,
        tournament: int = 2,
        offspring: int = 32,
    ) -> None:
        check_at_least(2, population, "population")
        check_at_least(1, tournament, "tournament")
        check_at_least(1, offspring, "offspring")
        check_fraction(mutation_probability, "mutation_probability")
        self._space = space
        self._rng = generator(seed)
        self._asked = Asked(space, self._rng)
        self._size = population
        self._mutation_probability = mutation_probability
        self._tournament = tournament
        self._offspring = offspring
        self._population: list[_Individual] = []  # best first
        self._brood = iter(self._asked.opening(population))

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        points = list(islice(self._brood, count))
        if not points and count > 0:
            self._brood = iter(self._next_generation())
            points = list(islice(self._brood, count))
        return points

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            vector = self._asked.told(trial)
            if vector is not None:
                self._settle(_Individual(trial.score, vector, trial.point.digest))

    def _settle(self, newcomer: _Individual) -> None:
        """Let the best survive; among equals, those that came first."""
        full = len(self._population) == self._size
        if full and newcomer.score <= self._population[-1].score:
            return
        if all(newcomer.digest != other.digest for other in self._population):
            insort(self._population, newcomer, key=lambda one: -one.score)
            del self._population[self._size :]

    def _next_generation(self) -> list[DesignPoint]:
        if len(self._population) < 2:
            return self._asked.random(self._offspring)
        size = (self._offspring, 2, self._tournament)
        winners = self._rng.integers(len(self._population), size=size).min(axis=2)
        children = (self._child(a, b) for a, b in winners.tolist())
        return [child for child in children if child is not None]

    def _child(self, first: int, second: int) -> DesignPoint | None:
        """A new point from two of the population, by rank; None if none is left."""
        parents = self._population[first].vector, self._population[second].vector
        vector = self._space.crossover(*parents, self._rng)
        return self._asked.bred(vector, self._mutation_probability)
