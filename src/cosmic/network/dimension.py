"""One dimension of the network."""

from dataclasses import dataclass
from functools import lru_cache

from cosmic.errors import SpecError
from cosmic.network.wiring import Shape, Wiring, links_per_device
from cosmic.units import BytesPerSecond, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """`size` devices joined in one shape, by links that carry both ways at once.

    Attributes:
        shape: How the devices are joined.
        size: Devices along this dimension; 1 means that it is not there.
        link_bandwidth: What one link carries in each direction.
        latency: Time for a first byte to cross one link.
        oversubscription: What all ports of a Switch together could send, over what its
            core carries; 1 for other shapes.
        asymmetry: Bandwidth of the links to lower positions (of a Switch: down to the
            devices) over `link_bandwidth`.

    Raises:
        SpecError: There is no such dimension.
    """

    shape: Shape
    size: int
    link_bandwidth: BytesPerSecond
    latency: Seconds
    oversubscription: float = 1.0
    asymmetry: float = 1.0

    def __post_init__(self) -> None:
        assert self.wiring  # which checks its part
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
    def wiring(self) -> Wiring:
        """All of it that routing needs to know."""
        return _wiring(self.shape, self.size, self.oversubscription, self.asymmetry)

    @property
    def bandwidth(self) -> BytesPerSecond:
        """What one device can send into this dimension over all its links.

        Every link counts with `link_bandwidth`, whatever asymmetry makes of one of its
        directions and oversubscription of the way beyond.

        >>> ring = Dimension(
        ...     shape=Shape.RING, size=4, link_bandwidth=50e9, latency=0.0
        ... )
        >>> ring.bandwidth / 1e9  # two links
        100.0
        """
        return self.link_bandwidth * links_per_device(self.shape, self.size)


@lru_cache(maxsize=4096)
def _wiring(
    shape: Shape, size: int, oversubscription: float, asymmetry: float
) -> Wiring:
    """The same wiring is asked for again and again; checking it once will do."""
    return Wiring(shape, size, oversubscription, asymmetry)
