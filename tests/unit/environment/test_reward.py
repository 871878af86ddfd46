"""What a design is worth to a policy."""

import math

import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.environment.reward import LogRatio, against_baseline
from cosmic.errors import SpecError
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import Direction, Objective, Term

LOW = Objective(name="cost", terms=(Term(("cost",)),))
HIGH = Objective(name="speed", terms=(Term(("cost",)),), direction=Direction.MAXIMIZE)
TOO_LARGE = Evaluation({"memory": 9.0}, (Violation("memory", "does not fit"),))


@pytest.mark.parametrize(("objective", "sign"), [(LOW, 1), (HIGH, -1)])
def test_half_the_value_is_worth_the_logarithm_of_two(
    objective: Objective, sign: int
) -> None:
    reward = LogRatio(objective=objective, reference=8.0)

    assert reward(Evaluation({"cost": 4.0})) == pytest.approx(sign * math.log(2))
    assert reward(Evaluation({"cost": 8.0})) == 0


def test_an_infeasible_design_is_worth_a_constant() -> None:
    assert LogRatio(objective=LOW, reference=1.0)(TOO_LARGE) == -10
    assert LogRatio(objective=LOW, reference=1.0, infeasible=-2)(TOO_LARGE) == -2


@pytest.mark.parametrize("cost", [1e100, math.inf, math.nan])
def test_no_feasible_design_is_worth_less_than_an_infeasible_one(cost: float) -> None:
    assert LogRatio(objective=LOW, reference=1.0)(Evaluation({"cost": cost})) == -10


def test_a_value_without_a_logarithm_is_refused() -> None:
    with pytest.raises(SpecError, match="'cost' is 0, but the logarithm"):
        LogRatio(objective=LOW, reference=1.0)(Evaluation({"cost": 0.0}))


@pytest.mark.parametrize("reference", [0, -1.0, math.inf, math.nan])
def test_a_reference_is_positive(reference: float) -> None:
    with pytest.raises(SpecError, match="reference of a reward must be positive"):
        LogRatio(objective=LOW, reference=reference)


@pytest.mark.parametrize("infeasible", [0.1, -math.inf, math.nan])
def test_an_infeasible_design_earns_nothing(infeasible: float) -> None:
    with pytest.raises(SpecError, match="finite and at most 0"):
        LogRatio(objective=LOW, reference=1.0, infeasible=infeasible)


def test_the_baseline_is_worth_nothing() -> None:
    evaluator = FunctionEvaluator(lambda _: Evaluation({"cost": 3.0}), LOW)

    reward = against_baseline(evaluator, DesignPoint({"dp": 1}))

    assert reward == LogRatio(objective=LOW, reference=3.0)


def test_a_space_without_a_baseline_needs_a_reference() -> None:
    evaluator = FunctionEvaluator(lambda _: Evaluation({"cost": 3.0}), LOW)

    with pytest.raises(SpecError, match=r"no baseline.*pass reward=LogRatio"):
        against_baseline(evaluator, None)


def test_an_infeasible_baseline_is_no_reference() -> None:
    evaluator = FunctionEvaluator(lambda _: TOO_LARGE, LOW)

    with pytest.raises(SpecError, match=r"infeasible \(does not fit\): pass reward="):
        against_baseline(evaluator, DesignPoint({"dp": 1}))
