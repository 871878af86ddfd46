"""Weights and FLOPs of well-known models, against the published numbers."""

from typing import Any

import pytest

from cosmic.workload.model import FeedForward, TransformerModel


def gpt(layers: int, hidden: int, heads: int, **changes: Any) -> TransformerModel:
    shape: dict[str, Any] = {
        "layers": layers,
        "hidden": hidden,
        "heads": heads,
        "key_value_heads": heads,
        "head_dim": hidden // heads,
        "feed_forward": 4 * hidden,
        "sequence": 2048,
        "vocabulary": 50257,
    }
    return TransformerModel(**(shape | changes))


def llama(
    layers: int, hidden: int, heads: int, feed_forward: int, **changes: Any
) -> TransformerModel:
    gated = {
        "feed_forward": feed_forward,
        "feed_forward_kind": FeedForward.SWIGLU,
        "vocabulary": 32000,
        "tied_embeddings": False,
        "learned_positions": False,
    }
    return gpt(layers, hidden, heads, **(gated | changes))


@pytest.mark.parametrize(
    ("model", "count"),
    [
        # as counted by Hugging Face transformers for gpt2 and gpt2-xl
        (gpt(12, 768, 12, sequence=1024), 124_439_808),
        (gpt(48, 1600, 25, sequence=1024), 1_557_611_200),
        # for meta-llama/Llama-2-7b-hf, Llama-2-70b-hf and Meta-Llama-3-8B
        (llama(32, 4096, 32, 11008), 6_738_415_616),
        (llama(80, 8192, 64, 28672, key_value_heads=8), 68_976_648_192),
        (
            llama(32, 4096, 32, 14336, key_value_heads=8, vocabulary=128256),
            8_030_261_248,
        ),
    ],
    ids=["GPT-2", "GPT-2 XL", "Llama 2 7B", "Llama 2 70B", "Llama 3 8B"],
)
def test_weights_are_counted_to_the_last_one(
    model: TransformerModel, count: int
) -> None:
    assert model.weight_count == count


@pytest.mark.parametrize(
    ("model", "billions"),
    [
        # Brown et al. 2020, table 2.1: n_params, printed with one decimal
        (gpt(96, 12288, 96), 175.0),
        (gpt(40, 5140, 40, head_dim=128), 13.0),
        (gpt(32, 4096, 32), 6.7),
        (gpt(32, 2560, 32), 2.7),
    ],
    ids=["175B", "13B", "6.7B", "2.7B"],
)
def test_gpt3_has_the_weights_of_its_table(
    model: TransformerModel, billions: float
) -> None:
    """Within 3 %: the paper rounds, and does not say whether biases are counted."""
    assert model.weight_count == pytest.approx(billions * 1e9, rel=0.03)


@pytest.mark.parametrize(
    ("layers", "hidden", "heads", "count"),
    [(12, 768, 12, 86_567_656), (24, 1024, 16, 304_326_632)],
    ids=["ViT-B/16", "ViT-L/16"],
)
def test_a_vision_transformer_is_its_encoder_and_two_ends(
    layers: int, hidden: int, heads: int, count: int
) -> None:
    """Torchvision's vit_b_16 and vit_l_16 (num_params in its documentation)."""
    encoder = gpt(layers, hidden, heads, vocabulary=0, sequence=197).weight_count

    patches = (3 * 16 * 16 + 1) * hidden
    class_and_positions = (1 + 197) * hidden
    classes = (hidden + 1) * 1000
    assert encoder + patches + class_and_positions + classes == count


def test_the_largest_gpt3_is_its_matrices_vectors_and_embedding() -> None:
    layers = 96 * (12 * 12288**2 + 13 * 12288)
    ends = (50257 + 2048) * 12288 + 2 * 12288

    assert gpt(96, 12288, 96).weight_count == layers + ends == 174_604_259_328


def test_gpt3_takes_the_published_operations_to_train() -> None:
    """3.14e23 FLOPs for 300 billion tokens (Brown et al. 2020, table D.1).

    The table counts six for each of 174.6 billion weights and leaves out attention over
    the sequence. We leave out the positions' 25 million weights, which nothing is
    multiplied with: 0.02 %; the table gives three digits, which is 0.2 %.
    """
    model = gpt(96, 12288, 96)
    attention = 12 * 96 * 12288 * 2048

    products = model.flops_per_token() - attention

    assert products * 300e9 == pytest.approx(3.14e23, rel=2.5e-3)


@pytest.mark.parametrize(
    ("layers", "hidden", "heads"), [(96, 12288, 96), (24, 2304, 24)]
)
def test_an_iteration_takes_the_operations_of_megatrons_formula(
    layers: int, hidden: int, heads: int
) -> None:
    """Narayanan et al. 2021: 96 B s l h^2 (1 + s/6h + V/16lh) with recomputation.

    That is four passes over the layers and three over the logits; without the one of
    recomputation, 72 B s l h^2 (1 + s/6h + V/12lh). Exact but for rounding.
    """
    model, vocabulary = gpt(layers, hidden, heads, vocabulary=51200), 51200
    s, l, h = model.sequence, layers, hidden  # noqa: E741 - the formula's own letters

    formula = 72 * s * l * h**2 * (1 + s / (6 * h) + vocabulary / (12 * l * h))

    assert s * model.flops_per_token() == pytest.approx(formula, rel=1e-12)
