"""What the algorithms share: their table, and the steps that they are made of."""

import pytest

from cosmic.collective.algorithm import ALGORITHMS, power_of_two, repeated, shift
from cosmic.errors import SpecError, UnknownNameError


def test_the_built_in_algorithms_are_those_of_the_paper() -> None:
    known = {"ring", "direct", "halvingDoubling", "doubleBinaryTree"}

    assert known <= set(ALGORITHMS.names())


def test_an_unknown_algorithm_is_named_with_the_nearest_known_one() -> None:
    message = "no collective algorithm named 'rign'; did you mean 'ring'?"

    with pytest.raises(UnknownNameError, match=message):
        ALGORITHMS.get("rign")


def test_a_shift_goes_around() -> None:
    step = shift(4, 3, 0.25)

    assert step.sources.tolist() == [0, 1, 2, 3]
    assert step.destinations.tolist() == [3, 0, 1, 2]
    assert step.fractions.tolist() == [0.25] * 4


def test_a_repeated_step_sends_the_same_messages() -> None:
    once = shift(4, 1, 0.5)

    many = repeated(once, 3, reduces=True)

    assert (many.repeat, many.reduces) == (3, True)
    assert (many.sources == once.sources).all()
    assert (many.destinations == once.destinations).all()


@pytest.mark.parametrize(("size", "logarithm"), [(1, 0), (2, 1), (64, 6)])
def test_powers_of_two_have_a_logarithm(size: int, logarithm: int) -> None:
    assert power_of_two("any", size) == logarithm


@pytest.mark.parametrize("size", [3, 6, 12])
def test_other_sizes_are_refused_by_name(size: int) -> None:
    message = f"any needs a power of two of devices, not {size}"

    with pytest.raises(SpecError, match=message):
        power_of_two("any", size)
