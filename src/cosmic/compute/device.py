"""One accelerator."""

from dataclasses import dataclass, fields

from cosmic.errors import SpecError
from cosmic.units import Bytes, BytesPerSecond, FlopPerSecond


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What one device can do.

    Attributes:
        peak_flops: Floating-point operations a second at the training precision.
        memory_bandwidth: Bytes a second to and from its memory.
        memory_capacity: Bytes that it can hold.
    """

    peak_flops: FlopPerSecond
    memory_bandwidth: BytesPerSecond
    memory_capacity: Bytes

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < float("inf"):
                raise SpecError(
                    f"device: {field.name} must be positive and finite, not {value}"
                )
