"""Trial: one look at one design point, and what a log keeps of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cosmic.design.design_point import DesignPoint
from cosmic.design.parameter import PointValue
from cosmic.errors import SpecError, suggest
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.objective import Objective

WORST = -math.inf  # the score of an infeasible point


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One look at one design point.

    Attributes:
        number: Its place in the study, from 0.
        point: Where was looked.
        evaluation: What was found there.
        score: How good that is, higher is better; minus infinity when infeasible.
    """

    number: int
    point: DesignPoint
    evaluation: Evaluation
    score: float

    @property
    def feasible(self) -> bool:
        """Whether nothing stands against the point."""
        return self.evaluation.feasible


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTrial:
    """A trial as a log keeps it, which takes no design space to read.

    Attributes:
        number: Its place in the study, from 0.
        digest: The digest of its design point.
        point: The values of its design point by name.
        evaluation: What was found there.
        score: How good that is, higher is better; minus infinity when infeasible.
    """

    number: int
    digest: str
    point: Mapping[str, PointValue]
    evaluation: Evaluation
    score: float


class TrialSink(Protocol):
    """Where a study records its trials, and finds those of an interrupted run."""

    @property
    def name(self) -> str:
        """What error messages call it, such as the path of a file."""
        ...

    @property
    def recorded(self) -> Sequence[RecordedTrial]:
        """The trials of earlier runs, numbered from 0 without a gap."""
        ...

    def write(self, trials: Sequence[Trial]) -> None:
        """Record the trials for good, leaving out those recorded before.

        Raises:
            StudyError: If they cannot be recorded.
        """
        ...


def score_of(evaluation: Evaluation, objective: Objective) -> float:
    """How good an evaluation is, higher is better.

    An infeasible evaluation has the worst score there is, and so has one whose
    score is not a number, so that scores can always be compared.

    Raises:
        SpecError: If the objective reads a metric that the evaluation lacks.
    """
    if not evaluation.feasible:
        return WORST
    try:
        score = objective.score(evaluation.metrics)
    except KeyError as error:
        raise SpecError(
            f"objective {objective.name!r} reads metric {error}, which was not "
            f"evaluated; {suggest(error.args[0], evaluation.metrics)}"
        ) from error
    return WORST if math.isnan(score) else score
