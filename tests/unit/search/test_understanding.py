"""Why a design is good, held against what can be reckoned by hand."""

import math

import pytest

from cosmic.design.constraint import Expression
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import Objective, Term
from cosmic.search.trial import RecordedTrial
from cosmic.search.understanding import ablation_path, alternatives, importances

COST = Objective(name="cost", terms=(Term(("cost",)),), about="what it costs")
WEIGHTS = {"a": 100.0, "b": 10.0, "c": 1.0}


def added_up(point: DesignPoint) -> Evaluation:
    """Every parameter adds to the cost, by its weight."""
    whole = sum(weight * float(str(point[n])) for n, weight in WEIGHTS.items())
    return Evaluation({"cost": 1000.0 + whole})


def parameters() -> tuple[Parameter, ...]:
    """Three, from 0 to 3."""
    return tuple(
        Parameter(name=name, stack=Stack.WORKLOAD, choices=(0, 1, 2, 3))
        for name in WEIGHTS
    )


SPACE = DesignSpace(ParameterSet(name="three", parameters=parameters()))
TIED = DesignSpace(
    ParameterSet(
        name="tied",
        parameters=parameters(),
        constraints=(Expression("a + b == 3"),),
    )
)
ADDED = FunctionEvaluator(added_up, COST)


def test_the_most_useful_change_comes_first_and_gains_what_it_is_worth() -> None:
    start = {"a": 3, "b": 3, "c": 3}
    path = ablation_path(ADDED, SPACE, start, {"a": 0, "b": 1, "c": 3})

    assert [change.names for change in path] == [("a",), ("b",)]
    assert [change.evaluation.metrics["cost"] for change in path] == [1033.0, 1013.0]
    assert path[-1].point == DesignPoint({"a": 0, "b": 1, "c": 3})


def test_what_rules_tie_together_changes_together() -> None:
    start = {"a": 3, "b": 0, "c": 3}
    path = ablation_path(ADDED, TIED, start, {"a": 0, "b": 3, "c": 0})

    assert [change.names for change in path] == [("a", "b"), ("c",)]
    assert [change.evaluation.metrics["cost"] for change in path] == [1033.0, 1030.0]


def test_a_path_may_begin_at_what_the_space_does_not_offer() -> None:
    path = ablation_path(
        ADDED, TIED, {"a": 7, "b": 7, "c": 7}, {"a": 0, "b": 3, "c": 0}
    )

    assert [change.names for change in path] == [("a",), ("b",), ("c",)]
    assert path[-1].evaluation.metrics["cost"] == 1030.0


def test_a_change_that_is_not_feasible_by_itself_comes_when_it_is() -> None:
    def no_middle(point: DesignPoint) -> Evaluation:
        if point["a"] == 0 and point["b"] == 3:
            return Evaluation({}, (Violation("middle", "not there"),))
        return added_up(point)

    evaluator = FunctionEvaluator(no_middle, COST)
    start = {"a": 3, "b": 3, "c": 0}
    path = ablation_path(evaluator, SPACE, start, {"a": 0, "b": 0, "c": 0})

    assert [change.names for change in path] == [("b",), ("a",)]
    assert all(change.evaluation.feasible for change in path)


def test_the_neighbors_of_a_design_are_its_alternatives_best_first() -> None:
    others = alternatives(ADDED, SPACE, {"a": 1, "b": 0, "c": 0})
    changed = [tuple(other.changed.items()) for other in others]

    assert changed == [
        (("a", 0),),
        (("c", 1),),
        (("b", 1),),
        (("a", 2),),
    ]
    assert [other.evaluation.metrics["cost"] for other in others] == [
        1000.0,
        1101.0,
        1110.0,
        1200.0,
    ]


def trial(number: int, point: dict[str, PointValue], score: float) -> RecordedTrial:
    """A trial of which only the point and the score count."""
    found = DesignPoint(point)
    return RecordedTrial(
        number=number,
        point=found,
        digest=found.digest,
        evaluation=Evaluation({"cost": 1.0}),
        score=score,
    )


def test_the_only_parameter_that_matters_has_all_of_it() -> None:
    rows = [{"a": i % 4, "b": i // 4 % 4} for i in range(64)]
    trials = [trial(i, dict(row), -float(row["a"])) for i, row in enumerate(rows)]
    first, second = importances(trials, ["b", "a"])

    assert (first.name, first.share) == ("a", 1.0)
    assert (first.low, first.high) == (1.0, 1.0)
    assert (second.name, second.share) == ("b", 0.0)


def test_two_that_matter_alike_share_alike() -> None:
    # of 2 x 2 equal cells with scores 0, 1, 1, 2 each explains half the variance
    rows = [{"a": i % 2, "b": i // 2 % 2} for i in range(400)]
    trials = [
        trial(i, dict(row), float(row["a"] + row["b"])) for i, row in enumerate(rows)
    ]
    found = {one.name: one for one in importances(trials, ["a", "b"])}

    for one in found.values():
        assert one.share == pytest.approx(0.5, abs=0.01)
        assert 0.4 < one.low < one.share < one.high < 0.6


def test_too_few_trials_and_infeasible_ones_say_nothing() -> None:
    fine = trial(0, {"a": 1}, 1.0)
    useless = [trial(i, {"a": i}, -math.inf) for i in range(1, 9)]

    assert importances([fine, *useless], ["a"]) == ()


def test_a_handful_of_trials_tells_nearly_nothing() -> None:
    rows = [{"a": 0, "b": 0}, {"a": 0, "b": 1}, {"a": 1, "b": 2}]
    trials = [trial(i, dict(row), -float(row["a"])) for i, row in enumerate(rows)]

    for one in importances(trials, ["a", "b"]):
        assert one.low <= one.share <= one.high
        assert one.high - one.low > 0.8
