"""Whatever is in a file, the reader reads it or refuses it in one line."""

import importlib.util
from pathlib import Path

TOOL = Path(__file__).parents[3] / "tools" / "fuzz_chakra.py"


def test_damaged_traces_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("fuzz_chakra", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    outcomes = tool.fuzz(3000, 0, tmp_path)

    assert outcomes.total() == 3000
    assert outcomes["read"] > 300  # else the damage would not go deep
    assert len(outcomes) > 15
