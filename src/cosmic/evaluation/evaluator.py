"""From a design point to its evaluation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cosmic.design.design_point import DesignPoint
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.objective import Objective


class PointEvaluator(Protocol):
    """Whatever can evaluate points and says what is sought."""

    @property
    def objective(self) -> Objective:
        """What a study of these evaluations seeks."""
        ...

    def evaluate(self, points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
        """One evaluation for each point, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class FunctionEvaluator:
    """Evaluates with a plain function: for toy problems, tests and teaching.

    Attributes:
        function: From a point to its evaluation.
        objective: What is sought.
    """

    function: Callable[[DesignPoint], Evaluation]
    objective: Objective

    def evaluate(self, points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
        """One evaluation for each point, in their order."""
        return [self.function(point) for point in points]
