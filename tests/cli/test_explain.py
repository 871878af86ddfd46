"""`cosmic explain` and `cosmic schema`: what a space is, why a design is not in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosmic.cli.verdict import judge
from cosmic.io.presets import PresetKind
from cosmic.io.specs import load_scenario

Cosmic = Callable[..., Any]  # the fixture that calls the command line


def test_every_parameter_is_explained(cosmic: Cosmic) -> None:
    found = cosmic("explain", "tiny.yaml", "--json").document
    by_name = {parameter["name"]: parameter for parameter in found["parameters"]}

    assert by_name["dp"]["tied_to"] == ["pp", "sp"]
    assert by_name["dp"]["choices"] == [1, 2, 4, 8]
    assert by_name["dp"]["baseline"] == 2
    assert by_name["dp"]["stack"] == "workload"
    assert by_name["bandwidth"]["unit"] == "B/s"
    assert {p["state"] for p in by_name.values()} == {"searched"}
    assert found["derived"] == {"tp": "npus / (dp * pp * sp)"}
    assert found["constraints"] == ["heads % tp == 0"]
    assert found["points"] < found["raw_points"]


def test_a_scope_says_what_is_held(cosmic: Cosmic) -> None:
    arguments = ("explain", "tiny.yaml", "--scope", "network_only")
    found = cosmic(*arguments, "--json").document
    states = {p["name"]: p["state"] for p in found["parameters"]}

    assert (states["dp"], states["topology"]) == ("held", "searched")
    assert "tiny, network_only: " in cosmic(*arguments).out


def test_the_table_shows_choices_and_rules(cosmic: Cosmic) -> None:
    out = " ".join(cosmic("explain", "tiny.yaml").out.split())

    for words in ("Ring, Switch each", "50 GB/s", "pp, sp", "heads % tp == 0", "tp ="):
        assert words in out


def test_what_a_parameter_follows_is_told(cosmic: Cosmic, folder: Path) -> None:
    path = folder / "parameters.yaml"
    path.write_text(
        path.read_text().replace(
            "derived:",
            "  all_reduce_algorithm:\n    stack: collective\n    per_dimension: true\n"
            "    values: [ring, halvingDoubling]\n"
            '    follows: \'"ring" if topology[d] == "Ring" else "halvingDoubling"\'\n'
            "limits: {memory: 20 GB}\nderived:",
        )
    )
    found = cosmic("explain", "tiny.yaml", "--scope", "network_only", "--json").document
    out = cosmic("explain", "tiny.yaml").out
    states = {p["name"]: p["state"] for p in found["parameters"]}
    change = ("--set", "all_reduce_algorithm[0]=halvingDoubling")
    refused = cosmic("explain", "tiny.yaml", "--scope", "network_only", *change)

    assert states["all_reduce_algorithm"] == "follows"
    assert "unless searched" in out
    assert "memory <= 20 GB" in out
    assert "it follows" in refused.out


def test_a_feasible_design_is_called_so(cosmic: Cosmic) -> None:
    outcome = cosmic("explain", "tiny.yaml", "--set", "dp=4")
    found = cosmic("explain", "tiny.yaml", "--set", "dp=4", "--json").document

    assert outcome.code == 0
    assert "feasible, a point of the design space" in outcome.out
    assert found["feasible"]
    assert found["nearest"] == []


def test_a_broken_rule_is_told_with_what_is_near(cosmic: Cosmic) -> None:
    # 8 devices in 4 x 2 x 2 = 16 shares
    changes = ("--set", "dp=4", "--set", "pp=2", "--set", "sp=2")
    outcome = cosmic("explain", "tiny.yaml", *changes)
    found = cosmic("explain", "tiny.yaml", *changes, "--json").document

    assert outcome.code == 0
    assert "dp=4, pp=2, sp=2 gives 0.5" in " ".join(outcome.out.split())
    assert not found["feasible"]
    assert found["outside_choices"] == []
    assert 1 <= len(found["nearest"]) <= 5
    for near in found["nearest"]:
        assert set(near["changed"]) <= {"dp", "pp", "sp"}


@pytest.mark.parametrize("scope", [None, "full_stack", "workload_only"])
def test_what_is_near_is_feasible(folder: Path, scope: str | None) -> None:
    verdict = judge(load_scenario("tiny.yaml", folder), scope, ("dp=8", "pp=2"))

    assert verdict.nearest
    for point in verdict.nearest:
        assert point in verdict.scenario.space


def test_a_value_outside_the_choices_is_told(cosmic: Cosmic) -> None:
    outcome = cosmic("explain", "tiny.yaml", "--set", "bandwidth[1]=120 GB/s")
    found = cosmic(
        "explain", "tiny.yaml", "--set", "bandwidth[1]=120 GB/s", "--json"
    ).document

    assert "bandwidth[1] 120 GB/s is none of 50 GB/s" in outcome.out
    assert "though it keeps every rule" in outcome.out
    assert found["nearest"][0]["changed"]["bandwidth"]["to"] == [100e9, 100e9]


def test_what_a_scope_holds_cannot_be_changed(cosmic: Cosmic) -> None:
    arguments = ("--scope", "network_only", "--set", "dp=4")
    found = cosmic("explain", "tiny.yaml", *arguments, "--json").document

    assert found["outside_choices"] == ["dp 4: it is not searched, but held as it was"]
    assert found["nearest"][0]["changed"] == {"dp": {"from": 4, "to": 2}}


def test_a_setting_that_nobody_chooses_counts_in_the_rules(
    cosmic: Cosmic, folder: Path
) -> None:
    path = folder / "parameters.yaml"
    path.write_text(
        path.read_text().replace("scopes:", "  - dp * micro_batch <= 8\nscopes:")
    )
    changes = ("--set", "dp=4", "--set", "micro_batch=4")
    found = cosmic("explain", "tiny.yaml", *changes, "--json").document

    assert len(found["broken"]) == 1
    assert all(near["design"]["dp"] <= 2 for near in found["nearest"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain", "tiny.yml"], "did you mean 'tiny.yaml'"),
        (["explain", "tiny.yaml", "--scope", "network"], "did you mean 'network_only'"),
        (["explain", "tiny.yaml", "--set", "tp=2"], "follows, as tp = npus"),
        (["explain", "tiny.yaml", "--set", "ddp=2"], "no setting named 'ddp'"),
        (["explain", "tiny.yaml", "--set", "dp=two"], "expected a whole number"),
        (["schema", "modle"], "did you mean 'model"),
        (["schema", "--output", "model.yaml"], "model.yaml"),
    ],
)
def test_a_mistake_is_one_line(
    cosmic: Cosmic, arguments: list[str], words: str
) -> None:
    outcome = cosmic(*arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_the_schema_of_a_kind_or_of_all(cosmic: Cosmic) -> None:
    everything, one = cosmic("schema").document, cosmic("schema", "scenario").document

    assert everything["required"] == ["kind"]
    assert one["$ref"] == "#/$defs/ScenarioSpec"


def test_schemas_are_written_to_a_folder(cosmic: Cosmic, folder: Path) -> None:
    outcome = cosmic("schema", "--output", "a/b")
    files = sorted((folder / "a" / "b").iterdir())

    assert outcome.code == 0
    assert [str(f.relative_to(folder)) for f in files] == sorted(outcome.out.split())
    assert len(files) == len(PresetKind) + 1  # each kind, and all of them in one
    assert all(json.loads(file.read_text())["$schema"] for file in files)
