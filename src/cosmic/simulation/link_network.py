"""Every directed link of a network, one by one, and the way of a message over them.

It is there to be compared with: nothing of it is shared with `cosmic.network.routing`,
which finds the loads of a dimension's links without having any.

A device has a port for each link that leaves it. On a ring they are +1 and -1,
clockwise and back; two devices in a ring are joined by two links each way. A mesh has
the same without the two that would close it. Fully connected, a port is the position of
the neighbor; in a hypercube, the bit in which its position differs. A switch has a link
up and a link down for each device and, where it is oversubscribed, a core that all
messages cross, with one link for what has come up and one for what goes down.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import assert_never

from cosmic.network.dimension import Dimension
from cosmic.network.wiring import Shape
from cosmic.units import BytesPerSecond, Seconds

_UP, _DOWN, _CORE_UP, _CORE_DOWN = 0, 1, 2, 3  # ports of a switch

_Crossing = tuple[int, int]  # position and port


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link, in one direction.

    Attributes:
        dimension: Where it belongs, as an index into the topology.
        device: The device that it leaves; on the way down from a switch the one that it
            leads to, and for the core of a switch the first one that it serves.
        port: Which of the device's links.
        bandwidth: What it carries.
        latency: Time for a first byte to cross it.
    """

    dimension: int
    device: int
    port: int
    bandwidth: BytesPerSecond
    latency: Seconds


@dataclass(frozen=True, slots=True)
class Way:
    """A part of a message and the links that it crosses.

    Attributes:
        share: The part, of 1.
        links: Indices into the network's links, in order.
        latency: Time for a first byte to cross them all.
    """

    share: float
    links: tuple[int, ...]
    latency: Seconds


class LinkNetwork:
    """The links of a network and the ways over them.

    Args:
        dimensions: How devices are joined.
        strides: Distance in device ids between neighbors of each dimension.

    Attributes:
        dimensions: How devices are joined.
        links: All links.
    """

    def __init__(self, dimensions: Sequence[Dimension], strides: Sequence[int]) -> None:
        self.dimensions, self._strides = tuple(dimensions), tuple(strides)
        devices = prod(dimension.size for dimension in dimensions)
        self.links = tuple(
            Link(
                dimension=index,
                device=device,
                port=port,
                bandwidth=bandwidth,
                latency=latency,
            )
            for index, dimension in enumerate(self.dimensions)
            for device in range(devices)
            for port, bandwidth, latency in _links_of(
                dimension, self.position(index, device)
            )
        )
        self._places = {
            (link.dimension, link.device, link.port): place
            for place, link in enumerate(self.links)
        }
        self._legs: dict[tuple[int, int], tuple[tuple[Way, ...], ...]] = {}

    def position(self, dimension: int, device: int) -> int:
        """Where a device stands along a dimension."""
        return device // self._strides[dimension] % self.dimensions[dimension].size

    def moved(self, dimension: int, device: int, position: int) -> int:
        """The device at `position` of a dimension, everything else as `device`."""
        away = position - self.position(dimension, device)
        return device + away * self._strides[dimension]

    def legs(self, source: int, destination: int) -> tuple[tuple[Way, ...], ...]:
        """How a message gets there: in one leg for each dimension, innermost first.

        Each leg has two ways where half of the message goes either way round a ring. A
        device where a leg ends takes up the whole message before it hands it on.
        """
        if (source, destination) not in self._legs:
            self._legs[source, destination] = tuple(
                self._find_legs(source, destination)
            )
        return self._legs[source, destination]

    def up(self, dimension: int, device: int) -> Way:
        """The way from a device into the switch of a dimension."""
        crossings = _up(self.dimensions[dimension], self.position(dimension, device))
        return self._way(dimension, device, 1.0, crossings)

    def down(self, dimension: int, device: int) -> Way:
        """The way out of the switch of a dimension to a device."""
        crossings = _down(self.dimensions[dimension], self.position(dimension, device))
        return self._way(dimension, device, 1.0, crossings)

    def _find_legs(self, device: int, goal: int) -> Iterator[tuple[Way, ...]]:
        for index, dimension in enumerate(self.dimensions):
            here, there = self.position(index, device), self.position(index, goal)
            if here != there:
                yield tuple(
                    self._way(index, device, share, crossings)
                    for share, crossings in _routes(dimension, here, there)
                )
            device = self.moved(index, device, there)

    def _way(
        self, dimension: int, device: int, share: float, crossings: list[_Crossing]
    ) -> Way:
        links = tuple(
            self._places[dimension, self.moved(dimension, device, position), port]
            for position, port in crossings
        )
        return Way(share, links, sum(self.links[link].latency for link in links))


def _links_of(
    dimension: Dimension, position: int
) -> Iterator[tuple[int, BytesPerSecond, Seconds]]:
    """Port, bandwidth and latency of each link of the device at a position."""
    bandwidth = dimension.link_bandwidth
    for port, lower in _ports(dimension.shape, dimension.size, position):
        factor = dimension.asymmetry if lower else 1.0
        yield port, bandwidth * factor, dimension.latency
    if position == 0 and dimension.oversubscription > 1:
        core = dimension.size * bandwidth / dimension.oversubscription
        yield _CORE_UP, core, 0.0
        yield _CORE_DOWN, core, 0.0


def _ports(shape: Shape, size: int, position: int) -> list[tuple[int, bool]]:
    """Each port of a device, and whether its link counts as one to lower positions."""
    if size == 1:
        return []
    match shape:
        case Shape.RING:
            return [(+1, False), (-1, True)]
        case Shape.MESH:
            return [
                (port, port < 0) for port in (+1, -1) if 0 <= position + port < size
            ]
        case Shape.FULLY_CONNECTED:
            return [
                (other, other < position) for other in range(size) if other != position
            ]
        case Shape.HYPERCUBE:
            bits = range(size.bit_length() - 1)
            return [(bit, position >> bit & 1 == 1) for bit in bits]
        case Shape.SWITCH:
            return [(_UP, False), (_DOWN, True)]
        case _:
            assert_never(shape)


def _routes(
    dimension: Dimension, here: int, there: int
) -> list[tuple[float, list[_Crossing]]]:
    """Shares of a message and the position and port of each link that they cross."""
    match dimension.shape:
        case Shape.RING:
            return _round(dimension.size, here, there)
        case Shape.MESH:
            port = 1 if there > here else -1
            return [(1.0, [(at, port) for at in range(here, there, port)])]
        case Shape.FULLY_CONNECTED:
            return [(1.0, [(here, there)])]
        case Shape.HYPERCUBE:
            return [(1.0, _corner_to_corner(here, there))]
        case Shape.SWITCH:
            return [(1.0, [*_up(dimension, here), *_down(dimension, there)])]
        case _:
            assert_never(dimension.shape)


def _up(dimension: Dimension, position: int) -> list[_Crossing]:
    """From a device into a switch."""
    core = [(0, _CORE_UP)] if dimension.oversubscription > 1 else []
    return [(position, _UP), *core]


def _down(dimension: Dimension, position: int) -> list[_Crossing]:
    """Out of a switch to a device."""
    core = [(0, _CORE_DOWN)] if dimension.oversubscription > 1 else []
    return [*core, (position, _DOWN)]


def _round(size: int, here: int, there: int) -> list[tuple[float, list[_Crossing]]]:
    """The shorter way round; to the opposite device, half goes either way."""
    distance = (there - here) % size
    clockwise = [((here + k) % size, +1) for k in range(distance)]
    back = [((here - k) % size, -1) for k in range(size - distance)]
    if len(clockwise) == len(back):
        return [(0.5, clockwise), (0.5, back)]
    return [(1.0, min(clockwise, back, key=len))]


def _corner_to_corner(here: int, there: int) -> list[_Crossing]:
    """One bit after the other, the lowest first."""
    crossings = []
    for bit in range((here ^ there).bit_length()):
        if (here ^ there) >> bit & 1:
            crossings.append((here, bit))
            here ^= 1 << bit
    return crossings
