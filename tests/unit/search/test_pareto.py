import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosmic.errors import SpecError
from cosmic.search.pareto import Values, hypervolume, knee, pareto_front

LEVELS = 5  # few, so that there are equals

tables = st.integers(1, 4).flatmap(
    lambda width: hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 25), st.just(width)),
        elements=st.integers(0, LEVELS - 1).map(float),
    )
)


@given(tables)
def test_the_front_is_what_nothing_beats(values: Values) -> None:
    """Against the definition, pair by pair."""
    beaten = {
        row
        for row, one in enumerate(values)
        for place, other in enumerate(values)
        if (other <= one).all() and ((other < one).any() or place < row)
    }

    assert sorted(pareto_front(values)) == sorted(set(range(len(values))) - beaten)


@given(tables)
def test_the_volume_is_that_of_the_cells_that_are_beaten(values: Values) -> None:
    """Against counting unit cells of the box from 0 to the reference."""
    width = values.shape[1]
    corners = np.stack(np.meshgrid(*[np.arange(LEVELS)] * width), -1).reshape(-1, width)
    beaten = [(values <= corner).all(axis=1).any() for corner in corners]

    assert hypervolume(values, [LEVELS] * width) == sum(beaten)


@given(tables)
def test_only_the_front_counts_for_the_volume(values: Values) -> None:
    reference = [LEVELS] * values.shape[1]
    front = values[pareto_front(values)]

    assert hypervolume(front, reference) == hypervolume(values, reference)


def test_what_is_no_better_than_the_reference_counts_for_nothing() -> None:
    assert hypervolume(np.array([[1.0, 4.0], [5.0, 0.0]]), (3.0, 3.0)) == 0


def test_the_knee_gains_most_for_what_it_gives_up() -> None:
    curve = np.array([[1.0, 1000.0], [10.0, 50.0], [12.0, 3.0], [1000.0, 1.0]])

    assert knee(curve) == 2
    assert knee(curve * [1e-6, 1e9]) == 2  # units do not matter
    assert knee(curve[:2]) is None


def test_the_knee_may_have_zeros_and_a_column_that_stands_still() -> None:
    assert knee(np.array([[0.0, 9.0, 7.0], [1.0, 1.0, 7.0], [9.0, 0.0, 7.0]])) == 1


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(SpecError, match="not a number"):
        pareto_front(np.array([[1.0, np.nan]]))
    with pytest.raises(SpecError, match="2 values of reference for 1 objectives"):
        hypervolume(np.array([[1.0]]), (1.0, 2.0))
