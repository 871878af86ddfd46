"""What an import costs, in a fresh process."""

import subprocess
import sys

import pytest

# Each of these takes longer to load than all of `import cosmic` may.
HEAVY = {
    "click",
    "gymnasium",
    "matplotlib",
    "numba",
    "numpy",
    "pandas",
    "pydantic",
    "ray",
    "rich",
    "torch",
    "yaml",
}


def fresh(code: str) -> str:
    """Run `code` in a Python of its own and give what it prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_import_cosmic_loads_nothing_heavy() -> None:
    loaded = fresh("import sys, cosmic; print(*sys.modules)").split()

    assert sorted(HEAVY.intersection(loaded)) == []


def test_import_cosmic_takes_less_than_a_fifth_of_a_second() -> None:
    code = (
        "import time; start = time.process_time(); import cosmic; "
        "print(time.process_time() - start)"
    )

    seconds = min(float(fresh(code)) for _ in range(3))  # the least disturbed of 3

    assert seconds < 0.2


@pytest.mark.parametrize("module", ["cosmic.errors", "cosmic.units", "cosmic.registry"])
def test_the_ground_floor_needs_no_heavy_package(module: str) -> None:
    loaded = fresh(f"import sys, {module}; print(*sys.modules)").split()

    assert sorted(HEAVY.intersection(loaded)) == []
