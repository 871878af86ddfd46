"""Tables of measured kernels: JSON Lines as ours, or a plain CSV of the user's."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from cosmic.errors import SpecError
from cosmic.validation.kernels.row import Kernel, parse_kernel
from cosmic.validation.tables import TABLES, Table, read_rows

KERNELS = TABLES / "kernels.jsonl"
"""The measured kernels that come with the package."""

_SHAPE = ("m", "n", "k", "batch", "seq", "kv_len", "heads", "kv_heads", "head_dim")
_MEASURED = ("time_us", "tflops", "bandwidth_GBps", "gelems_per_s")
_WORDS = ("kind", "phase", "library", "dtype", "source", "quality", "gpu")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def read_kernels(path: Path) -> Table[Kernel]:
    """The kernels of a file; what is no kernel or cannot be read is among the problems.

    A CSV has a head line with names of shape (m, n, k, batch; seq, kv_len, heads,
    kv_heads, head_dim, causal), of what was measured (time_us, tflops, bandwidth_GBps,
    gelems_per_s), and kind, phase, library, dtype, source, quality, gpu; those that do
    not apply may be left out or empty.

    Raises:
        SpecError: The file cannot be read, or holds no kernel.
    """
    if path.suffix.lower() != ".csv":
        return read_rows(path, parse_kernel)
    rows, problems = [], []
    for number, line in _lines(path):
        try:
            rows.append(parse_kernel(_row(path, number, line)))
        except SpecError as error:
            problems.append(f"{path.name}:{number}: {error}")
    if not rows:
        reason = problems[0] if problems else f"{path.name} is empty"
        raise SpecError(f"no measurement to compare with: {reason}")
    return Table(path.name, tuple(rows), tuple(problems))


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            known = {*_SHAPE, *_MEASURED, *_WORDS, "causal", "id"}
            for name in reader.fieldnames or ():
                if name not in known:
                    listed = ", ".join(sorted(known))
                    raise SpecError(f"{path.name}: no column {name!r}; known: {listed}")
            for line in reader:
                yield reader.line_num, {k: v for k, v in line.items() if k and v}
    except (UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"{path.name}: is no CSV of UTF-8 text: {error}") from error
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from error


def _row(path: Path, number: int, line: Mapping[str, str]) -> dict[str, object]:
    words: dict[str, object] = {name: line[name] for name in _WORDS if name in line}
    shape: dict[str, object] = {n: _number(n, line[n]) for n in _SHAPE if n in line}
    if "causal" in line:
        if line["causal"].lower() not in _TRUTHS:
            raise SpecError(f"causal must be true or false, not {line['causal']!r}")
        shape["causal"] = _TRUTHS[line["causal"].lower()]
    measured = {name: _number(name, line[name]) for name in _MEASURED if name in line}
    return {
        "id": line.get("id", f"{path.name}:{number}"),
        "source": path.stem,
        "gpu": "",
        **words,
        "shape": shape,
        "measured": measured,
    }


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SpecError(f"{name} must be a number, not {text!r}") from error
