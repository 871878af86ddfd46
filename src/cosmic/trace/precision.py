"""Number formats in which operators compute."""

import enum


class Precision(enum.Enum):
    """A number format; the values are words for files and messages.

    TF32 numbers are held in four bytes and multiplied with a shorter mantissa.
    """

    FP32 = "fp32"
    TF32 = "tf32"
    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"

    @property
    def nbytes(self) -> int:
        """Bytes of one number in memory.

        >>> [precision.nbytes for precision in Precision]
        [4, 4, 2, 2, 1]
        """
        match self:
            case Precision.FP32 | Precision.TF32:
                return 4
            case Precision.BF16 | Precision.FP16:
                return 2
            case Precision.FP8:
                return 1
