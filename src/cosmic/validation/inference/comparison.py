"""Published inference beside predictions, and how far these are off."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import fmean, median

from cosmic.errors import SpecError
from cosmic.validation.inference.prediction import Figures, Prediction, predict
from cosmic.validation.inference.row import Figure, InferenceRow, Load
from cosmic.validation.machines import NotEvaluatedError
from cosmic.validation.training.comparison import rank_correlation

Progress = Callable[[int, int], None]

_ROUNDS = (
    "its time to the first token (the rest of the row is compared): it does not say in "
    "how many rounds requests were sent, of which the first waits for half of all "
    "prompts and later ones for one"
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of a row with its prediction.

    Attributes:
        row: What was published.
        figure: Which of its figures.
        published: Its value.
        prediction: What the model says of the row.
    """

    row: InferenceRow
    figure: Figure
    published: float
    prediction: Prediction

    @property
    def predicted(self) -> float:
        """The figure as predicted."""
        return self.prediction.figures[self.figure]

    @property
    def error(self) -> float:
        """Predicted over published, less one."""
        return self._error(self.prediction.figures)

    @property
    def roofline_error(self) -> float:
        """The same of the plain roofline."""
        return self._error(self.prediction.roofline)

    @property
    def bound_error(self) -> float:
        """The same of the one-line bound."""
        return self._error(self.prediction.bound)

    def _error(self, figures: Figures) -> float:
        return figures[self.figure] / self.published - 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table of inferences with what could be predicted of it.

    Attributes:
        rows: Figures with predictions, in the order of the table.
        skipped: Why others have none, with how many there are, by source.
    """

    rows: tuple[Compared, ...]
    skipped: Mapping[tuple[str, str], int]

    def worst(self, count: int) -> list[Compared]:
        """The figures with the largest errors."""
        return sorted(self.rows, key=lambda row: -abs(row.error))[:count]

    @property
    def fitting(self) -> tuple[int, int]:
        """Rows that fit into memory by our count, of how many; all of them ran."""
        fits = {row.row.id: row.prediction.fits for row in self.rows}
        return sum(fits.values()), len(fits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How far predictions are off over some figures; fractions, but for the count.

    Attributes:
        rows: How many.
        mean: Mean of the absolute errors.
        middle: Their median.
        bias: Mean of the errors with their signs.
        worst: The largest error, with its sign.
        rank: Rank correlation; nan for too few rows.
        roofline: Mean absolute error of the plain roofline.
        bound: That of the one-line bound.
    """

    rows: int
    mean: float
    middle: float
    bias: float
    worst: float
    rank: float
    roofline: float
    bound: float

    @classmethod
    def of(cls, rows: Sequence[Compared]) -> "Accuracy":
        """That of one kind of figure over some rows, at least one."""
        errors = [row.error for row in rows]
        predicted = [row.predicted for row in rows]
        return cls(
            rows=len(rows),
            mean=fmean(map(abs, errors)),
            middle=median(map(abs, errors)),
            bias=fmean(errors),
            worst=max(errors, key=abs),
            rank=rank_correlation([row.published for row in rows], predicted),
            roofline=fmean(abs(row.roofline_error) for row in rows),
            bound=fmean(abs(row.bound_error) for row in rows),
        )

    @classmethod
    def mean_of(cls, parts: Sequence["Accuracy"]) -> "Accuracy":
        """The mean over groups that count alike, however many rows each has.

        A rank correlation that a group has too few rows for is left out.
        """
        ranks = [part.rank for part in parts if not isnan(part.rank)]
        return cls(
            rows=sum(part.rows for part in parts),
            mean=fmean(part.mean for part in parts),
            middle=fmean(part.middle for part in parts),
            bias=fmean(part.bias for part in parts),
            worst=max((part.worst for part in parts), key=abs),
            rank=fmean(ranks) if ranks else nan,
            roofline=fmean(part.roofline for part in parts),
            bound=fmean(part.bound for part in parts),
        )


def compare(
    rows: Iterable[InferenceRow], progress: Progress | None = None
) -> Comparison:
    """Predict every row that says enough for it.

    Args:
        rows: Of a table.
        progress: Told how many rows are done, of how many.
    """
    compared: list[Compared] = []
    skipped: dict[tuple[str, str], int] = {}

    def skip(row: InferenceRow, why: str) -> None:
        skipped[row.source, why] = skipped.get((row.source, why), 0) + 1

    todo = list(rows)
    for done, row in enumerate(todo, start=1):
        try:
            found = _compared(row)
        except SpecError as error:
            skip(row, str(error))
            found = []
        for one in found:
            if _in_the_dark(one):
                skip(row, _ROUNDS)
            else:
                compared.append(one)
        if progress is not None:
            progress(done, len(todo))
    return Comparison(tuple(compared), skipped)


def _in_the_dark(one: Compared) -> bool:
    """Whether the figure hangs on what no source says."""
    several = one.row.load is Load.LOOP and one.prediction.batch > 1
    return several and one.figure is Figure.FIRST_TOKEN


def _compared(row: InferenceRow) -> list[Compared]:
    if row.quality == "C":
        raise NotEvaluatedError("quality C: thin or conflicting, context only")
    if not row.published:
        raise NotEvaluatedError("it says no time or rate that is predicted")
    prediction = predict(row)
    return [Compared(row, *published, prediction) for published in row.published]
