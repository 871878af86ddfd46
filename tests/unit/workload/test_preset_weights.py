"""Devices together hold every preset's weights, however these are shared out."""

import pytest

from cosmic.io.models import load_model
from cosmic.io.presets import PresetKind, preset_names
from cosmic.workload.layer_parts import AttentionBiases, LayerKind
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.weights import stage_spread_weights, stage_weights
from cosmic.workload.workload import Workload

MODELS = pytest.mark.parametrize("name", sorted(preset_names(PresetKind.MODEL)))


def copied(model: TransformerModel, kind: LayerKind, tensor: int) -> int:
    """Weights of a layer that each tensor-parallel device has, one by one."""
    vectors = model.norms_and_biases
    count = (4 if vectors.post else 2) * model.norm_weights
    count += 2 * vectors.norm.weights(model.head_dim) if vectors.query_key else 0
    count += model.hidden if vectors.attention_biases is AttentionBiases.ALL else 0
    if model.latent is not None:
        ranks = model.latent.query_rank, model.latent.key_value_rank
        count += model.hidden * model.latent.down_width
        count += sum(map(vectors.norm.weights, ranks))
    if kind is LayerKind.DENSE:
        return count + (model.hidden if vectors.feed_forward_biases else 0)
    assert model.experts is not None
    return count + model.experts.router_weights(model.hidden)


def heads_held_twice(model: TransformerModel, tensor: int) -> int:
    """Weights of the key-value heads of a layer that more than one device has."""
    more = max(0, tensor - model.key_value_heads) * 2 * model.head_dim
    biases = model.norms_and_biases.attention_biases is not AttentionBiases.NONE
    return more * (model.hidden + biases)


@MODELS
@pytest.mark.parametrize("pipeline", [1, 2, 3])
@pytest.mark.parametrize("tensor", [1, 2, 4, 8])
def test_devices_hold_the_whole_model(name: str, tensor: int, pipeline: int) -> None:
    model = load_model(name, sequence=None)
    shared = model.heads, model.feed_forward, max(model.key_value_heads, tensor)
    if any(width % tensor for width in shared):
        pytest.skip(f"{tensor} devices cannot share its heads")
    layers = [model.layers // pipeline] * pipeline
    layers[-1] += model.layers % pipeline
    split = Parallelism(tensor=tensor, pipeline=pipeline)
    stages = tuple(layers) if pipeline > 1 else ()
    workload = Workload(model=model, batch=1, parallelism=split, stage_layers=stages)

    held = tensor * sum(stage_weights(workload, stage) for stage in range(pipeline))

    more = sum(
        (tensor - 1) * copied(model, kind, tensor) + heads_held_twice(model, tensor)
        for kind in model.layer_kinds
    )
    rows = -(-model.vocabulary // tensor) * tensor * model.hidden
    ends = [model.vocabulary * model.hidden] * bool(model.vocabulary)
    if model.patches is None:
        both = 1 if model.tied_embeddings and pipeline == 1 else 2
        own = model.embedding_weights - sum(ends)
        whole = rows * both + tensor * own if model.vocabulary else 0
        counted = sum(ends) * (1 if model.tied_embeddings else 2)
        counted += own if model.vocabulary else 0
    else:
        counted = model.embedding_weights + model.head_weights
        whole = tensor * counted
    more += whole - counted + (tensor - 1) * model.final_norm_weights
    assert held == model.weight_count + more


@pytest.mark.parametrize("name", ["mixtral-8x7b", "deepseek-v3", "qwen3-30b-a3b"])
@pytest.mark.parametrize("expert", [2, 4, 8])
def test_the_expert_group_shares_out_routed_experts_alone(
    name: str, expert: int
) -> None:
    model = load_model(name)
    alone = Workload(model=model, batch=8, parallelism=Parallelism(data=8))
    spread = Workload(
        model=model, batch=8, parallelism=Parallelism(data=8, expert=expert)
    )

    routed = stage_spread_weights(spread, 0)
    others = stage_weights(spread, 0) - routed
    assert stage_weights(alone, 0) == others + expert * routed == model.weight_count
    assert stage_spread_weights(alone, 0) == 0
