"""Which links messages load when they cross one dimension.

Messages take the shortest way. On a ring, a message to the opposite device goes half
one way round and half the other. A switch is two links away from everything: one up,
one down.
"""

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from cosmic.network.dimension import Shape

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Load:
    """What a set of simultaneous messages does to the links of a dimension.

    Attributes:
        hops: Links on the longest way.
        busiest: Weight carried by the busiest link in one direction.
    """

    hops: int
    busiest: float


def link_load(
    shape: Shape, size: int, sources: Ints, destinations: Ints, weights: Floats
) -> Load:
    """The load of messages sent at once within one dimension of `size` devices.

    Args:
        shape: How the devices are joined.
        size: Devices in the dimension.
        sources: Position of each message's sender, shape (messages,).
        destinations: Position of each message's receiver, shape (messages,).
        weights: Size of each message, in any unit, shape (messages,).
    """
    away = sources != destinations
    sources, destinations, weights = sources[away], destinations[away], weights[away]
    if len(sources) == 0:
        return Load(0, 0.0)
    match shape:
        case Shape.RING:
            return _ring_load(size, sources, destinations, weights)
        case Shape.FULLY_CONNECTED:
            return Load(1, _heaviest(sources * size + destinations, weights))
        case Shape.SWITCH:
            up, down = _heaviest(sources, weights), _heaviest(destinations, weights)
            return Load(2, max(up, down))
        case _:
            assert_never(shape)


def _heaviest(links: Ints, weights: Floats) -> float:
    return float(np.bincount(links, weights=weights).max())


def _ring_load(size: int, sources: Ints, destinations: Ints, weights: Floats) -> Load:
    clockwise = (destinations - sources) % size
    shortest = np.minimum(clockwise, size - clockwise)
    share = np.where(2 * clockwise == size, 0.5, (2 * clockwise < size).astype(float))
    right = _arcs(size, sources, clockwise, weights * share)
    left = _arcs(size, destinations, size - clockwise, weights * (1 - share))
    return Load(int(shortest.max()), float(max(right.max(), left.max())))


def _arcs(size: int, starts: Ints, lengths: Ints, weights: Floats) -> Floats:
    """Weight on each link of a ring when arcs of links carry weights."""
    change = np.zeros(2 * size + 1)
    np.add.at(change, starts, weights)
    np.add.at(change, starts + lengths, -weights)
    unrolled = np.cumsum(change)[: 2 * size]
    loads: Floats = unrolled[:size] + unrolled[size:]
    return loads
