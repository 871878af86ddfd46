"""One collective over several dimensions: the phases that each chunk passes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import assert_never

from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.collective.themis import Order, balanced_orders
from cosmic.trace.node import CollectiveKind
from cosmic.units import Seconds

Price = Callable[[int, CollectiveKind, str, float], Seconds]

_SLIGHT = 1 / 16  # of a chunk: loads that differ by less time count as even


@dataclass(frozen=True, slots=True)
class Phase:
    """What one chunk does along one span of the group.

    Attributes:
        span: Which span, as an index into the extents that were planned for.
        dimension: Its dimension, as an index into the topology.
        kind: The collective along the span.
        algorithm: Name of the algorithm.
        fraction: The phase's buffer over the chunk's.
    """

    span: int
    dimension: int
    kind: CollectiveKind
    algorithm: str
    fraction: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way of some chunks of a collective through the network.

    Attributes:
        chunks: How many go this way, at least 1.
        phases: What each of them passes, in order; at least one.
    """

    chunks: int
    phases: tuple[Phase, ...]


def plan(
    kind: CollectiveKind,
    extents: Sequence[tuple[int, int]],
    policy: CollectivePolicy,
    price: Price,
) -> tuple[Route, ...]:
    """The routes of a collective's chunks; none for a group of one device.

    A reduce-scatter goes outward and shrinks on the way, an all-gather inward and
    grows, an all-to-all goes span by span, and a broadcast inward with the whole buffer
    at every span. The phases of an all-reduce all use its own algorithms. There is more
    than one route under Themis only.

    Args:
        kind: The collective.
        extents: Dimension and devices of the group's spans, innermost first; spans of
            one device are to be left out.
        policy: Algorithms and scheme.
        price: What one chunk's phase takes of its dimension's time, for a span, a kind,
            an algorithm and a fraction as in `Phase`; asked for by Themis only.

    Reference:
        M. Cho et al., "BlueConnect: Decomposing all-reduce for deep learning on
        heterogeneous network hierarchy", SysML 2019 (localBWAware); S. Rashidi et al.,
        "Themis: A network bandwidth-aware collective scheduling policy for distributed
        training of DL models", ISCA 2022.
    """
    if not extents:
        return ()
    task = _Task(
        kind=kind,
        spans=tuple((d, extent, policy.algorithm(kind, d)) for d, extent in extents),
        hierarchical=policy.multi_dimensional is not MultiDimensional.BASELINE,
    )
    orders = {tuple(range(len(extents))): policy.chunks}
    if policy.multi_dimensional is MultiDimensional.THEMIS and task.shrinks:
        orders = _balanced(task, policy.chunks, price)
    return tuple(Route(chunks, _phases(task, o)) for o, chunks in orders.items())


def only_phases(
    kind: CollectiveKind,
    spans: tuple[tuple[int, int, str], ...],
    *,
    hierarchical: bool,
) -> tuple[Phase, ...]:
    """The phases of every chunk, under any scheme but Themis; see `plan`.

    Args:
        kind: The collective.
        spans: Dimension, devices and algorithm of each of the group's spans, innermost
            first.
        hierarchical: Whether an all-reduce shrinks on its way out, and grows back.
    """
    if not spans:
        return ()
    task = _Task(kind=kind, spans=spans, hierarchical=hierarchical)
    return _phases(task, tuple(range(len(spans))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A collective on the spans of a group.

    Attributes:
        kind: Which collective.
        spans: Dimension, extent and algorithm of each span.
        hierarchical: Whether an all-reduce shrinks and grows on its way.
    """

    kind: CollectiveKind
    spans: tuple[tuple[int, int, str], ...]
    hierarchical: bool

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The dimension of each span."""
        return tuple(dimension for dimension, _, _ in self.spans)

    @property
    def shrinks(self) -> bool:
        """Whether the order of dimensions decides how much each of them carries."""
        whole = CollectiveKind.ALL_TO_ALL, CollectiveKind.BROADCAST
        return self.kind not in whole and len(set(self.dimensions)) > 1

    def phase(self, span: int, kind: CollectiveKind, fraction: float) -> Phase:
        """A phase along a span."""
        dimension, _, algorithm = self.spans[span]
        return Phase(span, dimension, kind, algorithm, fraction)


@lru_cache(maxsize=4096)
def _phases(task: _Task, order: Order) -> tuple[Phase, ...]:
    """The phases of a chunk that goes outward over the spans in an order."""

    def each(
        kind: CollectiveKind, parts: Iterable[tuple[int, float]]
    ) -> tuple[Phase, ...]:
        return tuple(task.phase(span, kind, fraction) for span, fraction in parts)

    shrinking, whole = _shrinking(task, order), [(span, 1.0) for span in order]
    match task.kind:
        case CollectiveKind.REDUCE_SCATTER:
            return each(task.kind, shrinking)
        case CollectiveKind.ALL_GATHER:
            return each(task.kind, reversed(shrinking))
        case CollectiveKind.ALL_TO_ALL:
            return each(task.kind, whole)
        case CollectiveKind.BROADCAST:
            return each(task.kind, reversed(whole))
        case CollectiveKind.ALL_REDUCE:
            if not task.hierarchical:
                return each(task.kind, whole)
            *inner, last = shrinking
            return (
                *each(CollectiveKind.REDUCE_SCATTER, inner),
                *each(task.kind, [last]),
                *each(CollectiveKind.ALL_GATHER, reversed(inner)),
            )
        case _:
            assert_never(task.kind)


def _shrinking(task: _Task, order: Order) -> list[tuple[int, float]]:
    """Each span with what is left of the chunk when it comes there."""
    parts, fraction = [], 1.0
    for span in order:
        parts.append((span, fraction))
        fraction /= task.spans[span][1]
    return parts


def _balanced(task: _Task, chunks: int, price: Price) -> dict[Order, int]:
    """The orders in which Themis sends chunks outward, and how many go in each."""

    def seconds(phase: Phase) -> Seconds:
        return price(phase.span, phase.kind, phase.algorithm, phase.fraction)

    @cache
    def taken(order: Order) -> tuple[Seconds, ...]:
        times = [0.0] * (max(task.dimensions) + 1)
        for phase in _phases(task, order):
            times[phase.dimension] += seconds(phase)
        return tuple(times)

    @cache
    def slight(span: int) -> Seconds:
        gathers = task.kind is CollectiveKind.ALL_GATHER
        kind = task.kind if gathers else CollectiveKind.REDUCE_SCATTER
        return seconds(task.phase(span, kind, _SLIGHT))

    return balanced_orders(task.dimensions, chunks, taken, slight)
