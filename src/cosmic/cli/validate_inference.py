"""`cosmic validate inference`: predictions beside published times and rates."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.cli.validate import row_progress
from cosmic.cli.validate_training import show_skipped
from cosmic.errors import UnknownNameError
from cosmic.units import format_quantity
from cosmic.validation.inference.comparison import (
    Accuracy,
    Compared,
    Comparison,
    compare,
)
from cosmic.validation.inference.row import (
    Figure,
    InferenceRow,
    parse_inference_row,
)
from cosmic.validation.tables import TABLES, Table, read_rows

INFERENCE = TABLES / "inference.jsonl"

_HEADS = ("rows", "mean", "median", "bias", "worst", "rank", "roofline", "one line")
Key = Callable[[Compared], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceRequest:
    """What `cosmic validate inference` is asked for.

    Attributes:
        file: A table of the user's; empty for ours.
        source: The one source to compare with; empty for all.
        worst: How many of the worst rows to show.
        rows: Whether to show every row.
        plot: File for a picture; empty for none.
        as_json: Whether to print JSON.
    """

    file: str
    source: str
    worst: int
    rows: bool
    plot: str
    as_json: bool


def validate_inference(request: InferenceRequest) -> None:
    """Predict every row of a table and print how far that is off.

    Raises:
        SpecError: The table cannot be read, or has no such source.
    """
    if request.plot:
        from cosmic.report.figures import check_picture  # noqa: PLC0415 an extra

        check_picture(request.plot)
    path = Path(request.file) if request.file else INFERENCE
    table = read_rows(path, parse_inference_row)
    for problem in table.problems:
        remark(problem)
    rows = _of_source(table, request.source)
    with patience(remark), row_progress() as update:
        comparison = compare(rows, update)
    if request.plot:
        _draw(comparison, request.plot)
    if request.as_json:
        write_json(_document(table, comparison))
    else:
        _show(table, comparison, request)


def _of_source(table: Table[InferenceRow], source: str) -> list[InferenceRow]:
    rows = [row for row in table.rows if source in ("", row.source)]
    if not rows:
        known = {row.source for row in table.rows}
        raise UnknownNameError(f"source in {table.name}", source, known)
    return rows


def _show(
    table: Table[InferenceRow], comparison: Comparison, request: InferenceRequest
) -> None:
    fitting, count = comparison.fitting
    say(f"{table.name}: {len(table.rows):,} rows, {count:,} compared")
    say(
        f"fit into memory by our count of weights and cache: {fitting:,} of {count:,}, "
        "and all of them ran"
    )
    say()
    say(
        "Errors are those of the predicted figure over the published one: their "
        "absolute mean, their median, their mean with signs, the worst; rank is the "
        "rank correlation. Beside them the mean errors of the plain roofline and of "
        "one line: operations over peak, or bytes of weights and cache over memory "
        "bandwidth."
    )
    if count:
        _show_accuracy("by source", ("source", "figure"), comparison.rows, _source)
        _show_accuracy("by device", ("device", "figure"), comparison.rows, _device)
        _show_accuracy("by engine", ("engine", "figure"), comparison.rows, _engine)
    if request.rows:
        _show_rows("all rows", comparison.rows)
    if count and request.worst:
        _show_rows("worst rows", comparison.worst(request.worst))
    show_skipped("not compared", comparison.skipped)


def _source(row: Compared) -> tuple[str, ...]:
    return row.row.source, row.figure.value


def _device(row: Compared) -> tuple[str, ...]:
    return row.row.machine.gpu, row.figure.value


def _engine(row: Compared) -> tuple[str, ...]:
    return row.row.engine, row.figure.value


def _by(rows: Iterable[Compared], key: Key) -> Mapping[tuple[str, ...], Accuracy]:
    groups: dict[tuple[str, ...], list[Compared]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return {name: Accuracy.of(groups[name]) for name in sorted(groups)}


def _means(rows: Iterable[Compared]) -> Mapping[Figure, Accuracy]:
    """Of each figure, the mean over sources that count alike."""
    parts: dict[Figure, list[Accuracy]] = {}
    for (_, figure), accuracy in _by(rows, _source).items():
        parts.setdefault(Figure(figure), []).append(accuracy)
    return {figure: Accuracy.mean_of(parts[figure]) for figure in parts}


def _show_accuracy(
    title: str, names: Sequence[str], rows: Sequence[Compared], key: Key
) -> None:
    lines = [(*name, *_cells(found)) for name, found in _by(rows, key).items()]
    if key is _source:
        means = _means(rows).items()
        lines += [("mean of sources", f.value, *_cells(found)) for f, found in means]
    show_table(title, (*names, *_HEADS), lines, words=(0, 1))


def _cells(accuracy: Accuracy) -> Sequence[str]:
    return (
        f"{accuracy.rows:,}",
        f"{accuracy.mean:.1%}",
        f"{accuracy.middle:.1%}",
        f"{accuracy.bias:+.1%}",
        f"{accuracy.worst:+.0%}",
        "" if isnan(accuracy.rank) else f"{accuracy.rank:.2f}",
        f"{accuracy.roofline:.1%}",
        f"{accuracy.bound:.1%}",
    )


def _show_rows(title: str, rows: Iterable[Compared]) -> None:
    lines = [
        (
            row.row.id,
            _what(row),
            row.figure.value,
            _text(row.published, row.figure),
            _text(row.predicted, row.figure),
            f"{row.error:+.0%}",
            _where(row),
        )
        for row in rows
    ]
    heads = ("row", "what", "figure", "published", "predicted", "error", "by what")
    show_table(title, heads, lines, words=(0, 1, 2, 6))


def _text(value: float, figure: Figure) -> str:
    if figure is Figure.RATE:
        return f"{value:,.0f} tokens/s"
    return format_quantity(value, figure.unit)


def _what(row: Compared) -> str:
    said = row.row
    asked = f"{said.prompt}+{said.output} tokens x {row.prediction.batch}"
    return f"{said.shape.name} on {said.devices} {said.machine.gpu}, {asked}"


def _where(row: Compared) -> str:
    """What stands behind a prediction."""
    told = [row.prediction.preset, row.prediction.cost_model]
    if not row.prediction.fits:
        told.append("does not fit")
    if row.prediction.assumed:
        told.append(f"assumed: {', '.join(row.prediction.assumed)}")
    return "; ".join(told)


def _draw(comparison: Comparison, path: str) -> None:
    from cosmic.report.figures import agreement_figure  # noqa: PLC0415 an extra

    points: dict[str, list[tuple[float, float]]] = {}
    for row in comparison.rows:
        pair = row.published, row.predicted
        if row.figure is Figure.RATE:
            pair = 1 / row.published, 1 / row.predicted
        name = f"{row.row.source}: {row.figure.value}"
        points.setdefault(name, []).append(pair)
    agreement_figure("Published inference (rates: seconds per token)", points, path)
    remark(f"picture: {path}")


def _document(table: Table[InferenceRow], comparison: Comparison) -> dict[str, object]:
    fitting, count = comparison.fitting
    sources = _by(comparison.rows, _source).items()
    return {
        "table": table.name,
        "problems": table.problems,
        "rows_of_table": len(table.rows),
        "rows_compared": count,
        "rows_that_fit": fitting,
        "mean_of_sources": {
            figure.value: _numbers(found)
            for figure, found in _means(comparison.rows).items()
        },
        "sources": [
            {"source": source, "figure": figure, **_numbers(found)}
            for (source, figure), found in sources
        ],
        "skipped": [
            {"source": source, "why": why, "rows": number}
            for (source, why), number in comparison.skipped.items()
        ],
        "rows": [_row_document(row) for row in comparison.rows],
    }


def _numbers(accuracy: Accuracy) -> dict[str, object]:
    """Its fields; a rank that cannot be told is null."""
    found = asdict(accuracy)
    return found | {"rank": None if isnan(accuracy.rank) else accuracy.rank}


def _row_document(row: Compared) -> dict[str, object]:
    prediction = row.prediction
    return {
        "id": row.row.id,
        "source": row.row.source,
        "url": row.row.url,
        "quality": row.row.quality,
        "engine": row.row.engine,
        "figure": row.figure.value,
        "unit": row.figure.unit,
        "published": row.published,
        "predicted": row.predicted,
        "error": row.error,
        "roofline": prediction.roofline[row.figure],
        "bound": prediction.bound[row.figure],
        "batch": prediction.batch,
        "fits": prediction.fits,
        "cost_model": prediction.cost_model,
        "preset": prediction.preset,
        "assumed": prediction.assumed,
        "unknown": row.row.unknown,
    }
