"""A model's shape as arguments of Megatron-LM's pretrain_gpt.py.

Names are those of the version that `cosmic.io.launchers_megatron` names.
"""

from collections.abc import Iterator

from cosmic.workload.layer_parts import AttentionBiases, Norm
from cosmic.workload.model import FeedForward, TransformerModel

Argument = tuple[str, str | int | float | None]


def model_arguments(model: TransformerModel) -> Iterator[Argument]:
    """The shape of a model, an argument and its value at a time; None for a switch."""
    yield "--num-layers", model.layers
    yield "--hidden-size", model.hidden
    yield "--ffn-hidden-size", model.feed_forward
    yield "--num-attention-heads", model.heads
    yield from _attention(model)
    yield "--seq-length", model.sequence
    yield "--max-position-embeddings", model.positions or model.sequence
    learned = "learned_absolute" if model.learned_positions else "rope"
    yield "--position-embedding-type", learned
    yield from _vectors(model)
    match model.feed_forward_kind:
        case FeedForward.SWIGLU:
            yield "--swiglu", None
        case FeedForward.GEGLU:
            yield "--quick-geglu", None
        case _:
            pass
    if not model.tied_embeddings:
        yield "--untie-embeddings-and-output-weights", None
    yield from _experts(model)


def _attention(model: TransformerModel) -> Iterator[Argument]:
    latent = model.latent
    if latent is not None:
        yield "--multi-latent-attention", None
        if latent.query_rank:
            yield "--q-lora-rank", latent.query_rank
        yield "--kv-lora-rank", latent.key_value_rank
        yield "--qk-head-dim", latent.nope_dim
        yield "--qk-pos-emb-head-dim", latent.rope_dim
        yield "--v-head-dim", latent.value_dim
        return
    if model.key_value_heads != model.heads:
        yield "--group-query-attention", None
        yield "--num-query-groups", model.key_value_heads
    yield "--kv-channels", model.head_dim


def _vectors(model: TransformerModel) -> Iterator[Argument]:
    """Norms and biases."""
    vectors = model.norms_and_biases
    if vectors.norm is Norm.RMS:
        yield "--normalization", "RMSNorm"
    if vectors.query_key:
        yield "--qk-layernorm", None
    if not vectors.feed_forward_biases:
        yield "--disable-bias-linear", None
        if vectors.attention_biases is AttentionBiases.QUERY_KEY_VALUE:
            yield "--add-qkv-bias", None


def _experts(model: TransformerModel) -> Iterator[Argument]:
    """The mixture of experts, without drops unless the experts have a capacity."""
    experts = model.experts
    if experts is None:
        return
    yield "--num-experts", experts.experts
    yield "--moe-router-topk", experts.top_k
    yield "--moe-ffn-hidden-size", experts.feed_forward
    if experts.dense_layers:
        yield (
            "--moe-layer-freq",
            f"([0]*{experts.dense_layers}+[1]*{model.expert_layers})",
        )
    if experts.shared_feed_forward:
        yield "--moe-shared-expert-intermediate-size", experts.shared_feed_forward
    if experts.shared_gate:
        yield "--moe-shared-expert-gate", None
    if experts.router_biases:
        yield "--moe-router-score-function", "sigmoid"
        yield "--moe-router-enable-expert-bias", None
    if experts.capacity_factor is not None:
        yield "--moe-expert-capacity-factor", experts.capacity_factor
        yield "--moe-pad-expert-input-to-capacity", None
    yield "--moe-grouped-gemm", None
    yield "--moe-token-dispatcher-type", "alltoall"


def model_notes(model: TransformerModel) -> Iterator[str]:
    """What of a model's shape has no argument, a sentence each."""
    vectors = model.norms_and_biases
    if not model.vocabulary:
        yield "the model has no vocabulary, but pretrain_gpt.py trains on tokens"
    if not model.causal:
        yield "the model is not causal, but pretrain_gpt.py masks what comes later"
    if model.feed_forward_kind is FeedForward.GEGLU:
        yield "GEGLU is --quick-geglu here, which takes a sigmoid for the GELU"
    if not _has_biases(model):
        yield (
            f"biases of attention ({vectors.attention_biases.value}) and feed-forward "
            f"part ({str(vectors.feed_forward_biases).lower()}) are not one of "
            f"Megatron-LM's choices: it has both, none, or those of queries, keys and "
            f"values"
        )
    for said, words in (
        (vectors.post, "norms after attention and feed-forward part"),
        (vectors.embedding, "the norm after the embedding"),
        (not vectors.final, "leaving out the norm after the last layer"),
    ):
        if said:
            yield f"{words} has no argument: give a layer specification with --spec"


def _has_biases(model: TransformerModel) -> bool:
    vectors = model.norms_and_biases
    if vectors.feed_forward_biases:
        return vectors.attention_biases is AttentionBiases.ALL
    return vectors.attention_biases is not AttentionBiases.ALL
