"""From a published run to what the simulator takes: a workload on a system."""

from collections.abc import Mapping
from dataclasses import dataclass

from cosmic.compute.cost_model import CostModel
from cosmic.design.parameter import PointValue
from cosmic.evaluation.configuration import (
    Configuration,
    build_system,
    build_workload,
)
from cosmic.validation.machines import NotEvaluatedError
from cosmic.validation.training import rules
from cosmic.validation.training.frameworks import Framework, framework_of
from cosmic.validation.training.machine import RunMachine, machine_for
from cosmic.validation.training.row import Experts, Shape, Split, TrainingRow
from cosmic.validation.training.rules import Said
from cosmic.workload.layer_parts import MixtureOfExperts
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.workload import Workload

_DIMENSIONS = {
    "layers": "layers",
    "hidden": "hidden",
    "feed_forward": "feed-forward width",
    "sequence": "sequence length",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a run was, as far as its source says it and the rules fill it in.

    Attributes:
        model: What was trained.
        batch: Sequences of a step.
        settings: All that the simulator is told, by name.
        machine: Where it ran.
        framework: With what.
        assumed: What the source does not say, with what was taken for it.
    """

    model: TransformerModel
    batch: int
    settings: Mapping[str, PointValue]
    machine: RunMachine
    framework: Framework
    assumed: tuple[str, ...]

    def workload(self) -> Workload:
        """The workload.

        Raises:
            SpecError: The degrees do not fit the model.
        """
        return build_workload(self.model, self.batch, self.settings)

    def configuration(self, cost_model: CostModel) -> Configuration:
        """The workload on the machine.

        Raises:
            SpecError: The degrees do not fit the model.
        """
        system = build_system(self.settings, cost_model, self.machine.protocols)
        return Configuration(self.workload(), system)

    @property
    def bubble(self) -> float:
        """Idle over busy time of a pipeline, (p - 1) / (m v)."""
        stages, data = int(str(self.settings["pp"])), int(str(self.settings["dp"]))
        sequences = int(str(self.settings["micro_batch"]))
        virtual = int(str(self.settings.get("virtual_stages", 1)))
        return (stages - 1) / (self.batch / data / sequences * virtual)


class Notes:
    """Collects what had to be assumed.

    Attributes:
        assumed: In the order of asking.
    """

    def __init__(self) -> None:
        self.assumed: list[str] = []

    def take(self, said: "Said[rules.T]") -> "rules.T":
        """The value; its assumption is noted."""
        if said.assumed:
            self.assumed.append(said.assumed)
        return said.value


def setup_of(row: TrainingRow) -> Setup:
    """What the simulator is to be told of a run.

    Raises:
        NotEvaluatedError: The source does not say enough, or what it says is not
            modelled.
    """
    notes = Notes()
    if row.task != "pretrain":
        raise NotEvaluatedError(f"it is no pre-training, but {row.task}")
    model = model_of(row.shape, row.split.tensor or 1, notes)
    framework = framework_of(row.software, row.date)
    machine = machine_for(row.machine, row.split.devices)
    split = _split_settings(row, framework, machine, notes)
    layers = _layer_settings(row, int(str(split["pp"])), model.layers)
    again = notes.take(rules.recompute(row, framework))
    kind = notes.take(rules.precision(row.precision))
    wide = rules.wide_gradients(row, framework, kind)
    tokens = bool(split["tensor_sequence"])
    settings = {
        **machine.settings,
        **split,
        **layers,
        **_recompute_settings(again, model.layers, split, layers),
        "fused_attention": framework.fused_attention,
        "precision": kind,
        "gradient_precision": "fp32" if wide else "auto",
        "gradient_overlap": rules.gradient_overlap(row.split, framework),
        "tensor_overlap": rules.tensor_overlap(row.split, framework, tokens),
        "dropout": not row.shape.gated,
        "logit_bytes": framework.logit_bytes,
        "flat_rings": True,
    }
    assert row.split.batch is not None
    return Setup(
        model=model,
        batch=row.split.batch,
        settings=settings,
        machine=machine,
        framework=framework,
        assumed=(*machine.assumed, *notes.assumed),
    )


def model_of(shape: Shape, tensor: int, notes: Notes) -> TransformerModel:
    """The model of a shape: with a gate as Llama is, without one as GPT is.

    Raises:
        NotEvaluatedError: A dimension is not said, or the model is of another kind.
        SpecError: The dimensions do not fit each other.
    """
    for name, words in _DIMENSIONS.items():
        if getattr(shape, name) is None:
            raise NotEvaluatedError(f"it does not say its {words}")
    latent = rules.latent_attention(shape.attention)
    hidden, heads = int(shape.hidden or 0), notes.take(rules.heads(shape, tensor))
    gated = bool(shape.gated)
    return TransformerModel(
        layers=int(shape.layers or 0),
        hidden=hidden,
        heads=heads,
        key_value_heads=shape.key_value_heads or heads,
        head_dim=latent.head_dim if latent else shape.head_dim or hidden // heads,
        feed_forward=int(shape.feed_forward or 0),
        feed_forward_kind=FeedForward.SWIGLU if gated else FeedForward.GELU,
        sequence=int(shape.sequence or 0),
        vocabulary=notes.take(rules.vocabulary(shape)),
        tied_embeddings=not gated,
        learned_positions=not gated,
        latent=latent,
        experts=_mixture(shape.experts),
    )


def _mixture(said: Experts | None) -> MixtureOfExperts | None:
    if said is None:
        return None
    return MixtureOfExperts(
        experts=said.count,
        top_k=said.chosen,
        feed_forward=said.width,
        shared_feed_forward=said.shared_width,
        dense_layers=said.dense_layers,
    )


def _split_settings(
    row: TrainingRow, framework: Framework, machine: RunMachine, notes: Notes
) -> dict[str, PointValue]:
    """Degrees, micro-batch and sharding."""
    split = row.split
    tensor, pipeline, context, data = _degrees(split, notes)
    if split.batch is None:
        raise NotEvaluatedError("it does not say its batch")
    if split.batch % data:
        raise NotEvaluatedError(f"{data} replicas do not share {split.batch} sequences")
    shared = notes.take(rules.sharding(split, framework, machine.node))
    tokens = notes.take(rules.tensor_sequence(split, framework))
    return {
        "tp": tensor,
        "pp": pipeline,
        "sp": context,
        "dp": data,
        "micro_batch": notes.take(rules.micro_batch(split, split.batch // data)),
        "weight_sharding": shared.level,
        "ep": split.expert or 1,
        "sharding_group": _sharding_group(shared.group, data * context),
        "tensor_sequence": tokens,
    }


def _sharding_group(said: int, devices: int) -> int:
    """Devices that share one copy; 0 for all of those that hold it."""
    if said in (0, devices) or devices % said:
        return 0
    return said


def _layer_settings(
    row: TrainingRow, pipeline: int, layers: int
) -> dict[str, PointValue]:
    """Parts of each stage, and the layers of the first and the last.

    Where layers do not divide evenly, the ends have fewer, as embedding and head stand
    for a layer each there.

    Raises:
        NotEvaluatedError: The ends cannot make up for it.
    """
    virtual = (row.split.virtual or 1) if pipeline > 1 else 1
    parts = pipeline * virtual
    settings: dict[str, PointValue] = {"virtual_stages": virtual}
    if layers % parts == 0:
        return settings
    for at_first, at_last in ((1, 1), (0, 1), (1, 2)):  # and two with a second head
        if (layers + at_first + at_last) % parts == 0:
            share = (layers + at_first + at_last) // pipeline
            settings["first_stage_layers"] = share - at_first
            settings["last_stage_layers"] = share - at_last
            return settings
    raise NotEvaluatedError(f"{layers} layers on {parts} parts, no rule says how")


def _recompute_settings(
    again: str,
    layers: int,
    split: Mapping[str, PointValue],
    parts: Mapping[str, PointValue],
) -> dict[str, PointValue]:
    """What is computed again, and in how many layers of a stage: half, or all."""
    if again != "half":
        return {"recompute": again}
    stage = layers // int(str(split["pp"])) // int(str(parts["virtual_stages"]))
    return {"recompute": "full", "recompute_layers": max(1, stage // 2)}


def _degrees(split: Split, notes: Notes) -> tuple[int, int, int, int]:
    """Tensor, pipeline, context and data; the last is what the others leave."""
    if split.tensor is None and split.pipeline is None:
        raise NotEvaluatedError("it does not say how it was split")
    tensor = notes.take(rules.degree(split.tensor, "tensor degree"))
    pipeline = notes.take(rules.degree(split.pipeline, "pipeline degree"))
    context = split.context or 1
    data, rest = divmod(split.devices, tensor * pipeline * context)
    if rest or split.data not in (None, data):
        raise NotEvaluatedError(
            f"tp x pp x cp x dp = {tensor} x {pipeline} x {context} x "
            f"{split.data or '?'} does not make up {split.devices} devices"
        )
    return tensor, pipeline, context, data
