"""A trial log as one flat table, for whatever reads Parquet or CSV.

One row a trial, one column a parameter and a metric. Every column that any trial has
is there, empty where a trial lacks it, and every number is the one of the log.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cosmic.errors import SpecError, StudyError, UnknownNameError
from cosmic.io.duckdb_extra import duckdb
from cosmic.io.log_table import (
    LogTable,
    check_in_order,
    identifier,
    open_log_table,
    text,
)
from cosmic.io.recorded_study import UNCHANGED, one_line_errors

FORMATS = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER true",
}

_OWN = ("number", "digest", "feasible", "violations", "score")
_WHOLE = {"BIGINT", "UBIGINT", "HUGEINT"}
_NUMBERS = {*_WHOLE, "DOUBLE"}
_VIOLATIONS = (
    "array_to_string(list_transform(violations, "
    "lambda v: v.\"constraint\" || ': ' || v.message), '; ')"
)

Structure = Mapping[str, object]  # name -> DuckDB's word for a kind, a list if a vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What an export wrote.

    Attributes:
        rows: How many trials.
        columns: The names of the columns, in order.
        unfinished: Bytes of a last line that is not whole, and was left out.
    """

    rows: int
    columns: tuple[str, ...]
    unfinished: int


def export_study(
    log: str | Path, output: str | Path, file_format: str | None = None
) -> Export:
    """Write a trial log as one flat table, a row a trial.

    The columns are number, digest, a column for each parameter and for each metric,
    feasible, violations (a text, one after the other) and score (nothing where a
    trial is not feasible). A parameter that is a vector is a list in Parquet, and
    its elements with a blank between them in CSV. A name that both a parameter and a
    metric have, or a column of every table, stands after `point.` or `metrics.`.

    The log may be in use, and of any size: it is not read into memory. The output is
    there whole or not at all; a file of that name is replaced.

    Args:
        log: A trial log.
        output: The file to write.
        file_format: "parquet" or "csv"; by the end of the file's name, if left out.

    Raises:
        StudyError: If the log is damaged or the output cannot be written.
        SpecError: If the format is not known.
        CosmicError: If DuckDB is missing.
    """
    output = Path(output)
    options = FORMATS[_format(output, file_format)]
    table = open_log_table(log)
    _check_target(output, table.path)
    check_in_order(table, table.rows(), ("digest", "point", "metrics", "violations"))
    points, metrics = _structures(table)
    vectors_as_text = options is FORMATS["csv"]
    columns = dict(_columns(points, metrics, vectors_as_text=vectors_as_text))
    listed = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in columns.items())
    rows = table.rows({"point": _struct(points), "metrics": _struct(metrics)})
    _copy(table, f"SELECT {listed} FROM {rows}", output, options)
    return Export(
        rows=table.trials, columns=tuple(columns), unfinished=table.index.rest
    )


def _format(output: Path, asked: str | None) -> str:
    name = asked or output.suffix.lower().removeprefix(".")
    if asked and asked not in FORMATS:
        raise UnknownNameError("format", asked, FORMATS)
    if name not in FORMATS:
        raise SpecError(
            f"--output {output}: end its name in .parquet or .csv, or give --format"
        )
    return name


def _check_target(output: Path, log: Path) -> None:
    if output.exists() and not output.is_file():
        raise StudyError(f"{output}: is not a file; {UNCHANGED}. Give a file")
    if not output.parent.is_dir():
        raise StudyError(f"{output}: there is no folder {str(output.parent)!r}")
    if output.exists() and output.samefile(log):
        raise StudyError(f"{output}: is the log itself; {UNCHANGED}. Give another file")


def _structures(table: LogTable) -> tuple[Structure, Structure]:
    """The names and kinds of all parameters, and of all metrics, of any trial."""
    found = table.connection.execute(
        f"SELECT json_structure(point)::VARCHAR AS p, "
        f"json_structure(metrics)::VARCHAR AS m, min(number) AS first "
        f"FROM {table.rows()} GROUP BY p, m ORDER BY first"
    ).fetchall()
    points = _union(json.loads(point) for point, _, _ in found)
    metrics = _union(json.loads(metric) for _, metric, _ in found)
    return points, {
        name: kind if kind == "HUGEINT" else "DOUBLE"  # "inf" is a number too
        for name, kind in metrics.items()
    }


def _union(structures: Iterable[object]) -> Structure:
    """The kinds that hold what any of some structures holds."""
    kinds: dict[str, set[str]] = {}
    for structure in structures:
        if not isinstance(structure, dict):
            continue  # what holds nothing has no structure
        for name, kind in structure.items():
            kinds.setdefault(name, set()).add(json.dumps(kind))
    return {
        name: _common([json.loads(kind) for kind in sorted(found)])
        for name, found in kinds.items()
    }


def _common(kinds: Sequence[object]) -> object:
    """The kind that holds all of some kinds; text, if they have nothing in common."""
    known = [kind for kind in kinds if kind != "NULL"]
    if known and all(isinstance(kind, list) for kind in known):
        return [_common([part for k in known if isinstance(k, list) for part in k])]
    names = {str(kind) for kind in known}
    if len(names) == 1 and isinstance(known[0], str) and names.isdisjoint(_WHOLE):
        return known[0]
    if names and names <= _WHOLE:
        return "HUGEINT"  # which holds any; what a table gets is smaller
    if names and names <= _NUMBERS:
        return "DOUBLE"
    return "VARCHAR"


def _struct(structure: Structure) -> str:
    """A structure as DuckDB's type."""
    fields = [f"{identifier(name)} {_type(kind)}" for name, kind in structure.items()]
    return f"STRUCT({', '.join(fields)})" if fields else "JSON"


def _type(kind: object) -> str:
    return f"{_type(kind[0])}[]" if isinstance(kind, list) else str(kind)


def _columns(
    points: Structure, metrics: Structure, *, vectors_as_text: bool
) -> Iterator[tuple[str, str]]:
    """The columns in order: their names, and what stands for them in a query."""
    names = Counter(name.casefold() for name in (*_OWN, *points, *metrics))
    for part, structure in (("point", points), ("metrics", metrics)):
        _check_distinct(part, structure)
    yield "number", "number"
    yield "digest", "digest"
    for part, structure in (("point", points), ("metrics", metrics)):
        for name, kind in structure.items():
            shared = names[name.casefold()] > 1
            sql = _value(f"{part}.{identifier(name)}", kind)
            if vectors_as_text and isinstance(kind, list):
                sql = f"array_to_string({sql}, ' ')"
            yield f"{part}.{name}" if shared else name, sql
    yield "feasible", "len(violations) = 0"
    yield "violations", _VIOLATIONS
    yield "score", "score"


def _value(column: str, kind: object) -> str:
    """A value as a table holds it: whole numbers of 64 bits, as pandas has them."""
    if kind == "HUGEINT":
        return f"CAST({column} AS BIGINT)"
    if kind == ["HUGEINT"]:
        return f"CAST({column} AS BIGINT[])"
    return column


def _check_distinct(part: str, structure: Structure) -> None:
    """Refuse names that a table cannot tell apart."""
    seen: dict[str, str] = {}
    for name in structure:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise SpecError(
                f"{part} has both {other!r} and {name!r}, which a table cannot tell "
                f"apart"
            )


def _copy(table: LogTable, query: str, output: Path, options: str) -> None:
    """Write what a query finds: beside the output first, so that it is whole."""
    part = output.with_name(f".{output.name}.part")
    with one_line_errors(output):
        part.open("wb").close()  # what the system refuses, it refuses here
        try:
            table.connection.execute(f"COPY ({query}) TO {text(str(part))} ({options})")
            os.replace(part, output)
        except duckdb.Error as error:
            reason = str(error).strip().splitlines()[0]
            raise StudyError(f"{output}: cannot be written: {reason}") from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
