"""A surprising design is told with the usual choice beside it, and what that costs."""

from dataclasses import replace

import pytest

from cosmic.cli.paper_surprises import surprises
from cosmic.design.parameter import PointValue
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.io.comparisons import load_comparison
from cosmic.io.specs import load_scenario
from cosmic.search.standing import Outcome

NAME = "vit-base-512-devices-v1"
SCENARIO = load_scenario(NAME).seeking(OBJECTIVES["runtime"])


def outcome(**changes: PointValue) -> Outcome:
    """What a search would have found that ended at this design."""
    whole = {**SCENARIO.baseline, **changes}
    point = SCENARIO.space.point(SCENARIO.space.vector(whole))
    [evaluation] = Evaluator(SCENARIO).evaluate([point])
    return Outcome(
        scenario=NAME,
        objective="runtime",
        scope="full_stack",
        agent="genetic",
        options={},
        seed=0,
        points=1,
        trials=1,
        feasible=1,
        value=OBJECTIVES["runtime"].value(evaluation.metrics),
        found_at=1,
        design=dict(point),
        metrics=dict(evaluation.metrics),
        seconds=0.0,
    )


def found(one: Outcome) -> dict[str, float]:
    """How many times worse each rule of thumb is."""
    comparison = load_comparison("paper-single-against-full-v1", quick=True)
    comparison = replace(comparison, objectives=("runtime",))
    told = surprises(comparison, [one], published=False, most=9)
    return {each.rule: each.times_worse for each in told}


def test_what_a_usual_choice_costs() -> None:
    """Counted again by hand: the same design with the baseline's degrees."""
    best = outcome(dp=512, pp=1, sp=1)
    [old] = Evaluator(SCENARIO).evaluate([SCENARIO.baseline])
    assert best.value is not None

    told = found(best)

    times = old.metrics["runtime"] / best.metrics["runtime"]
    assert told["the split that the system came with"] == pytest.approx(times)


def test_what_the_rule_would_make_better_is_no_surprise() -> None:
    """A slow innermost dimension under tensor parallelism is only a mistake."""
    gigabytes = [float(size) * 1e9 for size in (50, 50, 50, 500)]

    told = found(outcome(bandwidth=tuple(gigabytes)))

    assert "bandwidth that falls from the inner to the outer dimensions" not in told


def test_the_baseline_itself_goes_by_the_rules() -> None:
    told = found(outcome())

    assert "the split that the system came with" not in told
    assert "an algorithm for the shape of each dimension" not in told
    assert "the network that the system came with" not in told
