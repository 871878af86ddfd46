"""The generated reference is that of the code."""

import importlib.util
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "write_reference.py"


def test_the_settings_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("write_reference", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    assert tool.PAGE.read_text() == tool.reference_page(), f"run {TOOL.name}"
