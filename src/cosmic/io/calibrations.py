"""Calibration files to calibrations, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import yaml

from cosmic.compute.calibrated import Calibrated
from cosmic.compute.calibration import AttentionCurve, Calibration, ProductCurve
from cosmic.errors import SpecError
from cosmic.io.calibration_schemas import CalibrationSpec
from cosmic.io.presets import PresetKind, find_spec_file, preset_names
from cosmic.io.schemas import DeviceSpec, SystemSpec
from cosmic.io.spec_error import located
from cosmic.io.spec_files import read_spec
from cosmic.io.spec_models import validate
from cosmic.io.yaml_reader import read_yaml
from cosmic.trace.precision import Precision

CALIBRATED = "calibrated"
"""The cost model that needs a calibration."""


def load_calibration(reference: str | Path, folder: Path | None = None) -> Calibration:
    """The calibration of a preset or a file.

    Args:
        reference: Name of a preset, or path of a YAML file.
        folder: Where relative paths begin; the working folder, if left out.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path = find_spec_file(PresetKind.CALIBRATION, str(reference), folder or Path())
    spec = validate(CalibrationSpec, read_yaml(path), path.name)
    with located(path.name):
        return Calibration(
            name=path.stem,
            processors=spec.processors,
            products={
                Precision(name): ProductCurve(**curve.model_dump(exclude={"source"}))
                for name, curve in spec.products.items()
            },
            attention=AttentionCurve(**spec.attention.model_dump(exclude={"source"})),
            delay=spec.moving.delay,
            bandwidth=spec.moving.bandwidth,
            provenance={
                **{f"products in {n}": c.source for n, c in spec.products.items()},
                "attention": spec.attention.source,
                **{
                    f"attention by {name}": curve.source
                    for name, curve in spec.attention_kernels.items()
                },
                "moving": spec.moving.source,
                "sustained": spec.sustained.source if spec.sustained else "unknown",
            },
            sustained=spec.sustained.factor if spec.sustained else 1.0,
            attention_kernels={
                name: AttentionCurve(**curve.model_dump(exclude={"source"}))
                for name, curve in spec.attention_kernels.items()
            },
        )


def calibrated_device(
    reference: str | Path, folder: Path | None = None, *, sustained: bool = True
) -> Calibrated:
    """The calibrated cost model of a system's device.

    It is the calibration that the device's file names, or else the one of the
    device's own name.

    Args:
        reference: The system, a preset or a file.
        folder: Where relative paths begin; the working folder, if left out.
        sustained: Whether devices are busy for minutes on end, as in training.

    Raises:
        SpecError: There is no calibration of the device, or a file cannot be read.
    """
    path, name, device = _device(reference, folder)
    if not _known(name, device):
        raise SpecError(
            f"no kernels of device {name or 'written in ' + path.name!r} have been "
            f"measured; name a calibration in its file, or use cost_model: roofline; "
            f"there are {', '.join(preset_names(PresetKind.CALIBRATION))}"
        )
    with located(path.name, ("calibration",)):
        found = load_calibration(device.calibration or name, path.parent)
    return Calibrated(found, sustained)


def has_calibration(reference: str | Path, folder: Path | None = None) -> bool:
    """Whether kernels of a system's device have been measured.

    Args:
        reference: The system, a preset or a file.
        folder: Where relative paths begin; the working folder, if left out.

    Raises:
        SpecError: A file cannot be read.
    """
    _, name, device = _device(reference, folder)
    return _known(name, device)


def _known(name: str, device: DeviceSpec) -> bool:
    named = device.calibration is not None
    return named or name in preset_names(PresetKind.CALIBRATION)


def _device(reference: str | Path, folder: Path | None) -> tuple[Path, str, DeviceSpec]:
    """The device of a system: where it is written, its name if it has one."""
    path, system = read_spec(PresetKind.SYSTEM, reference, folder)
    assert isinstance(system, SystemSpec)
    if isinstance(system.device, DeviceSpec):
        return path, "", system.device
    path, spec = read_spec(PresetKind.DEVICE, system.device, path.parent)
    assert isinstance(spec, DeviceSpec)
    return path, path.stem, spec


def calibration_text(calibration: Calibration, about: str) -> str:
    """A calibration as the text of a file.

    >>> text = calibration_text(load_calibration("a100-sxm-80gb"), "an A100")
    >>> text.splitlines()[:3]
    ['kind: calibration', 'about: an A100', 'processors: 108']
    """
    provenance = calibration.provenance
    document: dict[str, object] = {
        "kind": "calibration",
        "about": about,
        "processors": calibration.processors,
        "products": {
            precision.value: _part(
                provenance[f"products in {precision.value}"], asdict(curve)
            )
            for precision, curve in calibration.products.items()
        },
        "attention": _part(provenance["attention"], asdict(calibration.attention)),
        "attention_kernels": {
            name: _part(provenance[f"attention by {name}"], asdict(curve))
            for name, curve in calibration.attention_kernels.items()
        },
        "moving": _part(
            provenance["moving"],
            {"delay": calibration.delay, "bandwidth": calibration.bandwidth},
        ),
    }
    if calibration.sustained != 1:
        document["sustained"] = {
            "source": provenance["sustained"],
            "factor": calibration.sustained,
        }
    return yaml.safe_dump(document, sort_keys=False, width=88, allow_unicode=True)


def _part(source: str, values: Mapping[str, float]) -> dict[str, object]:
    delay = {"delay": f"{values['delay'] * 1e6:.4g} us"}
    return {"source": source, **values, **delay}
