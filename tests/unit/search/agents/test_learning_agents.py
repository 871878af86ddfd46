"""What all agents that learn have in common."""

import numpy as np
import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import SpecError, UnknownNameError
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.search.agent import make_agent
from cosmic.search.study import Study
from cosmic.search.trial import Trial

LEARNING = (
    "annealing",
    "ant_colony",
    "bayesian",
    "cma_es",
    "genetic",
    "nsga2",
    "policy_gradient",
    "tpe",
)
TRIALS = 96
LEVELS = tuple(range(8))


def run(
    name: str,
    space: DesignSpace,
    evaluator: FunctionEvaluator,
    batch: int = 32,
    seed: int = 7,
    trials: int = TRIALS,
) -> tuple[Trial, ...]:
    study = Study(evaluator)
    study.run(make_agent(name, space, seed), trials=trials, batch=batch)
    return study.trials


def trial(point: DesignPoint) -> Trial:
    """The sum of levels, whatever it is."""
    [levels] = point.values()
    assert isinstance(levels, tuple)
    total = float(sum(int(level) for level in levels))
    evaluation = Evaluation({"total": total})
    return Trial(number=0, point=point, evaluation=evaluation, score=total)


@pytest.mark.parametrize("name", LEARNING)
def test_the_sequence_does_not_depend_on_the_batch(
    name: str, space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    points = [trial.point for trial in run(name, space, evaluator)]

    for batch in (1, 5):
        again = [trial.point for trial in run(name, space, evaluator, batch)]
        assert again == points


@pytest.mark.parametrize("name", LEARNING)
def test_the_first_point_is_the_baseline(name: str, space: DesignSpace) -> None:
    assert list(make_agent(name, space, 1).ask(1)) == [space.baseline]


@pytest.mark.parametrize("name", LEARNING)
def test_no_point_is_tried_twice(
    name: str, space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    digests = [trial.point.digest for trial in run(name, space, evaluator)]

    assert len(set(digests)) == len(digests) == TRIALS


@pytest.mark.parametrize("name", LEARNING)
def test_it_beats_random_search_on_a_hill(
    name: str, space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    """The mean score of the last quarter of the trials, which has learnt."""

    def late(agent: str) -> float:
        runs = [run(agent, space, evaluator, 32, seed, 128) for seed in range(3)]
        scores = [t.score for trials in runs for t in trials[96:] if t.feasible]
        return sum(scores) / len(scores)

    assert late(name) > late("random") + 0.5


@pytest.mark.parametrize("name", LEARNING)
def test_it_learns_from_points_that_others_tried(name: str) -> None:
    """Told 32 points whose 12 levels are high, it looks at higher ones than without."""
    genes = Parameter(name="g", stack=Stack.NETWORK, choices=LEVELS, dimensions=12)
    space = DesignSpace(ParameterSet(name="twelve", parameters=(genes,)))
    drawn = space.sample(np.random.default_rng(0), 32)
    good = [trial(point) for point in space.points(np.maximum(drawn, 5))]

    def mean(warm: bool) -> float:
        agent = make_agent(name, space, 5)
        agent.tell([trial(point) for point in agent.ask(32)])
        if warm:
            agent.tell(good)
        asked = [point for _ in range(4) for point in agent.ask(8)]
        return sum(trial(point).score for point in asked) / len(asked)

    assert mean(warm=True) > mean(warm=False) + 4


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("annealing", {"cooling": 1.5}, "cooling must be from 0 to 1"),
        ("annealing", {"chains": 0}, "chains must be at least 1"),
        ("ant_colony", {"evaporation": -0.1}, "evaporation must be from 0 to 1"),
        ("ant_colony", {"ants": 0}, "ants must be at least 1"),
        ("bayesian", {"candidates": 1}, "candidates must be at least 2"),
        ("cma_es", {"population": 2}, "population must be at least 4"),
        ("cma_es", {"sigma": 0.0}, "sigma must be at least"),
        ("nsga2", {"population": 1}, "population must be at least 2"),
        ("policy_gradient", {"generation": 0}, "generation must be at least 1"),
        ("policy_gradient", {"entropy": 2.0}, "entropy must be from 0 to 1"),
        ("tpe", {"generation": 0}, "generation must be at least 1"),
        ("tpe", {"candidates": 0}, "candidates must be at least 1"),
    ],
)
def test_a_hyper_parameter_out_of_range_is_refused(
    name: str, values: dict[str, float], message: str, space: DesignSpace
) -> None:
    with pytest.raises(SpecError, match=message):
        make_agent(name, space, 0, values)


@pytest.mark.parametrize("name", LEARNING)
def test_a_negative_seed_is_refused(name: str, space: DesignSpace) -> None:
    with pytest.raises(SpecError, match="must not be negative"):
        make_agent(name, space, -1)


def test_unknown_words_are_refused(space: DesignSpace) -> None:
    with pytest.raises(UnknownNameError, match="mixed"):
        make_agent("cma_es", space, 0, {"encoding": "mixd"})
    with pytest.raises(UnknownNameError, match="runtime"):
        make_agent("nsga2", space, 0, {"objectives": "runtime, memry"})


def test_cma_es_also_takes_the_mixed_encoding(
    space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    study = Study(evaluator)
    study.run(make_agent("cma_es", space, 0, {"encoding": "mixed"}), trials=100)

    assert study.best().score == 18
