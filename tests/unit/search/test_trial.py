"""Trial and the score of an evaluation."""

import math

import pytest

from cosmic.errors import SpecError
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.objective import Direction, Objective, Term
from cosmic.search.trial import WORST, score_of

SPEED = Objective(name="speed", terms=(Term(("v",)),), direction=Direction.MAXIMIZE)


def test_a_feasible_evaluation_has_the_score_of_the_objective() -> None:
    assert score_of(Evaluation({"v": 2.5}), SPEED) == 2.5


def test_an_infeasible_evaluation_has_the_worst_score_whatever_its_metrics() -> None:
    evaluation = Evaluation({"v": 2.5}, (Violation("memory", "does not fit"),))

    assert score_of(evaluation, SPEED) == WORST


def test_a_score_that_is_not_a_number_is_the_worst() -> None:
    assert score_of(Evaluation({"v": math.nan}), SPEED) == WORST


def test_a_metric_that_was_not_evaluated_is_named() -> None:
    message = "objective 'speed' reads metric 'v', which was not evaluated; known: w"
    with pytest.raises(SpecError, match=message):
        score_of(Evaluation({"w": 1.0}), SPEED)
