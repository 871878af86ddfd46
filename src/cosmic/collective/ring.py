"""The ring algorithm."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

import numpy as np
from typing_extensions import override

from cosmic.collective.algorithm import (
    CollectiveAlgorithm,
    ShiftStep,
    Step,
    shift,
)
from cosmic.trace.node import CollectiveKind


class Ring(CollectiveAlgorithm):
    """Each device passes one slice to its neighbor until all have gone round.

    An all-reduce sends 2(n-1)/n of the buffer, which is the least that any algorithm
    can; it pays for that with 2(n-1) steps. A chunk goes one way round. An all-to-all
    hands on what is still travelling, n-1 slices in the first step and one in the last.
    A broadcast is a chain from the first device to the last, filled with n slices, one
    behind the other.

    Reference:
        P. Patarasuk and X. Yuan, "Bandwidth optimal all-reduce algorithms for clusters
        of workstations", JPDC 69(2), 2009; P. Sanders, J. Speck and J. L. Träff,
        "Two-tree algorithms for full bandwidth broadcast, reduction and scan", Parallel
        Computing 35(12), 2009, for the chain (linear pipeline).
    """

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[Step | ShiftStep]:
        if size == 1:
            return []
        around = shift(size, 1, 1 / size)
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
                return [shift(size, 1, left / size) for left in range(size - 1, 0, -1)]
            case CollectiveKind.BROADCAST:
                return [_chain(size, turn) for turn in range(2 * size - 2)]
            case _:
                assert_never(kind)


def _chain(size: int, turn: int) -> Step:
    """Device i passes on slice `turn` - i, if there is one."""
    senders = np.arange(max(0, turn - size + 1), min(turn, size - 2) + 1)
    return Step(
        sources=senders,
        destinations=senders + 1,
        fractions=np.full(len(senders), 1 / size),
    )
