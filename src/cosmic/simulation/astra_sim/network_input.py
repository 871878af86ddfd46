"""The network that ASTRA-sim's analytical back ends know: dimensions in a row."""

import enum
from dataclasses import dataclass
from math import prod

from cosmic.errors import ConsistencyError, SpecError


class Joint(enum.Enum):
    """How the ranks of a dimension are joined, as the network file names it."""

    RING = "Ring"
    FULLY_CONNECTED = "FullyConnected"
    SWITCH = "Switch"


class Congestion(enum.Enum):
    """Whether messages share links.

    UNAWARE: a message takes as long as if it were alone; a message between ranks that
    differ in several coordinates pays for the first of them only. AWARE: each link
    carries one message at a time, whole, in a network of one dimension.
    """

    UNAWARE = "unaware"
    AWARE = "aware"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDimension:
    """One dimension, in the units of the network file.

    Attributes:
        joint: How its ranks are joined.
        size: Ranks along it, at least 2.
        bandwidth: Of one link, in GB/s of 2**30 bytes.
        latency: Of one link, in ns.
    """

    joint: Joint
    size: int
    bandwidth: float
    latency: float

    def __post_init__(self) -> None:
        if self.size < 2:
            raise SpecError(f"npus_count must be at least 2, not {self.size}")
        if not 0 < self.bandwidth < float("inf"):
            raise SpecError(
                f"bandwidth must be positive and finite, not {self.bandwidth} GB/s"
            )
        if not 0 <= self.latency < float("inf"):
            raise SpecError(
                f"latency must be finite and not negative, not {self.latency} ns"
            )

    @property
    def bytes_per_nanosecond(self) -> float:
        """Bandwidth of one link, rounded where ASTRA-sim rounds it."""
        return self.bandwidth * 2**30 / 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInput:
    """A network file and the back end that reads it.

    Attributes:
        dimensions: The first one changes fastest with the rank.
        congestion: Whether messages share links.

    Raises:
        SpecError: There is no dimension.
        ConsistencyError: The congestion-aware back end does not take such a network.
    """

    dimensions: tuple[NetworkDimension, ...]
    congestion: Congestion = Congestion.UNAWARE

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise SpecError("a network has at least one dimension")
        if self.congestion is Congestion.UNAWARE:
            return
        if len(self.dimensions) > 1:
            raise ConsistencyError(
                "congestion-aware, ASTRA-sim takes networks of one dimension only, "
                f"not of {len(self.dimensions)}"
            )
        if self.dimensions[0].joint is Joint.RING and self.dimensions[0].size == 2:
            raise ConsistencyError(
                "congestion-aware, ASTRA-sim aborts on a Ring of 2: its two links "
                "would be one; use FullyConnected"
            )

    @property
    def ranks(self) -> int:
        """All ranks of the network."""
        return prod(dimension.size for dimension in self.dimensions)
