"""Recursive halving and doubling."""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
from typing_extensions import override

from cosmic.collective.algorithm import CollectiveAlgorithm, Step, power_of_two
from cosmic.trace.node import CollectiveKind


class HalvingDoubling(CollectiveAlgorithm):
    """Pairs exchange halves at distance 1, 2, 4 ... and, to gather, back again.

    As few bytes as a ring in log2 n steps each way, for powers of two. The largest
    messages go to the nearest partner. An all-to-all exchanges half the buffer at every
    distance.

    Reference:
        R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of collective
        communication operations in MPICH", IJHPCA 19(1), 2005.
    """

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[Step]:
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
