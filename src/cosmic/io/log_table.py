"""LogTable: a trial log as a table that DuckDB reads, whatever its size."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cosmic.errors import StudyError
from cosmic.io.duckdb_extra import duckdb
from cosmic.io.line_index import LineIndex
from cosmic.io.recorded_study import LONGEST_LINE, UNCHANGED, LogReader

_VIOLATIONS = 'STRUCT("constraint" VARCHAR, message VARCHAR)[]'
_COLUMNS = {
    "number": "BIGINT",
    "digest": "VARCHAR",
    "point": "JSON",
    "metrics": "JSON",
    "violations": _VIOLATIONS,
    "score": "DOUBLE",
}


@dataclass(frozen=True, slots=True)
class LogTable:
    """The whole trials that a log holds when it is opened; it may be in use.

    Attributes:
        index: Where its lines are.
        connection: What carries out queries.
    """

    index: LineIndex
    connection: duckdb.DuckDBPyConnection = field(compare=False)

    @property
    def trials(self) -> int:
        """How many trials there are."""
        return self.index.lines - 1

    @property
    def path(self) -> Path:
        """The file."""
        return self.index.path

    def rows(self, types: Mapping[str, str] | None = None) -> str:
        """The table, as it stands in a query after FROM; in the order of the trials.

        Its columns are number, digest, point, metrics, violations and score. A line
        that is not whole, and those that were written since, are left out.

        Args:
            types: DuckDB's types of columns, where they are not those of any log.
        """
        columns = {**_COLUMNS, **(types or {})}
        listed = ", ".join(f"{name}: {text(kind)}" for name, kind in columns.items())
        return (
            f"(SELECT * FROM read_json({text(_no_pattern(self.path))}, "
            f"format = 'newline_delimited', ignore_errors = true, "
            f"hive_partitioning = false, maximum_object_size = {LONGEST_LINE}, "
            f"columns = {{{listed}}}) WHERE number BETWEEN 0 AND {self.trials - 1})"
        )


def open_log_table(path: str | Path) -> LogTable:
    """Open a trial log, which may be in use; `check_in_order` is still to be asked.

    Raises:
        StudyError: If the file is no trial log.
        CosmicError: If DuckDB is missing.
    """
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    return LogTable(LineIndex.of(Path(path)), connection)


def identifier(name: str) -> str:
    """A name as it stands in a query.

    >>> print(identifier('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as it stands in a query.

    >>> print(text("it's"))
    'it''s'
    """
    return "'" + value.replace("'", "''") + "'"


def check_in_order(table: LogTable, rows: str, columns: Sequence[str]) -> None:
    """Refuse a log with a line too few, too many or out of order.

    What exactly is wrong with it, and where, is for the slow reader to say.

    Args:
        table: The log.
        rows: What stands for its rows after FROM.
        columns: Those that every line must have.

    Raises:
        StudyError: If it is damaged.
    """
    counts = ", ".join(f"count({column})" for column in columns)
    found = table.connection.execute(
        f"SELECT count(*) FILTER (number = place), {counts} FROM "
        f"(SELECT *, row_number() OVER () - 1 AS place FROM {rows})"
    ).fetchone()
    if found != (table.trials,) * (1 + len(columns)):
        reader = LogReader(table.path)
        deque(reader, maxlen=0)
        reader.check_sound()
        raise StudyError(
            f"{table.path}: not all of its {table.trials:,} lines are trials in "
            f"order; {UNCHANGED}"
        )


def _no_pattern(path: Path) -> str:
    """A path of which no sign stands for other signs."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))
