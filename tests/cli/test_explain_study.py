"""`cosmic explain LOG`: why the best design of a study is the best."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cosmic = Callable[..., Any]  # the fixture that calls the command line


@pytest.fixture
def log(cosmic: Cosmic) -> str:
    """A log of a small study of a scenario file."""
    searched = cosmic("search", "tiny.yaml", "--trials", "20", "--output", "log.jsonl")
    assert searched.code == 0, searched.err
    return "log.jsonl"


def test_the_best_design_is_explained(cosmic: Cosmic, log: str) -> None:
    found = cosmic("explain", log, "--scenario", "tiny.yaml")

    assert found.code == 0, found.err
    assert "times better than" in found.out
    for part in ("What each change gained", "chosen otherwise", "90 % interval"):
        assert part in found.out


def test_the_path_leads_from_the_baseline_to_the_best(cosmic: Cosmic, log: str) -> None:
    found = cosmic("explain", log, "--scenario", "tiny.yaml", "--json").document
    shown = cosmic("simulate", "tiny.yaml", "--json").document
    names = [name for change in found["path"] for name in change["changed"]]
    reached = {k: v for change in found["path"] for k, v in change["changed"].items()}

    assert len(names) == len(set(names))
    assert {name: found["design"][name] for name in reached} == reached
    assert found["path"][-1]["times_better"] == pytest.approx(found["times_better"])
    assert shown["metrics"]["runtime"] > 0
    for other in found["alternatives"]:
        assert other["feasible"] == (other["worse_by"] is not None)
    for one in found["importances"]:
        assert 0 <= one["low"] <= one["share"] <= one["high"] <= 1


def test_a_scenario_that_is_no_preset_is_asked_for(cosmic: Cosmic, log: str) -> None:
    found = cosmic("explain", log)

    assert found.code != 0
    assert "is no preset; give the file with --scenario" in found.err
    assert len(found.err.strip().splitlines()) == 1


def test_another_version_of_the_scenario_is_refused(
    cosmic: Cosmic, log: str, folder: Path
) -> None:
    file = folder / "tiny.yaml"
    file.write_text(file.read_text().replace("batch: ", "batch: 1", 1))
    found = cosmic("explain", log, "--scenario", "tiny.yaml")

    assert found.code != 0
    assert "was written for another version" in found.err


def test_a_study_without_a_feasible_trial_has_nothing_to_explain(
    cosmic: Cosmic, log: str, folder: Path
) -> None:
    header, *trials = (folder / log).read_text().splitlines()
    violation = {"constraint": "memory", "message": "needs too much"}
    none = [
        json.dumps({**json.loads(line), "violations": [violation], "score": None})
        for line in trials
    ]
    (folder / log).write_text("\n".join([header, *none]) + "\n")
    found = cosmic("explain", log, "--scenario", "tiny.yaml")

    assert found.code != 0
    assert f"none of the {len(trials)} trials is feasible" in found.err


@pytest.mark.parametrize("text", ["", "no log\n", '{"format": "else"}\n'])
def test_what_is_no_log_is_refused_in_a_line(
    cosmic: Cosmic, folder: Path, text: str
) -> None:
    (folder / "odd.jsonl").write_text(text)
    found = cosmic("explain", "odd.jsonl")

    assert found.code != 0
    assert len(found.err.strip().splitlines()) == 1


def test_a_log_takes_no_changes(cosmic: Cosmic, log: str) -> None:
    found = cosmic("explain", log, "--set", "dp=2")

    assert found.code != 0
    assert "a log has a design and a scope of its own" in found.err
