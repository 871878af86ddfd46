"""In which order device ids count through the dimensions of a network."""

import enum
from typing import assert_never

from cosmic.network.topology import Topology


class Placement(enum.Enum):
    """Which dimension neighboring device ids fill first.

    Axes that stand first in the workload's order have their devices next to each other
    in device ids; so this says which dimensions they get.

    INNER_FIRST: ids count through the innermost dimension first. OUTER_FIRST: through
    the outermost first. FASTEST_FIRST: through the dimension in which one device can
    send most first; among equals the inner one.
    """

    INNER_FIRST = "inner_first"
    OUTER_FIRST = "outer_first"
    FASTEST_FIRST = "fastest_first"

    def order(self, topology: Topology) -> tuple[int, ...]:
        """The dimensions in the order in which device ids count through them."""
        indices = range(len(topology.dimensions))
        match self:
            case Placement.INNER_FIRST:
                return tuple(indices)
            case Placement.OUTER_FIRST:
                return tuple(reversed(indices))
            case Placement.FASTEST_FIRST:
                speeds = [dimension.bandwidth for dimension in topology.dimensions]
                return tuple(sorted(indices, key=lambda d: (-speeds[d], d)))
            case _:
                assert_never(self)

    def strides(self, topology: Topology) -> tuple[int, ...]:
        """Distance in device ids between neighbors of each dimension, as it counts.

        >>> from cosmic.network.dimension import Dimension
        >>> from cosmic.network.wiring import Shape
        >>> two, four = (
        ...     Dimension(shape=Shape.RING, size=n, link_bandwidth=1e9, latency=0.0)
        ...     for n in (2, 4)
        ... )
        >>> Placement.OUTER_FIRST.strides(Topology((two, four)))
        (4, 1)
        """
        found = {}
        stride = 1
        for index in self.order(topology):
            found[index] = stride
            stride *= topology.dimensions[index].size
        return tuple(found[index] for index in range(len(found)))
