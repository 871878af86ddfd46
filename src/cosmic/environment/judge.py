"""Judge: what the designs of an environment are worth, and what is told of them.

At the end of an episode `info` holds

    ==============  =================================================================
    metrics         dict: number by name, in SI units
    violations      tuple of `Violation`; empty for a feasible design
    score           the objective's score; minus infinity for an infeasible design
    design_point    the `DesignPoint`
    digest          its digest
    vector          its index vector, int64
    ==============  =================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.diagram import IndexMatrix
from cosmic.environment.reward import Reward, against_baseline
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import PointEvaluator
from cosmic.search.trial import score_of

Info = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judge:
    """Says what designs of a space are worth.

    Attributes:
        evaluator: Finds out about designs.
        space: What may be chosen.
        reward: What an evaluation is worth.
    """

    evaluator: PointEvaluator
    space: DesignSpace
    reward: Reward

    def verdicts(self, vectors: IndexMatrix) -> tuple[list[float], list[Info]]:
        """The rewards and the infos of feasible vectors, evaluated as one batch."""
        points = self.space.points(vectors)
        evaluations = self.evaluator.evaluate(points)
        infos = [
            self._info(point, evaluation) | {"vector": vector.astype(np.int64)}
            for point, evaluation, vector in zip(
                points, evaluations, vectors, strict=True
            )
        ]
        return self._rewards(evaluations), infos

    def _rewards(self, evaluations: Sequence[Evaluation]) -> list[float]:
        return [float(self.reward(evaluation)) for evaluation in evaluations]

    def _info(self, point: DesignPoint, evaluation: Evaluation) -> Info:
        return {
            "metrics": dict(evaluation.metrics),
            "violations": evaluation.violations,
            "score": score_of(evaluation, self.evaluator.objective),
            "design_point": point,
            "digest": point.digest,
        }


def make_judge(
    evaluator: PointEvaluator, space: DesignSpace, reward: Reward | None
) -> Judge:
    """The judge of an environment; without a reward, that against the baseline.

    Raises:
        SpecError: There is no reward, and no feasible baseline to compare with.
    """
    return Judge(
        evaluator, space, reward or against_baseline(evaluator, space.baseline)
    )
