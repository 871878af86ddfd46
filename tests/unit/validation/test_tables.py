"""Tables of measurements: ours, and a user's own."""

import json
from pathlib import Path

import pytest

from cosmic.errors import SpecError
from cosmic.validation.tables import COLLECTIVES, read_table

GOOD = {
    "id": "row-1",
    "source": "us",
    "op": "all_reduce",
    "size_bytes": 1024,
    "ranks": 4,
    "hardware": {"gpu": "A100"},
    "measured": {"time_us": 10.0},
}


def test_our_table_reads_without_a_problem() -> None:
    table = read_table(COLLECTIVES)

    assert table.problems == ()
    assert len(table.rows) > 2000
    assert len({row.id for row in table.rows}) == len(table.rows)
    assert all(row.url for row in table.rows)


def test_our_table_holds_figures_and_not_other_people_s_words() -> None:
    lines = COLLECTIVES.read_text(encoding="utf-8").splitlines()
    keys = {key for line in lines for key in json.loads(line)}

    assert not keys & {"quote", "notes"}


def test_a_bad_row_is_one_line_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    lines = [
        json.dumps(GOOD),
        "",
        '{"id": 3}',
        "[1, 2]",
        "{not json",
        "[" * 90_000,
        json.dumps({**GOOD, "id": "row-2"}),
    ]
    path.write_text("\n".join(lines))

    table = read_table(path)

    assert [row.id for row in table.rows] == ["row-1", "row-2"]
    assert [problem.split(": ")[0] for problem in table.problems] == [
        "own.jsonl:3",
        "own.jsonl:4",
        "own.jsonl:5",
        "own.jsonl:6",
    ]
    assert "a row is a JSON object" in table.problems[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no measurement to compare with: own.jsonl is empty"),
        (
            b"{}",
            "no measurement to compare with: own.jsonl:1: op must be text, got not",
        ),
        (b"\xff\xfe", "own.jsonl: not UTF-8 text"),
    ],
)
def test_a_file_without_rows_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(content)

    with pytest.raises(SpecError, match=message):
        read_table(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"missing\.jsonl: No such file"):
        read_table(tmp_path / "missing.jsonl")
