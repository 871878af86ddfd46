"""Recursive halving and doubling, against one that exchanges numbers."""

import numpy as np
import pytest

from cosmic.collective.algorithm import Step
from cosmic.collective.halving_doubling import HalvingDoubling
from cosmic.errors import SpecError
from cosmic.trace.node import CollectiveKind

EXCHANGES = [kind for kind in CollectiveKind if kind is not CollectiveKind.BROADCAST]


def messages(kind: CollectiveKind, size: int) -> list[Step]:
    steps = HalvingDoubling().steps(kind, size)
    found = [step for step in steps if isinstance(step, Step)]
    assert len(found) == len(steps)
    return found


@pytest.mark.parametrize("size", [2, 4, 8, 16])
def test_an_all_reduce_is_the_one_that_exchanges_halves(size: int) -> None:
    levels = size.bit_length() - 1
    vectors = np.random.default_rng(0).integers(0, 99, (size, size))
    held, sent = vectors.copy(), []

    def mine(device: int, bits: int) -> list[int]:
        """Slices whose lowest bits are the device's."""
        return [part for part in range(size) if (part ^ device) % (1 << bits) == 0]

    for turn in range(2 * levels):
        bit = turn if turn < levels else 2 * levels - 1 - turn
        before = held.copy()
        for device in range(size):
            partner = device ^ (1 << bit)
            if turn < levels:  # take in my half of what we both hold
                parts = mine(device, bit + 1)
                held[device, parts] += before[partner, parts]
            else:  # take over the partner's half
                parts = mine(partner, bit + 1)
                held[device, parts] = before[partner, parts]
        sent.append((1 << bit, len(mine(0, bit + 1)) / size, turn < levels))

    steps = messages(CollectiveKind.ALL_REDUCE, size)
    assert (held == vectors.sum(axis=0)).all()
    assert [
        (int(step.destinations[0]), float(step.fractions[0]), step.reduces)
        for step in steps
    ] == sent


@pytest.mark.parametrize("kind", EXCHANGES)
def test_partners_exchange_as_much_as_they_are_given(kind: CollectiveKind) -> None:
    for step in messages(kind, 8):
        assert (step.destinations[step.destinations] == step.sources).all()
        assert len(set(step.fractions)) == 1


@pytest.mark.parametrize("kind", CollectiveKind)
def test_a_group_that_is_no_power_of_two_is_refused(kind: CollectiveKind) -> None:
    message = "halvingDoubling needs a power of two of devices, not 6"

    with pytest.raises(SpecError, match=message):
        HalvingDoubling().steps(kind, 6)


def test_an_all_to_all_exchanges_half_the_buffer_at_every_distance() -> None:
    steps = messages(CollectiveKind.ALL_TO_ALL, 8)

    assert [int(step.destinations[0]) for step in steps] == [1, 2, 4]
    assert all(set(step.fractions) == {0.5} for step in steps)


def test_a_broadcast_halves_along_a_binomial_tree_and_then_doubles() -> None:
    *scatter, third, second, first = messages(CollectiveKind.BROADCAST, 8)

    told = [(s.sources.tolist(), s.destinations.tolist()) for s in scatter]
    assert told == [([0], [1]), ([0, 1], [2, 3]), ([0, 1, 2, 3], [4, 5, 6, 7])]
    assert [s.fractions[0] for s in scatter] == [1 / 2, 1 / 4, 1 / 8]
    gather = messages(CollectiveKind.ALL_GATHER, 8)
    for step, same in zip((third, second, first), gather, strict=True):
        assert (step.destinations == same.destinations).all()
        assert (step.fractions == same.fractions).all()
