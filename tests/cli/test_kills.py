"""A search that is killed at any moment loses nothing that it recorded."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[2] / "benchmarks" / "kill_loop.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The command that kills searches."""
    spec = importlib.util.spec_from_file_location("kill_loop", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kill_loop"] = module  # where its dataclasses look
    spec.loader.exec_module(module)
    return module


def test_a_search_that_is_killed_and_resumed_ends_in_the_same_log(
    tool: ModuleType, folder: Path
) -> None:
    search = ("tiny.yaml", "--trials", "300", "--batch", "4", "--seed", "1")
    done = tool.loop(search, folder, kills=3, seed=2, tear=True)

    assert done.kills == 3
    assert done.finished >= 1
    assert max(done.trials) > 0


def test_the_loop_notices_what_is_lost(tool: ModuleType, tmp_path: Path) -> None:
    log, expected = tmp_path / "log", b"header\n1\n2\n3\n"
    for text, before, message in (
        (b"header\n1\n3\n", 0, "differs from the whole one"),
        (b"header\n1\n", 2, "lost trials: 2 -> 1"),
    ):
        log.write_bytes(text)
        with pytest.raises(tool.LossError, match=message):
            tool.check(log, expected, before, tool.Tally())
    log.write_bytes(b"header\n1\n2")
    tool.check(log, expected, 1, tool.Tally())
