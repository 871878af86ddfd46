"""BayesianOptimization: a Gaussian process says where to look next."""

import math
import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.diagram import IndexMatrix
from cosmic.design.encoding import Encoding, Form
from cosmic.design.moves import IndexVector, Target
from cosmic.errors import CosmicError
from cosmic.search.agents.asked import check_at_least
from cosmic.search.agents.projected import Found, ProjectedAgent
from cosmic.search.trial import WORST

try:
    from scipy.special import ndtr
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
except ImportError as error:
    raise CosmicError(
        "this agent needs scikit-learn: pip install 'scikit-learn>=1.5', or install "
        "cosmic with its extra, cosmic[agents]"
    ) from error

Floats = npt.NDArray[np.float64]

_BRED_FROM = 16  # the best trials, near which candidates are drawn


class BayesianOptimization(ProjectedAgent):
    """Looks where a Gaussian process expects the greatest improvement.

    The process (Matern 5/2, over the mixed encoding) is fitted to the scores of the
    best and of the latest trials, by their logarithms where all are positive; an
    infeasible point counts like the worst feasible one. Candidates are feasible points,
    half of them uniform and half near the best trials. Of several points proposed at
    once, each is chosen as if those before it had turned out as expected.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        opening: Random points at first.
        generation: Points proposed at once.
        candidates: Points among which the best is chosen.
        memory: Trials that the process is fitted to.

    Raises:
        SpecError: If a hyper-parameter is out of its range.

    Reference:
        D. Jones, M. Schonlau and W. Welch, "Efficient global optimization of expensive
        black-box functions", Journal of Global Optimization 13, 1998; D. Ginsbourger,
        R. Le Riche and L. Carraro, "Kriging is well-suited to parallelize
        optimization", 2010, for several points at once; scikit-learn's
        `GaussianProcessRegressor`.
    """

    def __init__(
        self,
        space: DesignSpace,
        seed: int = 0,
        *,
        opening: int = 32,
        generation: int = 8,
        candidates: int = 512,
        memory: int = 200,
    ) -> None:
        check_at_least(2, candidates, "candidates")
        check_at_least(2, memory, "memory")
        super().__init__(space, seed, opening, generation)
        self._encoding = Encoding(space, Form.MIXED)
        self._candidates = candidates
        self._memory = memory
        self._vectors: list[IndexVector] = []
        self._scores: list[float] = []

    @override
    def learn(self, found: Sequence[Found]) -> None:
        for one in found:
            if one.trial is not None and one.vector is not None:
                self._vectors.append(one.vector)
                self._scores.append(one.score)
            elif one.trial is not None:
                self._learn_infeasible(one.trial.point)

    @override
    def propose(self, count: int) -> Sequence[Target]:
        if sum(score > WORST for score in self._scores) < 2:
            return list(self.space.sample(self.rng, count).astype(np.float64))
        known, values = self._known()
        candidates = self._drawn()
        chosen = _most_promising(
            self._encoding.encode(known),
            values,
            self._encoding.encode(candidates),
            count,
        )
        return list(candidates[chosen].astype(np.float64))

    def _learn_infeasible(self, point: DesignPoint) -> None:
        if point in self.space:
            self._vectors.append(self.space.vector(point))
            self._scores.append(WORST)

    def _known(self) -> tuple[IndexMatrix, Floats]:
        """The trials that count, and their values: mean 0, variance 1."""
        scores = np.array(self._scores)
        best = np.argsort(-scores, kind="stable")[: self._memory // 2]
        latest = np.arange(len(scores))[-(self._memory - len(best)) :]
        kept = np.union1d(best, latest)
        values = _values(scores[kept])
        return np.array(self._vectors)[kept], values

    def _drawn(self) -> IndexMatrix:
        """Candidates: uniform ones, and ones with a few genes of the best changed."""
        uniform = self.space.sample(self.rng, self._candidates // 2)
        best = np.argsort(-np.array(self._scores), kind="stable")[:_BRED_FROM]
        probability = 1.5 / max(1, len(self.searched))
        bred = [
            self.space.mutate(self._vectors[best[i % len(best)]], self.rng, probability)
            for i in range(self._candidates - len(uniform))
        ]
        return np.unique(np.vstack([uniform, *bred]), axis=0)


def _values(scores: Floats) -> Floats:
    """Scores as the process sees them: mean 0, variance 1."""
    feasible = scores[scores > WORST]
    filled = np.where(scores > WORST, scores, feasible.min())
    if feasible.min() > 0:
        filled = np.log(filled)
    centered = filled - filled.mean()
    width = centered.std()
    return np.asarray(centered / width if width > 0 else centered)


def _most_promising(
    known: Floats, values: Floats, candidates: Floats, count: int
) -> list[int]:
    """The candidates of greatest expected improvement, one after the other."""
    process = _fitted(known, values)
    best = float(values.max())
    chosen: list[int] = []
    for _ in range(min(count, len(candidates))):
        mean, width = process.predict(candidates, return_std=True)
        gain = _expected_improvement(mean, width, best)
        gain[chosen] = -math.inf
        chosen.append(int(gain.argmax()))
        known = np.vstack([known, candidates[chosen[-1]]])
        values = np.append(values, mean[chosen[-1]])
        fixed = GaussianProcessRegressor(process.kernel_, optimizer=None)
        process = fixed.fit(known, values)
    return chosen


def _fitted(known: Floats, values: Floats) -> GaussianProcessRegressor:
    scale = math.sqrt(known.shape[1])
    kernel = ConstantKernel(1.0) * Matern(scale / 4, (1e-2, 1e2), nu=2.5)
    noise = WhiteKernel(1e-3, (1e-6, 1e-1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianProcessRegressor(kernel + noise).fit(known, values)


def _expected_improvement(mean: Floats, width: Floats, best: float) -> Floats:
    """Jones et al., equation 15."""
    safe = np.maximum(width, 1e-12)
    z = (mean - best) / safe
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return np.asarray((mean - best) * ndtr(z) + safe * density)
