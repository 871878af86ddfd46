"""`cosmic validate collectives`: predictions beside published measurements."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, show_table, stderr, write_json
from cosmic.errors import UnknownNameError
from cosmic.units import KiB, format_quantity
from cosmic.validation.comparison import Accuracy, Compared, Comparison, by, compare
from cosmic.validation.measurement import SIZE_CLASSES, Measurement
from cosmic.validation.tables import COLLECTIVES, Table, read_table

_HEADS = ("rows", "mean", "median", "bias", "worst", "time", "bytes alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateRequest:
    """What `cosmic validate collectives` is asked for.

    Attributes:
        file: A table of the user's; empty for ours.
        source: The one source to compare with; empty for all.
        worst: How many of the worst rows to show.
        rows: Whether to show every row.
        as_json: Whether to print JSON.
    """

    file: str
    source: str
    worst: int
    rows: bool
    as_json: bool


def validate_collectives(request: ValidateRequest) -> None:
    """Predict every row of a table and print how far that is off.

    Raises:
        SpecError: The table cannot be read, or has no such source.
    """
    table = read_table(Path(request.file) if request.file else COLLECTIVES)
    for problem in table.problems:
        remark(problem)
    rows = [row for row in table.rows if request.source in ("", row.source)]
    if not rows:
        known = {row.source for row in table.rows}
        raise UnknownNameError(f"source in {table.name}", request.source, known)
    with patience(remark), row_progress() as update:
        comparison = compare(rows, update)
    if request.as_json:
        write_json(_document(table, comparison))
    else:
        _show(table, comparison, request)


@contextmanager
def row_progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal, if there is one."""
    console = stderr()
    columns = (BarColumn(), MofNCompleteColumn())
    bar = Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    )
    with bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(
    table: Table[Measurement], comparison: Comparison, request: ValidateRequest
) -> None:
    count = len(comparison.rows)
    say(f"{table.name}: {len(table.rows):,} measurements, {count:,} compared")
    say()
    say(
        "Errors are those of the predicted bus bandwidth over the published one; time "
        "is the mean error of the time, and bytes alone what that is if nothing but "
        "bytes over data-sheet bandwidth takes time."
    )
    if count:
        _show_accuracy("by source", comparison.rows, _source, totals=True)
        _show_accuracy("by collective", comparison.rows, _operation)
        _show_accuracy("by size", comparison.rows, _size_class)
        _show_accuracy("by machine", comparison.rows, _machine)
    if request.rows:
        _show_rows("all rows", comparison.rows)
    if count and request.worst:
        _show_rows("worst rows", comparison.worst(request.worst))
    if comparison.skipped:
        lines = [
            (source, f"{number:,}", why)
            for (source, why), number in comparison.skipped.items()
        ]
        show_table("not compared", ("source", "rows", "why"), lines, words=(0, 2))


def _source(row: Compared) -> str:
    return row.measurement.source


def _operation(row: Compared) -> str:
    return row.measurement.setup.operation.value


def _size_class(row: Compared) -> str:
    return row.measurement.setup.size_class


def _machine(row: Compared) -> str:
    return f"{row.measurement.source}: {row.measurement.setup.hardware}"


def _show_accuracy(
    title: str,
    rows: Iterable[Compared],
    key: Callable[[Compared], str],
    *,
    totals: bool = False,
) -> None:
    found = {name: Accuracy.of(group) for name, group in by(rows, key).items()}
    ordered = sorted(found, key=lambda name: (_rank(name), name))
    lines = [(name, *_cells(found[name])) for name in ordered]
    if totals and len(found) > 1:
        mean = Accuracy.mean_of(list(found.values()))
        lines.append(("mean of sources", *_cells(mean)))
    show_table(title, (title.removeprefix("by "), *_HEADS), lines)


def _rank(name: str) -> int:
    """Sizes from small to large; other names keep the order of the alphabet."""
    return SIZE_CLASSES.index(name) if name in SIZE_CLASSES else 0


def _cells(accuracy: Accuracy) -> Sequence[str]:
    return (
        f"{accuracy.rows:,}",
        _percent(accuracy.mean),
        _percent(accuracy.median),
        f"{accuracy.bias:+.0%}",
        f"{accuracy.worst:+.0%}",
        _percent(accuracy.time),
        _percent(accuracy.bound),
    )


def _percent(fraction: float) -> str:
    return f"{fraction:.0%}"


def _show_rows(title: str, rows: Iterable[Compared]) -> None:
    lines = [
        (
            row.measurement.id,
            _what(row),
            f"{row.measurement.bandwidth / 1e9:.3g}",
            f"{row.prediction.bandwidth / 1e9:.3g}",
            f"{row.error:+.0%}",
            _provenance(row),
        )
        for row in rows
    ]
    heads = ("row", "measured", "GB/s", "predicted", "error", "by")
    show_table(title, heads, lines, words=(0, 1, 5))


def _what(row: Compared) -> str:
    setup, prediction = row.measurement.setup, row.prediction
    devices = " x ".join(str(extent) for extent in prediction.extents)
    return f"{setup.operation.value} of {_size(row)} on {devices}"


def _size(row: Compared) -> str:
    size = row.measurement.setup.size
    if size is None:
        return "any size"
    if size < KiB:
        return f"{size:.0f} B"
    return format_quantity(size, "B")


def _provenance(row: Compared) -> str:
    prediction = row.prediction
    parts = [
        prediction.preset,
        ", ".join(prediction.algorithms),
        ", ".join(prediction.protocols),
        f"{prediction.chunks} chunks" if prediction.chunks > 1 else "",
    ]
    return "; ".join(part for part in parts if part)


def _document(table: Table[Measurement], comparison: Comparison) -> dict[str, object]:
    sources = {
        name: asdict(Accuracy.of(group))
        for name, group in by(comparison.rows, _source).items()
    }
    return {
        "table": table.name,
        "problems": table.problems,
        "sources": sources,
        "skipped": [
            {"source": source, "why": why, "rows": number}
            for (source, why), number in comparison.skipped.items()
        ],
        "rows": [_row_document(row) for row in comparison.rows],
    }


def _row_document(row: Compared) -> dict[str, object]:
    setup, prediction = row.measurement.setup, row.prediction
    return {
        "id": row.measurement.id,
        "source": row.measurement.source,
        "url": row.measurement.url,
        "op": setup.operation.value,
        "size_bytes": setup.size,
        "ranks": setup.ranks,
        "nodes": setup.nodes,
        "published": row.measurement.bandwidth,
        "predicted": prediction.bandwidth,
        "bound": prediction.bound,
        "seconds": prediction.time,
        "error": row.error,
        "preset": prediction.preset,
        "extents": prediction.extents,
        "algorithms": prediction.algorithms,
        "protocols": prediction.protocols,
        "chunks": prediction.chunks,
    }
