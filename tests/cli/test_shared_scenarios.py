"""Several workloads on one system, on the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cosmic = Callable[..., Any]  # the fixture that calls the command line

FOUR = "four-models-1024-devices-v1"
TWO = """\
kind: shared_scenario
members: {one: tiny.yaml, other: tiny.yaml}
"""


@pytest.fixture
def two(folder: Path) -> str:
    (folder / "two.yaml").write_text(TWO, encoding="utf-8")
    return "two.yaml"


def test_simulate_shows_each_workload_and_the_mean(cosmic: Cosmic, two: str) -> None:
    change = ("--set", "dp_other=4", "--set", "bandwidth[1]=100 GB/s")
    outcome = cosmic("simulate", two, *change)
    document = cosmic("simulate", two, *change, "--json").document
    members = document["members"]

    assert outcome.code == 0
    assert "mean time" in outcome.out
    assert members["other"]["design"]["dp"] == 4
    assert members["one"]["design"]["dp"] != 4
    assert {m["design"]["bandwidth"][1] for m in members.values()} == {100e9}
    times = [m["metrics"]["runtime"] for m in members.values()]
    assert document["metrics"]["runtime"] == pytest.approx(sum(times) / 2)


def test_search_and_compare_take_it(cosmic: Cosmic, two: str) -> None:
    searched = cosmic("search", two, "--trials", "20", "--output", "two.jsonl")
    compared = cosmic("compare", two, "--trials", "20")
    checked = cosmic("check", two)

    assert (searched.code, compared.code, checked.code) == (0, 0, 0)
    assert "dp_one" in searched.out
    assert "full_stack is" in compared.out
    assert checked.out.startswith("two.yaml: ok (a shared scenario, ")


def test_a_log_is_of_its_members(cosmic: Cosmic, two: str, folder: Path) -> None:
    """A change of a member is noticed when a search goes on."""
    cosmic("search", two, "--trials", "8", "--output", "two.jsonl")
    text = TWO + "weights: {other: 2}\n"
    (folder / "two.yaml").write_text(text, encoding="utf-8")
    words = ("--trials", "16", "--output", "two.jsonl", "--resume")
    outcome = cosmic("search", two, *words)

    assert outcome.code != 0
    assert "scenario" in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ("explain", FOUR, "--set", "dp=4"),
        ("launch", FOUR, "--for", "megatron"),
        ("trace", "export", FOUR, "--output", "nowhere"),
    ],
)
def test_what_looks_at_one_workload_says_so(
    cosmic: Cosmic, words: tuple[str, ...]
) -> None:
    outcome = cosmic(*words)

    assert outcome.code != 0
    assert outcome.err.startswith(f"cosmic: {FOUR} is of several workloads, and this")
    assert outcome.err.count("\n") == 1
