"""Lowering: what each way of sharding sends, and how small the graph stays."""

from collections import Counter
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from cosmic.trace.execution_graph import (
    ExecutionGraph,
    Program,
    Stage,
    collective_nodes,
    compute_nodes,
)
from cosmic.trace.node import CollectiveKind, OperatorKind
from cosmic.workload.lowering import groups, lower
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Axis, Parallelism
from cosmic.workload.weights import (
    embedding_weights,
    head_weights,
    layer_weights,
    stage_weights,
)
from cosmic.workload.workload import Workload

AR, AG, RS = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
)
LAYERS = 4


def workload(
    split: dict[str, Any] | None = None,
    shape: dict[str, Any] | None = None,
    **changes: Any,
) -> Workload:
    given: dict[str, Any] = {
        "layers": LAYERS,
        "hidden": 64,
        "heads": 16,
        "key_value_heads": 16,
        "head_dim": 4,
        "feed_forward": 256,
        "sequence": 128,
        "vocabulary": 1000,
        "tied_embeddings": False,
    }
    step: dict[str, Any] = {
        "model": TransformerModel(**(given | (shape or {}))),
        "batch": 32,
        "parallelism": Parallelism(**(split or {})),
    }
    return Workload(**(step | changes))


def gradients(program: Program) -> Counter[CollectiveKind]:
    """Bytes over the data group, by kind."""
    sent: Counter[CollectiveKind] = Counter()
    for node, times in collective_nodes(program):
        if node.group == "data":
            sent[node.kind] += int(node.nbytes) * times
    return sent


def count(program: Program) -> Counter[CollectiveKind]:
    """Collectives over the data group, by kind."""
    sent: Counter[CollectiveKind] = Counter()
    for node, times in collective_nodes(program):
        if node.group == "data":
            sent[node.kind] += times
    return sent


def optimized(stage: Stage) -> float:
    """FLOPs of the optimizer in a step; ten a weight."""
    return sum(
        node.flops * times
        for program in stage.programs
        for node, times in compute_nodes(program)
        if node.kind is OperatorKind.OPTIMIZER
    )


def size(graph: ExecutionGraph) -> int:
    """Instructions that the graph holds."""
    return sum(
        len(block.instructions)
        for stage in set(graph.stages)
        for program in stage.programs
        for block in program
    )


def travelling(shared: Workload) -> int:
    """Bytes of all weights of a stage but the final norm's."""
    return 2 * (stage_weights(shared, 0) - shared.model.norm_weights)


def test_devices_that_share_nothing_send_nothing() -> None:
    alone = lower(workload({"weight_sharding": 3}))

    for program in alone.stages[0].programs:
        assert not list(collective_nodes(program))


@pytest.mark.parametrize("split", [{"data": 4}, {"sequence": 4}, {"tensor": 4}])
def test_groups_of_one_send_nothing(split: dict[str, int]) -> None:
    graph = lower(workload(split))

    for program in graph.stages[0].programs:
        for node, _ in collective_nodes(program):
            assert graph.group(node.group).size > 1


@pytest.mark.parametrize("split", [{"data": 4}, {"data": 2, "sequence": 2}])
def test_unsharded_gradients_are_reduced_once_a_step(split: dict[str, int]) -> None:
    shared = workload(split)

    stage = lower(shared).stages[0]

    assert not gradients(stage.forward)
    assert not gradients(stage.backward)
    assert gradients(stage.last_backward) == {AR: travelling(shared)}
    assert count(stage.last_backward) == {AR: LAYERS + 2}
    assert not gradients(stage.update)


@pytest.mark.parametrize("sharding", [1, 2])
def test_sharded_gradients_are_scattered_and_weights_gathered(sharding: int) -> None:
    shared = workload({"data": 4, "weight_sharding": sharding})

    stage = lower(shared).stages[0]

    assert not gradients(stage.forward)
    assert not gradients(stage.backward)
    assert gradients(stage.last_backward) == {RS: travelling(shared)}
    assert gradients(stage.update) == {AG: travelling(shared)}
    assert count(stage.update) == {AG: LAYERS + 2}


def test_sharded_weights_travel_with_every_micro_batch() -> None:
    shared = workload({"data": 4, "weight_sharding": 3})
    nbytes = travelling(shared)

    stage = lower(shared).stages[0]

    for forward in (stage.forward, stage.update):
        assert gradients(forward) == {AG: nbytes}
        assert count(forward) == {AG: LAYERS + 2}
    for backward in (stage.backward, stage.last_backward):
        assert gradients(backward) == {AG: nbytes, RS: nbytes}
        assert count(backward) == {AG: LAYERS + 2, RS: LAYERS + 2}


@pytest.mark.parametrize(("sharding", "shards"), [(0, 1), (1, 8), (2, 8), (3, 8)])
def test_the_optimizer_works_on_this_devices_shard_once_a_step(
    sharding: int, shards: int
) -> None:
    shared = workload({"data": 4, "sequence": 2, "weight_sharding": sharding})

    done = optimized(lower(shared).stages[0])

    assert done == pytest.approx(10 * travelling(shared) / 2 / shards)


@pytest.mark.parametrize("sharding", [0, 1, 2, 3])
def test_a_stage_holds_its_layers_and_ends(sharding: int) -> None:
    split = {"data": 2, "pipeline": 4, "weight_sharding": sharding}
    shared = workload(split)
    first, inner, _, last = lower(shared).stages
    layer = 2 * layer_weights(shared)

    def scattered(stage: Stage) -> int:
        return sum(gradients(stage.last_backward)[kind] for kind in (AR, RS))

    assert scattered(inner) == layer
    assert scattered(first) == layer + 2 * embedding_weights(shared)
    assert scattered(last) == layer + 2 * head_weights(shared)


@pytest.mark.parametrize("sharding", [0, 1, 2, 3])
def test_a_tied_matrix_travels_once(sharding: int) -> None:
    split = {"data": 2, "weight_sharding": sharding}
    tied = workload(split, {"tied_embeddings": True})

    sent = gradients(lower(tied).stages[0].last_backward)

    assert sent[AR] + sent[RS] == travelling(tied)


@pytest.mark.parametrize("sharding", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "shape", [{}, {"vocabulary": 0}, {"tied_embeddings": True}, {"layers": 1}]
)
def test_every_program_awaits_what_it_starts(
    sharding: int, shape: dict[str, Any]
) -> None:
    """A graph that exists has been checked; no block is empty."""
    split = {"data": 2, "tensor": 2, "weight_sharding": sharding}

    stage = lower(workload(split, shape)).stages[0]

    assert all(block.instructions for program in stage.programs for block in program)


@pytest.mark.parametrize("sharding", [0, 1, 2, 3])
def test_a_graph_grows_with_what_is_distinct_alone(sharding: int) -> None:
    split = {"data": 2, "pipeline": 4, "weight_sharding": sharding}
    small = lower(workload(split, {"layers": 16}))
    wide = lower(workload(split | {"data": 32}, {"layers": 16}))
    long = lower(workload(split, {"layers": 16}, batch=4096))
    deep = lower(workload(split | {"pipeline": 16}, {"layers": 256}))

    assert size(small) == size(wide) == size(long) == size(deep)
    assert len(set(deep.stages)) == 3  # first, inner and last


def test_axes_count_through_the_devices_from_tensor_to_pipeline() -> None:
    shared = workload({"tensor": 2, "sequence": 4, "data": 8, "pipeline": 2})

    graph = lower(shared)

    assert graph.devices == 128
    sizes = [(group.name, group.size, group.stride) for group in groups(shared)]
    assert sizes == [("tensor", 2, 1), ("sequence", 4, 2), ("data", 32, 2)]
    assert (graph.pipeline.size, graph.pipeline.stride) == (2, 64)


@pytest.mark.parametrize("order", list(permutations(Axis)))
def test_groups_are_the_devices_that_differ_along_their_axes(
    order: tuple[Axis, ...],
) -> None:
    """The mesh is an array of all device ids, the first axis of the order last."""
    degrees = {Axis.TENSOR: 2, Axis.SEQUENCE: 4, Axis.DATA: 2, Axis.PIPELINE: 2}
    split = {axis.value: degree for axis, degree in degrees.items()}
    shared = workload({**split, "axis_order": order})
    mesh = np.arange(32).reshape([degrees[axis] for axis in order[::-1]])
    axes = {
        "tensor": {Axis.TENSOR},
        "sequence": {Axis.SEQUENCE},
        "data": {Axis.DATA, Axis.SEQUENCE},
        "pipeline": {Axis.PIPELINE},
    }
    graph = lower(shared)

    for group in (*graph.groups, graph.pipeline):
        for place in np.ndindex(mesh.shape):
            along = tuple(
                slice(None) if axis in axes[group.name] else k
                for axis, k in zip(order[::-1], place, strict=True)
            )
            expected = tuple(sorted(mesh[along].ravel().tolist()))
            assert group.members(int(mesh[place])) == expected


@pytest.mark.parametrize(
    ("split", "nbytes"),
    [
        ({}, 2 * 128 * 64),
        ({"tensor": 4}, 2 * 128 * 64),  # every device sends the whole to its peer
        ({"tensor": 4, "tensor_sequence": True}, 2 * 32 * 64),
        ({"sequence": 4}, 2 * 32 * 64),
    ],
)
def test_stages_hand_on_the_residual_stream(split: dict[str, Any], nbytes: int) -> None:
    assert lower(workload(split | {"pipeline": 2})).boundary_bytes == nbytes


def test_the_schedule_and_its_micro_batches_are_the_workloads() -> None:
    shared = workload({"data": 4}, micro_batch=2)

    graph = lower(shared)

    assert graph.micro_batches == 4  # 32 / (4 x 2)
    assert graph.schedule is shared.schedule
