"""One accelerator."""

from dataclasses import dataclass

from cosmic.errors import ConsistencyError, SpecError
from cosmic.trace.precision import Precision
from cosmic.units import Bytes, BytesPerSecond, FlopPerSecond


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What one device can do.

    Attributes:
        peak_flops: Floating-point operations a second on numbers of two bytes, bf16 or
            fp16, without sparsity.
        memory_bandwidth: Bytes a second to and from its memory.
        memory_capacity: Bytes that it can hold.
        peak_fp8: Operations a second in fp8; None where nobody says.
        peak_tf32: Likewise in tf32.
        peak_fp32: Likewise in fp32.
    """

    peak_flops: FlopPerSecond
    memory_bandwidth: BytesPerSecond
    memory_capacity: Bytes
    peak_fp8: FlopPerSecond | None = None
    peak_tf32: FlopPerSecond | None = None
    peak_fp32: FlopPerSecond | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise SpecError(
                    f"device: {name} must be positive and finite, not {value}"
                )

    def peak(self, precision: Precision) -> FlopPerSecond:
        """Operations a second in a format.

        Raises:
            ConsistencyError: If nobody says how fast it is in that format.
        """
        match precision:
            case Precision.BF16 | Precision.FP16:
                return self.peak_flops
            case Precision.FP8:
                found = self.peak_fp8
            case Precision.TF32:
                found = self.peak_tf32
            case Precision.FP32:
                found = self.peak_fp32
        if found is None:
            name = precision.value
            raise ConsistencyError(
                f"nothing says how fast the device is in {name}: give peak_{name}"
            )
        return found
