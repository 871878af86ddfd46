"""The JSON Schema of spec files takes what the reader takes, and explains every key."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cosmic.errors import UnitError
from cosmic.io.json_schema import json_schema
from cosmic.io.presets import PresetKind, preset_names, preset_path
from cosmic.io.spec_models import quantity_schema
from cosmic.io.yaml_reader import parse_yaml, read_yaml
from cosmic.units import parse, spellings

PRESETS = [(kind, name) for kind in PresetKind for name in preset_names(kind)]
VALIDATOR = Draft202012Validator(json_schema())


def sound(document: object) -> bool:
    """Whether an editor would find nothing to mark."""
    return VALIDATOR.is_valid(document)


def described(schema: object, place: str = "$") -> Iterator[tuple[str, bool]]:
    """Each key of all schemas, and whether it is explained."""
    if isinstance(schema, dict):
        inside = "if" in schema or "not" in schema
        for key, entry in schema.get("properties", {}).items():
            if isinstance(entry, dict) and not inside and "$defs" in place:
                yield f"{place}.{key}", "description" in entry
        for key, entry in schema.items():
            if key not in ("oneOf", "allOf"):
                yield from described(entry, f"{place}.{key}")


@pytest.mark.parametrize("kind", [None, *PresetKind])
def test_it_is_a_schema_that_explains_every_key(kind: PresetKind | None) -> None:
    schema = json_schema(kind)
    Draft202012Validator.check_schema(schema)
    keys = dict(described(schema))

    assert len(keys) > 2
    assert [place for place, explained in keys.items() if not explained] == []


@pytest.mark.parametrize(("kind", "name"), PRESETS)
def test_every_preset_fits(kind: PresetKind, name: str) -> None:
    document = read_yaml(preset_path(kind, name))

    assert sound(document)
    assert Draft202012Validator(json_schema(kind)).is_valid(document)


@pytest.mark.parametrize(
    ("kind", "name", "old", "new"),
    [
        (PresetKind.MODEL, "gpt3-175b", "kind: model", "kind: modle"),
        (PresetKind.MODEL, "gpt3-175b", "kind: model\n", ""),
        (PresetKind.MODEL, "gpt3-175b", "layers:", "layer:"),
        (PresetKind.MODEL, "gpt3-175b", "heads: 96", "heads: 0"),
        (PresetKind.DEVICE, "cosmic-512-device", "GB", "parsecs"),
        (PresetKind.SYSTEM, "cosmic-512", "Ring", "Rign"),
        (PresetKind.SYSTEM, "cosmic-512", "halvingDoubling", "halvingdoubling"),
        (PresetKind.SYSTEM, "cosmic-512", "link_bandwidth", "link_bandwith"),
        (PresetKind.SCENARIO, "vit-base-512-devices-v1", "batch: 2048", "batch: all"),
        (PresetKind.SCENARIO, "vit-base-512-devices-v1", "perf_per_bandwidth", "best"),
        (PresetKind.PARAMETER_SET, "cosmic-v1", "stack: workload", "stack: network"),
        (PresetKind.PARAMETER_SET, "cosmic-v1", "  chunks:", "  chunk:"),
        (PresetKind.PARAMETER_SET, "cosmic-v1", "values: [4, 8, 16]", "about: none"),
        (PresetKind.PARAMETER_SET, "cosmic-v1", "values: [LIFO, FIFO]", "values: [0]"),
        (PresetKind.PARAMETER_SET, "cosmic-v1", "per_dimension: true", "about: one"),
        (PresetKind.STUDY, "demo-v1", "trials: 2000", "trials: 2000.5"),
        (PresetKind.STUDY, "demo-v1", "genetic", "genetc"),
    ],
)
def test_a_broken_file_is_marked(
    kind: PresetKind, name: str, old: str, new: str
) -> None:
    text = preset_path(kind, name).read_text(encoding="utf-8")

    assert old in text
    assert not sound(parse_yaml(text.replace(old, new), "broken.yaml"))


@pytest.mark.parametrize(
    ("kind", "name", "old", "new", "takes"),
    [
        (PresetKind.SYSTEM, "cosmic-512", "halvingDoubling", "direct16", True),
        (PresetKind.SYSTEM, "cosmic-512", "halvingDoubling", "direct0", False),
        (PresetKind.SYSTEM, "cosmic-512", "chunks: 4", "active_chunks: 4", True),
        (PresetKind.SYSTEM, "cosmic-512", "localBWAware", "themis", True),
        (PresetKind.SYSTEM, "cosmic-512", "2000 ns", "1 us, oversubscription: 2", True),
        (PresetKind.SYSTEM, "cosmic-512", "2000 ns", "1 us, asymmetry: 0", False),
        (
            PresetKind.SCENARIO,
            "vit-base-512-devices-v1",
            "sp: 4",
            "axis_order: data-tensor-sequence-pipeline",
            True,
        ),
        (
            PresetKind.SCENARIO,
            "vit-base-512-devices-v1",
            "sp: 4",
            "axis_order: data-tensor",
            False,
        ),
        (
            PresetKind.PARAMETER_SET,
            "cosmic-dimensions-v1",
            "values: [1, 2, 3, 4]",
            "values: [1, 17]",
            False,
        ),
    ],
)
def test_what_a_key_may_hold_is_known(
    kind: PresetKind, name: str, old: str, new: str, takes: bool
) -> None:
    text = preset_path(kind, name).read_text(encoding="utf-8")

    assert old in text
    assert sound(parse_yaml(text.replace(old, new), "changed.yaml")) is takes


@pytest.mark.parametrize(
    ("topology", "sizes", "takes"),
    [
        ("Torus", [4, 4], True),
        ("Torus", 4, False),
        ("Torus", [], False),
        ("Ring", 4, True),
        ("Ring", [4, 4], False),
    ],
)
def test_a_list_of_sizes_is_for_a_torus(
    topology: str, sizes: object, takes: bool
) -> None:
    system = read_yaml(preset_path(PresetKind.SYSTEM, "cosmic-512"))
    assert isinstance(system, dict)
    assert isinstance(system["dimensions"], list)
    dimension = system["dimensions"][0]
    assert isinstance(dimension, dict)
    changed = {**dimension, "topology": topology, "npus_count": sizes}

    assert sound({**system, "dimensions": [changed]}) is takes


@given(
    number=st.from_regex(r"\A[0-9]{0,3}\.?[0-9]{0,3}(e-?[0-9])?\Z"),
    unit=st.sampled_from(["B", "B/s", "FLOP/s", "s", "USD"]),
    data=st.data(),
)
def test_a_quantity_is_taken_just_where_the_reader_takes_it(
    number: str, unit: str, data: Any
) -> None:
    other = st.sampled_from(["GB", "Gb/s", "TFLOPS", "us", "", "m", "USD"])
    spelled = data.draw(st.sampled_from(spellings(unit)) | other)
    text = f"{number} {spelled}"
    try:
        taken = parse(text, unit, minimum=0) >= 0
    except UnitError:
        taken = False

    pattern = str(quantity_schema(unit, "")["pattern"])
    assert (re.search(pattern, text) is not None) is taken
