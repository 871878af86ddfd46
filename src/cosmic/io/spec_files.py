"""Spec files and presets as what their schemas make of them."""

from collections.abc import Mapping
from pathlib import Path

from cosmic.design.parameter import PointValue
from cosmic.io.calibration_schemas import CalibrationSpec
from cosmic.io.library_schemas import LibrarySpec
from cosmic.io.model_schemas import ModelSpec
from cosmic.io.presets import PresetKind, find_spec_file, preset_names
from cosmic.io.schemas import (
    DeviceSpec,
    ParameterSetSpec,
    ScenarioSpec,
    SystemSpec,
)
from cosmic.io.shared_schemas import SharedScenarioSpec
from cosmic.io.spec_error import show_value, spec_error
from cosmic.io.spec_models import SpecModel, validate
from cosmic.io.study_schemas import ComparisonSpec, StudySpec
from cosmic.io.yaml_reader import read_yaml

SCHEMAS: Mapping[PresetKind, type[SpecModel]] = {
    PresetKind.MODEL: ModelSpec,
    PresetKind.DEVICE: DeviceSpec,
    PresetKind.SYSTEM: SystemSpec,
    PresetKind.LIBRARY: LibrarySpec,
    PresetKind.CALIBRATION: CalibrationSpec,
    PresetKind.PARAMETER_SET: ParameterSetSpec,
    PresetKind.SCENARIO: ScenarioSpec,
    PresetKind.SHARED_SCENARIO: SharedScenarioSpec,
    PresetKind.STUDY: StudySpec,
    PresetKind.COMPARISON: ComparisonSpec,
}
"""The shape of each kind of spec file."""


def read_spec(
    kind: PresetKind, reference: str | Path, folder: Path | None
) -> tuple[Path, SpecModel]:
    """A preset or a file of some kind: where it is, and what it says.

    Raises:
        SpecError: It cannot be read, or does not have the shape of its kind.
    """
    path = find_spec_file(kind, str(reference), folder or Path())
    return path, validate(SCHEMAS[kind], read_yaml(path), path.name)


def spec_kind(path: Path) -> PresetKind:
    """What a file says that it describes.

    Raises:
        SpecError: It cannot be read, or does not say.
    """
    document = read_yaml(path)
    kinds = {kind.noun.replace(" ", "_"): kind for kind in PresetKind}
    given = document.get("kind") if isinstance(document, dict) else None
    if not isinstance(given, str) or given not in kinds:
        allowed = ", ".join(sorted(kinds))
        message = f"kind says what the file is: {allowed}; got {show_value(given)}"
        raise spec_error(path.name, message, ("kind",))
    return kinds[given]


def scenario_kind(reference: str, folder: Path) -> PresetKind:
    """Whether a reference means a scenario, or one that several workloads share.

    Raises:
        SpecError: It is a file that cannot be read.
    """
    shared = PresetKind.SHARED_SCENARIO
    if reference in preset_names(PresetKind.SCENARIO):
        return PresetKind.SCENARIO
    if reference in preset_names(shared):
        return shared
    path = find_spec_file(PresetKind.SCENARIO, reference, folder)
    document = read_yaml(path)
    kind = document.get("kind") if isinstance(document, dict) else None
    return shared if kind == "shared_scenario" else PresetKind.SCENARIO


def given_values(spec: SpecModel) -> dict[str, PointValue]:
    """What a file says, without what it leaves out."""
    values = spec.model_dump(exclude_none=True)
    return {name: value for name, value in values.items() if name != "kind"}
