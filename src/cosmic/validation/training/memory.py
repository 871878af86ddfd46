"""Memory of published runs beside what the model says, by part; and who fits.

A run that was measured did fit; one that ran out of memory did not. The verdict on both
is the same: whether the fullest device's parts come to less than its memory.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cosmic.compute.cost_model import Roofline
from cosmic.errors import SpecError
from cosmic.units import Bytes
from cosmic.validation.machines import NotEvaluatedError
from cosmic.validation.training.row import TrainingRow
from cosmic.validation.training.setup import setup_of
from cosmic.workload.memory import MemoryFootprint, memory_footprint

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryCompared:
    """A run with its predicted memory.

    Attributes:
        row: What was published.
        footprint: By part, of the fullest device.
        capacity: What a device has.
        assumed: What the source does not say, with what was taken for it.
    """

    row: TrainingRow
    footprint: MemoryFootprint
    capacity: Bytes
    assumed: tuple[str, ...]

    @property
    def error(self) -> float | None:
        """Predicted over published memory, less one; None if that is not said."""
        published = self.row.published.memory
        return None if published is None else self.footprint.total / published - 1

    @property
    def fits(self) -> bool:
        """Whether the model says that it fits."""
        return self.footprint.total <= self.capacity


@dataclass(frozen=True, slots=True)
class MemoryComparison:
    """A table of runs with their predicted memory.

    Attributes:
        rows: Runs with predictions, in the order of the table.
        skipped: Why others have none, with how many there are, by source.
    """

    rows: tuple[MemoryCompared, ...]
    skipped: Mapping[tuple[str, str], int]

    @property
    def said(self) -> list[MemoryCompared]:
        """Those whose memory is published."""
        return [row for row in self.rows if row.error is not None]

    def worst(self, count: int) -> list[MemoryCompared]:
        """Those with the largest errors."""
        return sorted(self.said, key=lambda row: -abs(row.error or 0.0))[:count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """How often the verdict is right, in rows.

    Attributes:
        ran: Ran, and fits.
        wrongly_refused: Ran, and does not fit.
        refused: Ran out of memory, and does not fit.
        wrongly_admitted: Ran out of memory, and fits.
    """

    ran: int
    wrongly_refused: int
    refused: int
    wrongly_admitted: int

    @classmethod
    def of(cls, rows: Sequence[MemoryCompared]) -> "Verdicts":
        """Those on some rows."""
        counted = [(row.row.published.fits, row.fits) for row in rows]
        return cls(
            ran=counted.count((True, True)),
            wrongly_refused=counted.count((True, False)),
            refused=counted.count((False, False)),
            wrongly_admitted=counted.count((False, True)),
        )


def compare_memory(
    rows: Iterable[TrainingRow], progress: Progress | None = None
) -> MemoryComparison:
    """Predict the memory of every run that says enough for it.

    Args:
        rows: Of a table.
        progress: Told how many rows are done, of how many.
    """
    compared: list[MemoryCompared] = []
    skipped: dict[tuple[str, str], int] = {}
    todo = list(rows)
    for done, row in enumerate(todo, start=1):
        try:
            compared.append(_compared(row))
        except SpecError as error:
            why = row.source, str(error)
            skipped[why] = skipped.get(why, 0) + 1
        if progress is not None:
            progress(done, len(todo))
    return MemoryComparison(tuple(compared), skipped)


def _compared(row: TrainingRow) -> MemoryCompared:
    if row.quality == "C":
        raise NotEvaluatedError("quality C: thin or conflicting, context only")
    setup = setup_of(row)
    device = setup.configuration(Roofline()).system.cluster.device
    return MemoryCompared(
        row=row,
        footprint=memory_footprint(setup.workload()),
        capacity=device.memory_capacity,
        assumed=setup.assumed,
    )
