"""The model of a preset, a spec file or a Hugging Face configuration."""

from dataclasses import replace
from pathlib import Path

from cosmic.errors import SpecError
from cosmic.io.hugging_face import (
    configured_model,
    is_configuration,
    longest_sequence,
)
from cosmic.io.model_schemas import ModelSpec, VectorsSpec
from cosmic.io.presets import PresetKind, find_spec_file, is_file, preset_names
from cosmic.io.spec_error import located
from cosmic.io.spec_models import validate
from cosmic.io.yaml_reader import read_yaml
from cosmic.workload.layer_parts import (
    GATED,
    AttentionBiases,
    LatentAttention,
    MixtureOfExperts,
    Norm,
    NormsAndBiases,
    Patches,
)
from cosmic.workload.model import FeedForward, TransformerModel

_CONFIGURATION = "config.json"


def load_model(
    reference: str | Path, folder: Path | None = None, sequence: int | None = None
) -> TransformerModel:
    """The model of a preset or a file.

    Args:
        reference: Name of a preset, path of a spec file, or path of a Hugging Face
            config.json or of a folder with one.
        folder: Where relative paths begin; the working folder, if left out.
        sequence: Tokens of a sequence, if not as many as the file says. A Hugging Face
            configuration of a language model says at most how many there may be, so
            that it must be given one.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path = _file(str(reference), folder or Path())
    document = read_yaml(path)
    if is_configuration(document):
        return configured_model(document, path.name, sequence)
    spec = validate(ModelSpec, document, path.name)
    with located(path.name):
        model = _model(spec)
        return model if sequence is None else _resized(model, sequence)


def check_configuration(path: Path) -> bool:
    """Read a file, or a folder's, if it is a Hugging Face configuration; say whether.

    Raises:
        SpecError: It is one, and something in it cannot be right.
    """
    inside = path / _CONFIGURATION
    found = inside if is_file(inside) else path
    document = read_yaml(found)
    if not is_configuration(document):
        return False
    configured_model(document, found.name, longest_sequence(document, found.name))
    return True


def _file(reference: str, folder: Path) -> Path:
    inside = folder / reference / _CONFIGURATION
    if reference not in preset_names(PresetKind.MODEL) and is_file(inside):
        return inside
    return find_spec_file(PresetKind.MODEL, reference, folder)


def _model(spec: ModelSpec) -> TransformerModel:
    kind = FeedForward(spec.feed_forward_kind)
    latent = LatentAttention(**spec.latent.model_dump()) if spec.latent else None
    vectors = _vectors(spec.vectors, kind) if spec.vectors else None
    return TransformerModel(
        layers=spec.layers,
        hidden=spec.hidden,
        heads=spec.heads,
        key_value_heads=spec.key_value_heads or spec.heads,
        head_dim=spec.head_dim or (latent.head_dim if latent else _head_dim(spec)),
        feed_forward=spec.feed_forward,
        feed_forward_kind=kind,
        sequence=spec.sequence,
        vocabulary=spec.vocabulary,
        tied_embeddings=spec.tied_embeddings,
        learned_positions=spec.learned_positions,
        positions=spec.positions,
        causal=spec.causal,
        vectors=vectors,
        experts=MixtureOfExperts(**spec.experts.model_dump()) if spec.experts else None,
        latent=latent,
        patches=Patches(**spec.patches.model_dump()) if spec.patches else None,
    )


def _vectors(spec: VectorsSpec, kind: FeedForward) -> NormsAndBiases:
    """What the file says, and otherwise what goes with the feed-forward part."""
    given = spec.model_dump(exclude_none=True)
    if "norm" in given:
        given["norm"] = Norm(given["norm"])
    if "attention_biases" in given:
        given["attention_biases"] = AttentionBiases(given["attention_biases"])
    return replace(GATED if kind.gated else NormsAndBiases(), **given)


def _resized(model: TransformerModel, sequence: int) -> TransformerModel:
    """The model on another length of sequences, with the positions that it has."""
    if model.patches is not None and sequence != model.sequence:
        raise SpecError(
            f"its images are {model.sequence} tokens each, which sequence cannot change"
        )
    if not (model.learned_positions and model.has_ends):
        return replace(model, sequence=sequence)
    rows = model.positions or model.sequence
    if sequence > rows:
        raise SpecError(
            f"sequence = {sequence}, but the model has learned {rows} positions"
        )
    return replace(model, sequence=sequence, positions=rows)


def _head_dim(spec: ModelSpec) -> int:
    if spec.hidden % spec.heads:
        raise SpecError(
            f"{spec.heads} heads do not divide hidden = {spec.hidden}; give head_dim"
        )
    return spec.hidden // spec.heads
