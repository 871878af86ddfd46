"""`cosmic timeline`: a step as a table, a trace and a picture."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cosmic = Callable[..., Any]  # the fixture that calls the command line


def refused(outcome: Any, *words: str) -> None:
    """Check that a command was refused in one line with these words in it."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    [line] = outcome.err.splitlines()
    for word in words:
        assert word in line


def test_it_shows_where_the_time_of_each_stage_goes(cosmic: Cosmic) -> None:
    simulated = cosmic("simulate", "tiny.yaml", "--set", "pp=2", "--json").document
    outcome = cosmic("timeline", "tiny.yaml", "--set", "pp=2", "--json")

    told = outcome.document
    assert told["makespan"] == simulated["metrics"]["runtime"]
    assert len(told["stages"]) == 2
    for stage in told["stages"]:
        parts = {name: time for name, time in stage.items() if name != "begins"}
        assert sum(parts.values()) == pytest.approx(told["makespan"], rel=1e-9)


def test_without_files_it_prints_a_table(cosmic: Cosmic) -> None:
    outcome = cosmic("timeline", "tiny.yaml", "--set", "pp=2")

    assert outcome.code == 0
    assert "where each stage's time goes in a step of" in outcome.out
    assert "idle" in outcome.out


def test_it_writes_a_trace_and_a_picture(cosmic: Cosmic, tmp_path: Path) -> None:
    trace, picture = tmp_path / "step.json", tmp_path / "step.svg"
    files = "--to", str(trace), "--svg", str(picture)
    outcome = cosmic("timeline", "tiny.yaml", "--detail", "operators", *files)

    assert outcome.code == 0
    assert str(trace) in outcome.err
    assert str(picture) in outcome.err
    document = json.loads(trace.read_text(encoding="utf-8"))
    assert document["otherData"]["scenario"] == "tiny"
    assert document["otherData"]["detail"] == "operators"
    assert picture.read_text(encoding="utf-8").startswith("<?xml")


def test_a_design_that_does_not_fit_is_shown_and_said(cosmic: Cosmic) -> None:
    outcome = cosmic("timeline", "tiny.yaml", "--set", "memory_capacity=1 MB")

    assert outcome.code == 0
    assert "does not fit: a device needs" in outcome.err


def test_a_trial_of_a_log_can_be_shown(cosmic: Cosmic, tmp_path: Path) -> None:
    log = str(tmp_path / "log.jsonl")
    cosmic("search", "tiny.yaml", "--trials", "5", "--output", log)
    outcome = cosmic("timeline", "tiny.yaml", "--from", log, "--json")

    assert "trial" in outcome.document["design"]


def test_an_inference_has_passes(cosmic: Cosmic) -> None:
    name = "llama-3-70b-dgx-h100-serve-v1"
    first = cosmic("timeline", name, "--json").document
    step = cosmic("timeline", name, "--pass", "decode", "--json").document

    assert (first["pass"], step["pass"]) == ("prefill", "decode")
    assert 0 < step["makespan"] < first["makespan"]


def test_what_cannot_be_shown_is_refused_in_a_line(cosmic: Cosmic) -> None:
    refused(cosmic("timeline", "nothing-v1"), "nothing-v1")
    refused(cosmic("timeline", "tiny.yaml", "--detail", "layer"), "layers")
    refused(cosmic("timeline", "tiny.yaml", "--svg", "step.png"), ".svg")
    refused(cosmic("timeline", "tiny.yaml", "--set", "dp=3"), "cannot simulate")
    refused(cosmic("timeline", "tiny.yaml", "--pass", "decode"), "decode", "step")
    refused(cosmic("timeline", "tiny.yaml", "--trial", "3"), "--from")
