"""What each verb answers, for people and as JSON."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosmic import __version__

Cosmic = Callable[..., Any]  # the fixture that calls the command line


def test_a_simulation_is_told_in_full(cosmic: Cosmic) -> None:
    outcome = cosmic("simulate", "tiny.yaml")

    assert outcome.code == 0
    for words in (
        "dp 2 x pp 1 x sp 1 x tp 4",
        "step time",
        "fits,",
        "MFU",
        "USD",
        "tensor communication, exposed",
        "activations",
        "Switch",
    ):
        assert words in outcome.out


def test_the_parts_of_a_step_sum_to_it(cosmic: Cosmic) -> None:
    found = cosmic("simulate", "tiny.yaml", "--json").document
    parts = found["breakdown"]

    total = parts["compute"] + parts["optimizer"] + parts["bubble"]
    total += sum(parts["exposed"].values())

    assert total == pytest.approx(found["metrics"]["runtime"], rel=1e-9)  # rounding
    assert found["memory"]["fits"]
    assert found["memory"]["total"] == found["metrics"]["memory"]
    assert found["units"]["metrics.runtime"] == "s"


def test_changes_are_simulated_and_told(cosmic: Cosmic) -> None:
    changes = ("dp=4", "bandwidth[1]=200 GB/s", "topology=[Ring,Ring]", "micro_batch=2")
    arguments = [word for change in changes for word in ("--set", change)]
    outcome = cosmic("simulate", "tiny.yaml", *arguments)
    found = cosmic("simulate", "tiny.yaml", "--json", *arguments).document

    assert "bandwidth [100 GB/s, 50 GB/s] -> [100 GB/s, 200 GB/s]" in outcome.out
    assert found["degrees"] == {"dp": 4, "pp": 1, "sp": 1, "tp": 2}
    assert found["micro_batches"] == 2  # 16 sequences over 4 replicas, 2 at a time
    assert found["changed"]["dp"] == {"from": 2, "to": 4}
    assert [d["bandwidth"] for d in found["network"]] == [100e9, 200e9]
    assert found["outside_design_space"] == []


def test_a_design_outside_the_space_is_simulated_with_a_note(cosmic: Cosmic) -> None:
    outcome = cosmic("simulate", "tiny.yaml", "--set", "bandwidth[0]=120 GB/s")

    assert outcome.code == 0
    note = "outside the scenario's design space: bandwidth 120 GB/s is none of 50 GB/s"
    assert note in " ".join(outcome.out.split())


def test_a_design_that_does_not_fit_is_an_answer(cosmic: Cosmic) -> None:
    change = ("--set", "memory_capacity=1 MB")
    outcome = cosmic("simulate", "tiny.yaml", *change)
    found = cosmic("simulate", "tiny.yaml", "--json", *change).document

    assert outcome.code == 0
    assert "does not fit:" in outcome.out
    assert found["memory"]["spare"] == 1e6 - found["memory"]["total"] < 0
    assert not found["feasible"]


@pytest.mark.parametrize(
    ("sharding", "name", "stage"),
    [
        ("3", "weight_sharded", 3),
        ("0", "weight_sharded", 0),
        ("1", "weight_sharding", 1),
    ],
)
def test_weight_sharding_is_kept_in_the_form_that_can_say_it(
    cosmic: Cosmic, sharding: str, name: str, stage: int
) -> None:
    change = f"weight_sharding={sharding}"
    found = cosmic("simulate", "tiny.yaml", "--json", "--set", change).document

    assert found["weight_sharding"] == stage
    assert name in found["design"]
    assert bool(found["outside_design_space"]) == (stage == 1)


def test_a_network_without_a_price_says_why(cosmic: Cosmic) -> None:
    change = ("--set", "topology=[Switch,Switch]", "--set", "npus_count=[2,4]")
    prices = "network_prices: [{name: die, link: 1}, {name: node, link: 1}]"
    Path("tiny.yaml").write_text(Path("tiny.yaml").read_text() + prices)

    outcome = cosmic("simulate", "tiny.yaml", *change)

    assert outcome.code == 0
    assert "no price: " in outcome.out


def test_every_stage_can_be_shown(cosmic: Cosmic) -> None:
    outcome = cosmic("simulate", "tiny.yaml", "--set", "pp=2", "--stages")

    assert "mean over 2 stages" in outcome.out
    assert "stage 1" in outcome.out
    assert "Memory of a device, by pipeline stage" in outcome.out


def test_memory_of_every_stage_is_told(cosmic: Cosmic) -> None:
    found = cosmic("simulate", "tiny.yaml", "--set", "pp=2", "--json").document

    first, last = found["memory_of_stages"]
    assert first["logits"] == 0 < last["logits"]
    assert found["memory"]["total"] == max(first["total"], last["total"])
    assert first["total"] == sum(first.values()) / 2


@pytest.mark.parametrize("mode", ["none", "full"])
def test_what_recomputation_brings_back_is_told_where_there_is_any(
    cosmic: Cosmic, mode: str
) -> None:
    found = cosmic("simulate", "tiny.yaml", "--set", f"recompute={mode}", "--json")

    assert ("recomputed" in found.document["memory"]) == (mode == "full")


def test_groups_that_share_out_weights_are_told_apart(cosmic: Cosmic) -> None:
    change = (
        "--set",
        "dp=4",
        "--set",
        "weight_sharding=3",
        "--set",
        "sharding_group=2",
    )

    found = cosmic("simulate", "tiny.yaml", *change, "--json").document

    exposed = found["breakdown"]["exposed"]
    assert {"data", "shard", "copies"} <= exposed.keys()
    metrics = found["metrics"]
    together = exposed["data"] + exposed["shard"] + exposed["copies"]
    assert metrics["exposed_data"] == pytest.approx(together)
    assert "exposed_shard" not in metrics


def test_both_simulators_answer_alike(cosmic: Cosmic) -> None:
    times = [
        cosmic("simulate", "tiny.yaml", "--json", "--simulator", name).document[
            "metrics"
        ]["runtime"]
        for name in ("symmetric", "event-driven")
    ]

    assert times[0] == pytest.approx(times[1], rel=1e-9)  # one sums where one counts


def test_a_search_shows_the_best_and_leaves_a_log(cosmic: Cosmic, folder: Path) -> None:
    outcome = cosmic("search", "study.yaml", "--top", "2")

    assert outcome.code == 0
    assert outcome.err == ""  # no progress without a terminal
    assert "24 trials" in outcome.out
    assert "What changed against the baseline" in outcome.out
    assert "--resume" in outcome.out
    log = folder / "runs" / "study-full_stack-seed1.jsonl"
    assert len(log.read_text().splitlines()) == 25  # the header and 24 trials


def test_a_search_that_goes_on_is_as_if_it_had_not_stopped(
    cosmic: Cosmic, folder: Path
) -> None:
    cosmic("search", "study.yaml", "--output", "whole.jsonl")
    cosmic("search", "study.yaml", "--output", "parts.jsonl", "--trials", "11")
    outcome = cosmic("search", "study.yaml", "--output", "parts.jsonl", "--resume")

    whole = (folder / "whole.jsonl").read_text().splitlines()
    parts = (folder / "parts.jsonl").read_text().splitlines()

    assert outcome.code == 0
    assert parts[1:] == whole[1:]  # the headers differ in the budget


def test_the_best_of_a_search_is_better_first(cosmic: Cosmic) -> None:
    found = cosmic("search", "tiny.yaml", "--scope", "network_only", "--json").document
    values = [design["value"] for design in found["best"]]
    baseline = found["baseline"]["value"]

    assert found["trials"] == found["points"] == 64  # 2 topologies, 4 bandwidths, twice
    assert values == sorted(values)
    assert found["best"][0]["times_better"] == baseline / values[0] >= 1
    assert set(found["best"][0]["changed"]) <= {"topology", "bandwidth"}


def test_a_scenario_can_be_searched_with_any_agent(cosmic: Cosmic) -> None:
    options = ("--agent", "random", "--trials", "5", "--objective", "runtime", "--json")
    found = cosmic("search", "tiny.yaml", *options).document

    assert (found["agent"], found["trials"], found["scope"]) == ("random", 5, None)
    assert found["log"] == "runs/tiny-all-seed0.jsonl"


def test_a_study_can_be_given_another_scope(cosmic: Cosmic) -> None:
    found = cosmic(
        "search", "study.yaml", "--scope", "workload_only", "--json"
    ).document

    assert set(found["best"][0]["changed"]) <= {
        "dp",
        "pp",
        "sp",
        "weight_sharded",
        "tp",
    }


def test_full_stack_is_compared_on_equal_budgets(cosmic: Cosmic) -> None:
    arguments = ("compare", "tiny.yaml", "--trials", "80", "--seed", "3")
    outcome = cosmic(*arguments)
    found = cosmic(*arguments, "--json").document
    searches = {search["scope"]: search for search in found["searches"]}

    assert outcome.code == 0
    told = " ".join(outcome.out.split())
    assert "every design of workload_only, network_only is tried" in told
    assert "the best single-stack search" in outcome.out
    assert searches["full_stack"]["trials"] == 80
    assert searches["network_only"]["agent"] == "exhaustive"
    assert (
        searches["network_only"]["trials"] == searches["network_only"]["points"] == 64
    )
    ours, theirs = (
        searches[scope]["best"]["value"] for scope in ("full_stack", "network_only")
    )
    assert found["full_stack_times_better_than"]["network_only"] == theirs / ours


def test_several_seeds_give_a_median_and_a_range(cosmic: Cosmic) -> None:
    arguments = ("compare", "tiny.yaml", "--trials", "20", "--seeds", "0,1,2")
    outcome = cosmic(*arguments)
    found = cosmic(*arguments, "--json").document

    assert "range" in outcome.out
    assert [s["seed"] for s in found["searches"] if s["scope"] == "full_stack"] == [
        0,
        1,
        2,
    ]


def test_points_without_a_price_are_no_answers(cosmic: Cosmic) -> None:
    arguments = (
        "compare",
        "tiny.yaml",
        "--trials",
        "30",
        "--objective",
        "perf_per_cost",
    )
    switched = "{name: d, link: 1, switch: 2}"  # two dimensions: levels 2 and 4
    bare = ", ".join(f"{{name: {name}, link: 1}}" for name in "abc")
    prices = f"network_prices: [{bare}, {switched}]"
    Path("tiny.yaml").write_text(Path("tiny.yaml").read_text() + prices)
    found = cosmic(*arguments, "--json").document

    for search in found["searches"]:
        assert search["best"]["design"]["topology"][0] == "Ring"


def test_scopes_are_counted_exactly(cosmic: Cosmic) -> None:
    found = cosmic("count", "tiny.yaml", "--json").document["scopes"]

    # dp pp sp: 16 combinations, of which dp pp sp = 2, 4 or 8 leaves tp = 4, 2 or 1;
    # dp pp sp is 1 once and 16 or more 4 times: 2^3 x 2 x 2 = 16 twice, 32 once, ...
    assert found["network_only"] == {"raw": 64, "feasible": 64}
    full = found["full_stack"]["feasible"]
    assert full == found["workload_only"]["feasible"] * 3 * 2 * 64
    assert found["workload_only"]["raw"] == 4 * 2 * 2 * 2


def test_one_scope_is_counted_alone(cosmic: Cosmic) -> None:
    outcome = cosmic("count", "--scope", "full_stack")

    assert "148,062,984,575,385,600,000" in outcome.out
    assert "1.48e+20" in outcome.out


def test_presets_are_listed_with_a_word_about_each(cosmic: Cosmic) -> None:
    assert "Training gpt3-175b on cosmic-1024" in cosmic("presets").out
    assert "demo-v1" not in cosmic("presets", "models").out
    assert cosmic("presets", "model", "--json").document["models"]["gpt3-175b"]


def test_a_preset_is_shown_as_its_file_stands(cosmic: Cosmic) -> None:
    assert cosmic("presets", "show", "demo-v1").out.startswith("kind: study\n")
    calibration = cosmic("presets", "calibrations", "h100-sxm")
    assert calibration.out.startswith("kind: calibration\n")
    shown = cosmic("presets", "show", "demo-v1", "--json").document
    assert shown["file"]["scope"] == "full_stack"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tiny.yaml", "tiny.yaml: ok (a scenario, "),
        ("study.yaml", "study.yaml: ok (a study, "),
        ("model.yaml", "model.yaml: ok (a model)"),
        ("parameters.yaml", "parameters.yaml: ok (a parameter set)"),
        ("gpt3-13b", "gpt3-13b: ok (a model)"),
        ("demo-v1", "demo-v1: ok (a study, "),
        ("h100-sxm", "h100-sxm: ok (a device and a calibration)"),
    ],
)
def test_a_sound_file_is_ok(cosmic: Cosmic, name: str, words: str) -> None:
    outcome = cosmic("check", name)

    assert outcome.code == 0
    assert outcome.out.startswith(words)
    assert cosmic("check", name, "--json").document["ok"]


def test_the_version_is_told(cosmic: Cosmic) -> None:
    assert cosmic("--version").out == f"cosmic {__version__}\n"


@pytest.mark.parametrize(
    "verb", ["", "simulate", "search", "compare", "presets", "check", "count"]
)
def test_help_loads_nothing_heavy(verb: str) -> None:
    code = (
        "import sys; from cosmic.cli.main import run; "
        f"assert run({[verb, '--help'] if verb else ['--help']}) == 0; "
        "print(*sys.modules)"
    )

    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert "Usage: cosmic" in out
    heavy = {"numpy", "numba", "pydantic", "rich", "yaml"}
    assert heavy.isdisjoint(out.splitlines()[-1].split())


def test_a_defect_is_one_line_that_asks_for_a_report(
    cosmic: Cosmic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COSMIC_DEBUG", raising=False)
    monkeypatch.setattr("cosmic.cli.count.find_scenario", lambda _: 1 / 0)

    outcome = cosmic("count")

    assert outcome.code == 1
    assert "ZeroDivisionError" in outcome.err
    assert "please report it" in outcome.err
    assert len(outcome.err.splitlines()) == 1

    monkeypatch.setenv("COSMIC_DEBUG", "1")
    assert "Traceback" in cosmic("count").err


@pytest.mark.skipif(sys.platform == "win32", reason="no shell with pipes")
def test_a_reader_that_has_read_enough_is_no_error(folder: Path) -> None:
    command = f"{sys.executable} -m cosmic presets show cosmic-v1 | head -1"

    outcome = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=True
    )

    assert outcome.stdout == "kind: parameter_set\n"
    assert outcome.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
def test_an_interrupted_search_says_how_to_go_on(folder: Path) -> None:
    command = [sys.executable, "-m", "cosmic", "search", "tiny.yaml"]
    command += ["--trials", "1000000", "--agent", "random", "--batch", "4"]
    search = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    log = folder / "runs" / "tiny-all-seed0.jsonl"
    for _ in range(2400):  # a first compilation may lie before it
        if log.exists() and log.read_bytes().count(b"\n") > 4:
            break
        time.sleep(0.05)

    search.send_signal(signal.SIGINT)
    err = search.communicate(timeout=60)[1]

    assert search.returncode == 130
    [line] = [line for line in err.splitlines() if "interrupted" in line]
    assert "runs/tiny-all-seed0.jsonl" in line
    assert "--resume" in line
