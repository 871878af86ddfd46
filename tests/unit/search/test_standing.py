"""How much better the widest scope is, by hand."""

import pytest

from cosmic.evaluation.objective import OBJECTIVES
from cosmic.search.standing import (
    EXHAUSTIVE,
    Outcome,
    agent_standings,
    ratios,
    reached,
)


def outcome(
    scope: str, value: float | None, seed: int = 0, agent: str = "genetic"
) -> Outcome:
    """The outcome of a search for a short step."""
    return Outcome(
        scenario="tiny",
        objective="runtime",
        scope=scope,
        agent=agent,
        options={},
        seed=seed,
        points=10,
        trials=10,
        feasible=8,
        value=value,
        found_at=None if value is None else 4 + seed,
        design={},
        metrics={},
        seconds=1.0,
    )


def test_ratios_go_seed_by_seed() -> None:
    outcomes = [
        *(outcome("network_only", value, seed) for seed, value in enumerate([6, 8, 9])),
        *(outcome("full_stack", value, seed) for seed, value in enumerate([3, 2, 1])),
    ]

    [ratio] = ratios(outcomes, OBJECTIVES, "full_stack")

    assert ratio.ratios == (2, 4, 9)
    assert ratio.median == 4
    assert not ratio.exhaustive


def test_the_best_of_all_stands_for_every_seed() -> None:
    outcomes = [
        outcome("workload_only", 4, agent=EXHAUSTIVE),
        outcome("workload_only", 6),
        outcome("full_stack", 2, 0),
        outcome("full_stack", 8, 1),
    ]

    [ratio] = ratios(outcomes, OBJECTIVES, "full_stack")

    assert ratio.ratios == (2, 0.5)
    assert ratio.exhaustive


def test_without_an_answer_there_is_no_ratio() -> None:
    outcomes = [outcome("network_only", None), outcome("full_stack", 2)]

    assert list(ratios(outcomes, OBJECTIVES, "full_stack")) == []


def test_agents_stand_beside_the_best_of_all() -> None:
    outcomes = [
        outcome("workload_only", 4, agent=EXHAUSTIVE),
        outcome("workload_only", 4, 0),
        outcome("workload_only", 5, 1),
        outcome("network_only", 1),
    ]

    [found] = reached(outcomes, OBJECTIVES)

    assert (found.scope, found.best) == ("workload_only", 4)
    assert found.ratios == pytest.approx((1, 1.25))
    assert found.found_at == (4, 5)


def test_agents_stand_by_how_far_they_are_behind_the_best() -> None:
    outcomes = [
        outcome("full_stack", 2, 0, "random"),
        outcome("full_stack", 6, 1, "random"),
        outcome("full_stack", 1, 0),
        outcome("full_stack", 2, 1),
        outcome("full_stack", None, 0, "bayesian"),
    ]

    standings = agent_standings(outcomes, OBJECTIVES)

    assert [each.agent for each in standings] == ["genetic", "random", "bayesian"]
    assert [each.ratios for each in standings] == [(1, 2), (2, 6), ()]
    assert [each.median for each in standings] == [1.5, 4, float("inf")]
    assert [each.lost for each in standings] == [0, 0, 1]
