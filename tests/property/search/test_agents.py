"""What every agent does in every space."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cosmic.design.constraint import Expression
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import ConsistencyError
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.search.agent import AGENTS, make_agent
from cosmic.search.agents.genetic import GeneticAlgorithm
from cosmic.search.study import Study
from cosmic.testing.conformance import check_agent

NAMES = ("u", "v", "w")
RULES = (
    "u * v <= 6",
    "(u + v + w) % 2 == 0",
    "v >= w",
    "u != 2 or w == 3",
    "product(x) == 4",
    "x[0] <= u",
)


@st.composite
def spaces(draw: st.DrawFn) -> DesignSpace:
    """Three scalars and a vector of two, with up to three rules."""
    choices = st.integers(1, 4).map(lambda top: tuple(range(1, top + 1)))
    parameters = [
        Parameter(name=name, stack=Stack.WORKLOAD, choices=draw(choices))
        for name in NAMES
    ]
    vector = Parameter(name="x", stack=Stack.NETWORK, choices=(1, 2, 4), dimensions=2)
    rules = draw(st.lists(st.sampled_from(RULES), max_size=3, unique=True))
    parameter_set = ParameterSet(
        name="random",
        parameters=(*parameters, vector),
        constraints=tuple(map(Expression, rules)),
    )
    try:
        space = DesignSpace(parameter_set)
    except ConsistencyError:
        return DesignSpace(ParameterSet(name="free", parameters=(vector,)))
    baseline = space.vector_at(draw(st.integers(0, space.count - 1)))
    return DesignSpace(parameter_set, space.point(baseline))


def evaluate(point: DesignPoint) -> Evaluation:
    """A runtime that depends on everything; a third of the points does not fit."""
    toss = int(point.digest, 16)
    if toss % 3 == 0:
        return Evaluation({}, (Violation("memory", "does not fit"),))
    return Evaluation({"runtime": toss / 2.0**64})


EVALUATOR = FunctionEvaluator(evaluate, OBJECTIVES["runtime"])


def points(
    agent: str, space: DesignSpace, seed: int, batch: int
) -> Sequence[DesignPoint]:
    """All that an agent looks at until it has enough."""
    study = Study(EVALUATOR)
    study.run(make_agent(agent, space, seed), trials=2000, batch=batch)
    return [trial.point for trial in study.trials]


@pytest.mark.parametrize("agent", AGENTS.names())
@settings(max_examples=15)
@given(space=spaces(), seed=st.integers(0, 9), batch=st.integers(1, 70))
def test_an_agent_looks_at_every_feasible_point_once_and_ends(
    agent: str, space: DesignSpace, seed: int, batch: int
) -> None:
    looked = points(agent, space, seed, batch)

    assert len(looked) == space.count
    assert set(looked) == {space.point(vector) for vector in space.enumerate()}


@pytest.mark.parametrize("agent", AGENTS.names())
@settings(max_examples=7)
@given(space=spaces(), seed=st.integers(0, 9), batch=st.integers(1, 70))
def test_what_an_agent_looks_at_does_not_depend_on_the_batch(
    agent: str, space: DesignSpace, seed: int, batch: int
) -> None:
    assert points(agent, space, seed, batch) == points(agent, space, seed, 1)


@pytest.mark.parametrize("agent", AGENTS.names())
@settings(max_examples=5)
@given(space=spaces())
def test_an_agent_keeps_its_promises_in_every_space(
    agent: str, space: DesignSpace
) -> None:
    check_agent(lambda space, seed: make_agent(agent, space, seed), space)


@settings(max_examples=15)
@given(space=spaces(), seed=st.integers(0, 9), trials=st.integers(1, 100))
def test_a_genetic_search_never_ends_worse_than_a_feasible_baseline(
    space: DesignSpace, seed: int, trials: int
) -> None:
    assume(space.baseline is not None and evaluate(space.baseline).feasible)
    study = Study(EVALUATOR)
    study.run(GeneticAlgorithm(space, seed), trials)

    [baseline] = [t for t in study.trials if t.point == space.baseline]
    assert study.best().score >= baseline.score
