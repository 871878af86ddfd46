"""`cosmic validate collectives`, on a table of the user's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cosmic = Callable[..., Any]  # the fixture that calls the command line

ROW = {
    "id": "own-1",
    "source": "own",
    "op": "all_reduce",
    "size_bytes": 2**30,
    "ranks": 8,
    "nodes": 1,
    "hardware": {"gpu": "A100-SXM4-80GB"},
    "measured": {"time_us": 8000.0},
}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    other = {**ROW, "id": "other-1", "source": "other", "hardware": {"gpu": "abacus"}}
    lines = [json.dumps(ROW), '{"id": "broken"}', json.dumps(other)]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_predictions_stand_beside_measurements(cosmic: Cosmic, table: Path) -> None:
    outcome = cosmic("validate", "collectives", "--file", str(table))

    assert outcome.code == 0
    assert "own.jsonl: 2 measurements, 1 compared" in outcome.out
    for words in ("by source", "by size", "worst rows", "dgx-a100-superpod; ring"):
        assert words in outcome.out
    assert "no preset describes the device 'abacus'" in outcome.out
    assert "own.jsonl:2: op must be text, got nothing" in outcome.err


def test_json_says_where_each_prediction_comes_from(
    cosmic: Cosmic, table: Path
) -> None:
    found = cosmic("validate", "collectives", "--file", str(table), "--json").document

    (row,) = found["rows"]
    assert row["published"] == pytest.approx(1.75 * 2**30 / 8e-3)
    assert row["error"] == pytest.approx(row["predicted"] / row["published"] - 1)
    assert row["preset"] == "dgx-a100-superpod"
    assert row["protocols"] == ["Simple"]
    assert found["problems"] == ["own.jsonl:2: op must be text, got nothing"]
    assert [skipped["source"] for skipped in found["skipped"]] == ["other"]


def test_every_row_is_shown_on_request(cosmic: Cosmic, table: Path) -> None:
    outcome = cosmic("validate", "collectives", "--file", str(table), "--rows")

    assert "all rows" in outcome.out
    assert outcome.out.count("own-1") == 2  # there, and among the worst


def test_one_source_may_be_asked_for(cosmic: Cosmic, table: Path) -> None:
    outcome = cosmic(
        "validate", "collectives", "--file", str(table), "--source", "other"
    )

    assert "2 measurements, 0 compared" in outcome.out


def test_an_unknown_source_is_one_line(cosmic: Cosmic, table: Path) -> None:
    outcome = cosmic("validate", "collectives", "--file", str(table), "--source", "onw")

    assert outcome.code == 2
    assert "no source in own.jsonl named 'onw'; did you mean 'own'?" in outcome.err


def test_a_missing_table_is_one_line(cosmic: Cosmic) -> None:
    outcome = cosmic("validate", "collectives", "--file", "nowhere.jsonl")

    assert outcome.code == 2
    assert "nowhere.jsonl: No such file" in outcome.err


def test_our_table_is_compared_when_none_is_named(cosmic: Cosmic) -> None:
    outcome = cosmic(
        "validate", "collectives", "--source", "nvidia-gtc24-s62129", "--worst", "0"
    )

    assert outcome.code == 0
    assert "collectives.jsonl: 2,736 measurements, 8 compared" in outcome.out
    assert "worst rows" not in outcome.out
