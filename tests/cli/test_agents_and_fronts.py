"""`cosmic bench agents`, `cosmic pareto`, and searches by several processes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cosmic = Callable[..., Any]  # the fixture that calls the command line
SEARCH = ("search", "tiny.yaml", "--trials", "60", "--seed", "3")


def test_several_workers_write_the_very_same_log(cosmic: Cosmic) -> None:
    cosmic(*SEARCH, "--output", "alone.jsonl")
    cosmic(*SEARCH, "--output", "many.jsonl", "--workers", "2")

    assert Path("many.jsonl").read_bytes() == Path("alone.jsonl").read_bytes()


def test_the_front_of_a_log_is_the_best_of_each_and_beats_the_rest(
    cosmic: Cosmic,
) -> None:
    cosmic(*SEARCH, "--output", "study.jsonl")

    pareto = ("pareto", "study.jsonl", "--objectives", "runtime,total_bandwidth")
    found = cosmic(*pareto, "--json", "--plot", "front.svg").document

    values = [one["values"] for one in found["front"]]
    assert values == sorted(values)
    assert [bandwidth for _, bandwidth in values] == sorted(
        (bandwidth for _, bandwidth in values), reverse=True
    )
    lines = Path("study.jsonl").read_text().splitlines()[1:]
    metrics = [trial["metrics"] for trial in map(json.loads, lines) if trial["score"]]
    assert values[0][0] == min(one["runtime"] for one in metrics)
    assert values[-1][1] == min(one["total_bandwidth"] for one in metrics)
    assert 0 < found["hypervolume_share"] < 1
    assert "Pareto front" in Path("front.svg").read_text()
    assert "Pareto front" in cosmic(*pareto).out


@pytest.mark.parametrize(
    ("objectives", "words"),
    [
        ("runtime", "name at least two"),
        ("runtime,memroy", "did you mean 'memory'"),
    ],
)
def test_a_front_takes_two_objectives_that_there_are(
    cosmic: Cosmic, objectives: str, words: str
) -> None:
    cosmic(*SEARCH, "--output", "study.jsonl")

    answer = cosmic("pareto", "study.jsonl", "--objectives", objectives)

    assert answer.code == 2
    assert words in answer.err


def test_agents_are_held_against_the_best_of_all_designs(cosmic: Cosmic) -> None:
    bench = ("bench", "agents", "tiny.yaml", "--scope", "workload_only")
    given = ("--agents", "genetic,random", "--trials", "30", "--seeds", "3")
    found = cosmic(*bench, *given, "--json", "--plot", "agents.svg").document

    assert found["best_known"]["exhaustive"]
    assert {one["agent"] for one in found["agents"]} == {"genetic", "random"}
    for one in found["agents"]:
        low, middle, high = one["score_quartiles"]
        assert low <= middle <= high <= found["best_known"]["score"]
        assert max(one["best_scores"]) <= found["best_known"]["score"]
        assert one["seconds_per_1000_trials"] > one["agent_seconds_per_1000_trials"]
    assert "best score so far" in Path("agents.svg").read_text()
    told = cosmic(*bench, *given).out
    assert "of all designs" in told
    for one in found["agents"]:
        counts = sorted(n or 31 for n in one["trials_to_1_percent"])
        middle, low = ("> 30" if n > 30 else str(n) for n in (counts[1], counts[0]))
        assert f"{middle} ({low} .. " in told


@pytest.mark.parametrize(
    ("agents", "words"),
    [("genetic,genetic", "names an agent twice"), ("genetics", "did you mean")],
)
def test_agents_to_compare_must_be_there_once(
    cosmic: Cosmic, agents: str, words: str
) -> None:
    answer = cosmic("bench", "agents", "tiny.yaml", "--agents", agents)

    assert answer.code == 2
    assert words in answer.err
