"""`cosmic export`, `cosmic study` and `cosmic merge`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cosmic = Callable[..., Any]  # the fixture that calls the command line


@pytest.fixture
def log(cosmic: Cosmic) -> Path:
    """The log of a study of 24 trials."""
    found = cosmic("search", "study.yaml", "--output", "log.jsonl")
    assert found.code == 0
    return Path("log.jsonl")


def test_an_export_says_what_it_wrote(cosmic: Cosmic, log: Path) -> None:
    found = cosmic("export", str(log), "--output", "table.csv")

    head, *rows = Path("table.csv").read_text().splitlines()
    assert found.out == f"table.csv: 24 trials, {head.count(',') + 1} columns\n"
    assert head.startswith("number,digest,dp,pp,sp,weight_sharded,chunks,")
    assert head.endswith(",feasible,violations,score")
    assert len(rows) == 24


def test_a_summary_ranks_as_the_search_did(cosmic: Cosmic, log: Path) -> None:
    searched = cosmic(
        "search", "study.yaml", "--output", str(log), "--resume", "--json"
    )
    found = cosmic("study", str(log), "--json").document

    assert found["trials"] == searched.document["trials"] == 24
    assert found["feasible"] == searched.document["feasible"]
    for ours, theirs in zip(found["best"], searched.document["best"], strict=True):
        for key in ("number", "digest", "value", "score", "metrics"):
            assert ours[key] == theirs[key]
    assert [m["trials"] for m in found["best_so_far"]] == [1, 10, 24]
    assert found["best_so_far"][-1]["value"] == found["best"][0]["value"]


def test_a_study_is_ranked_by_another_objective_without_simulating(
    cosmic: Cosmic, log: Path
) -> None:
    found = cosmic("study", str(log), "--objective", "runtime", "--json").document

    values = [design["metrics"]["runtime"] for design in found["best"]]
    assert [design["value"] for design in found["best"]] == [v * 1e9 for v in values]
    assert values == sorted(values)
    shown = cosmic("study", str(log), "--objective", "runtime").out
    assert "perf_per_bandwidth; ranked here by runtime" in shown


def test_a_summary_shows_header_trials_designs_and_misfits(
    cosmic: Cosmic, log: Path
) -> None:
    out = cosmic("study", str(log), "--top", "2").out

    for words in ("study: 24 trials", "tiny, full_stack", "genetic, seed 1"):
        assert words in out
    for title in ("Best so far", "Best designs by", "The best design"):
        assert title in out


def test_a_log_that_is_being_written_can_be_viewed(cosmic: Cosmic, log: Path) -> None:
    with log.open("ab") as file:
        file.write(b'{"number":24,"di')
    found = cosmic("study", str(log), "--json")

    assert found.document["trials"] == 24
    assert "left out 16 bytes of a last line that is not whole" in found.err
    assert cosmic("export", str(log), "--output", "t.csv").out.startswith("t.csv: 24 ")


def test_without_duckdb_a_study_is_read_all_the_same(log: Path) -> None:
    """In a process of its own, where DuckDB cannot be imported."""
    code = "import sys; sys.modules['duckdb'] = None; import cosmic.cli.main as m; "
    commands = (("study", str(log)), ("export", str(log), "--output", "t.csv"))
    without, refused = (
        subprocess.run(
            [sys.executable, "-c", f"{code}sys.exit(m.run({list(command)}))"],
            capture_output=True,
            text=True,
            check=False,
        )
        for command in commands
    )

    assert "study: 24 trials" in without.stdout
    assert refused.returncode == 2
    assert refused.stderr.startswith("cosmic: this needs DuckDB: pip install 'duckdb")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study", "missing.jsonl"], "missing.jsonl: there is no such file"),
        (["study", "study.yaml"], "study.yaml:1: the line is not JSON"),
        (["study", "log.jsonl", "--objective", "ttft"], "reads metric"),
        (["export", "log.jsonl", "--output", "t.xls"], "end its name in .parquet"),
        (
            ["export", "log.jsonl", "--output", "t", "--format", "xls"],
            "no format named",
        ),
        (["export", "log.jsonl"], "Missing option"),
    ],
)
def test_bad_input_is_one_line(
    cosmic: Cosmic, log: Path, arguments: list[str], message: str
) -> None:
    found = cosmic(*arguments)

    assert found.code == 2
    assert found.out == ""
    assert message in found.err
    assert found.err.count("\n") == 1


@pytest.mark.parametrize("agent", ["random", "exhaustive"])
def test_shards_are_merged_to_the_log_of_one_search(cosmic: Cosmic, agent: str) -> None:
    search = ("search", "tiny.yaml", "--agent", agent, "--trials", "42", "--batch", "4")
    cosmic(*search, "--output", "whole.jsonl")
    for index in (1, 2, 3):
        found = cosmic(*search, "--shard", f"{index}/3", "--json").document
        assert found["trials"] == {1: 16, 2: 14, 3: 12}[index]
    logs = [f"runs/tiny-all-seed0-shard{index}of3.jsonl" for index in (1, 2, 3)]
    merged = cosmic("merge", *logs, "--output", "merged.jsonl")

    assert merged.out == "merged.jsonl: 42 trials of 3 shards\n"
    assert Path("merged.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()
    assert cosmic(*search, "--output", "merged.jsonl", "--resume").code == 0


def test_searches_on_their_own_are_merged_and_can_be_viewed(cosmic: Cosmic) -> None:
    search = ("search", "study.yaml", "--shard")
    for index in (1, 2):
        cosmic(*search, f"{index}/2", "--output", f"{index}.jsonl")
    merged = cosmic("merge", "2.jsonl", "1.jsonl", "--output", "merged.jsonl")

    assert "each shard searched on its own" in merged.out
    assert cosmic("study", "1.jsonl").out.count("1 of 2") == 1
    shown = cosmic("study", "merged.jsonl").out
    assert "study: 24 trials" in shown
    assert "merged from  2 searches, of 12, 12 trials" in shown
    assert cosmic("export", "merged.jsonl", "--output", "t.csv").code == 0
    refused = cosmic("search", "study.yaml", "--output", "merged.jsonl", "--resume")
    assert refused.code == 2
    assert "no search goes on with it" in refused.err


def test_a_shard_resumes_as_the_shard_that_it_is(cosmic: Cosmic) -> None:
    search = ("search", "study.yaml", "--output", "log.jsonl", "--shard")
    cosmic(*search, "1/2")

    assert cosmic(*search, "1/2", "--resume").code == 0
    other = cosmic(*search, "2/2", "--resume")
    assert "with shard.index = 1, but now it is 2" in other.err


@pytest.mark.parametrize(
    ("shard", "message"),
    [
        ("5/4", "--shard 5/4: there is no shard 5 of 4"),
        ("half", "--shard half: write which of how many, as 3/8"),
        ("40/50", "--shard 40/50: nothing is left for it of 24 trials"),
    ],
)
def test_a_shard_must_make_sense(cosmic: Cosmic, shard: str, message: str) -> None:
    found = cosmic("search", "study.yaml", "--shard", shard)

    assert found.code == 2
    assert message in found.err


def test_a_search_begins_with_the_best_designs_of_a_log(cosmic: Cosmic) -> None:
    first = cosmic("search", "study.yaml", "--output", "first.jsonl")
    assert first.code == 0, first.err
    again = ("search", "tiny.yaml", "--trials", "16", "--start", "first.jsonl")
    second = cosmic(*again, "--output", "second.jsonl", "--json")
    assert second.code == 0, second.err
    best = max(
        map(json.loads, Path("first.jsonl").read_text().splitlines()[1:]),
        key=lambda trial: trial["score"] or 0,
    )
    header, begun, *_ = map(json.loads, Path("second.jsonl").read_text().splitlines())

    assert begun["point"] == best["point"]
    assert header["start"][0] == best["digest"]
    assert cosmic(*again, "--output", "second.jsonl", "--resume").code == 0
    without = cosmic(*again[:4], "--output", "second.jsonl", "--resume")
    assert without.code != 0
    assert "start" in without.err


def test_a_warm_start_needs_a_whole_search_and_something_feasible(
    cosmic: Cosmic,
) -> None:
    assert cosmic("search", "study.yaml", "--output", "first.jsonl").code == 0
    part = cosmic("search", "study.yaml", "--start", "first.jsonl", "--shard", "1/2")
    assert "--start is for a whole search" in part.err
    header = Path("first.jsonl").read_text().splitlines()[0]
    Path("none.jsonl").write_text(header + "\n")
    none = cosmic("search", "study.yaml", "--start", "none.jsonl")

    assert "has no feasible trial to begin with" in none.err
