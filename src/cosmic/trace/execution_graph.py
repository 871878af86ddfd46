"""The execution trace of one step: programs of repeated blocks, one set a stage.

A device runs a program: it computes, hands collectives to the network and waits for
them. A program is a few blocks with repeat counts (a layer x 96), a stage runs its
programs once a micro-batch, and all devices of a stage run the same. So the size of a
graph grows with what is distinct, not with the model, the batch or the cluster.

One step, as a stage sees it: `micro_batches` turns of `forward` and of `backward`, in
the order of the schedule. The last backward is `last_backward`, which hands the step's
gradients to the network. Then comes `finish`, for which a stage waits for nobody, and
`update`: the optimizer and the first forward of the next step, layer by layer as the
gradients come home. A step is counted from the end of the first forward to the end of
the update, which is the first forward of the next step, so that what overlaps from step
to step is counted as it is.

A graph may be one forward pass instead, as a model that answers has it: every
micro-batch takes its turn of `forward`, nothing comes back, and the time is that from
the start to the end of the last micro-batch on the last stage.
"""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from operator import itemgetter

from typing_extensions import override

from cosmic.errors import TraceError
from cosmic.trace.node import CollectiveNode, ComputeNode, Instruction, Start, Wait
from cosmic.units import Bytes, Flops


class Schedule(enum.Enum):
    """In which order a pipeline stage takes its micro-batches."""

    GPIPE = "gpipe"
    ONE_F_ONE_B = "1f1b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Devices that communicate, told by the distances between them in device ids.

    A part is so many devices, so far apart. A group of one part is that; one of several
    holds a device for every choice of a place in each part, as the devices of two axes
    do between which another axis lies. Positions in a group count through its parts,
    innermost first, so that they follow device ids. There are as many groups as there
    are devices over `size`; all do the same.

    Attributes:
        name: Such as `tensor`.
        size: Devices in each group.
        stride: Distance between neighbors in device ids, in the innermost part.
        parts: Size and stride of each part, innermost first, each stride a multiple of
            all that the part before reaches over. Left out, the group is one part; a
            group of one device has none.
        flat: Whether its devices form one ring, in the order of positions, through all
            dimensions of the network that it touches, and hand on to the next one only,
            whatever the algorithms for other groups are.
    """

    name: str
    size: int
    stride: int
    parts: tuple[tuple[int, int], ...] = ()
    flat: bool = False

    def __post_init__(self) -> None:
        if self.size < 1 or self.stride < 1:
            raise TraceError(
                f"group {self.name!r}: size and stride must be at least 1, "
                f"but are {self.size} and {self.stride}"
            )
        parts = _merged(self.parts or ((self.size, self.stride),))
        object.__setattr__(self, "parts", parts)
        _check_parts(self)

    @classmethod
    def joined(cls, name: str, parts: Iterable[tuple[int, int]]) -> "Group":
        """The group over several axes, each given by its size and stride.

        Raises:
            TraceError: The parts do not nest.

        >>> Group.joined("data", [(4, 2), (2, 1)]).parts  # side by side: one part
        ((8, 1),)
        >>> Group.joined("data", [(2, 1), (2, 4)]).members(3)  # 2 and 6 are between
        (2, 3, 6, 7)
        """
        given = tuple(parts)
        return cls(
            name=name,
            size=prod(size for size, _ in given),
            stride=min((s for size, s in given if size > 1), default=given[0][1]),
            parts=given,
        )

    @override
    def __str__(self) -> str:
        sizes = " x ".join(str(size) for size, _ in self.parts) or "1"
        strides = " and ".join(str(stride) for _, stride in self.parts)
        return f"{self.name} group of {sizes} devices, {strides or self.stride} apart"

    @property
    def reach(self) -> int:
        """How many device ids a group and those woven into it take up."""
        return prod(self.parts[-1]) if self.parts else 1

    def position(self, device: int) -> int:
        """The place of a device in its group."""
        place, inner = 0, 1
        for size, stride in self.parts:
            place += device // stride % size * inner
            inner *= size
        return place

    def offset(self, position: int) -> int:
        """How far a position lies from the group's first device, in device ids."""
        distance = 0
        for size, stride in self.parts:
            distance += position % size * stride
            position //= size
        return distance

    def members(self, device: int) -> tuple[int, ...]:
        """The group that a device belongs to, in the order of positions."""
        first = device - self.offset(self.position(device))
        return tuple(first + self.offset(place) for place in range(self.size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Instructions that run `repeat` times, once a layer.

    Attributes:
        name: For people.
        instructions: What one turn does, in order.
        repeat: How many turns.
        first: The layer of the first turn, which tokens count from.
        step: From one turn's layer to the next: 1 forward, -1 backward.
    """

    name: str
    instructions: tuple[Instruction, ...]
    repeat: int = 1
    first: int = 0
    step: int = 1

    def __post_init__(self) -> None:
        if self.repeat < 1:
            raise TraceError(
                f"block {self.name!r} runs at least once, not {self.repeat} times"
            )

    def layers(self) -> range:
        """The layer of each turn."""
        return range(self.first, self.first + self.step * self.repeat, self.step)


Program = tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """What the devices of one pipeline stage run; compared by identity.

    Attributes:
        forward: One micro-batch forward.
        backward: One micro-batch backward.
        last_backward: The step's last micro-batch backward, with the gradients.
        update: The optimizer and the next step's first forward.
        finish: What is done before that, as soon as the last backward has ended.
    """

    forward: Program
    backward: Program
    last_backward: Program
    update: Program
    finish: Program = ()

    @classmethod
    def passing(cls, forward: Program) -> "Stage":
        """A stage of one forward pass."""
        return cls(forward=forward, backward=(), last_backward=(), update=())

    @property
    def programs(self) -> tuple[Program, ...]:
        """All of them, `finish` last."""
        return (
            self.forward,
            self.backward,
            self.last_backward,
            self.update,
            self.finish,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class ExecutionGraph:
    """One training step, or one forward pass, of a whole cluster; by identity.

    Attributes:
        devices: How many devices take part.
        groups: Who communicates with whom.
        pipeline: The group along which stages hand on activations.
        stages: One for each device of a pipeline group; equal ones may be one object.
        micro_batches: How many a step.
        boundary_bytes: What a device sends to its peer of the next stage for each
            micro-batch; as much comes back as gradients.
        schedule: The order of micro-batches.
        forward_only: Whether it is one forward pass; nothing comes back, and of each
            stage's programs only `forward` runs.
    """

    devices: int
    groups: tuple[Group, ...]
    pipeline: Group
    stages: tuple[Stage, ...]
    micro_batches: int
    boundary_bytes: Bytes
    schedule: Schedule = Schedule.ONE_F_ONE_B
    forward_only: bool = False

    def __post_init__(self) -> None:
        if self.micro_batches < 1:
            raise TraceError(
                f"{self.micro_batches} micro-batches; at least 1 is needed"
            )
        if not 0 <= self.boundary_bytes < float("inf"):
            raise TraceError(
                "boundary bytes must be finite and not negative, "
                f"but are {self.boundary_bytes}"
            )
        if len(self.stages) != self.pipeline.size:
            raise TraceError(
                f"{len(self.stages)} stages for a pipeline of {self.pipeline.size}"
            )
        known = {group.name for group in self.groups}
        for stage in set(self.stages):
            _check_stage(stage, known)
            if self.forward_only and any(stage.programs[1:]):
                raise TraceError("a forward pass has stages with forward programs only")

    @property
    def turns(self) -> tuple[int, int, int, int, int]:
        """How often a stage runs each of its programs, in the order of `programs`.

        Of a step, the first forward is that of the update, which the step before ran.
        """
        if self.forward_only:
            return self.micro_batches, 0, 0, 0, 0
        return self.micro_batches - 1, self.micro_batches - 1, 1, 1, 1

    def group(self, name: str) -> Group:
        """The group of that name; there always is one."""
        return next(group for group in self.groups if group.name == name)


def turns(program: Program) -> Iterator[tuple[int, Instruction]]:
    """Every instruction of a program in the order of running, with its layer."""
    for block in program:
        for layer in block.layers():
            for instruction in block.instructions:
                yield layer, instruction


def compute_nodes(program: Program) -> Iterator[tuple[ComputeNode, int]]:
    """Each compute node of a program with how often it runs."""
    for block in program:
        for instruction in block.instructions:
            if isinstance(instruction, ComputeNode):
                yield instruction, block.repeat


def collective_nodes(program: Program) -> Iterator[tuple[CollectiveNode, int]]:
    """Each collective of a program with how often it runs."""
    for block in program:
        for instruction in block.instructions:
            if isinstance(instruction, Start):
                yield instruction.node, block.repeat


def total_flops(graph: ExecutionGraph) -> Flops:
    """Floating-point operations that all devices together carry out in a step."""
    total = 0.0
    for stage in graph.stages:
        for program, count in zip(stage.programs, graph.turns, strict=True):
            once = sum(node.flops * times for node, times in compute_nodes(program))
            total += count * once
    return total * (graph.devices // len(graph.stages))


def _merged(parts: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Parts from the inside out, those side by side as one, those of one left out."""
    merged: list[tuple[int, int]] = []
    for size, stride in sorted(parts, key=itemgetter(1)):
        if merged and prod(merged[-1]) == stride:
            inner, closest = merged.pop()
            merged.append((inner * size, closest))
        elif size != 1:
            merged.append((size, stride))
    return tuple(merged)


def _check_parts(group: Group) -> None:
    """The parts make up the group, and each lies outside of what is within it."""
    reaches = (1, *(prod(part) for part in group.parts))
    nested = all(
        size > 1 and stride % within == 0
        for (size, stride), within in zip(group.parts, reaches, strict=False)
    )
    size = prod(size for size, _ in group.parts)
    innermost = group.parts[0][1] if group.parts else group.stride
    if not nested or (size, innermost) != (group.size, group.stride):
        raise TraceError(
            f"group {group.name!r} of {group.size} devices, {group.stride} apart: its "
            f"parts (devices, distance between them) do not nest: {group.parts}"
        )


def _check_stage(stage: Stage, groups: set[str]) -> None:
    """Every collective has a group, and no program waits for what never starts."""
    for program in stage.programs:
        for node, _ in collective_nodes(program):
            if node.group not in groups:
                raise TraceError(f"collective {node.name!r}: no group {node.group!r}")
    _check_tokens((stage.forward,))
    _check_tokens((stage.backward,))
    _check_tokens((stage.last_backward, stage.finish, stage.update))


def _check_tokens(programs: tuple[Program, ...]) -> None:
    """Tokens are started, awaited once, and may then be used again."""
    under_way: set[tuple[str, int]] = set()
    for block in (block for program in programs for block in program):
        marks = [i for i in block.instructions if not isinstance(i, ComputeNode)]
        for layer in block.layers():
            for mark in marks:
                _check_token(mark, layer, under_way)
    if under_way:
        raise TraceError(f"token {min(under_way)} is never awaited")


def _check_token(
    mark: Start | Wait, layer: int, under_way: set[tuple[str, int]]
) -> None:
    """Note that a token starts or ends."""
    token = mark.token.label, layer + mark.token.offset
    if isinstance(mark, Start):
        if token in under_way:
            raise TraceError(f"token {token} is started twice")
        under_way.add(token)
    elif token in under_way:
        under_way.remove(token)
    else:
        raise TraceError(f"token {token} is awaited before it is started")
