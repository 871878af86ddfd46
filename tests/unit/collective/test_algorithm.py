"""What the algorithms share: their table, and the steps that they are made of."""

import numpy as np
import pytest

from cosmic.collective.algorithm import (
    ALGORITHMS,
    ShiftStep,
    make_algorithm,
    power_of_two,
    shift,
)
from cosmic.collective.direct import Direct
from cosmic.collective.ring import Ring
from cosmic.errors import SpecError, UnknownNameError
from cosmic.trace.node import CollectiveKind


def test_the_built_in_algorithms_are_those_of_the_paper() -> None:
    known = {"ring", "direct", "halvingDoubling", "doubleBinaryTree"}

    assert known <= set(ALGORITHMS.names())


def test_an_unknown_algorithm_is_named_with_the_nearest_known_one() -> None:
    message = "no collective algorithm named 'rign'; did you mean 'ring'?"

    with pytest.raises(UnknownNameError, match=message):
        make_algorithm("rign")


@pytest.mark.parametrize("name", ALGORITHMS.names())
def test_a_name_of_the_table_makes_its_algorithm(name: str) -> None:
    assert isinstance(make_algorithm(name), ALGORITHMS.get(name))


@pytest.mark.parametrize(("name", "window"), [("direct4", 4), ("direct012", 12)])
def test_a_number_after_direct_is_its_window(name: str, window: int) -> None:
    assert make_algorithm(name) == Direct(window)


@pytest.mark.parametrize("name", ["direct0", "direct000", "direct" + "9" * 5000])
def test_a_window_is_at_least_one_and_no_endless_number(name: str) -> None:
    message = r"the window of direct<W> is a whole number from 1 to 999999999, as in"

    with pytest.raises(SpecError, match=message) as raised:
        make_algorithm(name)
    assert len(str(raised.value)) < 120


@pytest.mark.parametrize("name", ["directx", "direct-1", "direct1.5", "direct٣"])
def test_what_is_no_window_is_a_misspelled_name(name: str) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'direct'"):
        make_algorithm(name)


def test_a_name_like_no_other_lists_what_there_is() -> None:
    with pytest.raises(UnknownNameError, match=r"known: .*direct, direct<W>, double"):
        make_algorithm("xyz")


def test_a_window_of_nobody_is_refused() -> None:
    with pytest.raises(SpecError, match="a window is at least 1, not 0"):
        Direct(0)


def test_a_shift_goes_around() -> None:
    step = shift(4, 3, 0.25)

    assert step.sources.tolist() == [0, 1, 2, 3]
    assert step.destinations.tolist() == [3, 0, 1, 2]
    assert step.fractions.tolist() == [0.25] * 4


@pytest.mark.parametrize(("size", "logarithm"), [(1, 0), (2, 1), (64, 6)])
def test_powers_of_two_have_a_logarithm(size: int, logarithm: int) -> None:
    assert power_of_two("any", size) == logarithm


@pytest.mark.parametrize("size", [3, 6, 12])
def test_other_sizes_are_refused_by_name(size: int) -> None:
    message = f"any needs a power of two of devices, not {size}"

    with pytest.raises(SpecError, match=message):
        power_of_two("any", size)


@pytest.mark.parametrize("size", [2, 5])
def test_a_shift_step_lists_the_messages_of_every_device(size: int) -> None:
    step = ShiftStep(
        size=size, distances=np.array([1, size - 1]), each=np.array([0.25, 0.5])
    )

    listed = zip(step.sources, step.destinations, step.fractions, strict=True)
    assert list(listed) == [
        message
        for i in range(size)
        for message in ((i, (i + 1) % size, 0.25), (i, (i - 1) % size, 0.5))
    ]


@pytest.mark.parametrize("algorithm", [Ring(), Direct(), Direct(100)])
def test_steps_of_many_devices_stay_small(algorithm: Ring | Direct) -> None:
    """Every pair of 1,024 devices would be a million messages."""
    steps = algorithm.steps(CollectiveKind.ALL_REDUCE, 1024)

    for step in steps:
        assert isinstance(step, ShiftStep)
        assert len(step.distances) < 1024
