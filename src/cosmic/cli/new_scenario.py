"""`cosmic new scenario`: a model on a cluster as a scenario file, to be edited."""

import json
import os.path
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import gcd, prod
from pathlib import Path

from cosmic.cli.console import remark
from cosmic.cli.wording import value_text
from cosmic.design.parameter import PointValue
from cosmic.errors import SpecError
from cosmic.evaluation.configuration import build_workload, values_by_dimension
from cosmic.evaluation.objective import objective_named
from cosmic.evaluation.setting import DEFAULTS
from cosmic.io.calibrations import CALIBRATED, has_calibration
from cosmic.io.models import load_model
from cosmic.io.specs import load_scenario
from cosmic.io.systems import load_system, resized
from cosmic.units import format_quantity
from cosmic.workload.memory import memory_footprint
from cosmic.workload.model import TransformerModel

_PARAMETER_SET, _WITH_EXPERTS = "launch-v1", "launch-experts-v1"
_LOGIT_BYTES = 14  # what PyTorch keeps, the most of any; Megatron-LM keeps 8
_MOST_TENSOR = 64  # the largest tensor degree of that parameter set
_PLAIN = re.compile(r"[A-Za-z][\w./-]*")  # needs no quotes in YAML

Split = dict[str, PointValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewScenarioRequest:
    """What `cosmic new scenario` is asked for.

    Attributes:
        model: A preset or a file.
        system: A preset or a file.
        devices: As many of the system's devices; None for as many as it has.
        batch: Sequences in a step.
        sequence: Tokens in a sequence; None for the model's own number.
        objective: What to seek.
        output: The file to write; None for the screen.
    """

    model: str
    system: str
    devices: int | None
    batch: int
    sequence: int | None
    objective: str
    output: str | None


def new_scenario(request: NewScenarioRequest) -> None:
    """Write a scenario whose baseline is a split that fits, where one does.

    Raises:
        SpecError: Something in the request cannot be right, or the file exists.
    """
    objective_named(request.objective)
    model = load_model(request.model, sequence=request.sequence)
    machine: Mapping[str, PointValue] = load_system(request.system)
    if request.devices is not None:
        machine = resized(machine, request.devices)
    split = _split_that_fits(model, request.batch, machine)
    parameters = _PARAMETER_SET if model.experts is None else _WITH_EXPERTS
    text = _text(request, _size(machine), split, parameters)
    if request.output is None:
        sys.stdout.write(text)
        return
    path = Path(request.output)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SpecError(f"{path}: there is such a file already") from None
    load_scenario(path)
    remark(f"wrote {path}; go on with: cosmic search {path}")


def _split_that_fits(
    model: TransformerModel, batch: int, machine: Mapping[str, PointValue]
) -> Split:
    """The least splitting that leaves every device with enough memory.

    Where none does, the one that needs least, and a remark says so.

    Raises:
        SpecError: The batch and the model cannot be split over these devices at all.
    """
    settings = {**DEFAULTS, **machine}
    capacity = float(str(settings["memory_capacity"]))
    best: tuple[float, Split] | None = None
    for split in _splits(model, _sizes(machine)):
        try:
            workload = build_workload(model, batch, {**settings, **split})
        except SpecError:
            continue
        needed = memory_footprint(workload).total
        if needed <= capacity:
            return split
        if best is None or needed < best[0]:
            best = needed, split
    if best is None:
        raise SpecError(
            f"no split of {_size(machine)} devices divides the model's "
            f"{model.layers} layers and {model.heads} heads and a batch of {batch}"
        )
    remark(
        f"no simple split fits: the baseline needs "
        f"{format_quantity(best[0], 'B')} of {format_quantity(capacity, 'B')}"
    )
    return best[1]


def _splits(model: TransformerModel, sizes: Sequence[int]) -> Iterator[Split]:
    """Simple splits, those that split the model least before others.

    Layers are split over the innermost dimension, a node, before any that go further.
    """
    node, devices = sizes[0], prod(sizes)
    tensors = [2**k for k in range(_MOST_TENSOR.bit_length())]
    pipelines = [n for n in range(1, model.layers + 1) if model.layers % n == 0]
    degrees = [
        (tp, pp) for tp in tensors for pp in pipelines if devices % (tp * pp) == 0
    ]
    degrees.sort(key=lambda pair: (pair[0] > node, pair[0] * pair[1], pair[1]))
    for recompute, (tp, pp) in product(("none", "selective", "full"), degrees):
        dp = devices // (tp * pp)
        yield {
            "dp": dp,
            "tp": tp,
            "pp": pp,
            "sp": 1,
            **_expert_split(model, gcd(dp, node)),
            "micro_batch": 1,
            "weight_sharding": 1,
            "tensor_sequence": tp > 1,
            "recompute": recompute,
            "gradient_precision": "fp32",
            "dropout": not model.feed_forward_kind.gated,
            "logit_bytes": _LOGIT_BYTES,
        }


def _expert_split(model: TransformerModel, devices: int) -> Split:
    """Experts shared out over so many devices, or a part of them."""
    return {"ep": gcd(model.experts.experts, devices)} if model.experts else {}


def _text(
    request: NewScenarioRequest, devices: int, split: Split, parameters: str
) -> str:
    """The file, with a comment to each part."""
    folder = Path(request.output).parent if request.output else Path()
    lines = [
        "kind: scenario",
        f"model: {_reference(request.model, folder)} # or a file: config.json, YAML",
        f"system: {_reference(request.system, folder)} # cosmic presets systems",
        f"devices: {devices} # the outermost dimension grows or shrinks to it",
        f"batch: {request.batch} # sequences in a step, over all devices",
    ]
    if request.sequence is not None:
        lines.append(f"sequence: {request.sequence} # tokens")
    lines += [
        "# the design to beat; cosmic simulate FILE --set name=value tries others",
        "workload:",
        *(f"  {name}: {value_text(name, value)}" for name, value in split.items()),
        f"parameter_set: {parameters} # what may be chosen: cosmic explain FILE",
        f"objective: {request.objective} # what is sought",
        f"cost_model: {_cost_model(request.system)} # how long operators take",
    ]
    return "".join(f"{line}\n" for line in lines)


def _cost_model(system: str) -> str:
    """Measured kernels, where there are any of the system's device."""
    return CALIBRATED if has_calibration(system) else "roofline"


def _reference(reference: str, folder: Path) -> str:
    """A reference as a file in a folder writes it: files go by their relative path."""
    if Path(reference).is_file():
        reference = os.path.relpath(reference, folder)
    return reference if _PLAIN.fullmatch(reference) else json.dumps(reference)


def _size(machine: Mapping[str, PointValue]) -> int:
    return prod(_sizes(machine))


def _sizes(machine: Mapping[str, PointValue]) -> list[int]:
    """Devices of each dimension, innermost first."""
    return [int(size) for size in values_by_dimension(machine, "npus_count")]
