"""What no algorithm can beat: the least time of a collective on a network.

Bytes: cut a group into blocks of devices that lie together in its inner spans. What
every block must at least send out has to pass what its devices can send into the
dimensions beyond. Each cut gives a bound, and the largest holds. Of a buffer N on a
group cut into m blocks, a block sends at least

    all-reduce                      2 (m - 1) / m N,  N where a switch reduces
    all-gather, reduce-scatter        (m - 1) / m N
    broadcast                         (m - 1) / m N,  (1 / m) N where a switch copies
    all-to-all, for each device       (m - 1) / m N

on average over blocks. Latency: something has to reach the farthest device of the
group. What devices add up is not counted: links alone bound.

Reference:
    P. Patarasuk and X. Yuan, "Bandwidth optimal all-reduce algorithms for clusters of
    workstations", JPDC 69(2), 2009, for the all-reduce; E. Chan et al., "Collective
    communication: theory, practice, and experience", CCPE 19(13), 2007, for the others.
"""

from dataclasses import dataclass
from math import prod
from typing import assert_never

import numpy as np

from cosmic.network.dimension import Dimension
from cosmic.network.routing import link_load
from cosmic.network.wiring import Shape
from cosmic.system.placement import Span, spans
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind
from cosmic.units import Bytes, BytesPerSecond, Seconds

_IN_NETWORK = {"inNetwork", "nvls"}


@dataclass(frozen=True, slots=True)
class Bound:
    """The least time of a collective.

    Attributes:
        latency: For a first byte to reach the farthest device.
        transfer: For all bytes to pass the narrowest cut.
    """

    latency: Seconds
    transfer: Seconds

    @property
    def seconds(self) -> Seconds:
        """The larger of the two."""
        return max(self.latency, self.transfer)

    @property
    def name(self) -> str:
        """Which of the two it is."""
        return "latency" if self.latency > self.transfer else "bandwidth"


def least_time(
    kind: CollectiveKind, nbytes: Bytes, group: Group, system: System
) -> Bound:
    """The bound of a collective that all groups do at once.

    Raises:
        ConsistencyError: The group does not factor over the dimensions.
    """
    found = spans(group, system)
    if any(span.flat for span in found):
        return Bound(0.0, 0.0)
    dimensions = system.cluster.topology.dimensions
    latency = sum(
        _farthest(dimensions[span.dimension], span) * dimensions[span.dimension].latency
        for span in found
    )
    cuts = [_cut(kind, found, inner, system) for inner in range(len(found))]
    return Bound(latency, nbytes * max(cuts, default=0.0))


def _cut(
    kind: CollectiveKind, found: tuple[Span, ...], inner: int, system: System
) -> float:
    """Seconds a byte of the buffer when the first spans are blocks."""
    dimensions = system.cluster.topology.dimensions
    together = prod(span.extent for span in found[:inner])
    blocks = prod(span.extent for span in found[inner:])
    beyond = {span.dimension for span in found[inner:]}
    bandwidth = sum(sending(dimensions[index]) for index in beyond)
    policy = system.policy
    copies = any(
        _IN_NETWORK & {policy.all_reduce[d], policy.all_gather[d]} for d in beyond
    )
    return _least_sent(kind, blocks, together, copies) / (together * bandwidth)


def _least_sent(
    kind: CollectiveKind, blocks: int, together: int, copies: bool
) -> float:
    """What a block sends out, over the buffer."""
    rest = (blocks - 1) / blocks
    match kind:
        case CollectiveKind.ALL_REDUCE:
            return 1.0 if copies else 2 * rest
        case CollectiveKind.REDUCE_SCATTER:
            return rest
        case CollectiveKind.ALL_GATHER | CollectiveKind.BROADCAST:
            return 1 / blocks if copies else rest
        case CollectiveKind.ALL_TO_ALL:
            return rest * together
        case _:
            assert_never(kind)


def sending(dimension: Dimension) -> BytesPerSecond:
    """What the links of a dimension carry over its devices, one hop a byte.

    A byte through a switch takes one way up and one way down, so the slower of both
    counts, and of its core a device has its share.
    """
    links, size = dimension.link_bandwidth, dimension.size
    both = links * (1 + dimension.asymmetry) / 2
    match dimension.shape:
        case Shape.SWITCH:
            return links * min(
                1.0, dimension.asymmetry, 1.0 / dimension.oversubscription
            )
        case Shape.MESH:
            return both * 2 * (size - 1) / size
        case Shape.RING | Shape.FULLY_CONNECTED | Shape.HYPERCUBE:
            return both * dimension.bandwidth / links
        case _:
            assert_never(dimension.shape)


def _farthest(dimension: Dimension, span: Span) -> int:
    """Links between the two devices of a group that are farthest apart."""
    places = np.arange(span.extent) * span.stride
    sources = np.repeat(places, span.extent)
    destinations = np.tile(places, span.extent)
    weights = np.ones(len(sources))
    return link_load(dimension.wiring, sources, destinations, weights).hops
