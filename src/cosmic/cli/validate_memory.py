"""`cosmic validate memory`: predicted memory beside published memory, and who fits."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.cli.validate import row_progress
from cosmic.cli.validate_training import of_source, read_training, show_skipped
from cosmic.units import format_quantity
from cosmic.validation.memory_reference import Reference, parse_references
from cosmic.validation.tables import TABLES, Table, read_rows
from cosmic.validation.training.memory import (
    MemoryCompared,
    MemoryComparison,
    Verdicts,
    compare_memory,
)
from cosmic.validation.training.row import TrainingRow

REFERENCES = TABLES / "memory_reference.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRequest:
    """What `cosmic validate memory` is asked for.

    Attributes:
        file: A table of the user's; empty for ours.
        source: The one source to compare with; empty for all.
        bulk: Whether to take the dense sweeps that ship apart, in place of the rest.
        worst: How many of the worst rows to show.
        rows: Whether to show every row that says its memory.
        as_json: Whether to print JSON.
    """

    file: str
    source: str
    bulk: bool
    worst: int
    rows: bool
    as_json: bool


def validate_memory(request: MemoryRequest) -> None:
    """Predict the memory of every run of a table and print how far that is off.

    Raises:
        SpecError: The table cannot be read, or has no such source.
    """
    table = read_training(request.file, bulk=request.bulk)
    rows = of_source(table, request.source)
    with patience(remark), row_progress() as update:
        comparison = compare_memory(rows, update)
    references = () if request.file or request.source else paper_figures()
    if request.as_json:
        write_json(_document(table, comparison, references))
    else:
        _show(table, comparison, references, request)


def paper_figures(path: Path = REFERENCES) -> Sequence[Reference]:
    """The memory that papers compute, with ours.

    Raises:
        SpecError: The table cannot be read.
    """
    found = read_rows(path, parse_references)
    return [reference for row in found.rows for reference in row]


def _show(
    table: Table[TrainingRow],
    comparison: MemoryComparison,
    references: Sequence[Reference],
    request: MemoryRequest,
) -> None:
    said = comparison.said
    say(
        f"{table.name}: {len(table.rows):,} runs, {len(comparison.rows):,} compared, "
        f"{len(said):,} of which say their memory"
    )
    say()
    say(
        "Errors are those of the predicted memory of the fullest device over the "
        "published one. A run that was measured did fit."
    )
    _show_accuracy(said)
    _show_verdicts(comparison.rows)
    if request.rows:
        _show_rows("all rows that say their memory", said)
    if said and request.worst:
        _show_rows("worst rows", comparison.worst(request.worst))
    if references:
        _show_references(references)
    show_skipped("not compared", comparison.skipped)


def _by_source(rows: Iterable[MemoryCompared]) -> dict[str, list[MemoryCompared]]:
    found: dict[str, list[MemoryCompared]] = {}
    for row in rows:
        found.setdefault(row.row.source, []).append(row)
    return found


def _show_accuracy(said: Sequence[MemoryCompared]) -> None:
    lines, means = [], []
    for source, rows in sorted(_by_source(said).items()):
        errors = [row.error or 0.0 for row in rows]
        means.append(sum(map(abs, errors)) / len(errors))
        bias, worst = sum(errors) / len(errors), max(errors, key=abs)
        cells = f"{means[-1]:.1%}", f"{bias:+.1%}", f"{worst:+.0%}"
        lines.append((source, f"{len(rows):,}", *cells))
    if len(means) > 1:
        mean = f"{sum(means) / len(means):.1%}"
        lines.append(("mean of sources", f"{len(said):,}", mean, "", ""))
    if lines:
        show_table("memory", ("source", "rows", "mean", "bias", "worst"), lines)


def _show_verdicts(rows: Sequence[MemoryCompared]) -> None:
    groups = {**dict(sorted(_by_source(rows).items())), "all": list(rows)}
    lines = [
        (source, *(f"{count:,}" for count in asdict(Verdicts.of(group)).values()))
        for source, group in groups.items()
        if group
    ]
    heads = ("source", "ran: fits", "does not", "out of memory: does not", "fits")
    show_table("who fits", heads, lines)


def _show_rows(title: str, rows: Iterable[MemoryCompared]) -> None:
    lines = [
        (
            row.row.id,
            format_quantity(row.row.published.memory or 0.0, "B"),
            format_quantity(row.footprint.total, "B"),
            f"{row.error or 0.0:+.0%}",
            _parts(row),
        )
        for row in rows
    ]
    heads = ("row", "published", "predicted", "error", "of what")
    show_table(title, heads, lines, words=(0, 4))


def _parts(row: MemoryCompared) -> str:
    parts = [
        f"{name} {format_quantity(value, 'B')}"
        for name, value in asdict(row.footprint).items()
        if value
    ]
    if row.assumed:
        parts.append(f"assumed: {', '.join(row.assumed)}")
    return ", ".join(parts)


def _show_references(references: Sequence[Reference]) -> None:
    lines = [
        (
            reference.id,
            reference.part,
            _amount(reference.published, reference.unit),
            _amount(reference.predicted, reference.unit),
            f"{reference.error:+.1%}",
        )
        for reference in references
    ]
    heads = ("row", "part", "published", "predicted", "error")
    show_table("a paper's own figures, not measured", heads, lines, words=(0, 1))


def _amount(value: float, unit: str) -> str:
    return format_quantity(value, unit) if unit else f"{value:.1%}"


def _document(
    table: Table[TrainingRow],
    comparison: MemoryComparison,
    references: Sequence[Reference],
) -> dict[str, object]:
    return {
        "table": table.name,
        "problems": table.problems,
        "verdicts": asdict(Verdicts.of(comparison.rows)),
        "skipped": [
            {"source": source, "why": why, "rows": number}
            for (source, why), number in comparison.skipped.items()
        ],
        "rows": [_row_document(row) for row in comparison.rows],
        "references": [asdict(each) | {"error": each.error} for each in references],
    }


def _row_document(row: MemoryCompared) -> dict[str, object]:
    return {
        "id": row.row.id,
        "source": row.row.source,
        "url": row.row.url,
        "published": row.row.published.memory,
        "predicted": row.footprint.total,
        "error": row.error,
        "parts": asdict(row.footprint),
        "capacity": row.capacity,
        "ran": row.row.published.fits,
        "fits": row.fits,
        "assumed": row.assumed,
    }
