"""A toy problem that all environments are tested on."""

import pytest

from cosmic.design.constraint import Expression
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator, PointEvaluator
from cosmic.evaluation.objective import Objective, Term

DEGREES = (1, 2, 4, 8)
COST = Objective(name="cost", terms=(Term(("cost",)),))


def toy(point: DesignPoint) -> Evaluation:
    """A cost that falls with tp and is least on a ring; dp = 8 does not fit."""
    if point["dp"] == 8:
        return Evaluation({}, (Violation("memory", "dp = 8 does not fit"),))
    extra = 0.0 if point["topology"] == "Ring" else 0.5
    tp = point["tp"]
    assert isinstance(tp, int)
    return Evaluation({"cost": 8 / tp + extra})


@pytest.fixture
def space() -> DesignSpace:
    """dp x tp = 8, with a shape between them that nothing is tied to: 4 x 3 designs."""
    return DesignSpace(
        ParameterSet(
            name="toy",
            parameters=(
                Parameter(name="dp", stack=Stack.WORKLOAD, choices=DEGREES),
                Parameter(
                    name="topology",
                    stack=Stack.NETWORK,
                    choices=("Switch", "Ring", "FullyConnected"),
                ),
                Parameter(name="tp", stack=Stack.WORKLOAD, choices=DEGREES),
            ),
            constraints=(Expression("dp * tp == 8"),),
        ),
        {"dp": 4, "topology": "Ring", "tp": 2},
    )


@pytest.fixture
def evaluator() -> PointEvaluator:
    """The toy's evaluator."""
    return FunctionEvaluator(toy, COST)
