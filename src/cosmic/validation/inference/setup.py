"""From a published inference to what the simulator takes: a workload on a system.

What a source does not say is filled in by rules that hold of any source; each that is
used leaves a few words among the assumptions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cosmic.compute.cost_model import CostModel
from cosmic.design.parameter import PointValue
from cosmic.evaluation.configuration import build_system, build_workload
from cosmic.io.models import load_model
from cosmic.io.presets import PresetKind, preset_names
from cosmic.system.system import System
from cosmic.validation.inference.row import InferenceRow, Load
from cosmic.validation.machines import NotEvaluatedError
from cosmic.validation.training.machine import RunMachine, machine_for
from cosmic.validation.training.row import Machine
from cosmic.validation.training.setup import Notes, model_of
from cosmic.workload.inference import Inference, Task
from cosmic.workload.memory import MemoryFootprint, memory_footprint
from cosmic.workload.model import TransformerModel
from cosmic.workload.workload import Workload

_FREE = 0.9  # of what weights leave, for keys and values
_LARGEST_BATCH = 2048
_SAME_SHAPE = {"deepseek-r1": "deepseek-v3"}  # trained further from it
_HOST_MEMORY = re.compile(r"(GH200)-480GB")  # that is the host's


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What was asked, as far as its source says it and the rules fill it in.

    Attributes:
        model: What answered.
        asked: Of each request.
        batch: Requests at a time, over all devices.
        settings: All that the simulator is told, by name.
        machine: Where it ran.
        assumed: What the source does not say, with what was taken for it.
    """

    model: TransformerModel
    asked: Inference
    batch: int
    settings: Mapping[str, PointValue]
    machine: RunMachine
    assumed: tuple[str, ...]

    def workload(self, batch: int | None = None) -> Workload:
        """The workload, of its own batch or of another.

        Raises:
            SpecError: The degrees do not fit the model.
        """
        batch = batch or self.batch
        return build_workload(self.model, batch, self.settings, self.asked)

    @property
    def replicas(self) -> int:
        """That share the requests."""
        return int(str(self.settings["dp"]))

    def system(self, cost_model: CostModel) -> System:
        """The machine."""
        return build_system(self.settings, cost_model, self.machine.protocols)


def setup_of(row: InferenceRow) -> Setup:
    """What the simulator is to be told of a row.

    Raises:
        NotEvaluatedError: The source does not say enough, or what it says is not
            modelled.
    """
    notes = Notes()
    if row.load is None:
        raise NotEvaluatedError(f"no rule reads how requests come: {row.mode!r}")
    if row.prompt is None or row.output is None:
        raise NotEvaluatedError("it does not say how long prompts and outputs are")
    if row.concurrency not in (None, row.batch):
        raise NotEvaluatedError(
            "it says that more requests are under way than are computed together, but "
            "not on how many replicas or how they wait"
        )
    asked = Inference(task=Task.SERVE, prompt=row.prompt, output=row.output)
    model = _model(row, asked, notes)
    machine = machine_for(_without_host(row.machine), row.devices)
    settings = {
        **machine.settings,
        **_degrees(row, notes),
        **_formats(row, notes),
        "flat_rings": True,
    }
    setup = Setup(
        model=model,
        asked=asked,
        batch=row.batch or 0,
        settings=settings,
        machine=machine,
        assumed=(),
    )
    if row.load is Load.UNBOUNDED:
        setup = replace(setup, batch=_largest(setup))
        notes.assumed.append(f"batch {setup.batch}, as keys and values fit")
    elif row.batch is None:
        raise NotEvaluatedError("it does not say its batch")
    return replace(setup, assumed=(*machine.assumed, *notes.assumed))


def _model(row: InferenceRow, asked: Inference, notes: Notes) -> TransformerModel:
    """The model as the row has it, or else the preset of its name.

    Of mixtures of experts and latent attention a row says too little, so that these are
    always presets.
    """
    sequence, shape = asked.prompt + asked.output, row.shape
    if shape.layers is None or shape.experts is not None or shape.attention:
        name = _preset(shape.name)
        if name in preset_names(PresetKind.MODEL):
            notes.assumed.append(f"dimensions of preset {name}")
            return replace(load_model(name), sequence=sequence)
    return model_of(replace(shape, sequence=sequence), row.tensor or 1, notes)


def _preset(name: str) -> str:
    """The preset that a model's name on the Hugging Face hub may stand for.

    >>> _preset("Qwen/Qwen3-235B-A22B-FP8"), _preset("deepseek-ai/DeepSeek-R1")
    ('qwen3-235b-a22b', 'deepseek-v3')
    """
    plain = name.rpartition("/")[2].lower().removesuffix("-fp8")
    return _SAME_SHAPE.get(plain, plain)


def _without_host(machine: Machine) -> Machine:
    return replace(machine, gpu=_HOST_MEMORY.sub(r"\1", machine.gpu))


def _degrees(row: InferenceRow, notes: Notes) -> dict[str, PointValue]:
    if row.tensor is None:
        raise NotEvaluatedError("it does not say how it was split")
    if any("tp split" in words for words in row.unknown):
        notes.assumed.append(f"tensor degree {row.tensor}")
    pipeline = row.pipeline or 1
    data, rest = divmod(row.devices, row.tensor * pipeline)
    if rest or row.data not in (None, data):
        raise NotEvaluatedError(
            f"tp x pp x dp = {row.tensor} x {pipeline} x {row.data or '?'} does not "
            f"make up {row.devices} devices"
        )
    expert = row.expert or 1
    if expert in (1, data):
        return {"tp": row.tensor, "pp": pipeline, "dp": data, "ep": expert}
    if expert != row.tensor:
        raise NotEvaluatedError(
            "experts over a part of the tensor group, or over it and replicas, are not "
            "modelled"
        )
    notes.assumed.append("each expert split over tp, not whole experts")
    return {"tp": row.tensor, "pp": pipeline, "dp": data}


def _formats(row: InferenceRow, notes: Notes) -> dict[str, PointValue]:
    """Formats of products, weights and cache."""
    words = row.precision.lower()
    if "fp4" in words:
        raise NotEvaluatedError("products in FP4 are not modelled")
    if "fp8" not in words:
        known = next((name for name in ("fp16", "bf16") if name in words), "")
        if not known:
            notes.assumed.append("precision bf16")
        return {"precision": known or "bf16"}
    if "?" in words:
        notes.assumed.append("precision fp8")
    cache = 8 if "tensorrt" in row.engine.lower() or "trtllm" in row.engine else 16
    notes.assumed.append(f"keys and values in {cache} bits")
    return {"precision": "fp8", "weight_bits": 8, "cache_bits": cache}


def _largest(setup: Setup) -> int:
    """As many requests as their keys and values fit beside the weights.

    A share of what weights leave is for other things.
    """
    one = setup.workload(setup.replicas)
    part: MemoryFootprint = memory_footprint(one)
    free = float(str(setup.settings["memory_capacity"])) - part.weights
    most = min(int(_FREE * free / part.cache), _LARGEST_BATCH)
    if most < 1:
        raise NotEvaluatedError("by our count, not one request fits into memory")
    return setup.replicas * most
