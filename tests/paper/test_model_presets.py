"""Weights of the model presets against the numbers that were published for them.

The numbers: the sum over the tensors of the checkpoint on the Hugging Face hub, as the
hub counts them (`safetensors.total`) or, for GPT-2, Gemma, Qwen 2.5 and Mixtral, Keras
Hub's presets (`params` in keras_hub/src/models/*/*_presets.py); GPT-NeoX: its model
card; BLOOM: the example in huggingface.js (parse-safetensors-metadata); the vision
transformers: torchvision (`num_params` of vit_b_16, vit_l_16 and vit_h_14); DeepSeek
V3: the checkpoint's tensors without those of the second token's module and without
scales.
"""

import pytest

from cosmic.io.models import load_model
from cosmic.io.presets import PresetKind, preset_names

EXACT = {
    "bloom-176b": 176_247_271_424,
    "deepseek-v2": 235_741_434_880,
    "deepseek-v3": 671_026_419_200,
    "gemma-2-27b": 27_227_128_320,
    "gemma-2-9b": 9_241_705_984,
    "gemma-3-27b": 27_009_346_304,
    "gemma-7b": 8_537_680_896,
    "gpt-neox-20b": 20_554_567_680,
    "gpt2": 124_439_808,
    "gpt2-large": 774_030_080,
    "gpt2-medium": 354_823_168,
    "gpt2-xl": 1_557_611_200,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-2-7b": 6_738_415_616,
    "llama-3-405b": 405_853_388_800,
    "llama-3-70b": 70_553_706_496,
    "llama-3-8b": 8_030_261_248,
    "mistral-7b": 7_241_732_096,
    "mixtral-8x22b": 140_620_634_112,
    "mixtral-8x7b": 46_702_792_704,
    "qwen2.5-72b": 72_706_203_648,
    "qwen2.5-7b": 7_615_616_512,
    "qwen3-235b-a22b": 235_093_634_560,
    "qwen3-30b-a3b": 30_532_122_624,
    "qwen3-32b": 32_762_123_264,
    "qwen3-8b": 8_190_735_360,
    "vit-b-16": 86_567_656,
    "vit-h-14": 632_045_800,
    "vit-l-16": 304_326_632,
}

# Only rounded numbers are published: billions, and half of the last digit.
ROUNDED = {
    "gpt3-175b": (174.6, 0.05),  # Brown et al. 2020, table D.1
    "gpt3-175b-4k": (174.6, 0.05),  # the same; 2,048 positions more are 0.03
    "megatron-22b": (22, 0.5),  # Korthikanti et al. 2022, table 3
    "megatron-175b": (175, 0.5),
    "megatron-530b": (530, 0.5),
    "megatron-1t": (1000, 10),  # "1T", for 1.008e12
}

# The COSMIC paper's own shapes, which are nobody's published models.
OF_THE_PAPER = {"gpt3-13b", "llama-7b-cosmic", "vit-base", "vit-large"}

# Billions that one token meets, as published, and half of the last digit.
ACTIVE = {
    "mixtral-8x7b": (12.9, 0.05),  # Jiang et al. 2024, "13B active"; model page 12.9
    "mixtral-8x22b": (39, 0.5),
    "deepseek-v2": (21, 0.5),  # its abstract
    "qwen3-30b-a3b": (3.3, 0.1),  # model page; 3.35 here
    "qwen3-235b-a22b": (22, 0.5),
}


def test_every_preset_is_held_against_something() -> None:
    held = EXACT.keys() | ROUNDED.keys() | OF_THE_PAPER

    assert held == set(preset_names(PresetKind.MODEL))


@pytest.mark.parametrize("name", EXACT)
def test_a_preset_has_exactly_the_published_weights(name: str) -> None:
    assert load_model(name).weight_count == EXACT[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_a_preset_has_about_the_published_weights(name: str) -> None:
    billions, half_digit = ROUNDED[name]

    count = load_model(name).weight_count
    assert count / 1e9 == pytest.approx(billions, abs=half_digit)


@pytest.mark.parametrize("name", ACTIVE)
def test_a_token_meets_the_published_number_of_weights(name: str) -> None:
    billions, half_digit = ACTIVE[name]

    count = load_model(name).active_weight_count
    assert count / 1e9 == pytest.approx(billions, abs=half_digit)


def test_a_token_of_deepseek_v3_meets_what_its_weight_file_says() -> None:
    """36.6 billion, the output counted and the embedding not (README_WEIGHTS.md)."""
    model = load_model("deepseek-v3")

    count = model.active_weight_count - model.embedding_weights
    assert count / 1e9 == pytest.approx(36.6, abs=0.05)
