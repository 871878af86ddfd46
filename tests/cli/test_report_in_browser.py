"""A report in a real browser: its own script runs, and nothing is amiss.

Slow, and left out where there is no Chromium.
"""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cosmic = Callable[..., Any]  # the fixture that calls the command line
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)


def drawn(page: Path, profile: Path) -> tuple[str, str]:
    """The document after its script has run, and what the console says."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--enable-logging=stderr", "--v=0"),
        *("--enable-unsafe-swiftshader", f"--user-data-dir={profile}"),
        *("--virtual-time-budget=60000", "--dump-dom", page.resolve().as_uri()),
    ]
    found = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=300
    )
    lines = [line for line in found.stderr.splitlines() if "CONSOLE" in line]
    return found.stdout, "\n".join(lines)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_draws_all_charts_and_complains_of_nothing(
    cosmic: Cosmic, tmp_path: Path
) -> None:
    assert cosmic("search", "study.yaml", "--output", "log.jsonl").code == 0
    assert cosmic("report", "log.jsonl", "--scenario", "tiny.yaml").code == 0

    document, console = drawn(Path("log.html"), tmp_path / "profile")

    assert not re.search("ERROR|Uncaught|Refused|Content Security", console), console
    assert 'data-ready="yes"' in document
    assert document.count("cannot draw the chart") == 1  # in the script
    charts = re.findall(r'class="chart[^"]*" id="([\w-]+)"', document)
    assert len(charts) >= 6
    for chart in charts:
        start = document.index(f'id="{chart}"')
        assert "plot-container" in document[start : start + 2000], chart
    assert "24 of 24 trials pass the filters." in document
    assert document.count('<th scope="row">') >= 24
