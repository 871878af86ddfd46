"""Time of one collective phase, and of one transfer, over the links that they load.

The messages of every step are routed over the dimension's links, those of all groups
together, since all groups communicate at once. A step takes the time of its longest
way and of its busiest link, and steps follow each other. So a phase costs

    t = (steps + 1) E + hops L + load d / B + 3 reduced d / M

with endpoint delay E, link latency L, link bandwidth B, memory bandwidth M and buffer
d: the alpha-beta-gamma model, with its three coefficients found by routing. A sum reads
two operands and writes one, hence the 3.

Reference:
    R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of collective communication
    operations in MPICH", IJHPCA 19(1), 2005, for the model.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cosmic.collective.algorithm import ALGORITHMS, Step
from cosmic.collective.plan import Phase, plan
from cosmic.network.dimension import Shape
from cosmic.network.routing import link_load
from cosmic.network.topology import Topology
from cosmic.system.placement import Span, spans
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind, CollectiveNode
from cosmic.units import Bytes, Seconds

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PhaseCost:
    """The coefficients of one phase; fractions are of the phase's buffer.

    Attributes:
        steps: How many steps, one after the other.
        hops: Links on the longest way, summed over steps.
        load: What the busiest link carries, summed over steps.
        reduced: What a device adds up, summed over steps.
        sent: What one device sends into the dimension, on average over the group.
    """

    steps: int
    hops: int
    load: float
    reduced: float
    sent: float


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """One phase of one chunk.

    Attributes:
        dimension: Where.
        seconds: How long it keeps the dimension.
        sent: Bytes that one device sends, on average over the group.
    """

    dimension: int
    seconds: Seconds
    sent: Bytes


def phase_times(node: CollectiveNode, group: Group, system: System) -> list[PhaseTime]:
    """The phases of each chunk of a collective; none for a group of one."""
    policy, topology = system.policy, system.cluster.topology
    found = {span.dimension: span for span in spans(group, topology)}
    extents = tuple((span.dimension, span.extent) for span in found.values())
    chunk = node.nbytes / policy.chunks
    return [
        _phase_time(phase, chunk, found[phase.dimension], system)
        for phase in plan(node.kind, extents, policy)
    ]


def _phase_time(phase: Phase, chunk: Bytes, span: Span, system: System) -> PhaseTime:
    dimension = system.cluster.topology.dimensions[phase.dimension]
    cost = phase_cost(
        phase.algorithm, phase.kind, dimension.shape, dimension.size, span
    )
    nbytes = chunk * phase.fraction
    seconds = (
        (cost.steps + 1) * system.policy.endpoint_delay
        + cost.hops * dimension.latency
        + cost.load * nbytes / dimension.link_bandwidth
        + 3 * cost.reduced * nbytes / system.cluster.device.memory_bandwidth
    )
    return PhaseTime(phase.dimension, seconds, cost.sent * nbytes)


@lru_cache(maxsize=65536)
def phase_cost(
    algorithm: str, kind: CollectiveKind, shape: Shape, size: int, span: Span
) -> PhaseCost:
    """The coefficients of a phase, found by routing every message of every group.

    Raises:
        SpecError: The algorithm does not exist for this kind or extent.

    >>> ring = phase_cost(
    ...     "ring", CollectiveKind.ALL_REDUCE, Shape.RING, 4, Span(0, 4, 1)
    ... )
    >>> ring.steps, ring.hops, ring.load, ring.reduced  # 2(n-1) steps of 1/n
    (6, 6, 1.5, 0.75)
    """
    steps = ALGORITHMS.get(algorithm)().steps(kind, span.extent)
    count = hops = 0
    load = reduced = sent = 0.0
    for step in steps:
        sources, destinations, fractions = _everywhere(step, size, span)
        on_links = link_load(shape, size, sources, destinations, fractions)
        count += step.repeat
        hops += step.repeat * on_links.hops
        load += step.repeat * on_links.busiest
        sent += step.repeat * float(step.fractions.sum()) / span.extent
        if step.reduces:
            reduced += step.repeat * _most(step.destinations, step.fractions)
    return PhaseCost(count, hops, load, reduced, sent)


def _everywhere(
    step: Step, size: int, span: Span
) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """The step's messages in every group of the dimension, by position."""
    block = span.extent * span.stride
    starts = np.add.outer(np.arange(0, size, block), np.arange(span.stride)).ravel()
    sources = np.add.outer(starts, step.sources * span.stride).ravel()
    destinations = np.add.outer(starts, step.destinations * span.stride).ravel()
    return sources, destinations, np.tile(step.fractions, len(starts))


def _most(devices: Ints, fractions: NDArray[np.float64]) -> float:
    return float(np.bincount(devices, weights=fractions).max())


def transfer_time(
    group: Group, neighbor: int, nbytes: Bytes, system: System
) -> Seconds:
    """Time to send `nbytes` from position `neighbor` of each group to the next one.

    All groups send at once. Dimensions are crossed one after the other, each taking up
    the whole message before it hands it on.

    Raises:
        ConsistencyError: The group's shape does not factor over the dimensions.
    """
    topology = system.cluster.topology
    total = system.policy.endpoint_delay
    for span, here, there in crossings(group, neighbor, topology):
        dimension = topology.dimensions[span.dimension]
        hops, load = _hand_over(dimension.shape, dimension.size, span, here, there)
        total += hops * dimension.latency + load * nbytes / dimension.link_bandwidth
    return total


def crossings(
    group: Group, neighbor: int, topology: Topology
) -> list[tuple[Span, int, int]]:
    """The spans in which position `neighbor` and the next differ, and their places.

    Positions count through the spans of the group, innermost fastest.
    """
    found = []
    here, there = neighbor, neighbor + 1
    for span in spans(group, topology):
        if here % span.extent != there % span.extent:
            found.append((span, here % span.extent, there % span.extent))
        here, there = here // span.extent, there // span.extent
    return found


@lru_cache(maxsize=4096)
def _hand_over(
    shape: Shape, size: int, span: Span, here: int, there: int
) -> tuple[int, float]:
    """Links on the way and messages on the busiest of them."""
    message = Step(
        sources=np.array([here]),
        destinations=np.array([there]),
        fractions=np.ones(1),
    )
    load = link_load(shape, size, *_everywhere(message, size, span))
    return load.hops, load.busiest
