"""A workload as an execution graph: one training step, or one pass of inference.

The units of a stage (embedding, layers, head) are strung together, with what data
parallelism adds between them:

* sharding 0: each unit's gradients are all-reduced as soon as the last backward has
  them; the next forward of the unit waits for them and updates its weights first;
* sharding 1 and 2: they are reduce-scattered, and the updated weights all-gathered, one
  unit ahead of their use;
* sharding 3: weights are gathered one unit ahead, in every forward and backward, and
  gradients are reduce-scattered as they come; a pass ends when these have ended.

Inference has the forward of each unit and nothing else; replicas are independent.

Left out: the exchange of a tied embedding's gradient between first and last stage, and
the final norm's weights, which are too few to travel by themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cosmic.errors import SpecError
from cosmic.trace.execution_graph import Block, ExecutionGraph, Group, Program, Stage
from cosmic.trace.node import (
    CollectiveKind,
    CollectiveNode,
    Instruction,
    Start,
    Token,
    Wait,
)
from cosmic.workload.inference import Task
from cosmic.workload.layers import Unit, embedding_unit, head_unit, layer_unit
from cosmic.workload.operators import Operators
from cosmic.workload.parallelism import Axis, Parallelism
from cosmic.workload.workload import Workload

_GRADIENT = Token("gradient")
_WEIGHTS = Token("weights")

Turn = Callable[[Unit, Unit | None], tuple[Instruction, ...]]


def lower(workload: Workload) -> ExecutionGraph:
    """The execution graph of one training step, or of one pass of inference.

    Raises:
        SpecError: It is a whole request, which has several passes.
    """
    if workload.task is Task.SERVE:
        raise SpecError("a whole request is no single pass: lower its passes")
    split = workload.parallelism
    stage_of = [(s == 0, s == split.pipeline - 1) for s in range(split.pipeline)]
    stages = {
        ends: _StageLowering.of(workload, *ends).stage() for ends in set(stage_of)
    }
    hidden_bytes = workload.element_bytes * workload.model.hidden
    shared_tokens = split.tensor if split.tensor_sequence else 1
    return ExecutionGraph(
        devices=split.devices,
        groups=groups(workload),
        pipeline=_group(split, Axis.PIPELINE),
        stages=tuple(stages[ends] for ends in stage_of),
        micro_batches=workload.micro_batches,
        boundary_bytes=workload.tokens / shared_tokens * hidden_bytes,
        schedule=workload.schedule,
        forward_only=workload.inference is not None,
    )


def groups(workload: Workload) -> tuple[Group, ...]:
    """Who communicates: `data` is all that hold the same weights.

    These are the devices of the data and the sequence axis, since the gradients of a
    split sequence's tokens are summed too. Where the order of axes puts others between
    these two, the group has a part for each.
    """
    split = workload.parallelism
    replicas = Axis.SEQUENCE, Axis.DATA
    parts = [(split.degree(axis), split.stride(axis)) for axis in replicas]
    return (
        _group(split, Axis.TENSOR),
        _group(split, Axis.SEQUENCE),
        Group.joined("data", parts),
    )


def _group(split: Parallelism, axis: Axis) -> Group:
    """The devices along one axis."""
    return Group(name=axis.value, size=split.degree(axis), stride=split.stride(axis))


@dataclass(frozen=True, slots=True)
class _Run:
    """Equal units in a row."""

    unit: Unit
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class _StageLowering:
    """The programs of one stage, out of its units."""

    workload: Workload
    runs: tuple[_Run, ...]

    @classmethod
    def of(cls, workload: Workload, first: bool, last: bool) -> "_StageLowering":
        """The units of a stage: layers count from 0, the ends stand around them."""
        layers = workload.layers_per_stage
        runs = [_Run(layer_unit(workload), 0, layers)]
        if first and workload.model.vocabulary:
            runs.insert(0, _Run(embedding_unit(workload), -1, 1))
        if last and workload.model.vocabulary:
            runs.append(_Run(head_unit(workload), layers, 1))
        return cls(workload, tuple(runs))

    def stage(self) -> Stage:
        sharding = self.workload.parallelism.weight_sharding
        if self.workload.inference is not None:
            return Stage.passing(self._program(lambda unit, _: unit.forward))
        if self.workload.parallelism.replicas == 1:
            return self._alone()
        if sharding == 3:
            return self._sharded()
        if sharding == 0:
            update = self._program(self._update_reduced)
            return self._replicated(CollectiveKind.ALL_REDUCE, update)
        run = self.runs[0]
        head = Block(
            name="first update", instructions=self._updated(run.unit), first=run.first
        )
        update = (head, *self._program(self._update_scattered))
        return self._replicated(CollectiveKind.REDUCE_SCATTER, update)

    def _alone(self) -> Stage:
        """Nobody shares the gradients."""
        backward = self._program(lambda unit, _: unit.backward, reverse=True)
        return Stage(
            forward=self._program(lambda unit, _: unit.forward),
            backward=backward,
            last_backward=backward,
            update=self._program(self._update_alone),
        )

    def _replicated(self, kind: CollectiveKind, update: Program) -> Stage:
        """Sharding 0, 1 and 2: gradients travel once a step."""

        def last(unit: Unit, _: Unit | None) -> tuple[Instruction, ...]:
            return (*unit.backward, *self._start(unit, kind, _GRADIENT))

        return Stage(
            forward=self._program(lambda unit, _: unit.forward),
            backward=self._program(lambda unit, _: unit.backward, reverse=True),
            last_backward=self._program(last, reverse=True),
            update=update,
        )

    def _sharded(self) -> Stage:
        """Sharding 3: weights and gradients travel with every micro-batch."""
        gather = CollectiveKind.ALL_GATHER

        def ahead(unit: Unit, following: Unit | None, step: int) -> list[Instruction]:
            started: list[Instruction] = []
            if following is not None:
                token = Token("weights", step)
                started.extend(self._start(following, gather, token))
            return [*started, *self._wait(unit, _WEIGHTS)]

        def forward(unit: Unit, following: Unit | None) -> tuple[Instruction, ...]:
            return (*ahead(unit, following, 1), *unit.forward)

        def backward(unit: Unit, following: Unit | None) -> tuple[Instruction, ...]:
            scatter = self._start(unit, CollectiveKind.REDUCE_SCATTER, _GRADIENT)
            return (*ahead(unit, following, -1), *unit.backward, *scatter)

        fetch, fetch_back = self._fetch(self.runs[0], 0), self._fetch(self.runs[-1], -1)
        forward_program = (*fetch, *self._program(forward))
        backward_program = (
            *fetch_back,
            *self._program(backward, reverse=True),
            *self._program(lambda unit, _: self._wait(unit, _GRADIENT), reverse=True),
        )
        return Stage(
            forward=forward_program,
            backward=backward_program,
            last_backward=backward_program,
            update=(self._whole_update(), *forward_program),
        )

    def _fetch(self, run: _Run, end: int) -> Program:
        """The first gather of a pass, which nothing can hide."""
        first = run.first if end == 0 else run.first + run.count - 1
        start = self._start(run.unit, CollectiveKind.ALL_GATHER, _WEIGHTS)
        if not start:
            return ()
        return (Block(name="first weights", instructions=start, first=first),)

    def _update_alone(self, unit: Unit, _: Unit | None) -> tuple[Instruction, ...]:
        return (*self._optimize(unit), *unit.forward)

    def _update_reduced(self, unit: Unit, _: Unit | None) -> tuple[Instruction, ...]:
        wait = self._wait(unit, _GRADIENT)
        return (*wait, *self._optimize(unit), *unit.forward)

    def _update_scattered(
        self, unit: Unit, following: Unit | None
    ) -> tuple[Instruction, ...]:
        ahead = self._updated(following, 1) if following is not None else ()
        return (*ahead, *self._wait(unit, _WEIGHTS), *unit.forward)

    def _updated(self, unit: Unit, offset: int = 0) -> tuple[Instruction, ...]:
        """Gradients home, weights updated and on their way."""
        gather = CollectiveKind.ALL_GATHER
        return (
            *self._wait(unit, Token("gradient", offset)),
            *self._optimize(unit),
            *self._start(unit, gather, Token("weights", offset)),
        )

    def _optimize(self, unit: Unit) -> tuple[Instruction, ...]:
        if unit.weights == 0:
            return ()
        split = self.workload.parallelism
        shards = split.replicas if split.weight_sharding else 1
        return (Operators(self.workload).optimizer(unit.weights / shards),)

    def _whole_update(self) -> Block:
        """The optimizer over all of the stage's shards at once."""
        count = sum(run.unit.weights * run.count for run in self.runs)
        shards = self.workload.parallelism.replicas
        node = Operators(self.workload).optimizer(count / shards)
        return Block(name="optimizer", instructions=(node,))

    def _start(
        self, unit: Unit, kind: CollectiveKind, token: Token
    ) -> tuple[Instruction, ...]:
        """A collective over a unit's weights or gradients."""
        if unit.weights == 0:
            return ()
        node = CollectiveNode(
            name=f"{unit.name} {token.label}",
            kind=kind,
            group="data",
            nbytes=float(self.workload.element_bytes * unit.weights),
        )
        return (Start(node, token),)

    def _wait(self, unit: Unit, token: Token) -> tuple[Instruction, ...]:
        return (Wait(token),) if unit.weights else ()

    def _program(self, turn: Turn, reverse: bool = False) -> Program:
        """A turn for every unit, in order or backward; each is told the next one."""
        runs = self.runs[::-1] if reverse else self.runs
        following: Sequence[_Run | None] = [*runs[1:], None]
        blocks: list[Block] = []
        for run, after in zip(runs, following, strict=True):
            blocks.extend(_blocks(run, after, turn, reverse))
        return tuple(block for block in blocks if block.instructions)


def _blocks(
    run: _Run, after: _Run | None, turn: Turn, reverse: bool
) -> tuple[Block, ...]:
    """The turns of one run; its last turn has another follower than the rest."""
    step = -1 if reverse else 1
    first = run.first + run.count - 1 if reverse else run.first
    inner = turn(run.unit, run.unit)
    last = turn(run.unit, after.unit if after else None)
    name = run.unit.name
    if inner == last:
        block = Block(
            name=name, instructions=last, repeat=run.count, first=first, step=step
        )
        return (block,)
    end = Block(name=name, instructions=last, first=first + step * (run.count - 1))
    if run.count == 1:
        return (end,)
    start = Block(
        name=name, instructions=inner, repeat=run.count - 1, first=first, step=step
    )
    return start, end
