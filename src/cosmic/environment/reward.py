"""Rewards: an evaluation as one number that a policy can learn from."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from cosmic.design.design_point import DesignPoint
from cosmic.errors import SpecError
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import PointEvaluator
from cosmic.evaluation.objective import Direction, Objective
from cosmic.search.trial import WORST, score_of

Reward = Callable[[Evaluation], float]
"""Whatever turns an evaluation into a finite number, higher being better."""

INFEASIBLE = -10.0
"""The reward of an infeasible design, as if it were e^10 = 22026 times worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRatio:
    """How many times better than a reference a design is, as a natural logarithm.

    The reward is ln(reference / value), or ln(value / reference) where the objective
    is better high: 0 for a design as good as the reference, 0.69 for one twice as
    good, -0.69 for one half as good. An infeasible design gets a constant; no
    feasible one gets less.

    >>> from cosmic.evaluation.objective import OBJECTIVES
    >>> reward = LogRatio(objective=OBJECTIVES["runtime"], reference=4e9)  # 4 s in ns
    >>> round(reward(Evaluation({"runtime": 2.0})), 4)
    0.6931

    Attributes:
        objective: What is sought.
        reference: The value of the objective that is worth 0; positive.
        infeasible: The reward of an infeasible design; at most 0.
    """

    objective: Objective
    reference: float
    infeasible: float = INFEASIBLE

    def __post_init__(self) -> None:
        if not 0 < self.reference < math.inf:
            raise SpecError(
                f"the reference of a reward must be positive, not {self.reference}"
            )
        if not -math.inf < self.infeasible <= 0:
            raise SpecError(
                "the reward of an infeasible design must be finite and at most 0, "
                f"not {self.infeasible}"
            )

    def __call__(self, evaluation: Evaluation) -> float:
        """The reward of an evaluation.

        Raises:
            SpecError: The objective has no value there, or none above 0.
        """
        if score_of(evaluation, self.objective) == WORST:
            return self.infeasible
        value = self.objective.value(evaluation.metrics)
        if value <= 0:
            raise SpecError(
                f"objective {self.objective.name!r} is {value:g}, but the logarithm of "
                f"a ratio needs a positive value: pass a reward of your own"
            )
        gain = math.log(self.reference) - math.log(value)
        if self.objective.direction is Direction.MAXIMIZE:
            gain = math.log(value) - math.log(self.reference)
        return max(gain, self.infeasible)


def against_baseline(
    evaluator: PointEvaluator, baseline: DesignPoint | None
) -> LogRatio:
    """The reward whose reference is the baseline's value.

    Raises:
        SpecError: There is no baseline, or it is infeasible.
    """
    fix = "pass reward=LogRatio(objective=..., reference=...)"
    if baseline is None:
        raise SpecError(f"the space has no baseline to compare with: {fix}")
    evaluation = evaluator.evaluate([baseline])[0]
    if not evaluation.feasible:
        why = evaluation.violations[0].message
        raise SpecError(f"the baseline is infeasible ({why}): {fix}")
    objective = evaluator.objective
    return LogRatio(objective=objective, reference=objective.value(evaluation.metrics))
