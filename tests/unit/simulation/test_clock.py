"""On the grid, sums of durations are exact in any order."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.simulation.clock import on_grid, tick

durations = st.lists(
    st.floats(min_value=0, max_value=1e3, allow_subnormal=False),
    min_size=1,
    max_size=50,
)


@given(seconds=durations, order=st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_their_order(seconds: list[float], order: object) -> None:
    rounded = on_grid(np.array(seconds), tick(sum(seconds))).tolist()
    exact = math.fsum(rounded)

    assert sum(rounded) == exact
    assert sum(sorted(rounded)) == exact
    assert sum(sorted(rounded, reverse=True)) == exact


@given(seconds=durations)
def test_rounding_moves_a_duration_by_half_a_tick_at_most(seconds: list[float]) -> None:
    unit = tick(sum(seconds))
    rounded = on_grid(np.array(seconds), unit)

    assert np.all(np.abs(rounded - np.array(seconds)) <= unit / 2)


@given(bound=st.floats(min_value=1e-12, max_value=1e12))
def test_a_tick_is_a_power_of_two_and_does_not_show(bound: float) -> None:
    unit = tick(bound)

    assert math.frexp(unit)[0] == 0.5
    assert unit <= bound * 2.0**-51


@given(bound=st.floats(min_value=1e-12, max_value=1e12))
def test_half_the_bound_has_half_the_tick(bound: float) -> None:
    assert tick(bound / 2) == tick(bound) / 2


@pytest.mark.parametrize("bound", [0.0, -1.0])
def test_a_run_that_takes_no_time_has_a_tick_all_the_same(bound: float) -> None:
    assert on_grid(np.zeros(3), tick(bound)).tolist() == [0.0, 0.0, 0.0]
