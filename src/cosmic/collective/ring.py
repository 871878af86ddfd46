"""The ring algorithm."""

from collections.abc import Sequence
from typing import assert_never

from typing_extensions import override

from cosmic.collective.algorithm import CollectiveAlgorithm, Step, repeated, shift
from cosmic.trace.node import CollectiveKind


class Ring(CollectiveAlgorithm):
    """Each device passes one slice to its neighbor until all have gone round.

    An all-reduce sends 2(n-1)/n of the buffer, which is the least that any algorithm
    can; it pays for that with 2(n-1) steps. A chunk goes one way round. An all-to-all
    hands on what is still travelling, n-1 slices in the first step and one in the last.

    Reference:
        P. Patarasuk and X. Yuan, "Bandwidth optimal all-reduce algorithms for clusters
        of workstations", JPDC 69(2), 2009.
    """

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[Step]:
        if size == 1:
            return []
        around = shift(size, 1, 1 / size)
        scatter = repeated(around, size - 1, reduces=True)
        gather = repeated(around, size - 1, reduces=False)
        match kind:
            case CollectiveKind.ALL_REDUCE:
                return [scatter, gather]
            case CollectiveKind.REDUCE_SCATTER:
                return [scatter]
            case CollectiveKind.ALL_GATHER:
                return [gather]
            case CollectiveKind.ALL_TO_ALL:
                return [shift(size, 1, left / size) for left in range(size - 1, 0, -1)]
            case _:
                assert_never(kind)
