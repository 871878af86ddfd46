"""How a workload is split over devices."""

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from cosmic.errors import SpecError


class Axis(enum.Enum):
    """A way of splitting the work; the values are words for files and messages.

    TENSOR: heads, feed-forward width and vocabulary. SEQUENCE: the tokens of one
    sequence. DATA: the batch. PIPELINE: the layers.
    """

    TENSOR = "tensor"
    SEQUENCE = "sequence"
    DATA = "data"
    PIPELINE = "pipeline"


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

    Device ids count through the axes in their order: the devices of the first axis are
    next to each other, and so get the network's first dimensions.

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
        axis_order: Every axis once, innermost first.
    """

    tensor: int = 1
    sequence: int = 1
    data: int = 1
    pipeline: int = 1
    weight_sharding: int = 0
    sequence_method: SequenceMethod = SequenceMethod.ALL_GATHER
    tensor_sequence: bool = False
    axis_order: tuple[Axis, ...] = tuple(Axis)

    def __post_init__(self) -> None:
        for axis in Axis:
            if self.degree(axis) < 1:
                raise SpecError(
                    f"{axis.value} must be at least 1, not {self.degree(axis)}"
                )
        if self.weight_sharding not in (0, 1, 2, 3):
            raise SpecError(
                f"weight_sharding must be 0, 1, 2 or 3, not {self.weight_sharding}"
            )
        if sorted(self.axis_order, key=_name) != sorted(Axis, key=_name):
            raise SpecError(
                f"axis_order must name each of {_names(Axis)} once, "
                f"not {_names(self.axis_order) or 'nothing'}"
            )

    def degree(self, axis: Axis) -> int:
        """Devices along an axis."""
        match axis:
            case Axis.TENSOR:
                return self.tensor
            case Axis.SEQUENCE:
                return self.sequence
            case Axis.DATA:
                return self.data
            case Axis.PIPELINE:
                return self.pipeline
            case _:
                assert_never(axis)

    def stride(self, axis: Axis) -> int:
        """Distance in device ids between neighbors along an axis.

        >>> split = Parallelism(tensor=8, data=4, pipeline=2)
        >>> split.stride(Axis.DATA), split.stride(Axis.PIPELINE)
        (8, 32)
        """
        within = self.axis_order[: self.axis_order.index(axis)]
        return math.prod(self.degree(inner) for inner in within)

    @property
    def devices(self) -> int:
        """How many devices it takes."""
        return math.prod(self.degree(axis) for axis in Axis)

    @property
    def replicas(self) -> int:
        """Devices that hold the same weights, over which gradients are summed."""
        return self.data * self.sequence


def _name(axis: Axis) -> str:
    return axis.value


def _names(axes: Iterable[Axis]) -> str:
    return ", ".join(map(_name, axes))
