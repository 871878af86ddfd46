"""How a workload is split over devices."""

import enum
import math
from dataclasses import dataclass

from cosmic.errors import SpecError


class SequenceMethod(enum.Enum):
    """How attention sees the tokens of a sequence that is split over devices.

    ALL_GATHER: every device gathers the keys and values of the whole sequence.
    ULYSSES: an all-to-all gives every device whole sequences of some heads, and another
    one gives back its tokens.
    """

    ALL_GATHER = "all_gather"
    ULYSSES = "ulysses"


class Recompute(enum.Enum):
    """What is computed again in the backward pass instead of being kept.

    NONE: nothing. SELECTIVE: the attention core. FULL: the whole layer from its input.
    """

    NONE = "none"
    SELECTIVE = "selective"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallelism:
    """Degrees of parallelism; their product is the number of devices.

    Device ids count through tensor first, then sequence, data and pipeline.

    Attributes:
        tensor: Devices that share heads, feed-forward width and vocabulary.
        sequence: Devices that share the tokens of one sequence.
        data: Devices that share the batch.
        pipeline: Devices that share the layers.
        weight_sharding: What is sharded over data and sequence: 0 nothing, 1 optimizer
            state, 2 also gradients, 3 also weights (the ZeRO stages).
        sequence_method: How attention sees a split sequence.
        tensor_sequence: Whether tensor-parallel devices also share the tokens of what
            lies between their matrices (Megatron's sequence parallelism).
    """

    tensor: int = 1
    sequence: int = 1
    data: int = 1
    pipeline: int = 1
    weight_sharding: int = 0
    sequence_method: SequenceMethod = SequenceMethod.ALL_GATHER
    tensor_sequence: bool = False

    def __post_init__(self) -> None:
        for name in ("tensor", "sequence", "data", "pipeline"):
            if getattr(self, name) < 1:
                raise SpecError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.weight_sharding not in (0, 1, 2, 3):
            raise SpecError(
                f"weight_sharding must be 0, 1, 2 or 3, not {self.weight_sharding}"
            )

    @property
    def devices(self) -> int:
        """How many devices it takes."""
        return math.prod((self.tensor, self.sequence, self.data, self.pipeline))

    @property
    def replicas(self) -> int:
        """Devices that hold the same weights, over which gradients are summed."""
        return self.data * self.sequence
