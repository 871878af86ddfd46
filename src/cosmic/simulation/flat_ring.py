"""Time on a flat ring: a group that no rectangle of dimensions holds.

Each device sends to the next one of its group in the order of device ids, the last to
the first. A message goes through the dimensions in which the two differ, the innermost
first, and each dimension takes up the whole message before it hands it on, as in a
transfer between pipeline stages. In every dimension the messages of all groups are
routed over its links. So a step lasts, summed over dimensions, as long as its longest
way and its busiest link there. A broadcast, which fills and empties the ring, counts as
if it were full at every step; only the last device never sends.

It keeps only the slowest of these dimensions from other collectives, and all that it
sends counts as sent there. What other collectives do at the same time in the faster
dimensions does not slow it down, nor it them: that is left out.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cosmic.collective.ring import Ring
from cosmic.network.dimension import Dimension
from cosmic.network.routing import Load, link_load
from cosmic.network.topology import Topology
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind
from cosmic.units import Seconds

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FLAT_ALGORITHM = "ring"  # of every kind of collective; what is called `Ring` below


@dataclass(frozen=True, slots=True)
class Passage:
    """What it takes to send some messages at once, through several dimensions.

    Attributes:
        latency: Longest ways, summed over dimensions.
        byte_seconds: Time on the busiest links, summed over dimensions, for a message
            of weight 1 in bytes.
    """

    latency: Seconds
    byte_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatRingCost:
    """What a collective costs on a flat ring; fractions are of its buffer.

    Attributes:
        steps: How many steps, one after the other.
        latency: Longest ways, summed over steps.
        byte_seconds: Time on the busiest links for each byte of the buffer.
        reduced: What a device adds up, summed over steps.
        sent: What one device sends, on average over the group.
    """

    steps: int
    latency: Seconds
    byte_seconds: float
    reduced: float
    sent: float


def flat_ring_cost(kind: CollectiveKind, group: Group, system: System) -> FlatRingCost:
    """The cost of a collective of all groups at once, each on its flat ring.

    The phase then lasts, as any does, (steps + 1) endpoint delays, the latency, and for
    each byte `byte_seconds` and 3 `reduced` over the memory bandwidth.
    """
    return _cost(kind, group, system.cluster.topology, system.strides)


def hand_over(group: Group, pair: tuple[int, int], system: System) -> Passage:
    """What it takes to send from one position of every group to another one."""
    firsts = _firsts(group, system.cluster.devices)
    source, destination = pair
    return _passage(
        firsts + group.offset(source),
        firsts + group.offset(destination),
        np.ones(len(firsts)),
        system.cluster.topology,
        system.strides,
    )


@lru_cache(maxsize=4096)
def _cost(
    kind: CollectiveKind, group: Group, topology: Topology, strides: tuple[int, ...]
) -> FlatRingCost:
    ring = Ring().steps(kind, group.size)
    around = _around(group, max(step.sources.max() for step in ring), topology, strides)
    steps = 0
    passed = reduced = sent = 0.0
    for step in ring:
        most = float(step.fractions.max())
        steps += step.repeat
        passed += step.repeat * most
        sent += step.repeat * float(step.fractions.sum()) / group.size
        reduced += step.repeat * most if step.reduces else 0.0
    return FlatRingCost(
        steps=steps,
        latency=steps * around.latency,
        byte_seconds=passed * around.byte_seconds,
        reduced=reduced,
        sent=sent,
    )


def _around(
    group: Group, last: int, topology: Topology, strides: tuple[int, ...]
) -> Passage:
    """The devices of every group up to place `last` send weight 1 to the next ones."""
    offsets = np.array([group.offset(place) for place in range(group.size)])
    rings = np.add.outer(_firsts(group, topology.devices), offsets)
    sources = rings[:, : last + 1].ravel()
    destinations = np.roll(rings, -1, axis=1)[:, : last + 1].ravel()
    return _passage(sources, destinations, np.ones(len(sources)), topology, strides)


def _firsts(group: Group, devices: int) -> Ints:
    """The first device of every group."""
    return np.array([d for d in range(devices) if group.position(d) == 0])


def _passage(
    sources: Ints,
    destinations: Ints,
    weights: Floats,
    topology: Topology,
    strides: tuple[int, ...],
) -> Passage:
    """Route messages between any devices, dimension by dimension."""
    latency = byte_seconds = 0.0
    places = sources
    for dimension, stride in zip(topology.dimensions, strides, strict=True):
        here = places // stride % dimension.size
        there = destinations // stride % dimension.size
        load = _busiest_line(dimension, places - here * stride, here, there, weights)
        latency += load.hops * dimension.latency
        byte_seconds += load.busiest / dimension.link_bandwidth
        places = places + (there - here) * stride
    return Passage(latency, byte_seconds)


def _busiest_line(
    dimension: Dimension, lines: Ints, here: Ints, there: Ints, weights: Floats
) -> Load:
    """The most that happens on any of the lines of devices along a dimension.

    Args:
        dimension: How the devices of each line are joined.
        lines: Which line each message goes along, shape (messages,).
        here: Position of its sender on the line, shape (messages,).
        there: Position of its receiver, shape (messages,).
        weights: Its size, shape (messages,).
    """
    hops, busiest = 0, 0.0
    away = here != there
    seen = set()  # what a line carries; many lines carry the same
    for line in np.unique(lines[away]):
        along = away & (lines == line)
        carried = here[along], there[along], weights[along]
        key = tuple(part.tobytes() for part in carried)
        if key in seen:
            continue
        seen.add(key)
        load = link_load(dimension.wiring, *carried)
        hops, busiest = max(hops, load.hops), max(busiest, load.busiest)
    return Load(hops, busiest)
