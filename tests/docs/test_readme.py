"""The README shows what the demo prints."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cosmic.cli.main import cosmic

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.slow
def test_the_readme_shows_the_real_output_of_the_demo() -> None:
    # Not its last line, which says how long it took.
    shown = re.search(r"```text\n(.*?)```", README.read_text(), re.DOTALL)
    assert shown is not None
    expected = shown[1].rstrip().splitlines()[:-1]
    run = CliRunner().invoke(
        cosmic, ["compare", "gpt3-175b-1024-devices-v1"], env={"COLUMNS": "110"}
    )

    assert run.exit_code == 0
    assert [line.rstrip() for line in run.stdout.splitlines()[:-1]] == expected
