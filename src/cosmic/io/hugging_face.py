"""A model's shape out of the config.json that Hugging Face's transformers reads.

A file leaves out what its class has as a default. Such a default is taken only where
the files of a family leave the key out; any other missing key is said to be missing.
What changes neither a weight nor a product is passed over: rotary settings, dropout,
initialization. Attention windows are passed over too: attention counts as if every
layer saw the whole sequence.

Reference:
    github.com/huggingface/transformers, `configuration_*.py` and `modeling_*.py` of
    each family, for the keys, their defaults, and the weights that follow.
"""

from collections.abc import Callable, Mapping

from cosmic.errors import UnknownNameError
from cosmic.io import hugging_face_classics as classics
from cosmic.io import hugging_face_decoders as decoders
from cosmic.io.hugging_face_keys import Keys
from cosmic.io.spec_error import located, spec_error
from cosmic.io.yaml_reader import Document
from cosmic.workload.model import TransformerModel


def is_configuration(document: Document) -> bool:
    """Whether a document is a Hugging Face configuration, not a spec of ours."""
    if not isinstance(document, dict) or "kind" in document:
        return False
    return "model_type" in document or "architectures" in document


def configured_model(
    document: Document, file_name: str, sequence: int | None
) -> TransformerModel:
    """The model that a configuration describes.

    Args:
        document: What the file holds.
        file_name: For messages.
        sequence: Tokens of a sequence; not needed for a vision transformer, whose
            images have as many tokens as they have.

    Raises:
        SpecError: Its family is unknown, a key is missing or holds what cannot be, or
            nobody says how long sequences are.
    """
    keys, family = _keys(document, file_name)
    with located(file_name, ("model_type",)):
        if family != "vit" and family not in _FAMILIES:
            raise UnknownNameError("Hugging Face model_type", family, FAMILIES)
    if family == "vit":
        with located(file_name):
            return classics.vision_transformer(keys, sequence)
    if sequence is None:
        most = keys.most_tokens() or "any number"
        raise spec_error(
            file_name,
            f"it says how many tokens a sequence may have ({most}), not how many it "
            f"has: give sequence",
        )
    with located(file_name, keys.place):
        return _FAMILIES[family](keys, sequence)


def longest_sequence(document: Document, file_name: str) -> int | None:
    """The longest sequence that a configuration speaks of; None for images.

    Raises:
        SpecError: It does not say what it is of.
    """
    keys, family = _keys(document, file_name)
    return None if family == "vit" else keys.most_tokens() or 1


def _keys(document: Document, file_name: str) -> tuple[Keys, str]:
    """The keys of the language model or the image encoder, and its family."""
    keys = Keys(document if isinstance(document, dict) else {})
    with located(file_name):
        family = keys.text("model_type")
        if family == "gemma3":
            return keys.inside("text_config"), "gemma3_text"
        return keys, family


_FAMILIES: Mapping[str, Callable[[Keys, int], TransformerModel]] = {
    "gpt2": classics.gpt2,
    "gpt_neox": classics.gpt_neox,
    "opt": classics.opt,
    "bloom": classics.bloom,
    "llama": decoders.llama,
    "mistral": decoders.mistral,
    "mixtral": decoders.mixtral,
    "qwen2": decoders.qwen2,
    "qwen2_moe": decoders.qwen2_moe,
    "qwen3": decoders.qwen3,
    "qwen3_moe": decoders.qwen3_moe,
    "deepseek_v2": decoders.deepseek,
    "deepseek_v3": decoders.deepseek_v3,
    "gemma": decoders.gemma,
    "gemma2": decoders.gemma2,
    "gemma3_text": decoders.gemma3,
}

FAMILIES = tuple(sorted((*_FAMILIES, "gemma3", "vit")))
"""What `model_type` may be."""
