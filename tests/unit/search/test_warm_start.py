"""An agent that is shown designs first learns from them before it asks."""

import pytest

from cosmic.design.constraint import Expression
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import Objective, Term
from cosmic.search.agent import AGENTS, make_agent
from cosmic.search.study import Study
from cosmic.search.warm_start import WarmStart, start_points

COST = Objective(name="cost", terms=(Term(("cost",)),), about="what it costs")
SIZES = tuple(range(16))
SPACE = DesignSpace(
    ParameterSet(
        name="grid",
        parameters=tuple(
            Parameter(name=name, stack=Stack.WORKLOAD, choices=SIZES)
            for name in ("a", "b", "c", "e")
        ),
        constraints=(Expression("a + b >= 4"),),
    )
)
BEST = {"a": 4, "b": 0, "c": 0, "e": 0}


def cost(point: DesignPoint) -> Evaluation:
    """The sum of squares."""
    return Evaluation({"cost": 1.0 + sum(float(str(v)) ** 2 for v in point.values())})


def study_of(agent: str, trials: int, *, warm: bool) -> Study:
    """A short study, begun at a good design or not."""
    study = Study(FunctionEvaluator(cost, COST))
    searching = make_agent(agent, SPACE, 3)
    if warm:
        near = {**BEST, "a": 5}
        searching = WarmStart(searching, SPACE, [near, near, {"c": 1, **near}])
    study.run(searching, trials=trials, batch=8)
    return study


def test_designs_are_asked_for_first_in_their_order_and_once() -> None:
    trials = study_of("random", 12, warm=True).trials

    assert trials[0].point == DesignPoint({**BEST, "a": 5})
    assert len({trial.point for trial in trials[:8]}) == 8


def test_a_design_outside_the_space_is_replaced_by_the_nearest() -> None:
    [point] = start_points(SPACE, [{"a": 3.4, "b": 1, "c": -7, "e": 99, "x": 1}])

    assert point == DesignPoint({"a": 3, "b": 1, "c": 0, "e": 15})


@pytest.mark.parametrize("agent", ["genetic", "annealing", "ant_colony"])
def test_agents_that_learn_go_on_from_there(agent: str) -> None:
    cold, warm = (study_of(agent, 60, warm=warm) for warm in (False, True))

    assert warm.best().evaluation.metrics["cost"] <= 26.0  # 1 + 5 x 5, or better
    assert warm.best().score >= cold.best().score


def test_every_agent_takes_a_warm_start() -> None:
    for name in sorted({*AGENTS.names()} - {"bayesian", "tpe", "nsga2", "cma_es"}):
        assert len(study_of(name, 20, warm=True)) == 20


def test_one_seed_gives_one_warm_study() -> None:
    first, second = (study_of("genetic", 40, warm=True) for _ in range(2))

    assert [t.point for t in first.trials] == [t.point for t in second.trials]
