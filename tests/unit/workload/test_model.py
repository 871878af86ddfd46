"""A model's shape: its weights, its FLOPs, and shapes that cannot be."""

from typing import Any

import pytest

from cosmic.errors import SpecError
from cosmic.workload.model import FeedForward, TransformerModel

SMALL: dict[str, Any] = {
    "layers": 2,
    "hidden": 8,
    "heads": 4,
    "key_value_heads": 2,
    "head_dim": 3,
    "feed_forward": 10,
    "sequence": 16,
}


def model(**changes: Any) -> TransformerModel:
    return TransformerModel(**(SMALL | changes))


def test_a_gelu_layer_has_four_matrices_biases_and_two_norms() -> None:
    small = model()

    # queries 8 x 12, keys and values 8 x 6 each, output 12 x 8, in 8 x 10, out 10 x 8
    assert small.matrix_weights == 96 + 2 * 48 + 96 + 80 + 80
    # biases 12 + 2 x 6, 8, 10, 8; norms of 2 x 8
    assert small.vector_weights == 24 + 8 + 10 + 8 + 2 * 16
    assert small.layer_weights == small.matrix_weights + small.vector_weights


def test_a_gated_layer_has_one_more_matrix_and_no_biases() -> None:
    gated = model(feed_forward_kind=FeedForward.SWIGLU)

    assert gated.matrix_weights == model().matrix_weights + 80
    assert gated.vector_weights == 2 * 8


def test_a_model_without_vocabulary_has_layers_and_a_norm_alone() -> None:
    bare = model()

    assert bare.embedding_weights == bare.head_weights == 0
    assert bare.weight_count == 2 * bare.layer_weights + 16


def test_a_tied_matrix_counts_once() -> None:
    tied = model(vocabulary=100, learned_positions=False)
    untied = model(vocabulary=100, learned_positions=False, tied_embeddings=False)

    assert tied.embedding_weights == tied.head_weights == 800
    assert untied.weight_count == tied.weight_count + 800


def test_learned_positions_have_a_row_a_token() -> None:
    learned = model(vocabulary=100)
    rotary = model(vocabulary=100, learned_positions=False)

    assert learned.weight_count == rotary.weight_count + 16 * 8


def test_a_token_takes_six_operations_a_weight_and_attention() -> None:
    small = model(vocabulary=100)

    # 6 x (2 layers + output matrix) + 12 x 2 layers x 12 wide x 16 tokens
    weights = 2 * small.matrix_weights + 800
    assert small.flops_per_token() == 6 * weights + 12 * 2 * 12 * 16


@pytest.mark.parametrize("name", SMALL)
def test_every_size_is_at_least_one(name: str) -> None:
    with pytest.raises(SpecError, match=f"{name} must be at least 1, not 0"):
        model(**{name: 0})


def test_a_vocabulary_is_not_negative() -> None:
    with pytest.raises(SpecError, match="vocabulary must not be negative, but is -1"):
        model(vocabulary=-1)


def test_query_heads_share_key_value_heads_evenly() -> None:
    message = "heads = 4 must be a multiple of key_value_heads = 3"

    with pytest.raises(SpecError, match=message):
        model(key_value_heads=3)
