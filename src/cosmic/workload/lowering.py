"""A workload as an execution graph: one training step, or one pass of inference.

The units of a stage (embedding, layers, head) are strung together by `StepPrograms`.

Left out: the exchange of a tied embedding's gradient between first and last stage, and
the final norm's weights, which are too few to travel by themselves.
"""

from dataclasses import replace
from itertools import accumulate

from cosmic.errors import SpecError
from cosmic.trace.execution_graph import ExecutionGraph, Group, Stage
from cosmic.workload.chunks import in_chunks
from cosmic.workload.inference import Task
from cosmic.workload.layer_parts import LayerKind
from cosmic.workload.layers import embedding_unit, head_unit, layer_unit
from cosmic.workload.parallelism import Axis, Parallelism, SequenceMethod
from cosmic.workload.step_programs import StepPrograms
from cosmic.workload.unit_rows import Run
from cosmic.workload.workload import Workload

Kinds = tuple[tuple[LayerKind, int], ...]


def lower(workload: Workload) -> ExecutionGraph:
    """The execution graph of one training step, or of one pass of inference.

    Raises:
        SpecError: It is a whole request, which has several passes.
    """
    if workload.task is Task.SERVE:
        raise SpecError("a whole request is no single pass: lower its passes")
    split = workload.parallelism
    last = split.pipeline - 1
    kinds = [
        (stage == 0, stage == last, workload.kinds_of(stage))
        for stage in range(split.pipeline)
    ]
    stages = {kind: _stage(workload, *kind) for kind in dict.fromkeys(kinds)}
    hidden_bytes = workload.element_bytes * workload.model.hidden
    shared_tokens = split.tensor if split.tensor_sequence else 1
    return ExecutionGraph(
        devices=split.devices,
        groups=groups(workload),
        pipeline=_group(split, Axis.PIPELINE),
        stages=tuple(map(stages.__getitem__, kinds)),
        micro_batches=workload.micro_batches,
        boundary_bytes=workload.tokens / shared_tokens * hidden_bytes,
        schedule=workload.schedule,
        forward_only=workload.inference is not None,
    )


def groups(workload: Workload) -> tuple[Group, ...]:
    """Who communicates: `data` is all that hold the same weights.

    These are the devices of the data and the sequence axis, since the gradients of a
    split sequence's tokens are summed too. Where the order of axes puts others between
    these two, the group has a part for each. `expert` are those of them that share
    routed experts, and `expert_data` those that hold the same ones. Where shards are
    held in copies, `shard` are those that share out the weights, and `copies` those
    that hold the same shard.
    """
    split = workload.parallelism
    replicas = Axis.SEQUENCE, Axis.DATA
    parts = [(split.degree(axis), split.stride(axis)) for axis in replicas]
    flat = split.sequence_method is SequenceMethod.RING and split.sequence > 1
    found = (
        _group(split, Axis.TENSOR),
        replace(_group(split, Axis.SEQUENCE), flat=flat),
        Group.joined("data", parts),
    )
    if split.expert > 1:
        inner, outer = split.expert_parts()
        experts = Group.joined("expert", inner), Group.joined("expert_data", outer)
        return (*found, *experts)
    if split.copies == 1:
        return found
    shards, copies = split.replica_parts()
    return (*found, Group.joined("shard", shards), Group.joined("copies", copies))


def _stage(
    workload: Workload, first: bool, last: bool, parts: tuple[Kinds, ...]
) -> Stage:
    """A stage with so many layers of each kind in its parts; the ends around them.

    Its layers count from 0.
    """
    begins = (0, *accumulate(sum(count for _, count in part) for part in parts))
    rows = [_layer_runs(workload, *part) for part in zip(begins, parts, strict=False)]
    if first and workload.model.has_ends:
        rows[0].insert(0, Run(embedding_unit(workload), -1, 1))
    if last and workload.model.has_ends:
        rows[-1].append(Run(head_unit(workload), begins[-1], 1))
    whole, *further = [StepPrograms(workload, tuple(runs)) for runs in rows]
    return in_chunks(whole.stage(), [(row.stage(), *row.ending()) for row in further])


def _layer_runs(workload: Workload, first: int, kinds: Kinds) -> list[Run]:
    """Layers in a row: first those in which something is computed again."""
    left = workload.recomputed_layers(sum(count for _, count in kinds))
    runs = []
    for kind, count in kinds:
        again = min(left, count)
        if again:
            runs.append(Run(layer_unit(workload, kind), first, again))
        if again < count:
            kept = layer_unit(workload.without_recompute, kind)
            runs.append(Run(kept, first + again, count - again))
        first, left = first + count, left - again
    return runs


def _group(split: Parallelism, axis: Axis) -> Group:
    """The devices along one axis."""
    return Group(name=axis.value, size=split.degree(axis), stride=split.stride(axis))
