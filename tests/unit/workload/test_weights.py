"""How many weights a device holds: the model's own, shared out."""

from typing import Any

import pytest

from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.weights import (
    embedding_weights,
    head_weights,
    layer_weights,
    stage_weights,
)
from cosmic.workload.workload import Workload

KINDS = pytest.mark.parametrize("kind", FeedForward)


def workload(
    split: dict[str, Any] | None = None,
    kind: FeedForward = FeedForward.GELU,
    **changes: Any,
) -> Workload:
    shape: dict[str, Any] = {
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
    model = TransformerModel(**(shape | changes), feed_forward_kind=kind)
    return Workload(model=model, batch=1, parallelism=Parallelism(**(split or {})))


@KINDS
def test_one_device_holds_a_whole_layer(kind: FeedForward) -> None:
    alone = workload(kind=kind)

    assert layer_weights(alone) == alone.model.layer_weights


@KINDS
@pytest.mark.parametrize("tensor", [2, 4])
def test_a_tensor_group_holds_every_matrix_once(kind: FeedForward, tensor: int) -> None:
    model = workload(kind=kind).model
    together = tensor * layer_weights(workload({"tensor": tensor}, kind))

    norms = 2 * model.norm_weights
    copied = norms if kind.gated else norms + 2 * model.hidden
    assert together == model.layer_weights + (tensor - 1) * copied


def test_key_value_heads_are_copied_when_there_are_too_few() -> None:
    # 4 heads on 16 devices: each has one, of 64 x 4 weights and 4 biases twice
    many, few = (
        layer_weights(workload({"tensor": 16}, key_value_heads=heads))
        for heads in (16, 4)
    )

    assert many == few


@KINDS
@pytest.mark.parametrize("pipeline", [1, 2, 4])
def test_the_stages_hold_the_whole_model(kind: FeedForward, pipeline: int) -> None:
    staged = workload({"pipeline": pipeline}, kind)

    held = sum(stage_weights(staged, stage) for stage in range(pipeline))
    assert held == staged.model.weight_count


def test_a_tied_matrix_is_copied_only_between_stages() -> None:
    one = workload(tied_embeddings=True)
    two = workload({"pipeline": 2}, tied_embeddings=True)

    assert head_weights(one) == 0
    assert head_weights(two) == 64_000
    assert stage_weights(one, 0) == one.model.weight_count


def test_a_vocabulary_is_padded_to_come_out_even() -> None:
    shared = workload({"tensor": 16})  # 1000 / 16 = 62.5

    assert head_weights(shared) == 63 * 64
    assert embedding_weights(shared) == (63 + 128) * 64  # positions are copied


def test_a_model_without_vocabulary_has_no_ends() -> None:
    bare = workload(vocabulary=0)

    assert embedding_weights(bare) == head_weights(bare) == 0
