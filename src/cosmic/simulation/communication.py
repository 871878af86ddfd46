"""Time of one collective phase, and of one transfer, over the links that they load.

The messages of every step are routed over the dimension's links, those of all groups
together, since all groups communicate at once. A step keeps its busiest link busy, and
steps follow each other; latency counts along the longest path through them, on which
each message waits for the one before it. So a phase costs

    t = (steps + 1) E + hops L + load d / B + 3 reduced d / M

with endpoint delay E, link latency L, link bandwidth B, memory bandwidth M and buffer
d: the alpha-beta-gamma model, with its three coefficients found by routing. A sum reads
two operands and writes one, hence the 3. Protocols, where the policy has them, change
the last two terms and add delays, as `sending` says.

Reference:
    R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of collective communication
    operations in MPICH", IJHPCA 19(1), 2005, for the model.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import assert_never

import numpy as np

from cosmic.collective.algorithm import (
    AnyStep,
    ShiftStep,
    Step,
    SwitchStep,
    make_algorithm,
)
from cosmic.collective.plan import Phase, Route, plan
from cosmic.errors import SpecError
from cosmic.network.routing import link_load
from cosmic.network.wiring import Shape, Wiring
from cosmic.simulation.flat_ring import (
    FLAT_ALGORITHM,
    FlatRingCost,
    flat_ring_cost,
    hand_over,
)
from cosmic.simulation.longest_path import longest_path
from cosmic.simulation.sending import Wire, fastest_sending, launches, message_time
from cosmic.simulation.step_loads import Row, in_every_group, step_loads
from cosmic.system.placement import Span, spans
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind, CollectiveNode
from cosmic.units import Bytes, Seconds


@dataclass(frozen=True, slots=True)
class PhaseCost:
    """The coefficients of one phase; fractions are of the phase's buffer.

    Attributes:
        steps: How many steps, one after the other.
        hops: Links on the longest path through the steps: a device goes on to the next
            step when its messages have left and those that it awaits have come.
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
        span: Along which of the group's spans.
        dimension: Where.
        seconds: How long the chunk is in the dimension.
        link_seconds: How long it has them for itself, which is the first part of it:
            the links, or the memory that sums pass through, whichever takes longer.
        sent: Bytes that one device sends, on average over the group.
        protocol: The one that is fastest; empty where the policy has none.
    """

    span: Span
    dimension: int
    seconds: Seconds
    link_seconds: Seconds
    sent: Bytes
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class TimedRoute:
    """The way of some chunks of a collective, with its times.

    Attributes:
        chunks: How many go this way, at least 1.
        phases: What each of them passes, in order; at least one.
    """

    chunks: int
    phases: tuple[PhaseTime, ...]


def routes(
    node: CollectiveNode, group: Group, system: System
) -> tuple[TimedRoute, ...]:
    """The ways of a collective's chunks; none for a group of one.

    Raises:
        ConsistencyError: The group's shape does not factor over the dimensions, and
            flat rings are not allowed.
        SpecError: An algorithm does not exist for a kind, extent or shape.
    """
    chunk = _Chunk.of(node.nbytes, group, system)

    def timed(route: Route) -> TimedRoute:
        first, *others = route.phases
        start = chunk.time(first, launches(system.policy))
        return TimedRoute(route.chunks, (start, *map(chunk.time, others)))

    return tuple(timed(route) for route in chunk.planned(node.kind))


def planned_routes(
    kind: CollectiveKind, nbytes: Bytes, group: Group, system: System
) -> tuple[Route, ...]:
    """The ways of a collective's chunks as the policy plans them.

    Spans are counted as `spans` gives them. A chunk takes of its dimension's time as
    long as it has links or memory for itself, and no less than its share of the time
    that as many chunks as the dimension serves at once are there.

    Raises:
        ConsistencyError: The group's shape does not factor over the dimensions, and
            flat rings are not allowed.
        SpecError: An algorithm does not exist for a kind, extent or shape.
    """
    return _Chunk.of(nbytes, group, system).planned(kind)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One chunk of a collective.

    Attributes:
        nbytes: Its size.
        group: Who communicates.
        spans: Where they lie.
        system: What it runs on.
    """

    nbytes: Bytes
    group: Group
    spans: tuple[Span, ...]
    system: System

    @classmethod
    def of(cls, nbytes: Bytes, group: Group, system: System) -> "_Chunk":
        """A chunk of a collective of so many bytes."""
        return cls(nbytes / system.policy.chunks, group, spans(group, system), system)

    def planned(self, kind: CollectiveKind) -> tuple[Route, ...]:
        """The routes of all chunks like this one."""
        extents = tuple((span.dimension, span.extent) for span in self.spans)
        return plan(kind, extents, self.system.policy, self.price)

    def price(
        self, span: int, kind: CollectiveKind, algorithm: str, fraction: float
    ) -> Seconds:
        """What a phase takes of its dimension's time."""
        phase = Phase(span, self.spans[span].dimension, kind, algorithm, fraction)
        timed, active = self.time(phase), self.system.policy.active_chunks
        return max(timed.link_seconds, timed.seconds / active)

    def time(self, phase: Phase, launched: float = 0.0) -> PhaseTime:
        """The time of a phase that bears so many launch delays."""
        return _phase_time(phase, self, launched)


def _phase_time(phase: Phase, chunk: _Chunk, launched: float) -> PhaseTime:
    span, system = chunk.spans[phase.span], chunk.system
    dimension = system.cluster.topology.dimensions[phase.dimension]
    nbytes = chunk.nbytes * phase.fraction
    cost: PhaseCost | FlatRingCost
    if span.flat:
        phase = replace(phase, algorithm=FLAT_ALGORITHM)
        cost = flat_ring_cost(phase.kind, chunk.group, system)
        latency, transfer = cost.latency, cost.byte_seconds * nbytes
    else:
        cost = phase_cost(phase.algorithm, phase.kind, dimension.wiring, span)
        latency = cost.hops * dimension.latency
        transfer = cost.load * nbytes / dimension.link_bandwidth
    memory = system.cluster.device.memory_bandwidth
    alone = (cost.steps + 1) * system.policy.endpoint_delay + latency
    sent = cost.sent * nbytes
    if not system.policy.protocols:
        adding = 3 * cost.reduced * nbytes / memory
        seconds, busy = alone + transfer + adding, max(transfer, adding)
        return PhaseTime(span, phase.dimension, seconds, busy, sent)
    wire = Wire(
        steps=cost.steps,
        transfer=transfer,
        bandwidth=dimension.bandwidth,
        last_slice=nbytes / span.extent / memory,
        launches=launched,
    )
    sending = fastest_sending(system.policy, phase, wire)
    seconds = alone + sending.transfer + sending.delay
    name = sending.protocol.name
    return PhaseTime(span, phase.dimension, seconds, sending.transfer, sent, name)


def phase_cost(
    algorithm: str, kind: CollectiveKind, wiring: Wiring, span: Span
) -> PhaseCost:
    """The coefficients of a phase, found by routing the messages of all groups.

    A step of a switch that adds up or copies takes two links, loads every port with
    what its device sends or gets, and the core of an oversubscribed switch with all
    that goes up or all that comes down, whichever is more.

    Raises:
        UnknownNameError: There is no such algorithm.
        SpecError: The algorithm does not exist for this kind, extent or shape.

    >>> ring = phase_cost(
    ...     "ring", CollectiveKind.ALL_REDUCE, Wiring(Shape.RING, 4), Span(0, 4, 1)
    ... )
    >>> ring.steps, ring.hops, ring.load, ring.reduced  # 2(n-1) steps of 1/n
    (6, 6, 1.5, 0.75)
    """
    return _phase_cost(algorithm, kind, wiring, span.extent, span.stride)


@lru_cache(maxsize=65536)
def _phase_cost(
    algorithm: str, kind: CollectiveKind, wiring: Wiring, extent: int, stride: int
) -> PhaseCost:
    steps = make_algorithm(algorithm).steps(kind, extent)
    if any(isinstance(step, SwitchStep) for step in steps):
        _check_switch(algorithm, wiring)
    row = Row(wiring, extent, stride)
    loads = step_loads(steps, row)
    count = 0
    load = reduced = sent = 0.0
    for step, on_links in zip(steps, loads, strict=True):
        by_one, added = _sent_and_added(step, extent)
        count += step.repeat
        load += step.repeat * on_links.busiest
        sent += step.repeat * by_one
        reduced += step.repeat * added
    return PhaseCost(count, longest_path(steps, loads, row), load, reduced, sent)


def _check_switch(algorithm: str, wiring: Wiring) -> None:
    if wiring.shape is not Shape.SWITCH:
        raise SpecError(
            f"{algorithm} lets a switch add up or copy what devices send, so it "
            f"exists only on a Switch, not on a {wiring.shape.value}"
        )


def _sent_and_added(step: AnyStep, extent: int) -> tuple[float, float]:
    """What a device sends, on average, and the most that one adds up."""
    match step:
        case SwitchStep():
            return float(step.up.mean()), 0.0
        case ShiftStep():
            sent = float(step.each.sum())
            return sent, sent if step.reduces else 0.0
        case Step():
            sent = float(step.fractions.sum()) / extent
            if not step.reduces:
                return sent, 0.0
            added = np.bincount(step.destinations, weights=step.fractions)
            return sent, float(added.max())
        case _:
            assert_never(step)


def transfer_time(
    group: Group, pair: tuple[int, int], nbytes: Bytes, system: System
) -> Seconds:
    """Time to send `nbytes` from one position of each group to another one.

    All groups send at once. Dimensions are crossed one after the other, each taking up
    the whole message before it hands it on.

    Raises:
        ConsistencyError: The group's shape does not factor over the dimensions, and
            flat rings are not allowed.
    """
    topology = system.cluster.topology
    total = system.policy.endpoint_delay
    launched = 1.0
    for span, here, there in crossings(group, pair, system):
        dimension = topology.dimensions[span.dimension]
        if span.flat:
            passage = hand_over(group, pair, system)
            latency, transfer = passage.latency, passage.byte_seconds * nbytes
        else:
            hops, load = message_cost(dimension.wiring, span, here, there)
            latency = hops * dimension.latency
            transfer = load * nbytes / dimension.link_bandwidth
        seconds = message_time(
            system.policy, span.dimension, transfer, dimension.bandwidth, launched
        )
        total += latency + seconds
        launched = 0.0
    return total


def crossings(
    group: Group, pair: tuple[int, int], system: System
) -> list[tuple[Span, int, int]]:
    """The spans in which two positions of a group differ, and their places there.

    Positions count through the spans of the group in the order of device ids, which is
    that of the system's placement. On a flat ring they are the places.
    """
    found = []
    here, there = pair
    strides = system.strides
    counted = sorted(
        spans(group, system), key=lambda s: strides[s.dimension] * s.stride
    )
    for span in counted:
        if here % span.extent != there % span.extent:
            found.append((span, here % span.extent, there % span.extent))
        here, there = here // span.extent, there // span.extent
    return found


@lru_cache(maxsize=4096)
def message_cost(
    wiring: Wiring, span: Span, here: int, there: int
) -> tuple[int, float]:
    """Links on the way of a message between two places of a span, all groups at once.

    And how many messages are on the busiest of them.
    """
    message = Step(
        sources=np.array([here]),
        destinations=np.array([there]),
        fractions=np.ones(1),
    )
    row = Row(wiring, span.extent, span.stride)
    load = link_load(wiring, *in_every_group(message, row))
    return load.hops, load.busiest
