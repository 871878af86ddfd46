"""Older families of Hugging Face configurations: layer norms and biases throughout."""

from cosmic.errors import SpecError
from cosmic.io.hugging_face_keys import Keys, even_share
from cosmic.workload.layer_parts import AttentionBiases, NormsAndBiases, Patches
from cosmic.workload.model import TransformerModel

_OPT_OFFSET = 2  # rows before the first position, which OPT's files do not count


def gpt2(keys: Keys, sequence: int) -> TransformerModel:
    """GPT-2."""
    hidden, heads = keys.count("n_embd"), keys.count("n_head")
    return _classic(
        keys,
        sequence,
        layers=keys.count("n_layer"),
        hidden=hidden,
        heads=heads,
        feed_forward=keys.count("n_inner", 4 * hidden),
        positions=keys.count("n_positions"),
    )


def gpt_neox(keys: Keys, sequence: int) -> TransformerModel:
    """GPT-NeoX and Pythia."""
    biased = keys.flag("attention_bias", True)
    biases = AttentionBiases.ALL if biased else AttentionBiases.NONE
    return _classic(
        keys, sequence, vectors=NormsAndBiases(attention_biases=biases), tied=False
    )


def opt(keys: Keys, sequence: int) -> TransformerModel:
    """OPT, whose table of positions has two rows more than its files say."""
    hidden = keys.count("hidden_size")
    if keys.count("word_embed_proj_dim", hidden) != hidden:
        raise SpecError("an embedding narrower than the layers is not modelled")
    if not keys.flag("do_layer_norm_before", True):
        raise SpecError("norms after the residual sum are not modelled")
    if not keys.flag("enable_bias", True):
        raise SpecError("an OPT model without biases is not modelled")
    return _classic(
        keys,
        sequence,
        feed_forward=keys.count("ffn_dim"),
        positions=keys.count("max_position_embeddings"),
        spare=_OPT_OFFSET,
    )


def bloom(keys: Keys, sequence: int) -> TransformerModel:
    """Bloom, which has no weights for positions."""
    hidden = keys.count("hidden_size", keys.count("n_embed", 0, needed=False))
    return _classic(
        keys,
        sequence,
        layers=keys.either("n_layer", "num_hidden_layers"),
        hidden=hidden,
        heads=keys.either("n_head", "num_attention_heads"),
        feed_forward=4 * hidden,
        vectors=NormsAndBiases(embedding=True),
    )


def _classic(
    keys: Keys,
    sequence: int,
    *,
    vectors: NormsAndBiases | None = None,
    tied: bool = True,
    positions: int = 0,
    spare: int = 0,
    **sizes: int,
) -> TransformerModel:
    """A decoder with layer norms, biases and two matrices a feed-forward part."""
    keys.plain_activation()
    if positions and sequence > positions:
        raise SpecError(
            f"sequence = {sequence}, but the model has learned {positions} positions"
        )
    hidden = sizes.get("hidden") or keys.count("hidden_size")
    heads = sizes.get("heads") or keys.count("num_attention_heads")
    return TransformerModel(
        layers=sizes.get("layers") or keys.count("num_hidden_layers"),
        hidden=hidden,
        heads=heads,
        key_value_heads=heads,
        head_dim=even_share(hidden, heads),
        feed_forward=sizes.get("feed_forward") or keys.count("intermediate_size"),
        sequence=sequence,
        vocabulary=keys.count("vocab_size"),
        tied_embeddings=keys.flag("tie_word_embeddings", tied),
        learned_positions=positions > 0,
        positions=positions + spare,
        vectors=vectors,
    )


def vision_transformer(keys: Keys, sequence: int | None) -> TransformerModel:
    """A vision transformer; its pooler, which training drops, is left out."""
    keys.plain_activation()
    hidden, heads = keys.count("hidden_size"), keys.count("num_attention_heads")
    size, image = keys.count("patch_size"), keys.count("image_size")
    tokens = (image // size) ** 2 + 1
    if sequence not in (None, tokens):
        raise SpecError(f"its images have {tokens} tokens, not sequence = {sequence}")
    if not keys.flag("qkv_bias", True):
        raise SpecError("qkv_bias: a vision transformer without it is not read")
    return TransformerModel(
        layers=keys.count("num_hidden_layers"),
        hidden=hidden,
        heads=heads,
        key_value_heads=heads,
        head_dim=even_share(hidden, heads),
        feed_forward=keys.count("intermediate_size"),
        sequence=tokens,
        causal=False,
        patches=Patches(
            size=size,
            channels=keys.count("num_channels", 3),
            classes=keys.classes(),
        ),
    )
