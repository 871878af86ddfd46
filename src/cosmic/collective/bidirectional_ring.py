"""The ring algorithm, both ways round at once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

import numpy as np
from typing_extensions import override

from cosmic.collective.algorithm import AnyStep, CollectiveAlgorithm, ShiftStep, Step
from cosmic.trace.node import CollectiveKind


class BidirectionalRing(CollectiveAlgorithm):
    """A ring in which half of each slice goes one way round and half the other.

    It sends what a ring sends, in as many steps, but over both links of a device at
    once. In an all-to-all every slice takes the shorter way; those for the opposite
    device go half each way. A broadcast is two chains that leave the first device in
    either direction, each filled with n half slices.

    Reference:
        N. Jain and Y. Sabharwal, "Optimal bucket algorithms for large MPI collectives
        on torus interconnects", ICS 2010, for buckets that go both ways round.
    """

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        if size == 1:
            return []
        around = _both_ways(size, 1 / (2 * size))
        scatter = replace(around, repeat=size - 1, reduces=True)
        gather = replace(around, repeat=size - 1)
        match kind:
            case CollectiveKind.ALL_REDUCE:
                return [scatter, gather]
            case CollectiveKind.REDUCE_SCATTER:
                return [scatter]
            case CollectiveKind.ALL_GATHER:
                return [gather]
            case CollectiveKind.ALL_TO_ALL:
                # the slice for the device d away travels d steps, d up to n / 2; one
                # for d = n / 2 counts half in either direction
                travelling = [size / 2 - d + 0.5 for d in range(1, size // 2 + 1)]
                return [_both_ways(size, slices / size) for slices in travelling]
            case CollectiveKind.BROADCAST:
                return [_chains(size, turn) for turn in range(2 * size - 2)]
            case _:
                assert_never(kind)


def _both_ways(size: int, fraction: float) -> ShiftStep:
    """Every device sends `fraction` to the next device and as much to the one before.

    >>> _both_ways(5, 0.1).distances
    array([1, 4])
    """
    return ShiftStep(
        size=size, distances=np.array([1, size - 1]), each=np.full(2, fraction)
    )


def _chains(size: int, turn: int) -> Step:
    """In either chain, device i places from the start passes on half slice turn - i."""
    places = np.arange(max(0, turn - size + 1), min(turn, size - 2) + 1)
    return Step(
        sources=np.stack([places, -places % size], axis=1).ravel(),
        destinations=np.stack([places + 1, (-places - 1) % size], axis=1).ravel(),
        fractions=np.full(2 * len(places), 1 / (2 * size)),
    )
