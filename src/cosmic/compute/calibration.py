"""Calibrations: how near the kernels of a device come to its peaks, as measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from cosmic.errors import SpecError
from cosmic.trace.precision import Precision
from cosmic.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCurve:
    """How long products of matrices take in one format.

    The result is cut into tiles, as many of which are made at a time as the device has
    processors. A tile of a x b elements whose inner dimension is k takes

        2 a b (k + fill) / (efficiency x peak of a processor)
            x (1 + edge x (64/a + 64/b - 1))

    Attributes:
        efficiency: Share of the peak that a tile of 128 x 128 reaches.
        edge: How much is lost as tiles get smaller.
        fill: Steps of the inner dimension that beginning and ending a tile are worth.
        delay: From one kernel to the next.
        bandwidth: Share of the memory bandwidth that the matrices travel with.
    """

    efficiency: float
    edge: float
    fill: float
    delay: Seconds
    bandwidth: float

    def __post_init__(self) -> None:
        _check(self, shares=("efficiency", "bandwidth"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionCurve:
    """How long fused attention takes, in numbers of two bytes.

    128 queries of one head are a processor's work at a time. For d-wide heads and k
    keys each of which they see, they take

        4 x 128 d (k + fill) / (share x peak of a processor),
        share = forward x d / (d + width)

    and 2.5 times that with `backward` instead of `forward` on the way back.

    Attributes:
        forward: Share of the peak that wide heads reach with many keys.
        backward: The same on the way back.
        fill: Keys that beginning and ending is worth.
        width: Width of heads that reach half of the share.
        delay: From one kernel to the next.
        bandwidth: Share of the memory bandwidth where few queries meet many keys.
    """

    forward: float
    backward: float
    fill: float
    width: float
    delay: Seconds
    bandwidth: float

    def __post_init__(self) -> None:
        _check(self, shares=("forward", "backward", "bandwidth"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """What was measured of one device's kernels.

    Attributes:
        name: Of the device that it is for.
        processors: Of one device, each making one tile at a time.
        products: By format; other formats are taken to be like bf16.
        attention: Fused attention, by the kernels that current software has.
        delay: From one kernel that moves data to the next.
        bandwidth: Share of the memory bandwidth that these reach.
        provenance: By part: where it is from, in words.
        sustained: How many times as long operators take in a training step as kernels
            measured by themselves: clocks under lasting load, gaps between kernels,
            small operators that nobody counts.
        attention_kernels: Fused attention by other kernels, such as flash-1, by name.
    """

    name: str
    processors: int
    products: Mapping[Precision, ProductCurve]
    attention: AttentionCurve
    delay: Seconds
    bandwidth: float
    provenance: Mapping[str, str]
    sustained: float = 1.0
    attention_kernels: Mapping[str, AttentionCurve] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.sustained < float("inf"):
            raise SpecError(f"sustained must be positive, not {self.sustained}")
        if self.processors < 1:
            raise SpecError(f"processors must be at least 1, not {self.processors}")
        if Precision.BF16 not in self.products:
            raise SpecError("a calibration needs a curve of products in bf16")
        if not 0 < self.bandwidth <= 1:
            raise SpecError(
                f"bandwidth must be above 0 and at most 1, not {self.bandwidth}"
            )
        if not 0 <= self.delay < float("inf"):
            raise SpecError(f"delay must be finite and not negative, not {self.delay}")

    def attention_curve(self, name: str) -> AttentionCurve:
        """The curve of attention kernels of a name, or else of the usual ones."""
        return self.attention_kernels.get(name, self.attention)

    def product_curve(self, precision: Precision) -> ProductCurve:
        """The curve of a format, or else that of bf16."""
        return self.products.get(precision, self.products[Precision.BF16])


def _check(curve: ProductCurve | AttentionCurve, shares: tuple[str, ...]) -> None:
    for one in fields(curve):
        value = getattr(curve, one.name)
        if not 0 <= value < float("inf"):
            raise SpecError(f"{one.name} must be finite and not negative, not {value}")
        if one.name in shares and not 0 < value <= 1:
            raise SpecError(f"{one.name} must be above 0 and at most 1, not {value}")
