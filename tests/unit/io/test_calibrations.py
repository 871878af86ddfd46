"""Calibrations as files."""

from pathlib import Path

import pytest

from cosmic.compute.calibrated import Calibrated
from cosmic.errors import SpecError
from cosmic.io.calibrations import (
    calibrated_device,
    calibration_text,
    has_calibration,
    load_calibration,
)
from cosmic.io.presets import PresetKind, preset_names
from cosmic.io.specs import check_spec, load_scenario
from cosmic.trace.precision import Precision

CALIBRATIONS = preset_names(PresetKind.CALIBRATION)


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_a_preset_says_where_every_part_is_from(name: str) -> None:
    found = load_calibration(name)

    assert name in preset_names(PresetKind.DEVICE)
    assert found.name == name
    assert {"attention", "moving", "products in bf16"} <= found.provenance.keys()
    assert all(found.provenance.values())


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_what_is_written_is_read_as_it_was(name: str, tmp_path: Path) -> None:
    found = load_calibration(name)
    path = tmp_path / f"{name}.yaml"
    path.write_text(calibration_text(found, "again"), encoding="utf-8")

    again = load_calibration(path)
    assert check_spec(path) == "calibration"
    assert again.provenance == found.provenance
    assert again.products == found.products
    assert again.attention == found.attention
    assert again.attention_kernels == found.attention_kernels
    assert (again.delay, again.bandwidth) == (found.delay, found.bandwidth)
    assert again.sustained == found.sustained


def test_a_format_that_was_not_measured_is_as_near_to_its_peak_as_bf16() -> None:
    found = load_calibration("a100-sxm-80gb")

    assert found.product_curve(Precision.TF32) == found.product_curve(Precision.BF16)


def test_a_system_has_the_calibration_of_its_device() -> None:
    found = calibrated_device("dgx-h100-superpod")

    assert found.calibration.name == "h100-sxm"
    assert found.sustained
    assert has_calibration("dgx-h100-superpod")
    assert not has_calibration("cosmic-1024")


def test_a_device_that_nobody_measured_says_so(tiny_folder: Path) -> None:
    path = tiny_folder / "scenario.yaml"
    path.write_text(path.read_text() + "cost_model: calibrated\n")

    with pytest.raises(SpecError, match=r"no kernels of device .* have been measured"):
        load_scenario(path)


def test_a_device_may_name_its_calibration(tiny_folder: Path) -> None:
    path = tiny_folder / "scenario.yaml"
    path.write_text(path.read_text() + "cost_model: calibrated\n")
    system = tiny_folder / "system.yaml"
    device = "  memory_capacity: 1 GB\n"
    text = system.read_text().replace(device, device + "  calibration: a100-sxm-80gb\n")
    system.write_text(text)

    scenario = load_scenario(path)
    assert isinstance(scenario.cost_model, Calibrated)
    assert scenario.cost_model.calibration.name == "a100-sxm-80gb"


def test_an_unknown_cost_model_is_named(tiny_folder: Path) -> None:
    path = tiny_folder / "scenario.yaml"
    path.write_text(path.read_text() + "cost_model: calibrted\n")

    with pytest.raises(SpecError, match="did you mean 'calibrated'"):
        load_scenario(path)
