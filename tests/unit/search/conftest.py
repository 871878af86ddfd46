"""What the tests of this room share: a small space and something to seek in it."""

import pytest

from cosmic.design.constraint import Expression
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import Direction, Objective, Term

LEVELS = tuple(range(8))


@pytest.fixture(scope="session")
def space() -> DesignSpace:
    """Four levels of which at least one is 0: 8^4 - 7^4 = 1695 points."""
    parameters = tuple(
        Parameter(name=name, stack=Stack.NETWORK, choices=LEVELS) for name in "wxyz"
    )
    rule = Expression("w * x * y * z == 0")
    parameter_set = ParameterSet(
        name="levels", parameters=parameters, constraints=(rule,)
    )
    baseline = {"w": 0, "x": 0, "y": 0, "z": 0}
    return DesignSpace(parameter_set, baseline)


@pytest.fixture(scope="session")
def evaluator() -> FunctionEvaluator:
    """Seeks the greatest sum of levels; a sum above 18 does not fit."""
    total = Objective(
        name="total", terms=(Term(("total",)),), direction=Direction.MAXIMIZE
    )
    return FunctionEvaluator(_evaluate, total)


def _evaluate(point: DesignPoint) -> Evaluation:
    total = 0.0
    for level in point.values():
        assert isinstance(level, int)
        total += level
    metrics = {"total": total, "cost": 100 - total, "third": total / 3}
    if total <= 18:
        return Evaluation(metrics)
    return Evaluation({}, (Violation("size", f"{total:.0f} is above 18"),))
