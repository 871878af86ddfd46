"""One collective over several dimensions: the phases that each chunk passes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.trace.node import CollectiveKind


@dataclass(frozen=True, slots=True)
class Phase:
    """What one chunk does in one dimension.

    Attributes:
        dimension: Which dimension, as an index into the topology.
        kind: The collective within the dimension.
        algorithm: Name of the algorithm.
        fraction: The phase's buffer over the chunk's.
    """

    dimension: int
    kind: CollectiveKind
    algorithm: str
    fraction: float


def plan(
    kind: CollectiveKind, extents: Sequence[tuple[int, int]], policy: CollectivePolicy
) -> tuple[Phase, ...]:
    """The phases of a collective, in order.

    A reduce-scatter goes outward and shrinks on the way, an all-gather inward and
    grows, an all-to-all goes dimension by dimension. The phases of an all-reduce all
    use its own algorithms.

    Args:
        kind: The collective.
        extents: Dimension and devices of the group in it, innermost first; dimensions
            with one device of the group are to be left out.
        policy: Algorithms and scheme.

    Reference:
        M. Cho et al., "BlueConnect: Decomposing all-reduce for deep learning on
        heterogeneous network hierarchy", SysML 2019 (localBWAware).
    """

    def phase(dimension: int, part: CollectiveKind, fraction: float) -> Phase:
        return Phase(dimension, part, policy.algorithm(kind, dimension), fraction)

    outward: list[tuple[int, float]] = []
    fraction = 1.0
    for dimension, extent in extents:
        outward.append((dimension, fraction))
        fraction /= extent
    match kind:
        case CollectiveKind.REDUCE_SCATTER:
            return tuple(phase(d, kind, part) for d, part in outward)
        case CollectiveKind.ALL_GATHER:
            return tuple(phase(d, kind, part) for d, part in reversed(outward))
        case CollectiveKind.ALL_TO_ALL:
            return tuple(phase(d, kind, 1.0) for d, _ in outward)
        case CollectiveKind.ALL_REDUCE:
            if policy.multi_dimensional is MultiDimensional.BASELINE or not outward:
                return tuple(phase(d, kind, 1.0) for d, _ in outward)
            *inner, (last, part) = outward
            return (
                *(phase(d, CollectiveKind.REDUCE_SCATTER, p) for d, p in inner),
                phase(last, kind, part),
                *(phase(d, CollectiveKind.ALL_GATHER, p) for d, p in reversed(inner)),
            )
        case _:
            assert_never(kind)
