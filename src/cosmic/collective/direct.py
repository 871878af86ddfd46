"""The direct algorithm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np
from typing_extensions import override

from cosmic.collective.algorithm import AnyStep, CollectiveAlgorithm, ShiftStep, Step
from cosmic.errors import SpecError
from cosmic.trace.node import CollectiveKind


@dataclass(frozen=True, slots=True)
class Direct(CollectiveAlgorithm):
    """Every device sends to all others at once: one step, or two for an all-reduce.

    The least steps there can be; it shines where every pair has a link of its own.
    With a window of W, a device sends to W others at a time, those 1 to W further on,
    then those W + 1 to 2 W, and so on: ceil((n - 1) / W) steps in place of one. A
    broadcast scatters slices from the first device, to all others at once whatever the
    window, and then exchanges them.

    Attributes:
        window: How many others a device sends to at a time; none for all at once.

    Raises:
        SpecError: The window is less than 1.

    Reference:
        R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of collective
        communication operations in MPICH", IJHPCA 19(1), 2005.
    """

    window: int | None = None

    def __post_init__(self) -> None:
        if self.window is not None and self.window < 1:
            raise SpecError(f"a window is at least 1, not {self.window}")

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        if size == 1:
            return []
        exchange = [_to_distances(size, each) for each in self._windows(size)]
        scatter = [replace(step, reduces=True) for step in exchange]
        match kind:
            case CollectiveKind.ALL_REDUCE:
                return [*scatter, *exchange]
            case CollectiveKind.REDUCE_SCATTER:
                return scatter
            case CollectiveKind.ALL_GATHER | CollectiveKind.ALL_TO_ALL:
                return exchange
            case CollectiveKind.BROADCAST:
                return [_from_first(size), *exchange]
            case _:
                assert_never(kind)

    def _windows(self, size: int) -> list[range]:
        """The distances of each step."""
        width = min(self.window or size - 1, size - 1)
        return [
            range(start, min(start + width, size)) for start in range(1, size, width)
        ]


def _to_distances(size: int, distances: range) -> ShiftStep:
    return ShiftStep(
        size=size,
        distances=np.array(distances),
        each=np.full(len(distances), 1 / size),
    )


def _from_first(size: int) -> Step:
    """The first device sends a slice to every other one."""
    return Step(
        sources=np.zeros(size - 1, dtype=np.int64),
        destinations=np.arange(1, size),
        fractions=np.full(size - 1, 1 / size),
    )
