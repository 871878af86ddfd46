"""DesignEnv: a design chosen gene by gene, each time among what is still possible."""

from typing import Any

import numpy as np
from typing_extensions import override

from cosmic.design.design_space import DesignSpace
from cosmic.design.prefix import Mask
from cosmic.environment.gymnasium_extra import Env, ResetNeeded, spaces
from cosmic.environment.judge import Info, make_judge
from cosmic.environment.reward import Reward
from cosmic.environment.walk import Observation, Walk
from cosmic.evaluation.evaluator import PointEvaluator


class DesignEnv(Env[Observation, np.int64]):
    """An environment whose episode makes one design, one gene a step.

    Genes come in the order of the space, so an episode has as many steps as the space
    has genes. After the last the design is evaluated and rewarded; until then rewards
    are 0. Nothing is random.

    Action: `Discrete(most choices of any gene)`, the index of a choice of the gene.
    Those that lead to a feasible design have a 1 in the mask: exactly those, so that
    whoever keeps to it ends at a feasible design and can reach every one. An action
    outside the mask stands for the allowed one of nearest index, the lower of two.

    Observation: `Box(0, 1, (genes + sum of radices,), float32)`, see `Walk`.

    Info, at each step:

        =============  ==============================================================
        action_mask    int8, one entry for each action: what `action_space.sample`
                       takes; the same as `action_masks()`
        gene           the name of the gene to choose next; empty after the last
        corrected      actions of this episode that the mask did not allow
        =============  ==============================================================

    and after the last what `judge` lists.

    Args:
        evaluator: Finds out about designs.
        space: What may be chosen.
        reward: What an evaluation is worth; how much better than the baseline it is,
            as `LogRatio` says, if left out.

    Raises:
        SpecError: There is no reward, and no feasible baseline to compare with.
    """

    def __init__(
        self,
        evaluator: PointEvaluator,
        space: DesignSpace,
        reward: Reward | None = None,
    ) -> None:
        self._judge = make_judge(evaluator, space, reward)
        self._walk = Walk(space, 1)
        self.observation_space = spaces.Box(0, 1, (self._walk.width,), np.float32)
        self.action_space = spaces.Discrete(self._walk.most_choices)

    def action_masks(self) -> Mask:
        """Which actions lead to a feasible design, one entry for each action."""
        mask: Mask = self._walk.masks()[0]
        return mask

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        super().reset(seed=seed)
        self._walk.restart()
        return self._observation(), self._info()

    @override
    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, Info]:
        if self._walk.over:
            raise ResetNeeded("the design is finished: call reset() for another one")
        self._walk.choose(np.array([action], dtype=np.int64))
        reward, info = 0.0, self._info()
        if self._walk.over:
            (reward,), (outcome,) = self._judge.verdicts(self._walk.vectors)
            info |= outcome
        return self._observation(), reward, self._walk.over, False, info

    def _observation(self) -> Observation:
        observation: Observation = self._walk.observations()[0]
        return observation

    def _info(self) -> Info:
        return {
            "action_mask": self.action_masks().astype(np.int8),
            "gene": self._walk.gene_name,
            "corrected": int(self._walk.corrected[0]),
        }
