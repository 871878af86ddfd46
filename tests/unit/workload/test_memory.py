"""Memory of one device, part by part, for a model small enough to count."""

from typing import Any

import pytest

from cosmic.trace.execution_graph import Schedule
from cosmic.workload.memory import (
    layer_activations,
    memory_footprint,
    stage_footprint,
)
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute, SequenceMethod
from cosmic.workload.weights import (
    embedding_weights,
    head_weights,
    layer_weights,
    stage_weights,
)
from cosmic.workload.workload import Workload


def workload(
    split: dict[str, Any] | None = None,
    shape: dict[str, Any] | None = None,
    **changes: Any,
) -> Workload:
    given: dict[str, Any] = {
        "layers": 4,
        "hidden": 64,
        "heads": 16,
        "key_value_heads": 4,
        "head_dim": 4,
        "feed_forward": 256,
        "sequence": 128,
        "vocabulary": 1000,
        "tied_embeddings": False,
    }
    step: dict[str, Any] = {
        "model": TransformerModel(**(given | (shape or {}))),
        "batch": 48,
        "parallelism": Parallelism(**(split or {})),
    }
    return Workload(**(step | changes))


@pytest.mark.parametrize(
    ("sharding", "weights", "gradients", "optimizer"),
    [(0, 1, 1, 1), (1, 1, 1, 4), (2, 1, 4, 4), (3, 4, 4, 4)],
)
def test_each_level_shards_one_part_more(
    sharding: int, weights: int, gradients: int, optimizer: int
) -> None:
    # the 2 x 2 devices of data and sequence hold the same weights
    split = {"data": 2, "sequence": 2, "weight_sharding": sharding}
    sharded = workload(split, batch=2)
    count = stage_weights(sharded, 0)

    held = stage_footprint(sharded, 0)

    assert held.weights == 2 * count / weights
    assert held.gradients == 2 * count / gradients
    assert held.optimizer == 12 * count / optimizer


def test_a_gated_layer_keeps_gate_and_product() -> None:
    swiglu = workload(shape={"feed_forward_kind": FeedForward.SWIGLU})

    # of 128 tokens: 10 B x 64; 2 B x (2 x 64 + 2 x 16 + 3 x 256)
    assert layer_activations(swiglu) == 128 * (640 + 2 * (128 + 32 + 768))


def test_ulysses_keeps_the_copies_of_keys_that_it_attends_to() -> None:
    split = {"sequence": 8, "sequence_method": SequenceMethod.ULYSSES}
    exchanged = workload(split)

    # of 16 tokens: 10 B x 64; 2 B x (2 x 64 + 2 x 8 devices x 1 head x 4 + 2 x 256)
    assert layer_activations(exchanged) == 16 * (640 + 2 * (128 + 64 + 512))


@pytest.mark.parametrize(
    ("schedule", "stages"),
    [(Schedule.ONE_F_ONE_B, [4, 3, 2, 1]), (Schedule.GPIPE, [48] * 4)],
)
def test_a_stage_holds_the_micro_batches_of_its_schedule(
    schedule: Schedule, stages: list[int]
) -> None:
    staged = workload({"pipeline": 4}, schedule=schedule)
    one = layer_activations(staged)

    held = [stage_footprint(staged, stage).activations / one for stage in range(4)]

    assert held == stages


def test_no_more_micro_batches_are_in_flight_than_there_are() -> None:
    staged = workload({"pipeline": 4}, batch=2)

    held = stage_footprint(staged, 0).activations

    assert held == 2 * layer_activations(staged)


def test_full_recomputation_brings_one_layer_back() -> None:
    kept = workload(fused_attention=False)
    again = workload(fused_attention=False, recompute=Recompute.FULL)
    inputs = 2 * 128 * 64

    assert layer_activations(again) == inputs
    held = memory_footprint(again)
    assert held.activations == 4 * inputs
    assert held.recomputed == layer_activations(kept) - inputs  # all of one layer


def test_selective_recomputation_brings_the_scores_of_one_layer_back() -> None:
    kept = workload(fused_attention=False)
    again = workload(fused_attention=False, recompute=Recompute.SELECTIVE)
    scores = 5 * 16 * 128 * 128  # 5 B, 16 heads

    assert layer_activations(kept) - layer_activations(again) == scores
    held = memory_footprint(again)
    assert held.activations == 4 * layer_activations(again)
    assert held.recomputed == scores


def test_logits_stand_on_the_last_stage_in_single_precision() -> None:
    staged = workload({"pipeline": 2, "tensor": 16})

    assert stage_footprint(staged, 0).logits == 0
    assert stage_footprint(staged, 1).logits == 4 * 128 * 63  # 1000 / 16 rounded up


@pytest.mark.parametrize("nbytes", [0, 8, 14])
def test_logits_take_up_as_many_copies_as_the_loss_makes(nbytes: int) -> None:
    assert memory_footprint(workload(logit_bytes=nbytes)).logits == nbytes * 128 * 1000


@pytest.mark.parametrize("fused", [True, False])
def test_without_dropout_there_are_no_masks(fused: bool) -> None:
    """Two masks over the residual stream; of scores one, and what comes out of it."""
    given: dict[str, Any] = {"fused_attention": fused}
    with_masks, without = workload(**given), workload(**given, dropout=False)
    scores = 0 if fused else 16 * 128 * 128  # 16 heads

    less = layer_activations(with_masks) - layer_activations(without)

    assert less == 2 * 128 * 64 + (1 + 2) * scores


def test_gathered_keys_and_values_of_other_devices_are_a_buffer() -> None:
    gathered = workload({"sequence": 4})

    # 3 x 32 tokens of others, keys and values of 4 heads of 4, 2 B
    assert memory_footprint(gathered).buffers == 3 * 32 * 2 * 16 * 2


def test_sharded_weights_are_gathered_for_two_units_at_a_time() -> None:
    split = {"data": 4, "weight_sharding": 3}
    sharded = workload(split)
    layer, embedding = layer_weights(sharded), embedding_weights(sharded)
    assert embedding > max(layer, head_weights(sharded))

    # the embedding at work and the first layer fetched, and the embedding's gradients;
    # a quarter is this device's own shard
    expected = 2 * (embedding + layer + embedding) * 3 / 4
    assert memory_footprint(sharded).buffers == expected


def test_sharded_gradients_are_whole_until_they_are_scattered() -> None:
    split = {"data": 4, "weight_sharding": 2}
    sharded = workload(split, {"vocabulary": 0}, batch=4)

    assert memory_footprint(sharded).buffers == 2 * layer_weights(sharded) * 3 / 4


@pytest.mark.parametrize("sharding", [1, 2, 3])
def test_shards_in_a_group_are_larger_than_over_all(sharding: int) -> None:
    """Two groups of four: what is sharded over eight is twice as large over four."""
    all_of_them, group = (
        memory_footprint(
            workload(
                {"data": 8, "weight_sharding": sharding, "sharding_group": size},
                batch=8,
            )
        )
        for size in (0, 4)
    )

    assert group.optimizer == 2 * all_of_them.optimizer
    assert group.gradients == (1, 2, 2)[sharding - 1] * all_of_them.gradients
    assert group.weights == (1, 1, 2)[sharding - 1] * all_of_them.weights
    assert group.activations == all_of_them.activations


def test_each_unit_fetched_further_ahead_is_a_buffer() -> None:
    whole, layer = [], 0
    for ahead in range(4):
        split = {"data": 4, "weight_sharding": 3, "prefetch": ahead}
        sharded = workload(split, {"vocabulary": 0})
        layer = layer_weights(sharded)
        whole.append(memory_footprint(sharded).buffers)

    # weights of 1 + ahead layers and the gradients of one, three quarters each
    assert whole == [2 * (2 + ahead) * layer * 3 / 4 for ahead in range(4)]


@pytest.mark.parametrize("recompute", [Recompute.FULL, Recompute.SELECTIVE])
@pytest.mark.parametrize("again", [1, 2, 3])
def test_layers_that_are_not_recomputed_keep_all(
    again: int, recompute: Recompute
) -> None:
    """Four layers: `again` keep little, the rest all, and one is brought back."""
    given: dict[str, Any] = {"fused_attention": False, "recompute": recompute}
    all_of_them, some = workload(**given), workload(**given, recompute_layers=again)
    little = layer_activations(all_of_them)
    kept = layer_activations(all_of_them.without_recompute)

    held = memory_footprint(some)
    assert held.activations == again * little + (4 - again) * kept
    assert held.recomputed == kept - little
    same = workload(**given, recompute_layers=4)
    assert memory_footprint(same) == memory_footprint(all_of_them)


@pytest.mark.parametrize("sharding", [0, 1, 2, 3])
def test_a_device_alone_needs_no_buffers(sharding: int) -> None:
    assert memory_footprint(workload({"weight_sharding": sharding})).buffers == 0


def test_the_total_is_all_parts_of_the_fullest_stage() -> None:
    staged = workload({"pipeline": 4})
    each = [stage_footprint(staged, stage).total for stage in range(4)]
    whole = memory_footprint(staged)

    assert whole.total == max(each)
    assert whole.total == (
        whole.weights
        + whole.gradients
        + whole.optimizer
        + whole.activations
        + whole.logits
        + whole.buffers
        + whole.recomputed
    )
