"""TableLooks: a large trial log in seconds, by DuckDB."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from typing_extensions import override

from cosmic.evaluation.evaluation import Evaluation
from cosmic.io.log_table import LogTable, check_in_order, identifier, open_log_table
from cosmic.io.looks import Breach, Look, Looks
from cosmic.search.trial import WORST

_AT_A_TIME = 100_000  # trials that Python holds


class TableLooks(Looks):
    """A trial log of which DuckDB holds what a summary takes, read in one go.

    Args:
        path: The trial log.

    Raises:
        StudyError: If it is no trial log.
    """

    def __init__(self, path: Path) -> None:
        self._table: LogTable = open_log_table(path)
        self.index = self._table.index

    @override
    def feasible(self, metrics: Sequence[str]) -> Iterator[Look]:
        fields = ", ".join(f"{identifier(name)} DOUBLE" for name in metrics)
        rows = self._table.rows({"metrics": f"STRUCT({fields})" if fields else "JSON"})
        wanted = ", ".join(f"metrics.{identifier(name)}" for name in metrics)
        self._table.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE looks AS SELECT number, digest, violations, "
            f"score{', ' if wanted else ''}{wanted} FROM {rows}"
        )
        check_in_order(self._table, "looks", ("digest", "violations"))
        found = self._table.connection.execute(
            "SELECT * EXCLUDE (violations) FROM looks WHERE len(violations) = 0"
        )
        while some := found.fetchmany(_AT_A_TIME):
            for number, digest, score, *values in some:
                had = zip(metrics, values, strict=True)
                asked = {name: value for name, value in had if value is not None}
                worst = WORST if score is None else score
                yield Look(number, digest, worst, Evaluation(asked))

    @override
    def breaches(self) -> tuple[Breach, ...]:
        found = self._table.connection.execute(
            'SELECT v."constraint" AS name, count(DISTINCT number) AS trials, '
            "arg_min(v.message, number) "
            "FROM (SELECT number, unnest(violations) AS v FROM looks) "
            "GROUP BY name ORDER BY trials DESC, name"
        ).fetchall()
        return tuple(
            Breach(constraint=name, trials=count, example=example)
            for name, count, example in found
        )
