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

A stage may hold several parts of the model, which the devices of a pipeline take turns
in: the model's parts go round the stages, and each counts as a virtual stage. The next
step's first forward, which `update` has, is that of a stage's first part.

A graph may be one forward pass instead, as a model that answers has it: every
micro-batch takes its turn of `forward`, nothing comes back, and the time is that from
the start to the end of the last micro-batch on the last stage.
"""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from math import prod

from typing_extensions import override

from cosmic.errors import TraceError
from cosmic.trace.group_parts import check_parts, merged
from cosmic.trace.node import CollectiveNode, ComputeNode, Instruction, Start
from cosmic.trace.token_order import check_tokens
from cosmic.units import Bytes, Flops


class Schedule(enum.Enum):
    """In which order a pipeline stage takes its micro-batches."""

    GPIPE = "gpipe"
    ONE_F_ONE_B = "1f1b"
    ZB_H1 = "zb-h1"


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
        parts = merged(self.parts or ((self.size, self.stride),))
        object.__setattr__(self, "parts", parts)
        check_parts(self.name, self.size, self.stride, parts)

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
class Chunk:
    """A further part of the model on the devices of a stage: one more virtual stage.

    Attributes:
        forward: One micro-batch forward.
        backward: One micro-batch backward.
        last_backward: The step's last micro-batch backward, with the gradients.
    """

    forward: Program
    backward: Program
    last_backward: Program


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """What the devices of one pipeline stage run; compared by identity.

    Attributes:
        forward: One micro-batch forward.
        backward: One micro-batch backward.
        last_backward: The step's last micro-batch backward, with the gradients.
        update: The optimizer and the next step's first forward.
        finish: What is done before that, as soon as the last backward has ended.
        weight_backward: The gradients of the weights of one micro-batch, where
            `backward` leaves them to later: for the schedule ZB_H1, and only for it.
        last_weight_backward: The same of the step's last micro-batch.
        chunks: Parts of the model beside the one of `forward` and `backward`, in the
            order of the model. What a step ends with is in `finish` and `update`.
    """

    forward: Program
    backward: Program
    last_backward: Program
    update: Program
    finish: Program = ()
    weight_backward: Program = ()
    last_weight_backward: Program = ()
    chunks: tuple[Chunk, ...] = ()

    @classmethod
    def passing(cls, forward: Program) -> "Stage":
        """A stage of one forward pass."""
        return cls(forward=forward, backward=(), last_backward=(), update=())

    @property
    def parts(self) -> tuple[Chunk, ...]:
        """The parts of the model that it holds, the first one among them."""
        first = Chunk(
            forward=self.forward,
            backward=self.backward,
            last_backward=self.last_backward,
        )
        return (first, *self.chunks)

    @property
    def programs(self) -> tuple[Program, ...]:
        """All of them: the seven of every stage, then three of each further chunk."""
        further = ((c.forward, c.backward, c.last_backward) for c in self.chunks)
        return (
            self.forward,
            self.backward,
            self.last_backward,
            self.update,
            self.finish,
            self.weight_backward,
            self.last_weight_backward,
            *chain.from_iterable(further),
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
        _check_chunks(self)
        for stage in set(self.stages):
            _check_stage(stage, known)
            if self.forward_only and any(stage.programs[1:]):
                raise TraceError("a forward pass has stages with forward programs only")

    @property
    def chunks(self) -> int:
        """Parts of the model on each stage: virtual stages over stages."""
        return 1 + len(self.stages[0].chunks)

    @property
    def turns(self) -> tuple[int, ...]:
        """How often a stage runs each of its programs, in the order of `programs`.

        Of a step, the first forward is that of the update, which the step before ran.
        """
        if self.forward_only:
            return (self.micro_batches, *[0] * 6)
        more = self.micro_batches - 1
        return (more, more, 1, 1, 1, more, 1, *(more + 1, more, 1) * (self.chunks - 1))

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


def _check_chunks(graph: ExecutionGraph) -> None:
    """Chunks are as many on every stage, and take micro-batches a pipeline at a time.

    Reference:
        D. Narayanan et al., "Efficient large-scale language model training on GPU
        clusters using Megatron-LM", SC 2021, section 2.2.
    """
    put_off = any(s.weight_backward or s.last_weight_backward for s in graph.stages)
    if put_off and graph.schedule is not Schedule.ZB_H1:
        raise TraceError("only the schedule zb-h1 puts gradients of weights off")
    if len({len(stage.chunks) for stage in graph.stages}) > 1:
        raise TraceError("every stage must have as many chunks as the others")
    if graph.chunks == 1:
        return
    if graph.forward_only or graph.schedule is not Schedule.ONE_F_ONE_B:
        raise TraceError("chunks are for training steps by the 1f1b schedule")
    if len(graph.stages) == 1 or graph.micro_batches % len(graph.stages):
        raise TraceError(
            f"chunks need several stages, here {len(graph.stages)}, and a multiple of "
            f"that many micro-batches, here {graph.micro_batches}"
        )


def _check_stage(stage: Stage, groups: set[str]) -> None:
    """Every collective has a group, and no program waits for what never starts."""
    for program in stage.programs:
        for node, _ in collective_nodes(program):
            if node.group not in groups:
                raise TraceError(f"collective {node.name!r}: no group {node.group!r}")
    for alone in _programs_alone(stage):
        _check_tokens((alone,))
    _check_tokens(_programs_at_the_end(stage))


def _programs_alone(stage: Stage) -> Iterator[Program]:
    """Those that leave nothing behind."""
    for chunk in stage.parts:
        yield chunk.forward
        yield chunk.backward
    yield stage.weight_backward


def _programs_at_the_end(stage: Stage) -> Iterator[Program]:
    """From the first last backward on; what lies between two runs at least once."""
    for chunk in reversed(stage.parts):
        yield chunk.backward
        yield chunk.last_backward
    yield stage.last_weight_backward
    yield stage.finish
    yield stage.update


def _check_tokens(programs: Iterable[Program]) -> None:
    blocks = (block for program in programs for block in program)
    check_tokens((block.layers(), block.instructions) for block in blocks)
