"""Exhaustive search."""

from cosmic.design.design_space import DesignSpace
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.search.agents.exhaustive import Exhaustive
from cosmic.search.study import Study


def test_every_point_comes_once_in_the_order_of_the_space(space: DesignSpace) -> None:
    agent = Exhaustive(space)
    points = [point for _ in range(18) for point in agent.ask(100)]

    assert points == [space.point(vector) for vector in space.enumerate()]


def test_after_the_last_point_there_are_none(space: DesignSpace) -> None:
    agent = Exhaustive(space)

    assert len(agent.ask(10_000)) == space.count
    assert agent.ask(1) == []


def test_it_finds_the_best_that_there_is(
    space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    study = Study(evaluator)
    study.run(Exhaustive(space), trials=10_000, batch=500)

    assert len(study) == space.count
    assert study.best().score == 18
