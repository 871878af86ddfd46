"""Recursive halving and doubling, against one that exchanges numbers."""

import numpy as np
import pytest

from cosmic.collective.halving_doubling import HalvingDoubling
from cosmic.errors import SpecError
from cosmic.trace.node import CollectiveKind


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

    steps = HalvingDoubling().steps(CollectiveKind.ALL_REDUCE, size)
    assert (held == vectors.sum(axis=0)).all()
    assert [
        (int(step.destinations[0]), float(step.fractions[0]), step.reduces)
        for step in steps
    ] == sent


@pytest.mark.parametrize("kind", CollectiveKind)
def test_partners_exchange_as_much_as_they_are_given(kind: CollectiveKind) -> None:
    for step in HalvingDoubling().steps(kind, 8):
        assert (step.destinations[step.destinations] == step.sources).all()
        assert len(set(step.fractions)) == 1


@pytest.mark.parametrize("kind", CollectiveKind)
def test_a_group_that_is_no_power_of_two_is_refused(kind: CollectiveKind) -> None:
    message = "halvingDoubling needs a power of two of devices, not 6"

    with pytest.raises(SpecError, match=message):
        HalvingDoubling().steps(kind, 6)


def test_an_all_to_all_exchanges_half_the_buffer_at_every_distance() -> None:
    steps = HalvingDoubling().steps(CollectiveKind.ALL_TO_ALL, 8)

    assert [int(step.destinations[0]) for step in steps] == [1, 2, 4]
    assert all(set(step.fractions) == {0.5} for step in steps)
