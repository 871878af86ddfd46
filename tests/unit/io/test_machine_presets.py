"""Presets of real machines: they load, and say what the data sheets say."""

import pytest

from cosmic.collective.protocol import protocols_for
from cosmic.evaluation.configuration import build_topology
from cosmic.evaluation.setting import DEFAULTS
from cosmic.io.presets import PresetKind, preset_names, preset_path
from cosmic.io.specs import check_spec
from cosmic.io.systems import load_system, load_system_library
from cosmic.io.yaml_reader import read_yaml
from cosmic.validation.machines import PRESETS

GB = 1e9
GBIT = 1e9 / 8

# What one device sends in each dimension, by the data sheet: NVLink, Infinity Fabric
# and torus links each way, then the node's network cards over its devices.
DATA_SHEETS: dict[str, tuple[float, ...]] = {
    "alps-gh200": (3 * 6 * 25 * GB, 200 * GBIT),
    "aws-p3dn": (6 * 25 * GB, 100 * GBIT / 8),
    "aws-p4de": (600 * GB / 2, 4 * 100 * GBIT / 8),
    "aws-p5": (900 * GB / 2, 32 * 100 * GBIT / 8),
    "aws-p5en": (900 * GB / 2, 16 * 200 * GBIT / 8),
    "aws-p6-b200": (1800 * GB / 2, 8 * 400 * GBIT / 8),
    "azure-nc-a100-v4": (600 * GB / 2, 64 * GB / 2),
    "azure-nd-a100-v4": (600 * GB / 2, 200 * GBIT),
    "azure-nd-h100-v5": (900 * GB / 2, 400 * GBIT),
    "dgx-1-v100": (300 * GB / 2, 4 * 100 * GBIT / 8),
    "dgx-2": (300 * GB / 2, 8 * 100 * GBIT / 16),
    "dgx-a100-superpod": (600 * GB / 2, 200 * GBIT),
    "dgx-b200-superpod": (14_400 * GB / 8 / 2, 400 * GBIT),
    "dgx-b300-superpod": (14_400 * GB / 8 / 2, 800 * GBIT),
    "dgx-h100-superpod": (900 * GB / 2, 400 * GBIT),
    "dgx-h200-superpod": (900 * GB / 2, 400 * GBIT),
    "gb200-nvl72": (129_600 * GB / 72 / 2, 400 * GBIT),
    "gb300-nvl72": (129_600 * GB / 72 / 2, 800 * GBIT),
    "gcp-a3-high": (900 * GB / 2, 4 * 200 * GBIT / 8),
    "gcp-a3-mega": (900 * GB / 2, 8 * 200 * GBIT / 8),
    "h800-nodes": (400 * GB / 2, 400 * GBIT),
    "jean-zay-a100": (600 * GB / 2, 4 * 100 * GBIT / 8),
    "l40s-nodes": (64 * GB / 2, 4 * 400 * GBIT / 8),
    "mi300x-nodes": (896 * GB / 2, 400 * GBIT),
    "tpu-v4-pod": (2 * 50 * GB,) * 3,
    "tpu-v5p-pod": (1200 * GB / 2 / 3,) * 3,
}
MACHINES = [n for n in preset_names(PresetKind.SYSTEM) if not n.startswith("cosmic-")]
NEW_DEVICES = [
    n for n in preset_names(PresetKind.DEVICE) if not n.startswith("cosmic-")
]


def test_every_machine_is_held_against_its_data_sheet() -> None:
    assert set(MACHINES) == set(DATA_SHEETS)


@pytest.mark.parametrize("name", MACHINES)
def test_a_device_sends_what_the_data_sheet_says(name: str) -> None:
    dimensions = build_topology({**DEFAULTS, **load_system(name)}).dimensions

    sent = [dimension.bandwidth for dimension in dimensions]

    assert sent == pytest.approx(DATA_SHEETS[name], rel=1e-12)


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_s_library_carries_all_that_it_may_choose(name: str) -> None:
    linked = load_system_library(name)
    if linked is None:  # its maker publishes no constants
        assert name.startswith("tpu-")
        return
    for kind, by_link in linked.library.algorithms.items():
        for dimension, link in enumerate(linked.links):
            for algorithm in linked.library.choices(kind, link):
                assert protocols_for(linked.protocols, algorithm, dimension)
        assert set(by_link) == set(linked.library.links)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((PresetKind.SYSTEM, name) for name in MACHINES),
        *((PresetKind.DEVICE, name) for name in NEW_DEVICES),
        *((PresetKind.LIBRARY, name) for name in preset_names(PresetKind.LIBRARY)),
    ],
)
def test_a_preset_loads_and_names_its_sources(kind: PresetKind, name: str) -> None:
    path = preset_path(kind, name)
    document = read_yaml(path)
    assert isinstance(document, dict)
    source = " ".join(str(document["source"]).split())

    assert check_spec(path) == kind.noun
    assert any(digit in source for digit in "0123456789")  # the numbers themselves
    assert any(
        word in source
        for word in (
            "data sheet",
            "paper",
            "documentation",
            "specific",
            "github.com",
            "case study",
        )
    )


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_says_where_size_and_latency_are_from(name: str) -> None:
    document = read_yaml(preset_path(PresetKind.SYSTEM, name))
    assert isinstance(document, dict)
    source = " ".join(str(document["source"]).split())

    assert "Size:" in source or "torus of" in source
    assert "atenc" in source


def test_measurements_are_told_to_machines_that_there_are() -> None:
    assert {preset for _, _, preset in PRESETS} <= set(MACHINES)
