"""Hugging Face configurations: what they say becomes a model, or one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from cosmic.errors import SpecError
from cosmic.io.models import load_model
from cosmic.io.specs import check_spec

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 8192,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "vocab_size": 128256,
}
MIXTRAL = LLAMA | {
    "model_type": "mixtral",
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "vocab_size": 32000,
}
QWEN2 = LLAMA | {
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
}
QWEN3 = LLAMA | {
    "model_type": "qwen3",
    "head_dim": 128,
    "intermediate_size": 12288,
    "num_hidden_layers": 36,
    "vocab_size": 151936,
}
QWEN3_MOE = QWEN3 | {
    "model_type": "qwen3_moe",
    "decoder_sparse_step": 1,
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "mlp_only_layers": [],
    "moe_intermediate_size": 768,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 48,
    "num_key_value_heads": 4,
}
QWEN2_MOE = LLAMA | {  # Qwen1.5-MoE-A2.7B
    "model_type": "qwen2_moe",
    "decoder_sparse_step": 1,
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "moe_intermediate_size": 1408,
    "num_attention_heads": 16,
    "num_experts": 60,
    "num_experts_per_tok": 4,
    "num_hidden_layers": 24,
    "num_key_value_heads": 16,
    "shared_expert_intermediate_size": 5632,
    "vocab_size": 151936,
}
DEEPSEEK = {
    "model_type": "deepseek_v3",
    "first_k_dense_replace": 3,
    "hidden_act": "silu",
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "kv_lora_rank": 512,
    "max_position_embeddings": 163840,
    "moe_intermediate_size": 2048,
    "moe_layer_freq": 1,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_attention_heads": 128,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 61,
    "num_key_value_heads": 128,
    "num_nextn_predict_layers": 1,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "tie_word_embeddings": False,
    "v_head_dim": 128,
    "vocab_size": 129280,
}
DEEPSEEK_LITE = DEEPSEEK | {  # DeepSeek-V2-Lite
    "model_type": "deepseek_v2",
    "first_k_dense_replace": 1,
    "hidden_size": 2048,
    "intermediate_size": 10944,
    "moe_intermediate_size": 1408,
    "n_routed_experts": 64,
    "n_shared_experts": 2,
    "num_attention_heads": 16,
    "num_experts_per_tok": 6,
    "num_hidden_layers": 27,
    "num_key_value_heads": 16,
    "q_lora_rank": None,
    "vocab_size": 102400,
}
GEMMA2 = {
    "model_type": "gemma2",
    "head_dim": 256,
    "hidden_act": "gelu_pytorch_tanh",
    "hidden_activation": "gelu_pytorch_tanh",
    "hidden_size": 3584,
    "intermediate_size": 14336,
    "num_attention_heads": 16,
    "num_hidden_layers": 42,
    "num_key_value_heads": 8,
    "vocab_size": 256000,
}
GEMMA = GEMMA2 | {
    "model_type": "gemma",
    "hidden_size": 3072,
    "intermediate_size": 24576,
    "num_hidden_layers": 28,
    "num_key_value_heads": 16,
}
GEMMA3 = {
    "architectures": ["Gemma3ForConditionalGeneration"],
    "model_type": "gemma3",
    "text_config": {  # which leaves out the vocabulary and the activation
        "head_dim": 128,
        "hidden_size": 5376,
        "intermediate_size": 21504,
        "model_type": "gemma3_text",
        "num_attention_heads": 32,
        "num_hidden_layers": 62,
        "num_key_value_heads": 16,
    },
}
GPT2 = {
    "model_type": "gpt2",
    "activation_function": "gelu_new",
    "n_ctx": 1024,
    "n_embd": 768,
    "n_head": 12,
    "n_layer": 12,
    "n_positions": 1024,
    "vocab_size": 50257,
}
NEOX = {
    "model_type": "gpt_neox",
    "hidden_act": "gelu_fast",
    "hidden_size": 6144,
    "intermediate_size": 24576,
    "max_position_embeddings": 2048,
    "num_attention_heads": 64,
    "num_hidden_layers": 44,
    "tie_word_embeddings": False,
    "vocab_size": 50432,
}
BLOOM = {
    "model_type": "bloom",
    "n_embed": 14336,
    "n_layer": 70,
    "num_attention_heads": 112,
    "vocab_size": 250880,
}
OPT = {
    "model_type": "opt",
    "activation_function": "relu",
    "do_layer_norm_before": True,
    "ffn_dim": 3072,
    "hidden_size": 768,
    "max_position_embeddings": 2048,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "vocab_size": 50272,
    "word_embed_proj_dim": 768,
}
VIT = {
    "architectures": ["ViTForImageClassification"],
    "model_type": "vit",
    "hidden_act": "gelu",
    "hidden_size": 768,
    "id2label": {str(number): f"class {number}" for number in range(1000)},
    "image_size": 224,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
    "num_channels": 3,
    "num_hidden_layers": 12,
    "patch_size": 16,
    "qkv_bias": True,
}

COUNTS = [
    (LLAMA, 8_030_261_248),
    (MIXTRAL, 46_702_792_704),
    (MIXTRAL | {"model_type": "mistral"}, 7_241_732_096),
    (QWEN2, 7_615_616_512),
    (QWEN3, 8_190_735_360),
    (QWEN3_MOE, 30_532_122_624),
    (QWEN2_MOE, 14_315_784_192),  # as the hub counts Qwen/Qwen1.5-MoE-A2.7B
    (DEEPSEEK, 671_026_419_200),
    (DEEPSEEK_LITE, 15_706_484_224),  # as the hub counts DeepSeek-V2-Lite
    (GEMMA, 8_537_680_896),
    (GEMMA2, 9_241_705_984),
    (GEMMA3, 27_009_346_304),
    (GPT2, 124_439_808),
    (NEOX, 20_554_567_680),
    (BLOOM, 176_247_271_424),
    (OPT, 125_239_296),  # as the hub counts facebook/opt-125m
]


def written(folder: Path, content: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(("content", "count"), COUNTS)
def test_a_configuration_has_the_published_weights(
    content: dict[str, Any], count: int, tmp_path: Path
) -> None:
    path = written(tmp_path, content)

    assert load_model(path, sequence=1024).weight_count == count
    assert check_spec(path) == "Hugging Face configuration"


def test_images_have_as_many_tokens_as_they_have(tmp_path: Path) -> None:
    model = load_model(written(tmp_path, VIT))

    assert model.weight_count == 86_567_656
    assert (model.sequence, model.causal) == (197, False)
    with pytest.raises(SpecError, match="its images have 197 tokens, not sequence = 5"):
        load_model(tmp_path / "config.json", sequence=5)


def test_an_encoder_without_labels_has_no_classifier(tmp_path: Path) -> None:
    bare = {k: v for k, v in VIT.items() if k != "id2label"}
    encoder = load_model(written(tmp_path, bare | {"architectures": ["ViTModel"]}))

    assert encoder.weight_count == 86_567_656 - 769 * 1000


def test_a_folder_stands_for_the_configuration_in_it(tmp_path: Path) -> None:
    written(tmp_path, LLAMA)

    assert load_model(tmp_path.name, tmp_path.parent, 512).sequence == 512


def test_a_longer_sequence_is_never_assumed(tmp_path: Path) -> None:
    path = written(tmp_path, LLAMA)

    with pytest.raises(
        SpecError, match=r"may have \(8192\), not how many it has: give"
    ):
        load_model(path)


def test_a_short_sequence_leaves_all_learned_positions(tmp_path: Path) -> None:
    path = written(tmp_path, GPT2)

    assert load_model(path, sequence=128).weight_count == 124_439_808
    with pytest.raises(SpecError, match="sequence = 2048, but the model has learned 1"):
        load_model(path, sequence=2048)


def test_a_preset_takes_another_sequence() -> None:
    assert load_model("llama-3-8b", sequence=512).sequence == 512
    assert load_model("gpt2", sequence=512).weight_count == 124_439_808
    with pytest.raises(SpecError, match="sequence = 2000, but the model has learned 1"):
        load_model("gpt2", sequence=2000)
    with pytest.raises(SpecError, match="its images are 197 tokens each"):
        load_model("vit-b-16", sequence=196)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "lama"}, "no Hugging Face model_type named 'lama'; did you"),
        ({"model_type": None}, "key 'model_type' is missing"),
        ({"model_type": 3}, "model_type: expected text, got 3"),
        ({"hidden_size": None}, "key 'hidden_size' is missing"),
        ({"hidden_size": "4096"}, "hidden_size: expected a whole number, got '4096'"),
        ({"hidden_size": 0}, r"hidden_size: expected from 1 to 2\*\*40, got 0"),
        ({"vocab_size": True}, "vocab_size: expected a whole number, got true"),
        ({"tie_word_embeddings": 1}, "tie_word_embeddings: expected true or false"),
        ({"hidden_act": "tanh"}, "hidden_act: expected one of silu"),
        ({"num_attention_heads": 31}, "31 heads do not divide the hidden width"),
        (
            {"num_key_value_heads": 5},
            "heads = 32 must be a multiple of key_value_heads",
        ),
        ({"model_type": "gemma3"}, "text_config: expected a mapping, got nothing"),
        ({"model_type": "qwen3"}, "key 'head_dim' is missing"),
    ],
)
def test_what_is_wrong_costs_one_line(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, LLAMA | change)

    with pytest.raises(SpecError, match=f"^config.json: {message}"):
        load_model(path, sequence=1024)


@pytest.mark.parametrize(
    ("content", "change", "message"),
    [
        (QWEN3_MOE, {"decoder_sparse_step": 2}, "experts in every other layer only"),
        (QWEN3_MOE, {"mlp_only_layers": [3]}, "must be the first layers, or none"),
        (QWEN3_MOE, {"mlp_only_layers": ["a"]}, "a list of whole numbers"),
        (DEEPSEEK, {"moe_layer_freq": 2}, "experts in every other layer only"),
        (DEEPSEEK, {"attention_bias": True}, "latent attention with biases"),
        (OPT, {"word_embed_proj_dim": 512}, "an embedding narrower than the layers"),
        (OPT, {"do_layer_norm_before": False}, "norms after the residual sum"),
        (OPT, {"enable_bias": False}, "without biases is not modelled"),
        (VIT, {"qkv_bias": False}, "without it is not read"),
    ],
)
def test_what_no_model_of_ours_has_is_refused(
    content: dict[str, Any], change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    sequence = None if content is VIT else 1024

    with pytest.raises(SpecError, match=message):
        load_model(written(tmp_path, content | change), sequence=sequence)


def test_a_misspelt_key_is_pointed_at(tmp_path: Path) -> None:
    content = {k: v for k, v in LLAMA.items() if k != "hidden_size"}
    path = written(tmp_path, content | {"hiden_size": 4096})

    with pytest.raises(
        SpecError, match="'hidden_size' is missing; did you mean 'hiden"
    ):
        load_model(path, sequence=1024)


def test_first_dense_layers_are_dense(tmp_path: Path) -> None:
    path = written(tmp_path, QWEN3_MOE | {"mlp_only_layers": [1, 0]})
    model = load_model(path, sequence=64)

    assert model.expert_layers == 46
    assert model.experts is not None
    assert model.experts.dense_layers == 2
