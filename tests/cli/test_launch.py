"""From a user's cluster to a run: `cosmic new scenario` and `cosmic launch`."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosmic.io.presets import PresetKind, preset_names
from cosmic.io.specs import load_scenario

Cosmic = Callable[..., Any]  # the fixture that calls the command line

FRAMEWORKS = ("megatron", "torchtitan", "deepspeed")
OTHER = """\
kind: scenario
model: model.yaml
system: system.yaml
batch: 32
workload: {dp: 2, pp: 1, sp: 1, weight_sharded: 0}
parameter_set: parameters.yaml
"""


def refused(outcome: Any, *words: str) -> None:
    """Check that a command was refused in one line with these words in it."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    [line] = outcome.err.splitlines()
    for word in words:
        assert word in line


def degrees(outcome: Any) -> tuple[int, int, int]:
    """Tensor, pipeline and context degree of a Megatron-LM document."""
    arguments = outcome.document["arguments"]
    return (
        arguments["--tensor-model-parallel-size"],
        arguments["--pipeline-model-parallel-size"],
        arguments.get("--context-parallel-size", 1),
    )


def test_stdout_is_the_file_and_nothing_else(cosmic: Cosmic) -> None:
    script = cosmic("launch", "tiny.yaml", "--for", "megatron")
    assert script.out.startswith("#!/usr/bin/env bash\n# for Megatron-LM core_v0.19.0")
    assert "--tensor-model-parallel-size 4\n" in script.out
    job = tomllib.loads(cosmic("launch", "tiny.yaml", "--for", "torchtitan").out)
    assert job["parallelism"]["tensor_parallel_degree"] == 4
    config = json.loads(cosmic("launch", "tiny.yaml", "--for", "deepspeed").out)
    assert config["tensor_parallel"]["autotp_size"] == 4


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_it_cannot_be_told_and_what_it_needs_is_said(
    cosmic: Cosmic, framework: str
) -> None:
    outcome = cosmic("launch", "tiny.yaml", "--for", framework)

    assert "tiny, baseline, for " in outcome.err
    assert "predicted: " in outcome.err
    assert "scheduling_policy LIFO has no equivalent" in outcome.err
    assert "a tokenizer" in outcome.err


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_file_holds_what_the_screen_would(
    cosmic: Cosmic, folder: Path, framework: str
) -> None:
    shown = cosmic("launch", "tiny.yaml", "--for", framework).out
    written = cosmic("launch", "tiny.yaml", "--for", framework, "--out", "run")

    assert written.out == ""
    assert "wrote run" in written.err
    assert (folder / "run").read_text("utf-8") == shown


def test_changes_are_launched(cosmic: Cosmic) -> None:
    outcome = cosmic(
        *("launch", "tiny.yaml", "--for", "megatron", "--json"),
        *("--set", "dp=1", "--set", "pp=2", "--set", "sp=2"),
    )

    assert degrees(outcome) == (2, 2, 2)
    assert outcome.document["origin"] == "baseline with dp=1, pp=2, sp=2"
    assert outcome.document["feasible"]
    assert outcome.document["predicted"]["runtime"] > 0


def test_the_best_trial_of_a_search_is_launched(cosmic: Cosmic) -> None:
    best = cosmic("search", "study.yaml", "--json").document["best"][0]
    design = best["design"]

    outcome = cosmic("launch", "study.yaml", "--for", "megatron", "--json")

    log = "runs/study-full_stack-seed1.jsonl"
    assert outcome.document["origin"] == f"trial {best['number']} of {log}"
    assert degrees(outcome) == (design["tp"], design["pp"], design["sp"])
    assert outcome.document["predicted"]["runtime"] == best["metrics"]["runtime"]
    from_log = cosmic(
        "launch", "tiny.yaml", "--for", "megatron", "--json", "--from", log
    )
    assert from_log.document["arguments"] == outcome.document["arguments"]
    first = cosmic(
        "launch", "study.yaml", "--for", "deepspeed", "--trial", "0", "--force"
    )
    assert "trial 0 of" in first.err


def test_a_log_of_another_scenario_is_refused(cosmic: Cosmic, folder: Path) -> None:
    (folder / "other.yaml").write_text(OTHER)
    cosmic("search", "other.yaml", "--trials", "8", "--output", "other.jsonl")
    launch = ("launch", "tiny.yaml", "--for", "megatron", "--from")

    refused(cosmic(*launch, "other.jsonl"), "is a log of scenario 'other', not 'tiny'")
    refused(cosmic(*launch, "nowhere.jsonl"), "there is no such file")
    refused(cosmic(*launch, "tiny.yaml"), "is not JSON", "Give a trial log")
    (folder / "other.yaml").write_text(OTHER.replace("32", "64"))
    outcome = cosmic(
        "launch", "other.yaml", "--for", "megatron", "--from", "other.jsonl"
    )
    refused(outcome, "was written when scenario 'other' said something else")


def test_a_search_for_another_objective_can_be_launched(cosmic: Cosmic) -> None:
    cosmic(
        *("search", "tiny.yaml", "--trials", "8", "--output", "cheap.jsonl"),
        *("--objective", "perf_per_cost"),
    )
    outcome = cosmic(
        *("launch", "tiny.yaml", "--for", "deepspeed", "--from", "cheap.jsonl"),
        "--force",
    )

    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tiny.yaml"], "Missing option '--for'"),
        (["tiny.yaml", "--for", "megatran"], "did you mean 'megatron'?"),
        (["tiny.yaml", "--for", "jax"], "known: deepspeed, megatron, torchtitan"),
        (["tiny.yml", "--for", "megatron"], "did you mean 'tiny.yaml'"),
        (["model.yaml", "--for", "megatron"], "give a scenario or a study"),
        (["study.yaml", "--for", "megatron"], "there is no such log of study 'study'"),
        (["tiny.yaml", "--for", "megatron", "--trial", "3"], "give --from LOG.jsonl"),
        (["tiny.yaml", "--for", "megatron", "--set", "tpp=3"], "no setting named"),
        (["tiny.yaml", "--for", "megatron", "--set", "dp=3"], "cannot launch this"),
        (["tiny.yaml", "--for", "megatron", "--out", "no/such"], "no/such"),
    ],
)
def test_a_wrong_word_is_one_line(
    cosmic: Cosmic, arguments: list[str], words: str
) -> None:
    refused(cosmic("launch", *arguments), words)


def test_a_design_that_does_not_fit_is_launched_by_force_only(cosmic: Cosmic) -> None:
    small = (
        "launch",
        "tiny.yaml",
        "--for",
        "megatron",
        "--set",
        "memory_capacity=1 MB",
    )

    refused(cosmic(*small), "is not feasible: needs", "--force")
    outcome = cosmic(*small, "--force")
    assert outcome.code == 0
    assert "not feasible: needs" in outcome.err


def test_what_a_framework_refuses_is_written_by_force_only(cosmic: Cosmic) -> None:
    piped = ("launch", "tiny.yaml", "--for", "deepspeed", "--set", "pp=2")
    sharded = (*piped, "--set", "weight_sharded=1", "--set", "dp=2")

    assert cosmic(*piped).code == 0
    refused(cosmic(*sharded), "cannot run this design", "refuses ZeRO stage 3")
    assert "refuses ZeRO stage 3" in cosmic(*sharded, "--force").err


def new(*arguments: str) -> tuple[str, ...]:
    """The arguments of a new scenario of a known model."""
    return ("new", "scenario", "--model", "gpt3-13b", "--batch", "512", *arguments)


def test_a_new_scenario_can_be_searched_and_launched(
    cosmic: Cosmic, folder: Path
) -> None:
    outcome = cosmic(
        *new("--system", "dgx-a100-superpod", "--devices", "64"),
        *("--sequence", "1024", "--out", "mine.yaml"),
    )
    assert outcome.code == 0, outcome.err
    assert "go on with: cosmic search mine.yaml" in outcome.err

    scenario = load_scenario(folder / "mine.yaml")
    assert scenario.settings["npus_count"] == (8, 8)
    assert (scenario.batch, scenario.model.sequence) == (512, 1024)
    assert scenario.baseline["dp"] == 32  # 77 GB of weights and gradients: two share
    launched = cosmic("launch", "mine.yaml", "--for", "megatron", "--json")
    assert launched.document["feasible"]
    assert "--nnodes 8 --nproc-per-node 8" in launched.document["text"]


def test_a_new_scenario_splits_layers_inside_a_node_and_says_how_they_are_timed(
    cosmic: Cosmic, folder: Path
) -> None:
    llama = ("new", "scenario", "--model", "llama-3-70b", "--batch", "512")
    assert cosmic(*llama, "--system", "dgx-h100-superpod", "--out", "a.yaml").code == 0
    assert cosmic(*llama, "--system", "cosmic-512", "--out", "b.yaml").code == 0

    scenario = load_scenario(folder / "a.yaml")
    assert (scenario.baseline["tp"], scenario.baseline["pp"]) == (8, 2)
    assert scenario.settings["dropout"] is False
    assert type(scenario.cost_model).__name__ == "Calibrated"
    assert "cost_model: roofline" in (folder / "b.yaml").read_text()


def test_experts_of_a_new_scenario_are_shared_out_and_launched(
    cosmic: Cosmic, folder: Path
) -> None:
    outcome = cosmic(
        *("new", "scenario", "--model", "mixtral-8x7b", "--sequence", "4096"),
        *("--system", "dgx-h100-superpod", "--devices", "64", "--batch", "256"),
        *("--out", "mine.yaml"),
    )
    assert outcome.code == 0, outcome.err

    scenario = load_scenario(folder / "mine.yaml")
    assert scenario.baseline["ep"] == 8
    constants = scenario.space.parameter_set.constants
    assert (constants["experts"], constants["expert_feed_forward"]) == (8, 14336)
    launched = cosmic("launch", "mine.yaml", "--for", "megatron", "--json").document
    assert launched["feasible"]
    assert launched["arguments"]["--expert-model-parallel-size"] == 8
    refused(cosmic("launch", "mine.yaml", "--for", "megatron", "--set", "ep=3"), "3")


def test_a_new_scenario_names_files_from_where_it_stands(
    cosmic: Cosmic, folder: Path
) -> None:
    (folder / "sub").mkdir()
    outcome = cosmic(
        *("new", "scenario", "--model", "model.yaml", "--system", "system.yaml"),
        *("--batch", "16", "--out", "sub/mine.yaml"),
    )

    assert outcome.code == 0, outcome.err
    assert load_scenario(folder / "sub/mine.yaml").model.layers == 4


def test_a_model_that_no_split_fits_is_said_to_be_so(cosmic: Cosmic) -> None:
    outcome = cosmic(
        *("new", "scenario", "--model", "gpt3-175b", "--batch", "64"),
        *("--system", "dgx-a100-superpod", "--devices", "8"),
    )

    assert outcome.code == 0
    assert "no simple split fits: the baseline needs " in outcome.err
    assert outcome.out.startswith("kind: scenario\nmodel: gpt3-175b #")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--system", "dgx-a100-superpo"), "did you mean 'dgx-a100-superpod'?"),
        (("--system", "dgx-a100-superpod", "--devices", "12"), "8, 16, ... devices"),
        (("--system", "dgx-a100-superpod", "--objective", "fast"), "no objective"),
        (("--system", "dgx-a100-superpod", "--out", "tiny.yaml"), "already"),
        (("--system", "dgx-a100-superpod", "--out", "no/such.yaml"), "no/such"),
        (("--system", "dgx-a100-superpod", "--model", "gpt3-13"), "did you mean"),
    ],
)
def test_a_wrong_word_about_a_new_scenario_is_one_line(
    cosmic: Cosmic, arguments: tuple[str, ...], words: str
) -> None:
    refused(cosmic(*new(*arguments)), words)


def test_a_batch_that_nothing_divides_is_refused(cosmic: Cosmic) -> None:
    outcome = cosmic(
        *("new", "scenario", "--model", "gpt3-13b", "--batch", "7"),
        *("--system", "dgx-a100-superpod", "--devices", "1024"),
    )

    refused(outcome, "no split of 1024 devices divides", "a batch of 7")


LAUNCHED = [
    name
    for name in preset_names(PresetKind.SCENARIO)
    if any(machine in name for machine in ("-dgx-", "-aws-", "-h800-"))
    and "serve" not in name
]


@pytest.mark.parametrize("name", LAUNCHED)
def test_preset_clusters_are_as_large_as_their_names_and_fit(
    cosmic: Cosmic, name: str
) -> None:
    outcome = cosmic("simulate", name, "--json")

    assert outcome.code == 0, outcome.err
    assert outcome.document["feasible"]
    assert outcome.document["devices"] == int(name.split("-")[-2])
    assert outcome.document["outside_design_space"] == []
    for framework in ("megatron", "torchtitan"):
        assert cosmic("launch", name, "--for", framework).code == 0
