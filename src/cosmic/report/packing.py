"""All trials of a study as columns of bytes, which a browser unpacks in an instant.

First a line of JSON that says what follows, then the columns one after the other, in
little-endian numbers: texts as places in a list of the different ones, numbers in
single precision. A hundred thousand trials of thirty columns take a few megabytes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cosmic.units import parse

_SPELLINGS = {
    "s": ("s", "ms", "us", "ns"),
    "B": ("PB", "TB", "GB", "MB", "kB", "B"),
    "B/s": ("TB/s", "GB/s", "MB/s", "kB/s", "B/s"),
    "1/s": (),
    "USD": (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """A column of few different values.

    Attributes:
        name: Of the parameter.
        texts: The different values as people read them, in their order.
        numbers: What they are where all are numbers, for filters; else empty.
        codes: For each trial the place of its value in `texts`.
        unit: SI unit of the numbers; empty where they have none.
    """

    name: str
    texts: Sequence[str]
    numbers: Sequence[float]
    codes: Sequence[int]
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A column of numbers.

    Attributes:
        name: Of the metric.
        unit: SI.
        values: For each trial; not a number where there is none.
    """

    name: str
    unit: str
    values: Sequence[float]


def pack(
    columns: Sequence[Choices | Numbers], about: Mapping[str, object], rows: int
) -> bytes:
    """Columns as bytes.

    Args:
        columns: Each of as many rows.
        about: What else is said of the trials, as JSON can hold it.
        rows: How many there are.
    """
    described, bodies, place = [], [], 0
    for column in columns:
        head, body = _choices(column) if isinstance(column, Choices) else _of(column)
        described.append({"name": column.name, "at": place, **head})
        bodies.append(body)
        place += len(body)
    said = {**about, "rows": rows, "columns": described}
    line = json.dumps(said, allow_nan=False, separators=(",", ":"))
    return b"".join([line.encode("ascii"), b"\n", *bodies])


def _choices(column: Choices) -> tuple[dict[str, object], bytes]:
    wide = len(column.texts) > 256
    kind, dtype = ("u4", "<u4") if wide else ("u1", "u1")
    head: dict[str, object] = {
        "texts": list(column.texts),
        "numbers": list(column.numbers),
        "scales": _scales(column.unit),
        "type": kind,
    }
    return head, np.asarray(column.codes, dtype=dtype).tobytes()


def _of(column: Numbers) -> tuple[dict[str, object], bytes]:
    head: dict[str, object] = {
        "unit": column.unit,
        "scales": _scales(column.unit),
        "type": "f4",
    }
    with np.errstate(over="ignore"):
        return head, np.asarray(column.values, dtype="<f4").tobytes()


def _scales(unit: str) -> list[tuple[float, str]]:
    """How a unit is written, the largest first."""
    return [(parse(f"1 {name}", unit), name) for name in _SPELLINGS.get(unit, ())]
