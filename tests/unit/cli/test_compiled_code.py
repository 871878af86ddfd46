"""Where compiled code goes when it can go nowhere, and a word while it is made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cosmic.cli.compiled_code import patience, room_for_compiled_code

VARIABLE = "NUMBA_CACHE_DIR"


@pytest.fixture(autouse=True)
def _no_folder_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_where_the_sources_can_be_written_nothing_is_changed(tmp_path: Path) -> None:
    with room_for_compiled_code(tmp_path):
        assert VARIABLE not in os.environ


def test_where_nothing_can_be_written_a_folder_stands_in_and_goes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "no-home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "no-home"))

    with room_for_compiled_code(tmp_path / "no-sources"):
        folder = Path(os.environ[VARIABLE])
        assert folder.is_dir()

    assert not folder.exists()
    assert VARIABLE not in os.environ


def test_the_folder_that_the_user_chose_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "chosen")

    with room_for_compiled_code(tmp_path / "no-sources"):
        assert os.environ[VARIABLE] == "chosen"


def test_nothing_is_told_where_nobody_waits() -> None:
    told: list[str] = []

    with patience(told.append):
        pass

    assert told == []


@pytest.mark.slow
def test_people_are_told_once_that_the_simulator_is_compiled(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cosmic", "simulate"]
    environment = {**os.environ, VARIABLE: str(tmp_path)}

    first, second = (
        subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        )
        for _ in range(2)
    )

    assert "compiling the simulator, once" in first.stderr
    assert second.stderr == ""
    assert first.stdout == second.stdout
