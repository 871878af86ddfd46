"""CovarianceAdaptation: CMA-ES over ordered and unordered choices."""

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from cosmic.design.design_space import DesignSpace
from cosmic.design.moves import IndexVector, Target
from cosmic.errors import CosmicError
from cosmic.search.agents.asked import check_at_least
from cosmic.search.agents.projected import Found, ProjectedAgent
from cosmic.search.trial import WORST

try:
    from cmaes import CatCMAwM
except ImportError as error:
    raise CosmicError(
        "this agent needs cmaes: pip install 'cmaes>=0.12', or install cosmic with "
        "its extra, cosmic[agents]"
    ) from error

_RANK_OF_NOTHING = 1e30  # a value above all ranks


class CovarianceAdaptation(ProjectedAgent):
    """CMA-ES: a normal distribution over ordered genes, a table of odds over the rest.

    The distribution moves towards the better half of what it proposed and takes on its
    shape; it begins at the best point known. When it has not found a better point for
    `patience` generations it begins anew at the best of some random points.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        population: Points of a generation.
        opening: Random points at first, and when it begins anew.
        patience: Generations without a better point after which it begins anew.

    Raises:
        SpecError: If a hyper-parameter is out of its range.

    Reference:
        R. Hamano et al., "CatCMA with margin: stochastic optimization for
        mixed-variable black-box problems", GECCO 2025; `CatCMAwM` of package cmaes.
    """

    def __init__(
        self,
        space: DesignSpace,
        seed: int = 0,
        *,
        population: int = 16,
        opening: int = 32,
        patience: int = 20,
    ) -> None:
        check_at_least(4, population, "population")
        check_at_least(1, patience, "patience")
        super().__init__(space, seed, opening, population)
        table, radices = space.gene_table, space.radices
        by_order = [table[g].ordinal and radices[g] > 2 for g in self.searched]
        self._ordered = self.searched[np.array(by_order, dtype=bool)]
        self._unordered = self.searched[~np.array(by_order, dtype=bool)]
        self._opening = opening
        self._population = population
        self._patience = patience
        self._optimizer: CatCMAwM | None = None
        self._proposed: list[CatCMAwM.Solution] = []
        self._start: IndexVector | None = None
        self._best = WORST
        self._idle = 0

    @override
    def propose(self, count: int) -> Sequence[Target]:
        if self._optimizer is None:
            self._optimizer = self._new()
        self._proposed = [self._optimizer.ask() for _ in range(count)]
        return [self._target(solution) for solution in self._proposed]

    @override
    def learn(self, found: Sequence[Found]) -> None:
        for one in found:
            if one.vector is not None and one.score > self._best:
                self._best, self._start, self._idle = one.score, one.vector, -1
        if self._optimizer is None:
            return
        ended = self._tell(self._optimizer, found)
        self._idle += 1
        if ended or self._idle >= self._patience:
            self._optimizer, self._best, self._idle = None, WORST, 0
            self._start = self.space.sample(self.rng, 1)[0]

    def _tell(self, optimizer: CatCMAwM, found: Sequence[Found]) -> bool:
        """Tell the ranks of the proposals; whether the distribution has shrunk away."""
        scores = np.full(len(self._proposed), WORST)
        for one in found:
            if one.proposal is not None:
                scores[one.proposal] = one.score
        ranks = np.argsort(np.argsort(-scores, kind="stable"), kind="stable")
        values = np.where(scores == WORST, _RANK_OF_NOTHING, ranks).tolist()
        try:
            with np.errstate(all="ignore"):
                optimizer.tell(list(zip(self._proposed, values, strict=True)))
        except (np.linalg.LinAlgError, AssertionError):
            return True  # no width is left to draw from
        return bool(optimizer.should_stop())

    def _new(self) -> CatCMAwM:
        """A distribution about the best point known, if there is one."""
        start = self._start
        radices = self.space.radices
        mean = odds = None
        if start is not None:
            mean = start[self._ordered].astype(np.float64)
            odds = self._odds(start)
        return CatCMAwM(
            z_space=[list(range(r)) for r in radices[self._ordered]] or None,
            c_space=radices[self._unordered].tolist() or None,
            population_size=self._population,
            mean=mean if len(self._ordered) else None,
            cat_param=odds if len(self._unordered) else None,
            seed=int(self.rng.integers(2**31)),
        )

    def _odds(self, start: IndexVector) -> "np.typing.NDArray[np.float64]":
        """Half of the odds of each unordered gene are its choice at the start."""
        radices = self.space.radices[self._unordered]
        odds = np.zeros((len(radices), int(radices.max(initial=1))))
        for row, radix, choice in zip(
            odds, radices, start[self._unordered], strict=True
        ):
            row[:radix] = 0.5 / radix
            row[choice] += 0.5
        return odds

    def _target(self, solution: "CatCMAwM.Solution") -> Target:
        target = np.zeros(len(self.space.genes))
        if solution.z is not None:
            target[self._ordered] = solution.z
        if solution.c is not None:
            target[self._unordered] = solution.c.argmax(axis=1)
        return target
