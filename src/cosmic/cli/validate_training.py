"""`cosmic validate training`: predictions beside published step times."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.cli.validate import row_progress
from cosmic.errors import UnknownNameError
from cosmic.units import format_quantity
from cosmic.validation.tables import TABLES, Table, read_rows
from cosmic.validation.training.comparison import (
    Accuracy,
    Compared,
    Comparison,
    by,
    compare,
)
from cosmic.validation.training.row import TrainingRow, parse_training_row

TRAINING = TABLES / "training.jsonl"
SINGLE_NODE = TABLES / "training_bulk.jsonl"

_HEADS = ("rows", "mean", "bias", "worst", "rank", "groups", "roofline", "formula")
_SHARE = 0.1  # of the step, for a part to be named


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """What `cosmic validate training` is asked for.

    Attributes:
        file: A table of the user's; empty for ours.
        source: The one source to compare with; empty for all.
        bulk: Whether to take the dense sweeps that ship apart, in place of the rest.
        worst: How many of the worst rows to show.
        rows: Whether to show every row.
        plot: File for a picture; empty for none.
        as_json: Whether to print JSON.
    """

    file: str
    source: str
    bulk: bool
    worst: int
    rows: bool
    plot: str
    as_json: bool


def validate_training(request: TrainingRequest) -> None:
    """Predict every run of a table and print how far that is off.

    Raises:
        SpecError: The table cannot be read, or has no such source.
    """
    if request.plot:
        from cosmic.report.figures import check_picture  # noqa: PLC0415 an extra

        check_picture(request.plot)
    table = read_training(request.file, bulk=request.bulk)
    rows = of_source(table, request.source)
    with patience(remark), row_progress() as update:
        comparison = compare(rows, update)
    if request.plot:
        _draw(comparison, request.plot)
    if request.as_json:
        write_json(_document(table, comparison))
    else:
        _show(table, comparison, request)


def read_training(file: str, *, bulk: bool) -> Table[TrainingRow]:
    """A table of training runs, the user's or ours; its problems are told.

    Raises:
        SpecError: The table cannot be read, or holds no row that can be.
    """
    ours = SINGLE_NODE if bulk else TRAINING
    table = read_rows(Path(file) if file else ours, parse_training_row)
    for problem in table.problems:
        remark(problem)
    return table


def of_source(table: Table[TrainingRow], source: str) -> list[TrainingRow]:
    """The rows of one source, or of all if it is empty.

    Raises:
        UnknownNameError: The table has no such source.
    """
    rows = [row for row in table.rows if source in ("", row.source)]
    if not rows:
        known = {row.source for row in table.rows}
        raise UnknownNameError(f"source in {table.name}", source, known)
    return rows


def _show(
    table: Table[TrainingRow], comparison: Comparison, request: TrainingRequest
) -> None:
    count = len(comparison.rows)
    say(f"{table.name}: {len(table.rows):,} runs, {count:,} compared")
    say()
    say(
        "Errors are those of the predicted step time over the published one: their "
        "absolute mean, their mean with signs, the worst; rank is the rank correlation "
        "of step times, groups that within runs of one model. Beside them the mean "
        "errors of the plain roofline and of one line: operations at half of peak, and "
        "the pipeline's bubble."
    )
    if count:
        _show_accuracy("by source", comparison.rows, _source, totals=True)
        _show_accuracy("by source and model", comparison.rows, _group)
        _show_accuracy("by device", comparison.rows, _device)
    if request.rows:
        _show_rows("all rows", comparison.rows)
    if count and request.worst:
        _show_rows("worst rows", comparison.worst(request.worst))
    show_skipped("not compared", comparison.skipped)


def show_skipped(title: str, skipped: Mapping[tuple[str, str], int]) -> None:
    """Print why rows were left out, if any were."""
    if skipped:
        lines = [
            (source, f"{number:,}", why) for (source, why), number in skipped.items()
        ]
        show_table(title, ("source", "rows", "why"), lines, words=(0, 2))


def _source(row: Compared) -> str:
    return row.row.source


def _group(row: Compared) -> str:
    return f"{row.row.source}: {row.row.group}"


def _device(row: Compared) -> str:
    return row.row.machine.gpu


def _show_accuracy(
    title: str,
    rows: Iterable[Compared],
    key: Callable[[Compared], str],
    *,
    totals: bool = False,
) -> None:
    found = {name: Accuracy.of(group) for name, group in by(rows, key).items()}
    lines = [(name, *_cells(found[name])) for name in sorted(found)]
    if totals and len(found) > 1:
        mean = Accuracy.mean_of(list(found.values()))
        lines.append(("mean of sources", *_cells(mean)))
    show_table(title, (title.removeprefix("by "), *_HEADS), lines)


def _cells(accuracy: Accuracy) -> Sequence[str]:
    return (
        f"{accuracy.rows:,}",
        f"{accuracy.mean:.1%}",
        f"{accuracy.bias:+.1%}",
        f"{accuracy.worst:+.0%}",
        _rank(accuracy.rank),
        _rank(accuracy.rank_in_groups),
        f"{accuracy.roofline:.1%}",
        f"{accuracy.formula:.1%}",
    )


def _rank(value: float) -> str:
    return "" if isnan(value) else f"{value:.2f}"


def _show_rows(title: str, rows: Iterable[Compared]) -> None:
    lines = [
        (
            row.row.id,
            _what(row.row),
            format_quantity(row.published, "s"),
            format_quantity(row.prediction.step, "s"),
            f"{row.error:+.0%}",
            _where(row),
        )
        for row in rows
    ]
    heads = ("row", "run", "published", "predicted", "error", "of what, by what")
    show_table(title, heads, lines, words=(0, 1, 5))


def _what(row: TrainingRow) -> str:
    split = row.split
    degrees = [
        f"{name}{value}"
        for name, value in (
            ("tp", split.tensor),
            ("pp", split.pipeline),
            ("cp", split.context),
            ("ep", split.expert),
        )
        if value is not None and value > 1
    ]
    words = [row.shape.name, f"on {split.devices}", *degrees]
    return " ".join(words)


def _where(row: Compared) -> str:
    """Where the predicted time goes, and what stands behind it."""
    prediction = row.prediction
    parts = {
        "compute": prediction.breakdown.compute,
        "optimizer": prediction.breakdown.optimizer,
        **prediction.breakdown.exposed,
        "bubble": prediction.breakdown.bubble,
    }
    shares = [
        f"{name} {time / prediction.step:.0%}"
        for name, time in parts.items()
        if time > _SHARE * prediction.step
    ]
    told = [prediction.preset, prediction.cost_model]
    if prediction.assumed:
        told.append(f"assumed: {', '.join(prediction.assumed)}")
    return "; ".join([", ".join(shares), *told])


def _draw(comparison: Comparison, path: str) -> None:
    from cosmic.report.figures import agreement_figure  # noqa: PLC0415 an extra

    points = {
        source: [(row.published, row.prediction.step) for row in rows]
        for source, rows in by(comparison.rows, _source).items()
    }
    agreement_figure("Step time of published runs", points, path)
    remark(f"picture: {path}")


def _document(table: Table[TrainingRow], comparison: Comparison) -> dict[str, object]:
    sources = {
        name: Accuracy.of(group) for name, group in by(comparison.rows, _source).items()
    }
    mean = Accuracy.mean_of(list(sources.values())) if sources else None
    return {
        "table": table.name,
        "problems": table.problems,
        "mean_of_sources": asdict(mean) if mean else None,
        "sources": {name: asdict(accuracy) for name, accuracy in sources.items()},
        "groups": {
            name: asdict(Accuracy.of(group))
            for name, group in by(comparison.rows, _group).items()
        },
        "skipped": [
            {"source": source, "why": why, "rows": number}
            for (source, why), number in comparison.skipped.items()
        ],
        "rows": [_row_document(row) for row in comparison.rows],
    }


def _row_document(row: Compared) -> dict[str, object]:
    prediction = row.prediction
    return {
        "id": row.row.id,
        "source": row.row.source,
        "url": row.row.url,
        "group": row.row.group,
        "quality": row.row.quality,
        "published": row.published,
        "predicted": prediction.step,
        "error": row.error,
        "kernels": prediction.kernels,
        "roofline": prediction.roofline,
        "formula": prediction.formula,
        "compute": prediction.breakdown.compute,
        "optimizer": prediction.breakdown.optimizer,
        "exposed": prediction.breakdown.exposed,
        "bubble": prediction.breakdown.bubble,
        "cost_model": prediction.cost_model,
        "preset": prediction.preset,
        "framework": prediction.framework,
        "assumed": prediction.assumed,
        "unknown": row.row.unknown,
    }
