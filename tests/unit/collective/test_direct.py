"""The direct algorithm: everybody sends to everybody else at once."""

import pytest

from cosmic.collective.algorithm import ShiftStep, Step
from cosmic.collective.direct import Direct
from cosmic.trace.node import CollectiveKind

ALL_AT_ONCE = [kind for kind in CollectiveKind if kind is not CollectiveKind.BROADCAST]


@pytest.mark.parametrize("kind", ALL_AT_ONCE)
@pytest.mark.parametrize("size", [2, 3, 8])
def test_every_step_sends_one_slice_over_every_pair(
    kind: CollectiveKind, size: int
) -> None:
    every = {(i, j) for i in range(size) for j in range(size) if i != j}

    for step in Direct().steps(kind, size):
        assert isinstance(step, ShiftStep)
        pairs = list(zip(step.sources, step.destinations, strict=True))
        assert len(pairs) == len(every)
        assert set(pairs) == every
        assert set(step.fractions) == {1 / size}
        assert step.repeat == 1


@pytest.mark.parametrize(
    ("kind", "reduces"),
    [
        (CollectiveKind.ALL_REDUCE, [True, False]),
        (CollectiveKind.REDUCE_SCATTER, [True]),
        (CollectiveKind.ALL_GATHER, [False]),
        (CollectiveKind.ALL_TO_ALL, [False]),
        (CollectiveKind.BROADCAST, [False, False]),
    ],
)
def test_what_comes_in_two_parts_takes_two_steps_and_the_rest_one(
    kind: CollectiveKind, reduces: list[bool]
) -> None:
    steps = Direct().steps(kind, 4)

    assert [getattr(step, "reduces", None) for step in steps] == reduces


def test_a_window_opens_on_one_part_of_the_others_after_another() -> None:
    windows = []
    for step in Direct(window=3).steps(CollectiveKind.ALL_GATHER, 9):
        assert isinstance(step, ShiftStep)
        windows.append(step.distances.tolist())

    assert windows == [[1, 2, 3], [4, 5, 6], [7, 8]]


def test_a_broadcast_hands_out_slices_that_all_then_exchange() -> None:
    scatter, exchange = Direct().steps(CollectiveKind.BROADCAST, 4)

    assert isinstance(scatter, Step)
    assert scatter.sources.tolist() == [0, 0, 0]
    assert scatter.destinations.tolist() == [1, 2, 3]
    assert isinstance(exchange, ShiftStep)
    assert exchange.distances.tolist() == [1, 2, 3]


def test_a_window_does_not_hold_up_the_scatter_of_a_broadcast() -> None:
    scatter, *exchange = Direct(window=2).steps(CollectiveKind.BROADCAST, 6)

    assert isinstance(scatter, Step)
    assert scatter.destinations.tolist() == [1, 2, 3, 4, 5]
    assert len(exchange) == 3  # 1 and 2, 3 and 4, 5 further on
