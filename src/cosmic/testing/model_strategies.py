"""Hypothesis strategies for what small transformers are made of."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from math import prod

from cosmic.errors import ConsistencyError
from cosmic.testing.hypothesis_extra import strategies as st
from cosmic.workload.layer_parts import (
    AttentionBiases,
    LatentAttention,
    LayerKind,
    MixtureOfExperts,
    NormsAndBiases,
    Patches,
)
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Axis, Parallelism

_UNBIASED = NormsAndBiases(attention_biases=AttentionBiases.NONE)


@st.composite
def models_like(
    draw: st.DrawFn, model: TransformerModel, tensor: int
) -> TransformerModel:
    """The model, or one with experts, latent attention or the ends of images."""
    if draw(st.booleans()):
        return replace(model, causal=draw(st.booleans()))
    if draw(st.booleans()):
        model = _latent(model, draw(st.sampled_from((0, 48))))
    if draw(st.booleans()):
        model = replace(model, experts=draw(_mixtures(model.layers, tensor)))
    if not draw(st.booleans()):
        return model
    classes = draw(st.sampled_from((0, 10)))
    return replace(model, vocabulary=0, patches=Patches(size=4, classes=classes))


def _latent(model: TransformerModel, query_rank: int) -> TransformerModel:
    latent = LatentAttention(
        query_rank=query_rank, key_value_rank=64, rope_dim=16, nope_dim=48, value_dim=32
    )
    heads = model.heads
    return replace(model, latent=latent, key_value_heads=heads, vectors=_UNBIASED)


@st.composite
def _mixtures(draw: st.DrawFn, layers: int, tensor: int) -> MixtureOfExperts:
    experts = 12
    return MixtureOfExperts(
        experts=experts,
        top_k=draw(st.sampled_from((1, 2, experts))),
        feed_forward=tensor * 64,
        shared_feed_forward=tensor * draw(st.sampled_from((0, 32))),
        dense_layers=draw(st.integers(0, layers - 1)),
        capacity_factor=draw(st.sampled_from((None, 1.25))),
    )


def fitting_parts(split: Parallelism, inner: list[tuple[int, int]]) -> bool:
    """Whether the border of a part of the replicas goes well with those of axes.

    It does if each border lies a multiple of the one before away.
    """
    axes = [split.stride(axis) * split.degree(axis) for axis in Axis]
    borders = sorted({1, *axes, *map(prod, inner)})
    return all(outer % within == 0 for within, outer in pairwise(borders))


def over_experts(split: Parallelism, model: TransformerModel) -> Iterator[Parallelism]:
    """The split with every group over which the model's experts can be spread."""
    yield split
    if LayerKind.EXPERTS not in model.layer_kinds or split.sharding_group:
        return
    for group in range(2, split.replicas + 1):
        with suppress(ConsistencyError):
            spread = replace(split, expert=group)
            assert model.experts is not None
            inner, _ = spread.expert_parts()
            if model.experts.experts % group == 0 and fitting_parts(split, inner):
                yield spread
