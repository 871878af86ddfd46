import numpy as np
import pytest

from cosmic.design.design_space import DesignSpace
from cosmic.errors import SpecError, UnknownNameError
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.search.agent import make_agent
from cosmic.search.agent_benchmark import run_agents, within
from cosmic.search.study import Study


def test_the_runs_are_those_of_plain_studies(
    space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    names, seeds = ("genetic", "random"), (3, 4, 5)

    records = run_agents(names, space, lambda: evaluator, trials=60, seeds=seeds)

    assert [record.agent for record in records] == list(names)
    for record in records:
        assert [run.seed for run in record.runs] == list(seeds)
        for run in record.runs:
            study = Study(evaluator)
            study.run(make_agent(record.agent, space, run.seed), trials=60)
            assert run.best == study.best()
            assert run.best_so_far[-1] == study.best().score
            assert (np.diff(run.best_so_far[np.isfinite(run.best_so_far)]) >= 0).all()
            assert 0 < run.agent_seconds < run.seconds
            assert run.trials_to(study.best().score) == study.best().number + 1
            assert run.trials_to(np.inf) is None


def test_the_quartiles_are_over_the_seeds(
    space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    [record] = run_agents(
        ["random"], space, lambda: evaluator, trials=20, seeds=range(5)
    )

    ranked = sorted(float(run.best_so_far[-1]) for run in record.runs)
    assert record.scores() == (ranked[1], ranked[2], ranked[3])
    assert record.typical().best_so_far[-1] == ranked[2]


def test_an_agent_that_ends_early_keeps_its_best(
    space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    trials = space.count + 10

    [record] = run_agents(
        ["exhaustive"], space, lambda: evaluator, trials=trials, seeds=[0]
    )

    [run] = record.runs
    assert len(run.best_so_far) == trials
    assert run.best is not None
    assert run.best_so_far[-1] == run.best.score


def test_a_share_below_a_score_of_either_sign() -> None:
    assert within(0.01, 100.0) == 99.0
    assert within(0.01, -100.0) == -101.0


def test_names_are_checked_before_anything_runs(space: DesignSpace) -> None:
    def never() -> FunctionEvaluator:
        pytest.fail("nothing should be evaluated")

    with pytest.raises(UnknownNameError, match="did you mean 'genetic'"):
        run_agents(["random", "genetics"], space, never, trials=9, seeds=[0])
    with pytest.raises(SpecError, match="a seed and a trial at least"):
        run_agents(["random"], space, never, trials=9, seeds=[])
