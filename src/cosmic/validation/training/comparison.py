"""Published runs beside their predictions, and how far these are off."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import median

from cosmic.errors import SpecError
from cosmic.units import Seconds
from cosmic.validation.machines import NotEvaluatedError
from cosmic.validation.training.prediction import Prediction, predict
from cosmic.validation.training.row import TrainingRow

Progress = Callable[[int, int], None]

_FEWEST_RANKED = 3  # rows; of two, the order is a coin's


@dataclass(frozen=True, slots=True)
class Compared:
    """A run with its prediction.

    Attributes:
        row: What was published.
        published: Its step time.
        prediction: What the model says.
    """

    row: TrainingRow
    published: Seconds
    prediction: Prediction

    @property
    def error(self) -> float:
        """Predicted over published step time, less one."""
        return self.prediction.step / self.published - 1

    @property
    def roofline_error(self) -> float:
        """The same of the plain roofline."""
        return self.prediction.roofline / self.published - 1

    @property
    def formula_error(self) -> float:
        """The same of the one-line formula."""
        return self.prediction.formula / self.published - 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table of runs with what could be predicted of it.

    Attributes:
        rows: Runs with predictions, in the order of the table.
        skipped: Why others have none, with how many there are, by source.
    """

    rows: tuple[Compared, ...]
    skipped: Mapping[tuple[str, str], int]

    def worst(self, count: int) -> list[Compared]:
        """The rows with the largest errors."""
        return sorted(self.rows, key=lambda row: -abs(row.error))[:count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How far predictions are off over some rows; fractions, but for the counts.

    Attributes:
        rows: How many.
        mean: Mean of the absolute errors.
        middle: Their median.
        bias: Mean of the errors with their signs.
        worst: The largest error, with its sign.
        rank: Rank correlation of step times; nan for too few rows.
        rank_in_groups: The same within each group of rows, averaged by rows.
        rank_of_rate: Rank correlation of operations a second and device.
        roofline: Mean absolute error of the plain roofline.
        formula: That of the one-line formula.
    """

    rows: int
    mean: float
    middle: float
    bias: float
    worst: float
    rank: float
    rank_in_groups: float
    rank_of_rate: float
    roofline: float
    formula: float

    @classmethod
    def of(cls, rows: Sequence[Compared]) -> "Accuracy":
        """That of some rows, at least one."""
        errors = [row.error for row in rows]
        return cls(
            rows=len(rows),
            mean=_mean(map(abs, errors)),
            middle=median(map(abs, errors)),
            bias=_mean(errors),
            worst=max(errors, key=abs),
            rank=_rank(rows, _step, _predicted_step),
            rank_in_groups=_rank_in_groups(rows),
            rank_of_rate=_rank(rows, _rate, _predicted_rate),
            roofline=_mean(abs(row.roofline_error) for row in rows),
            formula=_mean(abs(row.formula_error) for row in rows),
        )

    @classmethod
    def mean_of(cls, parts: Sequence["Accuracy"]) -> "Accuracy":
        """The mean over sources that count alike, however many rows each has.

        A rank correlation that a source has too few rows for is left out.
        """

        def mean(field: Callable[[Accuracy], float]) -> float:
            return _mean(value for value in map(field, parts) if not isnan(value))

        return cls(
            rows=sum(part.rows for part in parts),
            mean=mean(lambda part: part.mean),
            middle=mean(lambda part: part.middle),
            bias=mean(lambda part: part.bias),
            worst=max((part.worst for part in parts), key=abs),
            rank=mean(lambda part: part.rank),
            rank_in_groups=mean(lambda part: part.rank_in_groups),
            rank_of_rate=mean(lambda part: part.rank_of_rate),
            roofline=mean(lambda part: part.roofline),
            formula=mean(lambda part: part.formula),
        )


def compare(
    rows: Iterable[TrainingRow], progress: Progress | None = None
) -> Comparison:
    """Predict every run that says enough for it.

    Args:
        rows: Of a table.
        progress: Told how many rows are done, of how many.
    """
    compared: list[Compared] = []
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
    return Comparison(tuple(compared), skipped)


def _compared(row: TrainingRow) -> Compared:
    if row.quality == "C":
        raise NotEvaluatedError("quality C: thin or conflicting, context only")
    if not row.published.fits:
        raise NotEvaluatedError("it ran out of memory")
    if row.published.step is None:
        raise NotEvaluatedError("it says no step time, nor a rate that tells it")
    return Compared(row, row.published.step, predict(row))


def by(
    rows: Iterable[Compared], key: Callable[[Compared], str]
) -> dict[str, list[Compared]]:
    """Rows in groups, in the order in which the groups first appear."""
    groups: dict[str, list[Compared]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's: the correlation of ranks, equal values sharing their mean rank.

    It is nan for fewer than three values, and where all values of one are equal.

    >>> rank_correlation([1.0, 2.0, 3.0], [10.0, 30.0, 20.0])
    0.5
    """
    if len(one) < _FEWEST_RANKED:
        return nan
    a, b = _ranks(one), _ranks(other)
    middle = (len(one) - 1) / 2
    both = sum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    spread = sum((x - middle) ** 2 for x in a) * sum((y - middle) ** 2 for y in b)
    return both / float(spread**0.5) if spread else nan


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + end - 1) / 2
        start = end
    return ranks


def _rank(
    rows: Sequence[Compared],
    published: Callable[[Compared], float],
    predicted: Callable[[Compared], float],
) -> float:
    return rank_correlation(list(map(published, rows)), list(map(predicted, rows)))


def _rank_in_groups(rows: Sequence[Compared]) -> float:
    groups = by(rows, lambda row: row.row.group).values()
    found = [(_rank(group, _step, _predicted_step), len(group)) for group in groups]
    found = [(rank, count) for rank, count in found if not isnan(rank)]
    total = sum(count for _, count in found)
    return sum(rank * count for rank, count in found) / total if total else nan


def _step(row: Compared) -> float:
    return row.published


def _predicted_step(row: Compared) -> float:
    return row.prediction.step


def _rate(row: Compared) -> float:
    return row.prediction.flops / row.published


def _predicted_rate(row: Compared) -> float:
    return row.prediction.flops / row.prediction.step


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else nan
