"""Commands on scenarios that search the number of network dimensions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cosmic = Callable[..., Any]  # the fixture that calls the command line


@pytest.fixture
def call(cosmic: Cosmic, varying_folder: Path) -> Cosmic:
    """Calls the command line in the folder of a scenario of varying dimensions."""
    assert (varying_folder / "scenario.yaml").exists()
    return cosmic


def test_points_are_counted_by_scope(call: Cosmic) -> None:
    # 1 dimension: 8; 2: (2, 4), (4, 2); 3: (2, 2, 2), where at most one switch stands
    networks = 2 * 2 + 2 * 2**2 * 2**2 + 4 * 2**3
    points = 2 * (2 * 2 * 2 + 2 * 2**2 * 2**2 * 2**2 + 4 * 2**3 * 2**3)
    counts = call("count", "scenario.yaml", "--json").document["scopes"]

    assert counts["network_only"]["feasible"] == networks
    assert counts["full_stack"]["feasible"] == points
    assert call("check", "scenario.yaml", "--json").document["points"] == points


def test_fewer_dimensions_cut_what_goes_by_dimension(call: Cosmic) -> None:
    changes = ("--set", "dimensions=2", "--set", "npus_count=[4,2]")
    outcome = call("simulate", "scenario.yaml", *changes)
    found = call("simulate", "scenario.yaml", *changes, "--json").document

    assert outcome.code == 0, outcome.err
    assert "dimensions 3 -> 2" in outcome.out
    assert "npus_count [2, 2, 2] -> [4, 2]" in outcome.out
    assert "latency [100 ns, 100 ns, 1 us] -> [100 ns, 100 ns]" in outcome.out
    assert "outside the scenario" not in outcome.out
    assert found["design"]["topology"] == ["Ring", "Ring"]
    assert len(found["network"]) == found["design"]["dimensions"] == 2


def test_new_dimensions_are_described_one_by_one(call: Cosmic) -> None:
    two = ("--set", "dimensions=2", "--set", "npus_count[0]=4")
    vectors = ("all_gather", "all_reduce", "all_to_all", "reduce_scatter")
    four = [
        "dimensions=4",
        "npus_count=[2,2,2,1]",
        "topology[3]=Ring",
        "bandwidth[3]=50 GB/s",
        "latency[3]=1 us",
        *(f"{kind}_algorithm[3]=ring" for kind in vectors),
    ]
    changes = [word for change in four for word in ("--set", change)]
    found = call("simulate", "scenario.yaml", *changes, "--json").document

    assert found["design"]["npus_count"] == [2, 2, 2, 1]
    assert found["design"]["latency"] == [1e-7, 1e-7, 1e-6, 1e-6]
    assert found["outside_design_space"] == [
        "dimensions 4 is none of 1, 2, 3",
        "npus_count 1 is none of 2, 4, 8",
    ]
    assert call("simulate", "scenario.yaml", *two, "--json").document["degrees"] == {
        "dp": 4,
        "pp": 2,
        "sp": 1,
        "tp": 1,
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["npus_count=[4,2]"], "to have another number of them, add --set dimensions"),
        (["npus_count[3]=4"], "there are dimensions 0 to 2, and no 3"),
        (["dimensions=2", "npus_count[2]=4"], "there are dimensions 0 to 1, and no 2"),
        (["dimensions=4"], "say what dimension 3 is, by --set 'latency[3]=...' and so"),
        (["dimensions=5", "topology[4]=Ring"], "give topology[3] before it"),
        (["dimensions=0"], "must be from 1 to 16, not 0"),
        (["dimensions=two"], "expected a whole number, got 'two'"),
        (["dimensions[0]=2"], "dimensions is a single value; leave out [0]"),
    ],
)
def test_a_mistake_is_one_line(call: Cosmic, changes: list[str], words: str) -> None:
    written = [word for change in changes for word in ("--set", change)]
    outcome = call("simulate", "scenario.yaml", *written)

    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_a_space_of_one_number_of_dimensions_says_so(cosmic: Cosmic) -> None:
    changes = ("--set", "dimensions=1", "--set", "npus_count=[8]")
    simulated = cosmic("simulate", "tiny.yaml", *changes)
    explained = cosmic("explain", "tiny.yaml", *changes)

    assert simulated.code == 0, simulated.err
    assert "design space: dimensions 1: all networks here have 2" in simulated.out
    assert explained.code == 2
    assert "dimensions 1: all networks here have 2" in explained.err


def test_a_design_is_held_against_the_rules_of_its_own_length(call: Cosmic) -> None:
    changes = ("--set", "dimensions=1")
    outcome = call("explain", "scenario.yaml", *changes)
    found = call("explain", "scenario.yaml", *changes, "--json").document

    assert found["broken"] == [
        "product(npus_count) == npus: npus_count=[2] gives 2 == 8"
    ]
    assert found["outside_choices"] == []
    assert found["nearest"][0]["design"]["npus_count"] == [8]
    assert all(
        len(near["design"]["topology"]) == near["design"]["dimensions"]
        for near in found["nearest"]
    )
    assert "npus_count[0]" in outcome.out


def test_a_feasible_design_of_another_length_is_called_so(call: Cosmic) -> None:
    changes = ("--set", "dimensions=1", "--set", "npus_count=[8]")
    found = call("explain", "scenario.yaml", *changes, "--json").document
    scope = ("--scope", "network_only")
    held = call("explain", "scenario.yaml", *changes, *scope, "--json").document

    assert found["feasible"]
    assert held["feasible"]  # what is cut was not changed


def test_a_changed_latency_counts_in_the_rules_as_far_as_it_goes(call: Cosmic) -> None:
    """Two near switches are allowed, and with 1 us more they are not near."""
    changes = [
        word
        for change in ("dimensions=2", "npus_count[0]=4", "topology=[Switch,Switch]")
        for word in ("--set", change)
    ]
    near = call("explain", "scenario.yaml", *changes, "--json").document
    change = ("--set", "latency[1]=1 us")
    far = call("explain", "scenario.yaml", *changes, *change, "--json").document

    assert near["feasible"]
    assert len(far["broken"]) == 1
    assert "sum(latency)" in far["broken"][0]


def test_a_search_over_lengths_is_logged_shown_and_resumed(
    call: Cosmic, varying_folder: Path
) -> None:
    command = ("search", "scenario.yaml", "--output", "log.jsonl", "--batch", "8")
    first = call(*command, "--trials", "16", "--json").document
    whole = call(*command, "--trials", "32", "--resume").out
    again = call("search", "scenario.yaml", "--batch", "8", "--trials", "32", "--json")
    lines = (varying_folder / "log.jsonl").read_text().splitlines()[1:]
    found = [json.loads(line)["point"] for line in lines]

    assert len({point["dimensions"] for point in found}) > 1
    assert all(len(point["topology"]) == point["dimensions"] for point in found)
    assert first["trials"] == 16
    assert len(found) == 32
    logged = {json.loads(line)["digest"]: json.loads(line)["score"] for line in lines}
    for best in again.document["best"]:
        assert logged[best["digest"]] == best["score"]
    assert "dimensions" in whole


def test_scopes_are_compared_over_lengths(call: Cosmic) -> None:
    seeking = ("--objective", "perf_per_bandwidth")
    outcome = call("compare", "scenario.yaml", "--trials", "30", *seeking)
    rows = {line.split()[0]: line.split() for line in outcome.out.splitlines() if line}

    assert outcome.code == 0, outcome.err
    # each dimension takes 50 GB/s at least, so fewer than the three of before are best
    best = int(rows["dimensions"][2])
    assert (rows["dimensions"][1], best < 3) == ("3", True)
    assert rows["npus_count[2]"][1:] == ["2", "-"]
    assert "-" not in rows[f"npus_count[{best - 1}]"]
