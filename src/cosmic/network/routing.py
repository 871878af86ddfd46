"""Which links messages load when they cross one dimension.

Messages take the shortest way. On a ring, a message to the opposite device goes half
one way round and half the other. A switch is two links away from everything: one up,
one down; what an oversubscribed one carries is also bounded in all. In a hypercube, a
message corrects the digits of its position one by one, the lowest first.

Reference:
    H. Sullivan and T. R. Bashkow, "A large scale, homogeneous, fully distributed
    parallel machine", ISCA 1977, for the order of digits in a hypercube (e-cube).
"""

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from cosmic.network.wiring import Shape, Wiring

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Load:
    """What a set of simultaneous messages does to the links of a dimension.

    Attributes:
        hops: Links on the longest way.
        busiest: Weight carried by the busiest link in one direction, over what that
            link carries in units of the link bandwidth: a link of half the bandwidth
            counts twice. The core of an oversubscribed switch counts as a link.
    """

    hops: int
    busiest: float


def link_load(
    wiring: Wiring, sources: Ints, destinations: Ints, weights: Floats
) -> Load:
    """The load of messages sent at once within one dimension.

    Args:
        wiring: How the dimension's devices are joined.
        sources: Position of each message's sender, shape (messages,).
        destinations: Position of each message's receiver, shape (messages,).
        weights: Size of each message, in any unit, shape (messages,).
    """
    away = sources != destinations
    sources, destinations, weights = sources[away], destinations[away], weights[away]
    if len(sources) == 0:
        return Load(0, 0.0)
    longest = int(links_between(wiring, sources, destinations).max())
    return Load(longest, _busiest(wiring, sources, destinations, weights))


def links_between(wiring: Wiring, sources: Ints, destinations: Ints) -> Ints:
    """Links on the way of each message.

    Args:
        wiring: How the dimension's devices are joined.
        sources: Position of each message's sender, of any shape.
        destinations: Position of its receiver, of the same shape.
    """
    found: Ints
    match wiring.shape:
        case Shape.RING:
            clockwise = (destinations - sources) % wiring.size
            found = np.minimum(clockwise, wiring.size - clockwise)
        case Shape.MESH:
            found = np.abs(destinations - sources)
        case Shape.FULLY_CONNECTED:
            found = (sources != destinations).astype(np.int64)
        case Shape.SWITCH:
            found = 2 * (sources != destinations).astype(np.int64)
        case Shape.HYPERCUBE:
            found = np.bitwise_count(sources ^ destinations).astype(np.int64)
        case _:
            assert_never(wiring.shape)
    return found


def core_load(wiring: Wiring, total: float) -> float:
    """Load of the core of a switch that carries messages of `total` weight.

    It carries at most what all ports could send, over the oversubscription; without
    oversubscription it never holds up what the ports let through, and counts nothing.
    """
    if wiring.oversubscription == 1:
        return 0.0
    return total * wiring.oversubscription / wiring.size


def _busiest(
    wiring: Wiring, sources: Ints, destinations: Ints, weights: Floats
) -> float:
    match wiring.shape:
        case Shape.RING:
            return _ring_load(wiring, sources, destinations, weights)
        case Shape.MESH:
            return _mesh_load(wiring, sources, destinations, weights)
        case Shape.FULLY_CONNECTED:
            links = sources * wiring.size + destinations
            _, pairs = np.unique(links, return_inverse=True)
            slowness = np.where(sources < destinations, 1.0, 1 / wiring.asymmetry)
            return _heaviest(pairs, weights * slowness)
        case Shape.SWITCH:
            return _switch_load(wiring, sources, destinations, weights)
        case Shape.HYPERCUBE:
            return _hypercube_load(wiring, sources, destinations, weights)
        case _:
            assert_never(wiring.shape)


def _heaviest(links: Ints, weights: Floats) -> float:
    return float(np.bincount(links, weights=weights).max())


def _switch_load(
    wiring: Wiring, sources: Ints, destinations: Ints, weights: Floats
) -> float:
    up = _heaviest(sources, weights)
    down = _heaviest(destinations, weights) / wiring.asymmetry
    return max(up, down, core_load(wiring, float(weights.sum())))


def _ring_load(
    wiring: Wiring, sources: Ints, destinations: Ints, weights: Floats
) -> float:
    size = wiring.size
    clockwise = (destinations - sources) % size
    share = np.where(2 * clockwise == size, 0.5, (2 * clockwise < size).astype(float))
    right = _arcs(size, sources, clockwise, weights * share)
    left = _arcs(size, destinations, size - clockwise, weights * (1 - share))
    return _both_ways(wiring, right, left)


def _mesh_load(
    wiring: Wiring, sources: Ints, destinations: Ints, weights: Floats
) -> float:
    lengths = np.abs(destinations - sources)
    up = destinations > sources
    right = _arcs(wiring.size, sources[up], lengths[up], weights[up])
    left = _arcs(wiring.size, destinations[~up], lengths[~up], weights[~up])
    return _both_ways(wiring, right, left)


def _both_ways(wiring: Wiring, right: Floats, left: Floats) -> float:
    return float(max(right.max(), left.max() / wiring.asymmetry))


def _arcs(size: int, starts: Ints, lengths: Ints, weights: Floats) -> Floats:
    """Weight on each link of a ring when arcs of links carry weights."""
    change = np.zeros(2 * size + 1)
    np.add.at(change, starts, weights)
    np.add.at(change, starts + lengths, -weights)
    unrolled = np.cumsum(change)[: 2 * size]
    loads: Floats = unrolled[:size] + unrolled[size:]
    return loads


def _hypercube_load(
    wiring: Wiring, sources: Ints, destinations: Ints, weights: Floats
) -> float:
    differ = sources ^ destinations
    busiest = 0.0
    for digit in range(wiring.size.bit_length() - 1):
        crossing = (differ >> digit) & 1 == 1
        if not crossing.any():
            continue
        corrected = (1 << digit) - 1
        here = (sources & ~corrected) | (destinations & corrected)
        upward = (here >> digit) & 1 == 0
        slowness = np.where(upward, 1.0, 1 / wiring.asymmetry)
        carried = (weights * slowness)[crossing]
        busiest = max(busiest, _heaviest(here[crossing], carried))
    return busiest
