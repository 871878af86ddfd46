"""The direct algorithm."""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
from typing_extensions import override

from cosmic.collective.algorithm import CollectiveAlgorithm, Step
from cosmic.trace.node import CollectiveKind


class Direct(CollectiveAlgorithm):
    """Every device sends to all others at once: one step, or two for an all-reduce.

    The least steps there can be; it shines where every pair has a link of its own.

    Reference:
        R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of collective
        communication operations in MPICH", IJHPCA 19(1), 2005.
    """

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[Step]:
        if size == 1:
            return []
        scatter, exchange = _all_pairs(size, True), _all_pairs(size, False)
        match kind:
            case CollectiveKind.ALL_REDUCE:
                return [scatter, exchange]
            case CollectiveKind.REDUCE_SCATTER:
                return [scatter]
            case CollectiveKind.ALL_GATHER | CollectiveKind.ALL_TO_ALL:
                return [exchange]
            case _:
                assert_never(kind)


def _all_pairs(size: int, reduces: bool) -> Step:
    sources, destinations = np.nonzero(~np.eye(size, dtype=bool))
    return Step(
        sources=sources,
        destinations=destinations,
        fractions=np.full(len(sources), 1 / size),
        reduces=reduces,
    )
