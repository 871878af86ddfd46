"""PolicyGradient: reinforcement learning of a masked policy over the genes."""

from collections.abc import Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.moves import IndexVector
from cosmic.search.agent import Agent
from cosmic.search.agents.asked import Asked, check_at_least, check_fraction
from cosmic.search.agents.unseen import generator
from cosmic.search.agents.walks import Open, drawn, walk
from cosmic.search.trial import Trial

Preferences = list[npt.NDArray[np.float64]]


class PolicyGradient(Agent):
    """An actor with a preference for each choice of each gene, taught by rewards.

    A design is one episode: gene by gene the actor draws among the choices that can
    still be completed, with the softmax of its preferences for these. After each
    generation the preferences climb the gradient of the expected reward (REINFORCE),
    where the reward of a design is its rank in the generation, from -1 to 1, so that
    the scale of an objective does not matter. A bonus for entropy keeps the actor from
    settling too early. A design that was asked for before is mutated.

    The best design known takes part in every generation as one more episode.

    The sequence of points does not depend on how many are asked for at a time.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        generation: Designs between two lessons.
        learning_rate: How far the preferences go at a lesson.
        entropy: Weight of the entropy beside the reward.

    Raises:
        SpecError: If a hyper-parameter is out of its range.

    Reference:
        R. J. Williams, "Simple statistical gradient-following algorithms for
        connectionist reinforcement learning", Machine Learning 8, 1992; masks as in
        S. Huang and S. Ontanon, "A closer look at invalid action masking in policy
        gradient algorithms", FLAIRS 2022.
    """

    def __init__(
        self,
        space: DesignSpace,
        seed: int = 0,
        *,
        generation: int = 16,
        learning_rate: float = 10.0,
        entropy: float = 0.01,
    ) -> None:
        check_at_least(1, generation, "generation")
        check_at_least(0, learning_rate, "learning_rate")
        check_fraction(entropy, "entropy")
        self._components = space.components
        self._rng = generator(seed)
        self._asked = Asked(space, self._rng)
        self._generation = generation
        self._learning_rate = learning_rate
        self._entropy = entropy
        self._preferences: Preferences = [np.zeros(r) for r in space.radices]
        self._episodes: list[tuple[float, IndexVector]] = []
        self._best: tuple[float, IndexVector] | None = None
        self._points = iter(self._asked.opening(generation))

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
            vector = self._asked.told(trial)
            if vector is not None:
                self._episodes.append((trial.score, vector))

    def _next_generation(self) -> list[DesignPoint]:
        self._learn()
        walks = (walk(self._components, self._draw) for _ in range(self._generation))
        found = map(self._asked.near, walks)
        return [point for point in found if point is not None]

    def _draw(self, gene: int, possible: Open) -> int:
        return drawn(self._rng, _chances(self._preferences[gene], possible))

    def _learn(self) -> None:
        """One step up the gradient of the rewards of all episodes since the last."""
        episodes, self._episodes = self._episodes, []
        if self._best is not None:
            episodes.append(self._best)
        if not episodes:
            return
        self._best = max(episodes, key=lambda episode: episode[0])
        rewards = _ranks(np.array([score for score, _ in episodes]))
        climb = [np.zeros_like(gene) for gene in self._preferences]
        for reward, (_, vector) in zip(rewards.tolist(), episodes, strict=True):
            self._add_gradient(climb, reward, vector)
        rate = self._learning_rate / len(episodes)
        steps = zip(self._preferences, climb, strict=True)
        self._preferences = [gene + rate * step for gene, step in steps]

    def _add_gradient(
        self, climb: Preferences, reward: float, vector: IndexVector
    ) -> None:
        """Of the logarithm of an episode's chance times its reward, and of entropy."""

        def follow(gene: int, possible: Open) -> int:
            choice = int(vector[gene])
            chances = _chances(self._preferences[gene], possible)
            climb[gene] -= reward * chances
            climb[gene][choice] += reward
            logs = np.log(np.maximum(chances, np.finfo(float).tiny))
            climb[gene] -= self._entropy * chances * (logs - chances @ logs)
            return choice

        walk(self._components, follow)


def _chances(
    preferences: npt.NDArray[np.float64], possible: Open
) -> npt.NDArray[np.float64]:
    """The softmax of the preferences for the open choices; 0 for the others."""
    highest = preferences[possible].max()
    raised = np.where(possible, np.exp(np.minimum(preferences - highest, 0.0)), 0.0)
    return np.asarray(raised / raised.sum(), dtype=np.float64)


def _ranks(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From -1 for the worst to 1 for the best; equals are equal; 0 if all are."""
    values, places = np.unique(scores, return_inverse=True)
    if len(values) == 1:
        return np.zeros(len(scores))
    return np.asarray(2 * places / (len(values) - 1) - 1, dtype=np.float64)
