"""SimulatedAnnealing: local searches that take steps back less and less readily."""

import math
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
from cosmic.search.trial import WORST, Trial


@dataclass(slots=True)
class _Chain:
    """One local search.

    Attributes:
        score: Of where it stands.
        vector: Where it stands; None before it has found a feasible point.
        temperature: How readily it takes a step back.
        best: Its best score since it began.
        idle: Steps since it last found a better one.
        asked: Digest of the point that it waits for.
    """

    score: float
    vector: IndexVector | None
    temperature: float
    best: float = WORST
    idle: int = 0
    asked: str = ""


class SimulatedAnnealing(Agent):
    """Several local searches side by side, each of which begins anew when it is stuck.

    Each search looks at a point next to where it stands, with about one gene changed.
    It goes there if that is no worse; if it is worse by a factor of f, with probability
    f^(-1/temperature) (by a difference, where scores are not positive). The temperature
    falls with every step. A search that has found nothing better for `patience` steps
    begins anew: half the time at a random point, half the time at one some genes away
    from the best of all. With temperature 0 it is a local search with restarts.

    The sequence of points does not depend on how many are asked for at a time.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        chains: Local searches side by side.
        temperature: At which a search begins: at 0.1, a point that is worse by a tenth
            is accepted with probability 0.39.
        cooling: Factor on the temperature at each step.
        patience: Steps without a better point after which a search begins anew.

    Raises:
        SpecError: If a hyper-parameter is out of its range.

    Reference:
        S. Kirkpatrick, C. Gelatt and M. Vecchi, "Optimization by simulated annealing",
        Science 220(4598), 1983.
    """

    def __init__(
        self,
        space: DesignSpace,
        seed: int = 0,
        *,
        chains: int = 8,
        temperature: float = 0.1,
        cooling: float = 0.95,
        patience: int = 50,
    ) -> None:
        check_at_least(1, chains, "chains")
        check_at_least(0, temperature, "temperature")
        check_fraction(cooling, "cooling")
        check_at_least(1, patience, "patience")
        self._rng = generator(seed)
        self._asked = Asked(space, self._rng)
        self._probability = 1 / max(1, len(space.genes))
        self._temperature = temperature
        self._cooling = cooling
        self._patience = patience
        self._chains = [_Chain(WORST, None, temperature) for _ in range(chains)]
        self._told: dict[str, tuple[float, IndexVector | None]] = {}
        self._best: IndexVector | None = None
        self._best_score = WORST
        self._round = iter(self._handed_out(self._asked.opening(chains)))

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        points = list(islice(self._round, count))
        if not points and count > 0:
            self._round = iter(self._next_round())
            points = list(islice(self._round, count))
        return points

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            vector = self._asked.told(trial)
            self._told[trial.point.digest] = trial.score, vector
            if vector is not None and trial.score > self._best_score:
                self._best, self._best_score = vector, trial.score

    def _next_round(self) -> list[DesignPoint]:
        for chain in self._chains:
            self._step(chain, *self._told.pop(chain.asked, (WORST, None)))
        self._take_in_strangers()
        found = (self._neighbor(chain) for chain in self._chains)
        return self._handed_out([point for point in found if point is not None])

    def _handed_out(self, points: list[DesignPoint]) -> list[DesignPoint]:
        """Each search waits for a point of its own, as far as they go."""
        for chain in self._chains:
            chain.asked = ""
        for chain, point in zip(self._chains, points, strict=False):
            chain.asked = point.digest
        return points

    def _step(self, chain: _Chain, score: float, vector: IndexVector | None) -> None:
        """Go to the point that was told, or stay; begin anew when stuck."""
        chain.idle += 1
        if vector is not None and self._accepts(chain, score):
            chain.score, chain.vector = score, vector
        if score > chain.best:
            chain.best, chain.idle = score, 0
        chain.temperature *= self._cooling
        if chain.idle >= self._patience:
            chain.score, chain.vector = WORST, self._beginning()
            chain.best, chain.idle = WORST, 0
            chain.temperature = self._temperature

    def _accepts(self, chain: _Chain, score: float) -> bool:
        if chain.vector is None or score >= chain.score:
            return True
        loss = chain.score - score
        if score > 0:
            loss = math.log(chain.score / score)
        if chain.temperature == 0:
            return False
        return self._rng.random() < math.exp(-min(loss / chain.temperature, 700.0))

    def _beginning(self) -> IndexVector | None:
        """The best of all, from which the next step goes far; None for random."""
        return self._best if self._rng.random() < 0.5 else None

    def _neighbor(self, chain: _Chain) -> DesignPoint | None:
        if chain.vector is None:
            return next(iter(self._asked.random(1)), None)
        far = 4 if chain.score == WORST else 1  # genes away from the best of all
        return self._asked.bred(chain.vector, min(0.5, far * self._probability))

    def _take_in_strangers(self) -> None:
        """A point that somebody else tried replaces where the worst search stands."""
        strangers = [told for told in self._told.values() if told[1] is not None]
        self._told.clear()
        for score, vector in strangers:
            worst = min(self._chains, key=lambda chain: chain.score)
            if score > worst.score:
                worst.score, worst.vector = score, vector
                worst.best, worst.idle = score, 0
