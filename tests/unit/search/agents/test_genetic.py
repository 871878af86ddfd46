"""The genetic algorithm."""

from collections.abc import Sequence

import numpy as np
import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.search.agents.genetic import GeneticAlgorithm
from cosmic.search.agents.random_search import RandomSearch
from cosmic.search.study import Study
from cosmic.search.trial import WORST, Trial


def run(
    space: DesignSpace, evaluator: FunctionEvaluator, batch: int = 32, trials: int = 400
) -> list[DesignPoint]:
    """The points that seed 7 looks at."""
    study = Study(evaluator)
    study.run(GeneticAlgorithm(space, seed=7), trials=trials, batch=batch)
    return [trial.point for trial in study.trials]


def infeasible(points: Sequence[DesignPoint]) -> list[Trial]:
    """Trials of points that do not fit."""
    evaluation = Evaluation({}, (Violation("memory", "does not fit"),))
    return [
        Trial(number=i, point=point, evaluation=evaluation, score=WORST)
        for i, point in enumerate(points)
    ]


def test_the_first_point_is_the_baseline(space: DesignSpace) -> None:
    assert GeneticAlgorithm(space, seed=1).ask(1) == [space.baseline]


def test_no_point_comes_twice_until_all_have_come(
    space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    points = run(space, evaluator, trials=10_000)

    assert len(points) == space.count
    assert len(set(points)) == space.count


@pytest.mark.parametrize("batch", [1, 5, 33, 100])
def test_the_sequence_does_not_depend_on_the_batch(
    space: DesignSpace, evaluator: FunctionEvaluator, batch: int
) -> None:
    assert run(space, evaluator, batch) == run(space, evaluator)


def test_it_beats_random_search_on_a_hill(
    space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    """The sum of what the best 32 trials score, out of 200."""

    def best_32(agent: type[GeneticAlgorithm] | type[RandomSearch], seed: int) -> float:
        study = Study(evaluator)
        study.run(agent(space, seed), trials=200)
        return sum(trial.score for trial in study.top(32))

    genetic = sum(best_32(GeneticAlgorithm, seed) for seed in range(5))
    random = sum(best_32(RandomSearch, seed) for seed in range(5))

    assert genetic > random


def test_infeasible_points_never_breed() -> None:
    """Parents have levels below 4, infeasible points have 7: so have no children."""
    levels = tuple(range(8))
    genes = Parameter(name="g", stack=Stack.NETWORK, choices=levels, dimensions=12)
    space = DesignSpace(ParameterSet(name="twelve", parameters=(genes,)))
    agent = GeneticAlgorithm(space, seed=2, mutation_probability=0)
    agent.ask(32)
    drawn = space.sample(np.random.default_rng(0), 40)
    good = [
        Trial(number=i, point=point, evaluation=Evaluation(), score=1.0)
        for i, point in enumerate(space.points(drawn[:20] // 2))
    ]
    agent.tell([*infeasible(space.points(np.maximum(drawn[20:], 4))), *good])

    highest = [space.vector(child).max() for child in agent.ask(32)]
    # a child of two equal parents is a copy, and has to mutate to be new
    assert sum(level < 4 for level in highest) >= 28


def test_while_nothing_is_feasible_the_search_stays_random(space: DesignSpace) -> None:
    agent = GeneticAlgorithm(space, seed=2)
    points = list(agent.ask(32))
    for _ in range(5):
        agent.tell(infeasible(points[-32:]))
        points += agent.ask(32)

    assert len(set(points)) == 6 * 32


def test_a_gene_less_space_is_searched_in_one_trial(
    evaluator: FunctionEvaluator,
) -> None:
    only = tuple(
        Parameter(name=name, stack=Stack.NETWORK, choices=(1,)) for name in "wxyz"
    )
    space = DesignSpace(ParameterSet(name="one point", parameters=only))

    assert len(run(space, evaluator)) == 1


def test_strangers_from_another_space_are_passed_over(space: DesignSpace) -> None:
    agent = GeneticAlgorithm(space, seed=2)
    stranger = DesignPoint({"other": 1})
    evaluation = Evaluation({"total": 99.0})
    agent.tell([Trial(number=0, point=stranger, evaluation=evaluation, score=99.0)])

    assert agent.ask(32) == GeneticAlgorithm(space, seed=2).ask(32)
