"""OneShotDesignEnv: a whole design at once, mended where it is infeasible."""

from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from cosmic.design.design_space import DesignSpace
from cosmic.design.encoding import Encoding, Form
from cosmic.design.moves import IndexVector
from cosmic.environment.gymnasium_extra import Env, ResetNeeded, spaces
from cosmic.environment.judge import Info, make_judge
from cosmic.environment.reward import Reward
from cosmic.environment.walk import Observation
from cosmic.evaluation.evaluator import PointEvaluator

Action = npt.NDArray[np.int64]


class OneShotDesignEnv(Env[Observation, Action]):
    """An environment whose episode is one step: a choice for every gene.

    Action: `MultiDiscrete(radices)`, an index vector, feasible or not. What is
    evaluated is the feasible vector nearest to it (`DesignSpace.project`).

    Observation: `Box(0, 1, (sum of radices,), float32)`: zeros before the design; then
    for each gene as many numbers as it has choices, with a 1 at the one evaluated.

    Info after the step: what `judge` lists, `vector` and `design_point` being what was
    evaluated, and `distance`, how far that is from the action: steps along the
    choices of each ordinal gene, and 1 for any other gene that differs.

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
        self._space = space
        self._encoding = Encoding(space, Form.ONE_HOT)
        self._ordinal = np.array([gene.ordinal for gene in space.gene_table])
        self._over = False
        self.observation_space = spaces.Box(0, 1, (self._encoding.width,), np.float32)
        self.action_space = spaces.MultiDiscrete(space.radices)

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        super().reset(seed=seed)
        self._over = False
        return np.zeros(self._encoding.width, dtype=np.float32), {}

    @override
    def step(self, action: Action) -> tuple[Observation, float, bool, bool, Info]:
        if self._over:
            raise ResetNeeded("the design is finished: call reset() for another one")
        vector = self._space.project(action)
        (reward,), (info,) = self._judge.verdicts(vector[np.newaxis])
        self._over = True
        info["distance"] = self._distance(action, vector)
        observation = self._encoding.encode(vector[np.newaxis])[0].astype(np.float32)
        return observation, reward, True, False, info

    def _distance(self, action: Action, vector: IndexVector) -> int:
        steps = np.abs(np.asarray(action, dtype=np.int64) - vector)
        return int(np.where(self._ordinal, steps, steps != 0).sum())
