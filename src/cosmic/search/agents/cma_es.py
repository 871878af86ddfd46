"""CovarianceAdaptation: CMA-ES over the genes as numbers."""

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from cosmic.design.design_space import DesignSpace
from cosmic.design.encoding import Encoding, Form
from cosmic.design.moves import IndexVector, Target
from cosmic.errors import CosmicError, UnknownNameError
from cosmic.search.agents.asked import check_at_least
from cosmic.search.agents.projected import Found, ProjectedAgent
from cosmic.search.trial import WORST

try:
    from cmaes import CMA
except ImportError as error:
    raise CosmicError(
        "this agent needs cmaes: pip install 'cmaes>=0.12', or install cosmic with "
        "its extra, cosmic[agents]"
    ) from error

_FORMS = {form.value: form for form in (Form.UNIT_CUBE, Form.MIXED)}


class CovarianceAdaptation(ProjectedAgent):
    """CMA-ES: a normal distribution that moves and stretches towards what is better.

    Genes are numbers as the encoding has it. The distribution begins about the best
    point known; where it has shrunk away, or found nothing better for `patience`
    generations, it begins anew about a random point.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        population: Points of a generation.
        opening: Random points at first.
        sigma: Width of the distribution where it begins.
        encoding: `unit-cube`, one number a gene; or `mixed`, where each choice of an
            unordered gene has a number of its own: better with few trials, slower.
        patience: Generations without a better point after which it begins anew.

    Raises:
        SpecError: If a hyper-parameter is out of its range.
        UnknownNameError: If there is no such encoding.

    Reference:
        N. Hansen and A. Ostermeier, "Completely derandomized self-adaptation in
        evolution strategies", Evolutionary Computation 9(2), 2001; `CMA` of the package
        cmaes.
    """

    def __init__(  # noqa: PLR0913 - hyper-parameters
        self,
        space: DesignSpace,
        seed: int = 0,
        *,
        population: int = 16,
        opening: int = 32,
        sigma: float = 0.2,
        encoding: str = "unit-cube",
        patience: int = 20,
    ) -> None:
        check_at_least(4, population, "population")
        check_at_least(1e-6, sigma, "sigma")
        check_at_least(1, patience, "patience")
        super().__init__(space, seed, opening, population)
        if encoding not in _FORMS:
            raise UnknownNameError("encoding", encoding, _FORMS)
        self._encoding = Encoding(space, _FORMS[encoding])
        self._population = population
        self._sigma = sigma
        self._patience = patience
        self._optimizer: CMA | None = None
        self._proposed: list[np.typing.NDArray[np.float64]] = []
        self._start: IndexVector | None = None
        self._best = WORST
        self._idle = 0

    @override
    def propose(self, count: int) -> Sequence[Target]:
        if self._optimizer is None:
            self._optimizer = self._new()
        self._proposed = [self._optimizer.ask() for _ in range(count)]
        return list(self._encoding.decode(np.array(self._proposed)).astype(np.float64))

    @override
    def learn(self, found: Sequence[Found]) -> None:
        for one in found:
            if one.vector is not None and one.score > self._best:
                self._best, self._start, self._idle = one.score, one.vector, -1
        if self._optimizer is None:
            return
        self._tell(self._optimizer, found)
        self._idle += 1
        if self._optimizer.should_stop() or self._idle >= self._patience:
            self._optimizer, self._best, self._idle = None, WORST, 0
            self._start = self.space.sample(self.rng, 1)[0]

    def _tell(self, optimizer: CMA, found: Sequence[Found]) -> None:
        """The ranks of the proposals count, whatever the scores are."""
        scores = np.full(len(self._proposed), WORST)
        for one in found:
            if one.proposal is not None:
                scores[one.proposal] = one.score
        ranks = np.unique(-scores, return_inverse=True)[1].astype(float).tolist()
        optimizer.tell(list(zip(self._proposed, ranks, strict=True)))

    def _new(self) -> CMA:
        """A distribution about the best point known, if there is one."""
        start = self._start
        if start is None:
            start = self.space.sample(self.rng, 1)[0]
        width = self._encoding.width
        return CMA(
            mean=self._encoding.encode(start[np.newaxis])[0],
            sigma=self._sigma,
            bounds=np.tile([0.0, 1.0], (width, 1)),
            population_size=self._population,
            seed=int(self.rng.integers(2**31)),
        )
