"""The ring, against one that passes numbers around."""

from collections.abc import Sequence

import numpy as np
import pytest

from cosmic.collective.algorithm import ShiftStep, Step
from cosmic.collective.ring import Ring
from cosmic.trace.node import CollectiveKind


def expanded(steps: Sequence[Step | ShiftStep]) -> list[list[tuple[int, int, float]]]:
    """Each step's messages, a repeated step as often as it is done."""
    found = []
    for step in steps:
        messages = zip(
            step.sources.tolist(),
            step.destinations.tolist(),
            step.fractions.tolist(),
            strict=True,
        )
        found += [sorted(messages)] * step.repeat
    return found


@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_an_all_reduce_is_the_one_that_passes_slices_around(size: int) -> None:
    vectors = np.random.default_rng(0).integers(0, 99, (size, size))
    held, sent = vectors.copy(), []

    for turn in range(2 * (size - 1)):  # slice i - turn leaves device i
        leaving = [(i, (i + 1) % size, (i - turn) % size) for i in range(size)]
        values = [held[i, part] for i, _, part in leaving]
        for (_, to, part), value in zip(leaving, values, strict=True):
            held[to, part] = value + (held[to, part] if turn < size - 1 else 0)
        sent.append(sorted((i, to, 1 / size) for i, to, _ in leaving))

    assert (held == vectors.sum(axis=0)).all()
    assert expanded(Ring().steps(CollectiveKind.ALL_REDUCE, size)) == sent


def test_only_the_first_half_of_an_all_reduce_adds_up() -> None:
    steps = Ring().steps(CollectiveKind.ALL_REDUCE, 4)

    assert [(step.repeat, step.reduces) for step in steps] == [(3, True), (3, False)]


@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_an_all_to_all_hands_on_until_every_slice_is_home(size: int) -> None:
    travelling = {i: {(i, to) for to in range(size) if to != i} for i in range(size)}
    home: set[tuple[int, int]] = set()
    steps = expanded(Ring().steps(CollectiveKind.ALL_TO_ALL, size))

    for messages in steps:
        assert messages == sorted(
            (i, (i + 1) % size, len(travelling[i]) / size) for i in range(size)
        )
        travelling = {(i + 1) % size: slices for i, slices in travelling.items()}
        for i, slices in travelling.items():
            arrived = {(source, to) for source, to in slices if to == i}
            home |= arrived
            slices.difference_update(arrived)

    assert len(home) == size * (size - 1)
    assert not any(travelling.values())


@pytest.mark.parametrize("size", [2, 3, 7])
def test_a_broadcast_is_a_chain_with_slices_behind_each_other(size: int) -> None:
    at = [0] * size  # where each slice has come to
    for messages in expanded(Ring().steps(CollectiveKind.BROADCAST, size)):
        sending = [source for source, _, _ in messages]
        # the slice that is furthest on leaves first; two are never in one place
        moving = [next(part for part in range(size) if at[part] == i) for i in sending]
        for part, (source, to, fraction) in zip(moving, messages, strict=True):
            assert (to, fraction) == (source + 1, 1 / size)
            at[part] = to

    assert at == [size - 1] * size
