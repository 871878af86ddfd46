"""A batch of designs at once against each of them looked at by itself."""

from dataclasses import replace

import numpy as np
import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.explanation import nearest
from cosmic.design.limit import Limit
from cosmic.design.parameter import PointValue
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.known_parts import KnownParts
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.step_batch import StepBatch
from cosmic.io.presets import PresetKind, preset_names
from cosmic.io.specs import load_scenario

GPT3 = "gpt3-175b-1024-devices-v1"
EVERY = [name for name in preset_names(PresetKind.SCENARIO) if "2048" not in name]


def drawn(scenario: Scenario, count: int) -> list[DesignPoint]:
    """Random points of a scenario's space."""
    return scenario.space.points(scenario.space.sample(np.random.default_rng(7), count))


def by_itself(scenario: Scenario, point: DesignPoint) -> Evaluation:
    """What the evaluator finds without a batch, on objects instead of columns."""
    evaluator = Evaluator(scenario)
    evaluator._batch = None
    return evaluator.evaluate([point])[0]


def with_settings(scenario: Scenario, settings: dict[str, PointValue]) -> Scenario:
    """The scenario with other things held."""
    return replace(scenario, settings=settings)


def with_limit(scenario: Scenario, metric: str, at_most: float) -> Scenario:
    """The scenario with one limit and no other."""
    limited = replace(
        scenario.space.parameter_set, limits=(Limit(metric, at_most, "s"),)
    )
    return replace(scenario, space=DesignSpace(limited, scenario.space.baseline))


def in_dimensions(scenario: Scenario, count: int) -> dict[str, PointValue]:
    """The baseline in so many dimensions of 1,024 devices."""
    sizes = {4: (4, 8, 4, 8), 3: (16, 8, 8)}
    cut = {
        k: v[:count] if isinstance(v, tuple) else v
        for k, v in scenario.baseline.items()
    }
    return {**cut, "dimensions": count, "npus_count": sizes[count]}


def exactly(found: Evaluation) -> tuple[object, ...]:
    """All that an evaluation says, in its order."""
    return tuple(found.metrics.items()), found.violations


@pytest.mark.parametrize("name", EVERY)
def test_a_batch_says_what_each_point_by_itself_does(name: str) -> None:
    scenario = load_scenario(name)
    if not StepBatch.serves(scenario):
        pytest.skip("it answers, or has protocols")
    points = drawn(scenario, 16)
    found = StepBatch(KnownParts(scenario)).evaluate(points)

    for point, evaluation in zip(points, found, strict=True):
        if evaluation is not None:
            assert exactly(evaluation) == exactly(by_itself(scenario, point))


def test_a_batch_leaves_no_point_of_the_papers_space() -> None:
    scenario = load_scenario(GPT3).scope("full_stack")
    found = StepBatch(KnownParts(scenario)).evaluate(drawn(scenario, 300))

    assert None not in found
    assert {True, False} == {one is not None and one.feasible for one in found}


def test_networks_of_different_lengths_go_together() -> None:
    scenario = load_scenario("gpt3-175b-1024-devices-dimensions-v1")
    points = [
        point
        for length in (4, 3)
        for point in nearest(scenario.space, in_dimensions(scenario, length), count=40)
    ]
    found = StepBatch(KnownParts(scenario)).evaluate(points)
    together = {p["dimensions"] for p, e in zip(points, found, strict=True) if e}

    assert together == {3, 4}
    for point, evaluation in zip(points, found, strict=True):
        if evaluation is not None and evaluation.feasible:
            assert exactly(evaluation) == exactly(by_itself(scenario, point))


def test_what_is_found_does_not_depend_on_the_company() -> None:
    scenario = load_scenario(GPT3).scope("full_stack")
    points = drawn(scenario, 60)
    batch = StepBatch(KnownParts(scenario))
    together = batch.evaluate(points)
    backward = StepBatch(KnownParts(scenario)).evaluate(points[::-1])[::-1]
    one_by_one = [batch.evaluate([point])[0] for point in points]

    assert together == backward == one_by_one


@pytest.mark.parametrize(
    "rare",
    [
        {"multi_dim_optimization": "themis"},
        {"placement": "fastest_first"},
        {"schedule": "zb-h1", "pp": 4, "dp": 8},
        {"virtual_stages": 2, "pp": 4, "dp": 8},
        {"all_reduce_algorithm": ("nvls",) * 4},
    ],
)
def test_rare_designs_are_left_to_the_evaluator(rare: dict[str, PointValue]) -> None:
    scenario = load_scenario("gpt3-175b-1024-devices-v1")
    held = {k: v for k, v in rare.items() if k not in scenario.baseline}
    moved = {k: v for k, v in rare.items() if k in scenario.baseline}
    changed = with_settings(scenario, {**scenario.settings, **held})
    point = DesignPoint({**scenario.baseline, **moved})

    assert StepBatch(KnownParts(changed)).evaluate([point]) == [None]
    assert by_itself(changed, point) == Evaluator(changed).evaluate([point])[0]


def test_limits_are_kept_before_and_after_the_simulation() -> None:
    scenario = load_scenario("gpt3-175b-1024-devices-v1")
    point = scenario.baseline
    [whole] = StepBatch(KnownParts(scenario)).evaluate([point])
    assert whole is not None
    for metric in ("memory", "runtime"):
        tight = with_limit(scenario, metric, whole.metrics[metric] / 2)
        [found] = StepBatch(KnownParts(tight)).evaluate([point])

        assert found is not None
        assert [v.constraint for v in found.violations] == [metric]
        assert ("runtime" in found.metrics) == (metric == "runtime")
        assert exactly(found) == exactly(by_itself(tight, point))
