"""How a workload is split over devices."""

import enum
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from cosmic.errors import ConsistencyError, SpecError

Parts = list[tuple[int, int]]


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
    one gives back its tokens. RING: keys and values go round from device to device,
    while attention to those that are there is computed.
    """

    ALL_GATHER = "all_gather"
    ULYSSES = "ulysses"
    RING = "ring"


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
        sharding_group: Over how many of the devices that hold the same weights these
            are sharded, the innermost ones; the others hold copies of the shards. 0 is
            all of them.
        gradient_overlap: Whether gradients travel while the last backward goes on, and
            updated weights while the next forward does; if not, all travel in between,
            and with sharding 3 the gradients of each unit behind its backward.
        prefetch: How many units ahead of their use sharding 3 gathers weights.
        tensor_overlap: Whether tensor collectives go on behind the products that stand
            beside them, piece by piece; for `tensor_sequence` only.
        virtual_stages: Parts of the model that each pipeline stage holds, one of each
            round through the stages.
        expert: Devices that share the routed experts of each layer: so many of those
            that otherwise hold the same weights, the innermost ones.
    """

    tensor: int = 1
    sequence: int = 1
    data: int = 1
    pipeline: int = 1
    weight_sharding: int = 0
    sequence_method: SequenceMethod = SequenceMethod.ALL_GATHER
    tensor_sequence: bool = False
    axis_order: tuple[Axis, ...] = tuple(Axis)
    sharding_group: int = 0
    gradient_overlap: bool = True
    prefetch: int = 1
    tensor_overlap: bool = False
    virtual_stages: int = 1
    expert: int = 1

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
        if self.prefetch < 0:
            raise SpecError(f"prefetch must not be negative, but is {self.prefetch}")
        if self.tensor_overlap and not self.tensor_sequence:
            raise ConsistencyError(
                "tensor_overlap hides gathered and scattered tokens, which there are "
                "with tensor_sequence only"
            )
        self._check_virtual_stages()
        self._check_sharding_group()
        self._check_expert()

    def _check_virtual_stages(self) -> None:
        if self.virtual_stages < 1:
            raise SpecError(
                f"virtual_stages must be at least 1, not {self.virtual_stages}"
            )
        if self.virtual_stages > 1 and self.pipeline == 1:
            raise ConsistencyError(
                f"virtual_stages = {self.virtual_stages}, but there is no pipeline: "
                "pp is 1"
            )

    def _check_sharding_group(self) -> None:
        if self.sharding_group < 0:
            raise SpecError(
                f"sharding_group must not be negative, but is {self.sharding_group}"
            )
        if self.sharding_group and not self.weight_sharding:
            raise ConsistencyError(
                f"sharding_group = {self.sharding_group}, but weight_sharding is 0: "
                "nothing is sharded"
            )
        if self.sharding_group == 1 < self.replicas:
            raise ConsistencyError(
                "sharding_group = 1 shares nothing out: choose weight_sharding 0"
            )
        if self.replicas % self.shards:
            raise ConsistencyError(
                f"sharding_group over data x sequence: {self.shards} does not divide "
                f"{self.replicas}"
            )
        shards, _ = self.replica_parts()
        if math.prod(size for size, _ in shards) != self.shards:
            raise ConsistencyError(
                f"sharding_group = {self.shards} does not fit into data x sequence: "
                "another axis lies between these two, so that it must divide the inner "
                "one, or be a multiple of it"
            )

    def _check_expert(self) -> None:
        if self.expert < 1:
            raise SpecError(f"expert must be at least 1, not {self.expert}")
        if self.expert == 1:
            return
        if self.replicas % self.expert:
            raise ConsistencyError(
                f"expert over data x sequence: {self.expert} does not divide "
                f"{self.replicas}"
            )
        if self.sharding_group:
            raise ConsistencyError(
                f"sharding_group = {self.sharding_group} with expert parallelism, "
                "whose experts are always sharded over all that hold them: leave it 0"
            )
        inner, _ = self.expert_parts()
        if math.prod(size for size, _ in inner) != self.expert:
            raise ConsistencyError(
                f"expert = {self.expert} does not fit into data x sequence: another "
                "axis lies between these two, so that it must divide the inner one, or "
                "be a multiple of it"
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

    @property
    def shards(self) -> int:
        """Devices that share out weights, gradients or optimizer state."""
        return self.sharding_group or self.replicas

    @property
    def copies(self) -> int:
        """Devices that hold the same shard."""
        return self.replicas // self.shards

    def replica_parts(self) -> tuple[Parts, Parts]:
        """Size and stride of the parts of those that share, and of those that copy.

        >>> split = Parallelism(data=8, tensor=2, weight_sharding=1, sharding_group=4)
        >>> split.replica_parts()
        ([(4, 2)], [(2, 8)])
        """
        return self._cut_replicas(self.shards)

    @property
    def expert_replicas(self) -> int:
        """Devices that hold the same routed experts, over which their gradients sum."""
        return self.replicas // self.expert

    def expert_parts(self) -> tuple[Parts, Parts]:
        """The same of those that share the experts, and of those that hold the same.

        >>> Parallelism(data=8, tensor=2, expert=2).expert_parts()
        ([(2, 2)], [(4, 4)])
        """
        return self._cut_replicas(self.expert)

    def _cut_replicas(self, count: int) -> tuple[Parts, Parts]:
        """So many replicas, the innermost ones, and what lies outside of them."""
        both = Axis.SEQUENCE, Axis.DATA
        parts = sorted((self.stride(axis), self.degree(axis)) for axis in both)
        shards: list[tuple[int, int]] = []
        copies: list[tuple[int, int]] = []
        left = count
        for stride, size in _side_by_side(parts):
            inner = math.gcd(size, left)
            left = left // inner if inner == size else 1
            shards.append((inner, stride))
            copies.append((size // inner, stride * inner))
        return shards, copies


def _side_by_side(parts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Strides and sizes from the inside out, those that continue each other as one."""
    stride, size = 1, 1
    for outer, more in parts:
        if size == 1:
            stride, size = outer, more
        elif more > 1 and outer == stride * size:
            size *= more
        elif more > 1:
            yield stride, size
            stride, size = outer, more
    yield stride, size


def _name(axis: Axis) -> str:
    return axis.value


def _names(axes: Iterable[Axis]) -> str:
    return ", ".join(map(_name, axes))
