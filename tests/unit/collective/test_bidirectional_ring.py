"""The ring both ways round: half of each slice goes either way."""

import pytest

from cosmic.collective.algorithm import ShiftStep, Step
from cosmic.collective.bidirectional_ring import BidirectionalRing
from cosmic.trace.node import CollectiveKind


def both_ways(kind: CollectiveKind, size: int) -> list[ShiftStep]:
    steps = BidirectionalRing().steps(kind, size)
    found = [step for step in steps if isinstance(step, ShiftStep)]
    assert len(found) == len(steps)
    return found


def test_halves_go_to_both_neighbors() -> None:
    scatter, gather = both_ways(CollectiveKind.ALL_REDUCE, 5)

    for step in (scatter, gather):
        assert step.distances.tolist() == [1, 4]
        assert step.each.tolist() == [0.1, 0.1]
        assert step.repeat == 4
    assert (scatter.reduces, gather.reduces) == (True, False)


@pytest.mark.parametrize(
    ("size", "slices"), [(5, [2, 1]), (6, [2.5, 1.5, 0.5]), (2, [0.5])]
)
def test_an_all_to_all_takes_half_a_ring_of_steps(
    size: int, slices: list[float]
) -> None:
    # of 6: to those 1 and 2 further on a slice, to the opposite one half each way
    steps = both_ways(CollectiveKind.ALL_TO_ALL, size)

    assert [step.each[0] * size for step in steps] == pytest.approx(slices)


def test_two_chains_leave_the_first_device() -> None:
    steps = BidirectionalRing().steps(CollectiveKind.BROADCAST, 3)
    told = []
    for step in steps:
        assert isinstance(step, Step)
        told.append(sorted(zip(step.sources, step.destinations, strict=True)))
        assert set(step.fractions) == {1 / 6}

    assert told == [
        [(0, 1), (0, 2)],
        [(0, 1), (0, 2), (1, 2), (2, 1)],
        [(0, 1), (0, 2), (1, 2), (2, 1)],
        [(1, 2), (2, 1)],
    ]
