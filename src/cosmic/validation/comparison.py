"""Measurements beside their predictions, and how far these are off."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cosmic.errors import SpecError
from cosmic.validation.measurement import Measurement
from cosmic.validation.prediction import Prediction, predict

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """A measurement with its prediction.

    Attributes:
        measurement: What was published.
        prediction: What the model says.
    """

    measurement: Measurement
    prediction: Prediction

    @property
    def error(self) -> float:
        """Predicted over published bandwidth, less one."""
        return self.prediction.bandwidth / self.measurement.bandwidth - 1

    @property
    def time_error(self) -> float:
        """Predicted over published time, less one."""
        return self.measurement.bandwidth / self.prediction.bandwidth - 1

    @property
    def bound_error(self) -> float:
        """The error of the time if nothing but bytes took any."""
        return self.measurement.bandwidth / self.prediction.bound - 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table of measurements with what could be predicted of it.

    Attributes:
        rows: Measurements with predictions, in the order of the table.
        skipped: Why others have none, with how many there are, by source.
    """

    rows: tuple[Compared, ...]
    skipped: Mapping[tuple[str, str], int]

    def worst(self, count: int) -> list[Compared]:
        """The rows with the largest errors."""
        return sorted(self.rows, key=lambda row: -abs(row.error))[:count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How far predictions are off over some rows; all but the counts are fractions.

    Attributes:
        rows: How many.
        mean: Mean of the absolute errors.
        median: Their median.
        bias: Mean of the errors with their signs.
        time: Mean of the absolute errors of the time.
        worst: The largest error, with its sign.
        bound: Mean of the absolute errors of the time of bytes over bandwidth alone.
    """

    rows: int
    mean: float
    median: float
    bias: float
    time: float
    worst: float
    bound: float

    @classmethod
    def of(cls, rows: Sequence[Compared]) -> "Accuracy":
        """That of some rows, at least one."""
        errors = sorted((row.error for row in rows), key=abs)
        count = len(rows)
        middle = [abs(errors[(count - 1) // 2]), abs(errors[count // 2])]
        return cls(
            rows=count,
            mean=sum(map(abs, errors)) / count,
            median=sum(middle) / 2,
            bias=sum(errors) / count,
            time=sum(abs(row.time_error) for row in rows) / count,
            worst=errors[-1],
            bound=sum(abs(row.bound_error) for row in rows) / count,
        )

    @classmethod
    def mean_of(cls, parts: Sequence["Accuracy"]) -> "Accuracy":
        """The mean over groups that count alike, however many rows each has."""

        def mean(field: Callable[[Accuracy], float]) -> float:
            return sum(map(field, parts)) / len(parts)

        return cls(
            rows=sum(part.rows for part in parts),
            mean=mean(lambda part: part.mean),
            median=mean(lambda part: part.median),
            bias=mean(lambda part: part.bias),
            time=mean(lambda part: part.time),
            worst=max((part.worst for part in parts), key=abs),
            bound=mean(lambda part: part.bound),
        )


def compare(
    measurements: Iterable[Measurement], progress: Progress | None = None
) -> Comparison:
    """Predict every measurement that says enough for it.

    Args:
        measurements: The rows of a table.
        progress: Told how many rows are done, of how many.
    """
    rows: list[Compared] = []
    skipped: dict[tuple[str, str], int] = {}
    todo = list(measurements)
    for done, measurement in enumerate(todo, start=1):
        try:
            rows.append(Compared(measurement, predict(measurement.setup)))
        except SpecError as error:
            why = measurement.source, str(error)
            skipped[why] = skipped.get(why, 0) + 1
        if progress is not None:
            progress(done, len(todo))
    return Comparison(tuple(rows), skipped)


def by(
    rows: Iterable[Compared], key: Callable[[Compared], str]
) -> dict[str, list[Compared]]:
    """Rows in groups, in the order in which the groups first appear."""
    groups: dict[str, list[Compared]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
