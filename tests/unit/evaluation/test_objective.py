"""Objectives: the paper's rewards by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import SpecError, UnknownNameError
from cosmic.evaluation.objective import (
    OBJECTIVES,
    Direction,
    Objective,
    Term,
    objective_named,
)

METRICS = {
    "runtime": 2.0,
    "memory": 8e9,
    "total_bandwidth": 400e9,
    "network_cost": 1e6,
    "tokens_per_second": 5000.0,
}


def test_perf_per_bandwidth_counts_nanoseconds_and_gigabytes() -> None:
    # 2e9 ns x 400 GB/s / 2000 = 4e8
    objective = OBJECTIVES["perf_per_bandwidth"]

    assert objective.value(METRICS) == pytest.approx(4e8, rel=1e-15)
    expected = 1 / math.sqrt(1 + (4e8 - 1) ** 2)
    assert objective.score(METRICS) == pytest.approx(expected, rel=1e-15)


def test_perf_per_cost_counts_nanoseconds_and_dollars() -> None:
    assert OBJECTIVES["perf_per_cost"].value(METRICS) == pytest.approx(2e9 * 1e6)


def test_two_terms_are_folded_as_the_paper_folds_them() -> None:
    # x = 2e9 ns and 8e9 B: 1/r = sqrt(1 + (2e9 - 1)^2 + (8e9 - 1)^2)
    value = OBJECTIVES["both"].value(METRICS)

    assert value == pytest.approx(math.sqrt(1 + (2e9 - 1) ** 2 + (8e9 - 1) ** 2))
    assert OBJECTIVES["both"].score(METRICS) == pytest.approx(1 / value)


def test_throughput_is_better_high() -> None:
    assert OBJECTIVES["throughput"].score(METRICS) == 5000.0


@given(st.floats(1e-6, 1e4), st.floats(1.001, 100))
def test_less_time_is_a_higher_reward(runtime: float, factor: float) -> None:
    objective = OBJECTIVES["runtime"]

    slow, fast = {"runtime": runtime * factor}, {"runtime": runtime}
    assert objective.score(fast) > objective.score(slow)


def test_an_unknown_objective_has_a_near_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'perf_per_cost'"):
        objective_named("perf_per_costs")


def test_an_objective_has_terms() -> None:
    with pytest.raises(SpecError, match="has no terms"):
        Objective(name="nothing", terms=())


def test_only_one_term_can_be_maximized() -> None:
    terms = (Term(("mfu",)), Term(("tokens_per_second",)))

    with pytest.raises(SpecError, match="can maximize one term"):
        Objective(name="two", terms=terms, direction=Direction.MAXIMIZE)
