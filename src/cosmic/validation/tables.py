"""Tables of measurements: JSON Lines, one row a line; ours, or a user's own."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from cosmic.errors import SpecError
from cosmic.validation.measurement import Measurement, parse_measurement

T = TypeVar("T")

TABLES = Path(__file__).parent / "tables"
"""The folder of the tables that come with the package."""

COLLECTIVES = TABLES / "collectives.jsonl"
"""The published measurements of collectives that come with the package."""

_LONGEST_LINE = 100_000  # characters, more than any row needs


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """What a file of measurements holds.

    Attributes:
        name: Of the file.
        rows: The measurements, in the order of the file.
        problems: One line for each row that cannot be read: where, and what is wrong.
    """

    name: str
    rows: tuple[T, ...]
    problems: tuple[str, ...]


def read_table(path: Path) -> Table[Measurement]:
    """The measurements of collectives in a file.

    Raises:
        SpecError: The file cannot be read, or holds no row that can be.
    """
    return read_rows(path, parse_measurement)


def read_rows(path: Path, parse: Callable[[Mapping[str, object]], T]) -> Table[T]:
    """The measurements of a file.

    A row that cannot be read is left out and told among the problems.

    Args:
        path: The file.
        parse: What makes a measurement of a row; a SpecError says what is wrong.

    Raises:
        SpecError: The file cannot be read, or holds no row that can be.
    """
    rows, problems = [], []
    for number, line in _lines(path):
        try:
            rows.append(parse(_row(line)))
        except SpecError as error:
            problems.append(f"{path.name}:{number}: {error}")
    if not rows:
        reason = problems[0] if problems else f"{path.name} is empty"
        raise SpecError(f"no measurement to compare with: {reason}")
    return Table(path.name, tuple(rows), tuple(problems))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Every line that is not blank, with its number."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except UnicodeDecodeError as error:
        raise SpecError(f"{path.name}: not UTF-8 text: {error.reason}") from error
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from error


def _row(line: str) -> Mapping[str, object]:
    if len(line) > _LONGEST_LINE:
        raise SpecError(f"a line of {len(line)} characters is no row")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise SpecError("a row is a JSON object")
    return row
