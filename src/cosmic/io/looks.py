"""Looks: a trial log in one go, as little of each trial as a summary takes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import override

from cosmic.evaluation.evaluation import Evaluation
from cosmic.io.line_index import LineIndex
from cosmic.io.recorded_study import LogReader, one_line_errors
from cosmic.search.trial import RecordedTrial


@dataclass(frozen=True, slots=True)
class Look:
    """What a summary takes of a feasible trial.

    Attributes:
        number: Its place in the study, from 0.
        digest: The digest of its design point.
        score: The recorded score.
        evaluation: Some of its metrics, those that were asked for.
    """

    number: int
    digest: str
    score: float
    evaluation: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """How often a constraint was broken.

    Attributes:
        constraint: Its name.
        trials: How many trials broke it.
        example: What was said of the first of them.
    """

    constraint: str
    trials: int
    example: str


class Looks(Protocol):
    """A trial log that is looked at once.

    Attributes:
        index: Where its lines are, as many as were whole when it was opened.
    """

    index: LineIndex

    def feasible(self, metrics: Sequence[str]) -> Iterator[Look]:
        """Every feasible trial, in order, with some of its metrics.

        Raises:
            StudyError: If the log is damaged.
        """
        ...

    def breaches(self) -> tuple[Breach, ...]:
        """What was broken, most often first; known when all trials were seen."""
        ...


class ReadLooks(Looks):
    """A trial log that is read line by line, which takes no further package.

    Args:
        index: Where its lines are.
    """

    def __init__(self, index: LineIndex) -> None:
        self.index = index
        self._broken: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    @override
    def feasible(self, metrics: Sequence[str]) -> Iterator[Look]:
        with one_line_errors(self.index.path):
            reader = LogReader(self.index.path)
            for trial in reader:
                if trial.number >= self.index.lines - 1:
                    return  # it was written since
                if trial.evaluation.feasible:
                    yield _look(trial, metrics)
                else:
                    self._note(trial)
            if reader.count < self.index.lines - 1:
                reader.check_sound()

    @override
    def breaches(self) -> tuple[Breach, ...]:
        found = sorted(self._broken.items(), key=lambda item: (-item[1], item[0]))
        return tuple(
            Breach(constraint=name, trials=count, example=self._examples[name])
            for name, count in found
        )

    def _note(self, trial: RecordedTrial) -> None:
        violations = trial.evaluation.violations
        self._broken.update({violation.constraint for violation in violations})
        for violation in violations:
            self._examples.setdefault(violation.constraint, violation.message)


def _look(trial: RecordedTrial, metrics: Sequence[str]) -> Look:
    had = trial.evaluation.metrics
    asked = {name: had[name] for name in metrics if name in had}
    return Look(trial.number, trial.digest, trial.score, Evaluation(asked))
