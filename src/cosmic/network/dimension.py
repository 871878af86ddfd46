"""One dimension of the network."""

import enum
from dataclasses import dataclass
from typing import assert_never

from cosmic.errors import SpecError
from cosmic.units import BytesPerSecond, Seconds


class Shape(enum.Enum):
    """How the devices of a dimension are joined."""

    RING = "Ring"
    FULLY_CONNECTED = "FullyConnected"
    SWITCH = "Switch"


def links_per_device(shape: Shape, size: int) -> int:
    """Links that leave one device; none where there is nobody to be joined to.

    Two on a ring, one to every other device fully connected, one to a switch.
    """
    if size == 1:
        return 0
    match shape:
        case Shape.RING:
            return 2
        case Shape.FULLY_CONNECTED:
            return size - 1
        case Shape.SWITCH:
            return 1
        case _:
            assert_never(shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """`size` devices joined in one shape, by links that carry both ways at once.

    Attributes:
        shape: How the devices are joined.
        size: Devices along this dimension; 1 means that it is not there.
        link_bandwidth: What one link carries in each direction.
        latency: Time for a first byte to cross one link.
    """

    shape: Shape
    size: int
    link_bandwidth: BytesPerSecond
    latency: Seconds

    def __post_init__(self) -> None:
        if self.size < 1:
            raise SpecError(f"a dimension joins at least 1 device, not {self.size}")
        if not 0 < self.link_bandwidth < float("inf"):
            raise SpecError(
                "link bandwidth must be positive and finite, "
                f"not {self.link_bandwidth} B/s"
            )
        if not 0 <= self.latency < float("inf"):
            raise SpecError(
                f"latency must be finite and not negative, but is {self.latency} s"
            )

    @property
    def bandwidth(self) -> BytesPerSecond:
        """What one device can send into this dimension over all its links.

        >>> ring = Dimension(
        ...     shape=Shape.RING, size=4, link_bandwidth=50e9, latency=0.0
        ... )
        >>> ring.bandwidth / 1e9  # two links
        100.0
        """
        return self.link_bandwidth * links_per_device(self.shape, self.size)
