"""Newer families of Hugging Face configurations: root mean squares and a gate."""

from dataclasses import dataclass, replace

from cosmic.errors import SpecError
from cosmic.io.hugging_face_keys import Keys, even_share
from cosmic.workload.layer_parts import (
    AttentionBiases,
    LatentAttention,
    MixtureOfExperts,
    Norm,
    NormsAndBiases,
)
from cosmic.workload.model import TransformerModel

_ALL, _NONE = AttentionBiases.ALL, AttentionBiases.NONE


def llama(keys: Keys, sequence: int) -> TransformerModel:
    """Llama, and what has its shape."""
    biased = keys.flag("mlp_bias", False)
    vectors = replace(_rms(_biases(keys)), feed_forward_biases=biased)
    return _Decoder(vectors=vectors, heads_default=None).model(keys, sequence)


def mistral(keys: Keys, sequence: int) -> TransformerModel:
    """Mistral."""
    return _Decoder(vectors=_rms()).model(keys, sequence)


def mixtral(keys: Keys, sequence: int) -> TransformerModel:
    """Mixtral."""
    experts = MixtureOfExperts(
        experts=keys.count("num_local_experts"),
        top_k=keys.count("num_experts_per_tok"),
        feed_forward=keys.count("intermediate_size"),
    )
    return _Decoder(vectors=_rms()).model(keys, sequence, experts=experts)


def qwen2(keys: Keys, sequence: int) -> TransformerModel:
    """Qwen 2 and 2.5."""
    vectors = _rms(AttentionBiases.QUERY_KEY_VALUE)
    return _Decoder(vectors=vectors).model(keys, sequence)


def qwen2_moe(keys: Keys, sequence: int) -> TransformerModel:
    """Qwen 2 with experts, one of them shared and gated."""
    vectors = _rms(AttentionBiases.QUERY_KEY_VALUE)
    shared = keys.count("shared_expert_intermediate_size")
    experts = _qwen_experts(keys, shared)
    return _Decoder(vectors=vectors).model(keys, sequence, experts=experts)


def qwen3(keys: Keys, sequence: int) -> TransformerModel:
    """Qwen 3."""
    vectors = _rms(_biases(keys), query_key=True)
    return _Decoder(vectors=vectors, head_dim_default=0).model(keys, sequence)


def qwen3_moe(keys: Keys, sequence: int) -> TransformerModel:
    """Qwen 3 with experts."""
    decoder = _Decoder(vectors=_rms(_biases(keys), query_key=True), head_dim_default=0)
    return decoder.model(keys, sequence, experts=_qwen_experts(keys, 0))


def _qwen_experts(keys: Keys, shared: int) -> MixtureOfExperts:
    if keys.count("decoder_sparse_step", 1) != 1:
        raise SpecError("experts in every other layer only are not modelled")
    dense = keys.numbers("mlp_only_layers")
    if dense != list(range(len(dense))):
        raise SpecError("mlp_only_layers must be the first layers, or none")
    return MixtureOfExperts(
        experts=keys.count("num_experts"),
        top_k=keys.count("num_experts_per_tok"),
        feed_forward=keys.count("moe_intermediate_size"),
        shared_feed_forward=shared,
        dense_layers=len(dense),
        shared_gate=shared > 0,
    )


def deepseek(keys: Keys, sequence: int) -> TransformerModel:
    """DeepSeek V2; the module that predicts a second token is left out."""
    return _latent_decoder(keys, sequence, router_biases=False)


def deepseek_v3(keys: Keys, sequence: int) -> TransformerModel:
    """DeepSeek V3, whose router corrects its scores with a bias for each expert."""
    return _latent_decoder(keys, sequence, router_biases=True)


def _latent_decoder(keys: Keys, sequence: int, router_biases: bool) -> TransformerModel:
    if keys.flag("attention_bias", False):
        raise SpecError("attention_bias: latent attention with biases is not read")
    if keys.count("moe_layer_freq", 1) != 1:
        raise SpecError("experts in every other layer only are not modelled")
    latent = LatentAttention(
        query_rank=keys.count("q_lora_rank", 0, needed=False),
        key_value_rank=keys.count("kv_lora_rank"),
        rope_dim=keys.count("qk_rope_head_dim"),
        nope_dim=keys.count("qk_nope_head_dim"),
        value_dim=keys.count("v_head_dim"),
    )
    width = keys.count("moe_intermediate_size")
    experts = MixtureOfExperts(
        experts=keys.count("n_routed_experts"),
        top_k=keys.count("num_experts_per_tok"),
        feed_forward=width,
        shared_feed_forward=width * keys.count("n_shared_experts", 0, needed=False),
        dense_layers=keys.count("first_k_dense_replace", 0, needed=False),
        router_biases=router_biases,
    )
    decoder = _Decoder(vectors=_rms())
    return decoder.model(keys, sequence, experts=experts, latent=latent)


def gemma(keys: Keys, sequence: int) -> TransformerModel:
    """Gemma."""
    decoder = _Decoder(vectors=_rms(_biases(keys)), tied=True, head_dim_default=0)
    return decoder.model(keys, sequence)


def gemma2(keys: Keys, sequence: int) -> TransformerModel:
    """Gemma 2."""
    vectors = _rms(_biases(keys), post=True)
    decoder = _Decoder(vectors=vectors, tied=True, head_dim_default=0)
    return decoder.model(keys, sequence)


def gemma3(keys: Keys, sequence: int) -> TransformerModel:
    """The text part; its files leave out what Gemma3TextConfig has as a default."""
    vectors = _rms(_biases(keys), post=True, query_key=True)
    known = keys.with_defaults(
        {
            "num_attention_heads": 8,
            "vocab_size": 262_208,
            "hidden_activation": "gelu_pytorch_tanh",
        }
    )
    decoder = _Decoder(
        vectors=vectors, tied=True, heads_default=4, head_dim_default=256
    )
    return decoder.model(known, sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoder:
    """What decoder families with modern names of keys have in common.

    Attributes:
        vectors: Norms and biases.
        tied: Whether the output uses the embedding where the file does not say.
        heads_default: Key-value heads where the file does not say; as many as heads,
            if None, or a missing key, if 0.
        head_dim_default: Width of a head where the file does not say; the hidden width
            over the heads, if None, or a missing key, if 0.
    """

    vectors: NormsAndBiases
    tied: bool = False
    heads_default: int | None = 0
    head_dim_default: int | None = None

    def model(
        self,
        keys: Keys,
        sequence: int,
        experts: MixtureOfExperts | None = None,
        latent: LatentAttention | None = None,
    ) -> TransformerModel:
        """The model, with the parts that only its family has."""
        hidden, heads = keys.count("hidden_size"), keys.count("num_attention_heads")
        width = (
            experts.feed_forward
            if experts and not experts.dense_layers
            else keys.count("intermediate_size")
        )
        return TransformerModel(
            layers=keys.count("num_hidden_layers"),
            hidden=hidden,
            heads=heads,
            key_value_heads=heads if latent else self._key_value_heads(keys, heads),
            head_dim=latent.head_dim if latent else self._head_dim(keys, hidden, heads),
            feed_forward=width,
            feed_forward_kind=keys.gated_activation(),
            sequence=sequence,
            vocabulary=keys.count("vocab_size"),
            tied_embeddings=keys.flag("tie_word_embeddings", self.tied),
            learned_positions=False,
            vectors=self.vectors,
            experts=experts,
            latent=latent,
        )

    def _key_value_heads(self, keys: Keys, heads: int) -> int:
        default = heads if self.heads_default is None else self.heads_default
        return keys.count("num_key_value_heads", default)

    def _head_dim(self, keys: Keys, hidden: int, heads: int) -> int:
        if self.head_dim_default is None and keys.given.get("head_dim") is None:
            return even_share(hidden, heads)
        return keys.count("head_dim", self.head_dim_default or 0)


def _rms(
    biases: AttentionBiases = _NONE, *, post: bool = False, query_key: bool = False
) -> NormsAndBiases:
    """Root mean squares, and biases in attention at most."""
    return NormsAndBiases(
        norm=Norm.RMS,
        attention_biases=biases,
        feed_forward_biases=False,
        post=post,
        query_key=query_key,
    )


def _biases(keys: Keys) -> AttentionBiases:
    """All four projections of attention have a bias, or none."""
    return _ALL if keys.flag("attention_bias", False) else _NONE
