"""DesignVectorEnv: many designs side by side, evaluated as one batch."""

from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from cosmic.design.design_space import DesignSpace
from cosmic.design.prefix import Mask
from cosmic.environment.gymnasium_extra import (
    AutoresetMode,
    VectorEnv,
    batch_space,
    spaces,
)
from cosmic.environment.judge import Info, make_judge
from cosmic.environment.reward import Reward
from cosmic.environment.walk import Observation, Walk
from cosmic.errors import SpecError
from cosmic.evaluation.evaluator import PointEvaluator

Actions = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class DesignVectorEnv(VectorEnv[Observation, Actions, npt.NDArray[np.generic]]):
    """`num_envs` of `DesignEnv` in lockstep, with one call of the evaluator an episode.

    It gives what Gymnasium's `SyncVectorEnv` of as many `DesignEnv` gives, and sooner.
    Every episode has one step for each gene, so all end at once.

    Autoreset is `AutoresetMode.NEXT_STEP`: the step after the last gene begins new
    designs, whatever its actions; its rewards are 0. The masks shown for that step
    allow action 0 alone, so that a masked policy has nothing to learn from it.

    Args:
        evaluator: Finds out about designs.
        space: What may be chosen.
        num_envs: Designs made at once.
        reward: What an evaluation is worth; how much better than the baseline it is,
            as `LogRatio` says, if left out.

    Raises:
        SpecError: There is no reward, and no feasible baseline to compare with; or
            `num_envs` is not positive.
    """

    def __init__(
        self,
        evaluator: PointEvaluator,
        space: DesignSpace,
        num_envs: int,
        reward: Reward | None = None,
    ) -> None:
        if num_envs < 1:
            raise SpecError(f"num_envs must be at least 1, not {num_envs}")
        self._judge = make_judge(evaluator, space, reward)
        self._walk = Walk(space, num_envs)
        self.num_envs = num_envs
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        width, most = self._walk.width, self._walk.most_choices
        self.single_observation_space = spaces.Box(0, 1, (width,), np.float32)
        self.single_action_space = spaces.Discrete(most)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def action_masks(self) -> Mask:
        """Which actions lead to a feasible design: row = design, column = action."""
        return self._walk.masks()

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        if options is not None and "reset_mask" in options:
            raise SpecError("reset_mask: these designs run in lockstep; reset them all")
        super().reset(seed=seed)
        self._walk.restart()
        return self._walk.observations(), self._info()

    @override
    def step(self, actions: Actions) -> tuple[Observation, Numbers, Flags, Flags, Info]:
        rewards = np.zeros(self.num_envs)
        if self._walk.over:
            self._walk.restart()
            info = self._info()
        else:
            self._walk.choose(np.asarray(actions, dtype=np.int64))
            info = self._info()
            if self._walk.over:
                judged, outcomes = self._judge.verdicts(self._walk.vectors)
                rewards[:] = judged
                for number, outcome in enumerate(outcomes):
                    info = self._add_info(info, outcome, number)
        over = np.full(self.num_envs, self._walk.over)
        truncated = np.zeros(self.num_envs, dtype=np.bool_)
        return self._walk.observations(), rewards, over, truncated, info

    def _info(self) -> Info:
        told: Info = {
            "action_mask": self._walk.masks().astype(np.int8),
            "gene": np.full(self.num_envs, self._walk.gene_name, dtype=object),
            "corrected": self._walk.corrected.copy(),
        }
        present = {f"_{k}": np.ones(self.num_envs, dtype=np.bool_) for k in told}
        return told | present
