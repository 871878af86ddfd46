"""`cosmic paper`: the runner of comparisons, on small specs and its quick part."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMPARISON = """\
kind: comparison
scenarios: [tiny.yaml]
objectives: [runtime, perf_per_bandwidth]
scopes: [workload_only, network_only, full_stack]
agents: [{name: random}, {name: genetic, options: {population: [8, 16], offspring: 8}}]
trials: 40
seeds: [0, 1]
quick: {scenarios: [tiny.yaml], trials: 8, seeds: [3]}
"""


@pytest.fixture
def comparison(folder: Path) -> Path:
    """A comparison of the small study's scenario."""
    path = folder / "comparison.yaml"
    path.write_text(COMPARISON, encoding="utf-8")
    return path


def test_every_search_is_run_and_recorded(
    cosmic: Callable[..., Any], comparison: Path
) -> None:
    found = cosmic("paper", "comparison.yaml", "--to", "here", "--json").document

    # 2 objectives x 3 scopes x 3 agents x 2 seeds, and each workload_only whole
    agents = [search["agent"] for search in found["searches"]]
    assert len(agents) == 38
    assert agents.count("exhaustive") == 2
    options = [s["options"].get("population") for s in found["searches"]]
    assert {None, 8, 16} == set(options)
    assert len(list(Path("here").glob("*.jsonl"))) == 38
    with Path("here/searches.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 38


def test_full_stack_is_held_against_the_true_best(
    cosmic: Callable[..., Any], comparison: Path
) -> None:
    found = cosmic("paper", "comparison.yaml", "--to", "here", "--json").document

    best = {
        (s["objective"], s["scope"], s["agent"], s["seed"]): s["value"]
        for s in found["searches"]
        if s["agent"] in ("random", "exhaustive")
    }
    by_hand = [
        best["runtime", "workload_only", "exhaustive", 0]
        / best["runtime", "full_stack", "random", seed]
        for seed in (0, 1)
    ]
    [ratio] = [
        ratio
        for ratio in found["ratios"]
        if (ratio["objective"], ratio["scope"]) == ("runtime", "workload_only")
    ]
    assert ratio["ratios"] == by_hand
    assert ratio["exhaustive"]
    for each in found["exhaustive"]:
        assert min(each["ratios"]) >= 1


def test_what_is_recorded_is_not_run_again(
    cosmic: Callable[..., Any], comparison: Path
) -> None:
    first = cosmic("paper", "comparison.yaml", "--to", "here", "--json").document
    logs = {path: path.stat().st_mtime_ns for path in Path("here").glob("*.jsonl")}
    lost = next(iter(sorted(logs)))
    lost.with_suffix(".outcome.json").unlink()

    again = cosmic("paper", "comparison.yaml", "--to", "here", "--json").document

    assert again["ratios"] == first["ratios"]
    kept = [s for s in again["searches"] if s in first["searches"]]
    assert len(kept) == len(first["searches"]) - 1  # one took another time
    assert {p: p.stat().st_mtime_ns for p in logs if p != lost} == {
        path: at for path, at in logs.items() if path != lost
    }


def test_a_record_of_other_searches_is_refused(
    cosmic: Callable[..., Any], comparison: Path
) -> None:
    cosmic("paper", "comparison.yaml", "--to", "here")

    done = cosmic("paper", "comparison.yaml", "--to", "here", "--trials", "50")

    assert done.code == 2
    assert "another search" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "gpt9"), "no scenario of comparison is of gpt9"),
        (("--system", "7"), "no scenario of comparison is of -7-"),
        (("nothing-v1",), "nothing-v1"),
    ],
)
def test_a_mistake_is_one_line(
    cosmic: Callable[..., Any],
    comparison: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    reference = () if "nothing-v1" in arguments else ("comparison.yaml",)

    done = cosmic("paper", *reference, *arguments, "--to", "here")

    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_the_quick_part_of_the_paper(cosmic: Callable[..., Any]) -> None:
    found = cosmic("paper", "--quick", "--to", "here")

    assert found.code == 0
    assert "the paper reports 1.50 to 48.41" in found.out
    assert "Spaces of which every design was tried" in found.out
    outcomes = list(Path("here").glob("vit-base-512-*.outcome.json"))
    assert len(outcomes) == 18


def test_agents_of_one_scope_are_held_together(
    cosmic: Callable[..., Any], comparison: Path
) -> None:
    text = COMPARISON.replace("workload_only, network_only, ", "")
    comparison.write_text(text, encoding="utf-8")

    done = cosmic("paper", "comparison.yaml", "--to", "here")

    assert "How many times better" not in done.out
    assert "population 16, offspring 8" in done.out
    assert "3 agents, 2 seeds" in done.out


def test_the_authors_variant_loses_most_draws(cosmic: Callable[..., Any]) -> None:
    arguments = ("--quick", "--as-published", "--trials", "60", "--seeds", "1")
    found = cosmic("paper", *arguments, "--to", "here", "--json").document

    drawn = {(s["scope"], s["objective"]): s for s in found["searches"]}
    full = drawn["full_stack", "perf_per_bandwidth"]
    assert found["as_published"]
    assert full["feasible"] < full["trials"] / 2
