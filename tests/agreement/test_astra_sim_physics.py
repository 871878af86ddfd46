"""Our own model against ASTRA-sim's table, where both describe the same physics."""

from typing import Any

import pytest

from cosmic.cli.main import run
from cosmic.validation.astra_sim import (
    DIFFERENCES,
    SAME,
    Class,
    classes,
    read_rows,
)


@pytest.fixture(scope="module")
def found() -> dict[str, Class]:
    return {c.name: c for c in classes(read_rows())}


def test_the_same_physics_gives_the_same_times(found: dict[str, Class]) -> None:
    """Theirs cuts every message to whole nanoseconds: at most 0.3 % of these rows."""
    same = found[SAME]
    assert same.rows >= 60
    assert abs(same.largest) < 0.003
    assert abs(same.median) < 0.0005


def test_every_row_has_one_class(found: dict[str, Class]) -> None:
    rows = read_rows()
    assert sum(c.rows for c in found.values()) == len(rows) == 400
    assert set(found) <= {SAME, *(reason.name for reason in DIFFERENCES)}


def test_every_reason_that_is_told_explains_a_row(found: dict[str, Class]) -> None:
    assert {reason.name for reason in DIFFERENCES} <= set(found)


def test_the_comparison_is_printed(capsys: Any) -> None:
    assert run(["validate", "astra-sim"]) == 0
    out = capsys.readouterr().out
    assert "400 collectives that ASTRA-sim ran" in out
    assert SAME in out
