"""Recursive halving and doubling."""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
from typing_extensions import override

from cosmic.collective.algorithm import (
    AnyStep,
    CollectiveAlgorithm,
    Step,
    power_of_two,
)
from cosmic.trace.node import CollectiveKind


class HalvingDoubling(CollectiveAlgorithm):
    """Pairs exchange halves at distance 1, 2, 4 ... and, to gather, back again.

    As few bytes as a ring in log2 n steps each way, for powers of two. The largest
    messages go to the nearest partner. An all-to-all exchanges half the buffer at every
    distance. A broadcast halves the first device's buffer along a binomial tree, until
    each device holds a slice, and then gathers by doubling.

    Reference:
        R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of collective
        communication operations in MPICH", IJHPCA 19(1), 2005.
    """

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        levels = range(power_of_two("halvingDoubling", size))
        halving = [_exchange(size, 1 << j, 0.5 ** (j + 1), True) for j in levels]
        doubling = [
            _exchange(size, 1 << j, 0.5 ** (j + 1), False) for j in reversed(levels)
        ]
        match kind:
            case CollectiveKind.ALL_REDUCE:
                return [*halving, *doubling]
            case CollectiveKind.REDUCE_SCATTER:
                return halving
            case CollectiveKind.ALL_GATHER:
                return doubling
            case CollectiveKind.ALL_TO_ALL:
                return [_exchange(size, 1 << j, 0.5, False) for j in levels]
            case CollectiveKind.BROADCAST:
                return [*(_scatter(1 << j, 0.5 ** (j + 1)) for j in levels), *doubling]
            case _:
                assert_never(kind)


def _exchange(size: int, distance: int, fraction: float, reduces: bool) -> Step:
    devices = np.arange(size)
    return Step(
        sources=devices,
        destinations=devices ^ distance,
        fractions=np.full(size, fraction),
        reduces=reduces,
    )


def _scatter(holders: int, fraction: float) -> Step:
    """Each of the devices that hold something hands on half of it."""
    devices = np.arange(holders)
    return Step(
        sources=devices,
        destinations=devices + holders,
        fractions=np.full(holders, fraction),
    )
