"""A study as a table: every trial, every column, every number as it was."""

import importlib
import math
import os
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosmic.design.design_point import DesignPoint
from cosmic.errors import CosmicError, SpecError, StudyError, UnknownNameError
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.io import line_index
from cosmic.io.study_export import export_study
from cosmic.io.trial_log import TrialLog, read_trial_log
from cosmic.search.trial import WORST, Trial

LIMIT = 2**53  # whole numbers up to here are floats too

numbers = st.floats() | st.integers(-LIMIT, LIMIT)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
names = st.sampled_from(["runtime", "memory", "late one", 'quo"ted', "it's", "score"])
points = st.fixed_dictionaries(
    {"dp": st.integers(-(2**63), 2**63 - 1), "kind": words, "runtime": st.booleans()},
    optional={
        "sizes": st.lists(st.integers(1, 64), max_size=4).map(tuple),
        "bandwidth": st.lists(numbers.filter(math.isfinite), max_size=4).map(tuple),
        "share": st.floats(allow_nan=False, allow_infinity=False),
    },
)
evaluations = st.builds(
    Evaluation,
    st.dictionaries(names, numbers),
    st.lists(st.builds(Violation, words, words), max_size=2).map(tuple),
)


def write(path: Path, found: list[tuple[Any, Evaluation]]) -> None:
    """A log of points and what was found there."""
    trials = [
        Trial(
            number=number,
            point=DesignPoint(point),
            evaluation=evaluation,
            score=1.5 * number if evaluation.feasible else WORST,
        )
        for number, (point, evaluation) in enumerate(found)
    ]
    path.unlink(missing_ok=True)
    with TrialLog.create(path, {"agent": "none"}) as log:
        log.write(trials)


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file."""
    found = duckdb.read_parquet(str(path)).order("number")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(st.tuples(points, evaluations), max_size=6))
def test_a_table_holds_what_the_log_holds(
    tmp_path: Path, found: list[tuple[Any, Evaluation]]
) -> None:
    """Read back by DuckDB, and compared value by value with our own reader."""
    log, table = tmp_path / "log.jsonl", tmp_path / "table.parquet"
    write(log, found)

    done = export_study(log, table)

    trials = read_trial_log(log).trials
    assert done.rows == len(trials)
    read = rows(table)
    assert [row["number"] for row in read] == list(range(len(trials)))
    for trial, row in zip(trials, read, strict=True):
        assert row["digest"] == trial.digest
        assert row["feasible"] == trial.evaluation.feasible
        assert row["violations"] == "; ".join(
            f"{v.constraint}: {v.message}" for v in trial.evaluation.violations
        )
        told: dict[str, Any] = {"score": None if trial.score == WORST else trial.score}
        parts: dict[str, Any] = {
            "point": trial.point,
            "metrics": trial.evaluation.metrics,
        }
        for part, values in parts.items():
            for name, value in values.items():
                column = f"{part}.{name}" if f"{part}.{name}" in row else name
                told[column] = list(value) if isinstance(value, tuple) else value
        for column, value in told.items():
            assert same(row[column], value), (column, row[column], value)
        rest = row.keys() - told.keys() - {"number", "digest", "feasible", "violations"}
        assert all(row[column] is None for column in rest)


def same(read: object, written: object) -> bool:
    """Whether a value is the one that was written; nan is, too."""
    if isinstance(written, float) and math.isnan(written):
        return isinstance(read, float) and math.isnan(read)
    return read == written


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three trials: one misfit, and one with a metric that the others lack."""
    path = tmp_path / "log.jsonl"
    big = (Violation("memory", "too big"), Violation("pipes", "as, well"))
    write(
        path,
        [
            ({"dp": 2, "shape": ("Ring", "Switch")}, Evaluation({"runtime": 0.1})),
            ({"dp": 4, "shape": ("Ring",)}, Evaluation({"memory": 3}, big)),
            ({"dp": 8, "shape": ()}, Evaluation({"runtime": math.inf, "late": 5e-324})),
        ],
    )
    return path


def test_a_sheet_shows_vectors_as_words(log: Path) -> None:
    table = log.with_name("table.csv")
    export_study(log, table)

    digests = [trial.digest for trial in read_trial_log(log).trials]
    assert table.read_text().splitlines() == [
        "number,digest,dp,shape,runtime,memory,late,feasible,violations,score",
        f'0,{digests[0]},2,Ring Switch,0.1,,,true,"",0.0',
        f'1,{digests[1]},4,Ring,,3,,false,"memory: too big; pipes: as, well",',
        f'2,{digests[2]},8,"",inf,,5e-324,true,"",3.0',
    ]


def test_the_format_can_be_named(log: Path) -> None:
    table = log.with_name("table.txt")
    export_study(log, table, "parquet")

    assert len(rows(table)) == 3
    assert not list(log.parent.glob(".*.part"))


def test_a_table_is_replaced_when_the_study_has_grown(log: Path) -> None:
    table = log.with_name("table.parquet")
    table.write_text("an older table")
    export_study(log, table)

    assert len(rows(table)) == 3


def test_signs_in_a_path_stand_for_themselves(log: Path) -> None:
    """DuckDB takes stars and brackets for patterns, and x=1 for a column."""
    folder = log.with_name("run=1 it's [a-z]*?")
    folder.mkdir()
    log.rename(folder / "study[1].jsonl")
    export_study(folder / "study[1].jsonl", folder / "table[2].csv")

    head, *lines = (folder / "table[2].csv").read_text().splitlines()
    assert len(lines) == 3
    assert "run" not in head.split(",")


def test_a_log_in_use_is_exported_up_to_its_last_whole_line(log: Path) -> None:
    with log.open("ab") as file:
        file.write(b'{"number":3,"digest":"12')
    done = export_study(log, log.with_name("table.csv"))

    assert (done.rows, done.unfinished) == (3, 24)


def test_a_study_without_trials_is_a_head(tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", [])
    export_study(tmp_path / "log.jsonl", tmp_path / "table.csv")

    assert (tmp_path / "table.csv").read_text() == (
        "number,digest,feasible,violations,score\n"
    )


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (2, '{"number":7}\n', "log.jsonl:3: the line is not a trial: it has no"),
        (2, "???\n", "log.jsonl:3: the line is not JSON"),
        (2, "", "log.jsonl:3: the line holds trial 2 where trial 1 should stand"),
        (0, "{}\n", "log.jsonl:1: the line is not the header"),
    ],
)
def test_a_damaged_log_is_no_table(
    log: Path, line: int, text: str, message: str
) -> None:
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*lines[:line], text, *lines[line + 1 :]]))
    table = log.with_name("table.csv")

    with pytest.raises(StudyError, match=message):
        export_study(log, table)
    assert not table.exists()


def test_lines_in_another_order_are_damage(log: Path) -> None:
    head, *trials = log.read_text().splitlines(keepends=True)
    log.write_text("".join([head, *reversed(trials)]))

    with pytest.raises(StudyError, match="holds trial 2 where trial 0 should stand"):
        export_study(log, log.with_name("table.csv"))


def test_a_number_that_no_table_can_hold_is_named(log: Path) -> None:
    text = log.read_text().replace('"dp":8', f'"dp":{2**64 - 1}')
    log.write_text(text)
    table = log.with_name("table.parquet")

    with pytest.raises(StudyError, match="cannot be written: Conversion Error"):
        export_study(log, table)
    assert sorted(p.name for p in log.parent.iterdir()) == [
        "log.jsonl",
        "log.jsonl.lock",
    ]


def test_what_cannot_be_written_is_one_line(log: Path) -> None:
    before = log.read_bytes()
    for output, error, message in (
        (log.with_name("table.xlsx"), SpecError, "end its name in .parquet or .csv"),
        (log.with_name("missing") / "t.csv", StudyError, "there is no folder"),
        (log.parent, SpecError, "end its name in"),
    ):
        with pytest.raises(error, match=message):
            export_study(log, output)
    with pytest.raises(UnknownNameError, match="did you mean 'parquet'"):
        export_study(log, log.with_name("t"), "parqet")
    os.mkfifo(log.with_name("pipe.csv"))
    with pytest.raises(StudyError, match=r"pipe.csv: is not a file"):
        export_study(log, log.with_name("pipe.csv"))
    with pytest.raises(StudyError, match="is the log itself"):
        export_study(log, log, "csv")
    assert log.read_bytes() == before


def test_names_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", [({"a": 1, "A": 2}, Evaluation({}))])

    with pytest.raises(SpecError, match="both 'a' and 'A'"):
        export_study(tmp_path / "log.jsonl", tmp_path / "t.csv")


def test_a_line_is_found_wherever_blocks_end(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    for block in (1, 7, 64, len(lines[0]), 1000):
        monkeypatch.setattr(line_index, "_BLOCK", block)
        index = line_index.LineIndex.of(log)

        assert index.lines == len(lines)
        assert [index.line(n) for n in range(index.lines)] == lines


def test_without_duckdb_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "cosmic.io.duckdb_extra")

    with pytest.raises(
        CosmicError, match=r"pip install 'duckdb>=1.1'.*cosmic\[export\]"
    ):
        importlib.import_module("cosmic.io.duckdb_extra")
