"""The network: dimensions, innermost first."""

import math
from dataclasses import dataclass

from cosmic.errors import SpecError
from cosmic.network.dimension import Dimension
from cosmic.units import BytesPerSecond


@dataclass(frozen=True, slots=True)
class Topology:
    """Ordered dimensions; device ids are mixed radix, the first dimension fastest.

    Attributes:
        dimensions: Innermost first.
    """

    dimensions: tuple[Dimension, ...]

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise SpecError("a topology has at least one dimension")

    @property
    def devices(self) -> int:
        """How many devices are joined."""
        return math.prod(dimension.size for dimension in self.dimensions)

    @property
    def strides(self) -> tuple[int, ...]:
        """Distance in device ids between neighbors of each dimension."""
        sizes = [dimension.size for dimension in self.dimensions]
        return tuple(math.prod(sizes[:d]) for d in range(len(sizes)))

    @property
    def total_bandwidth(self) -> BytesPerSecond:
        """What one device can send, summed over all dimensions."""
        return sum(dimension.bandwidth for dimension in self.dimensions)
