"""What a study came to, from its log alone, however long that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cosmic.errors import CosmicError
from cosmic.evaluation.objective import OBJECTIVES, Objective, objective_named
from cosmic.io.line_index import LineIndex
from cosmic.io.looks import Breach, Look, Looks, ReadLooks
from cosmic.io.recorded_study import one_line_errors, read_header
from cosmic.io.trial_record import decode_trial
from cosmic.search.leaders import Leaders, Milestone
from cosmic.search.trial import RecordedTrial, score_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySummary:
    """What a study came to.

    Attributes:
        header: All that its trials depend on.
        objective: What the designs are ranked by; None if its name is not known,
            when the recorded scores rank them.
        trials: How many there are.
        feasible: How many of them are feasible.
        milestones: The best after 1, 10, 100, ... trials, and after all.
        leaders: The trials that milestones and `top` name, by number.
        top: Numbers of the best trials of different points, best first.
        breaches: What was broken, most often first.
        unfinished: Bytes of a last line that is not whole: it is being written, or
            was cut off.
    """

    header: Mapping[str, object]
    objective: Objective | None
    trials: int
    feasible: int
    milestones: tuple[Milestone, ...]
    leaders: Mapping[int, RecordedTrial]
    top: tuple[int, ...]
    breaches: tuple[Breach, ...]
    unfinished: int


def summarize_study(
    path: str | Path, objective: str | None = None, top: int = 5
) -> StudySummary:
    """Summarize a trial log, which may be in use.

    With DuckDB, a million trials take seconds; without it, a minute or two.

    Args:
        path: A trial log.
        objective: Name of a built-in objective to rank by, if not the study's own;
            as `Study.top` does, it passes over trials without a metric that it reads.
        top: How many of the best designs are given.

    Raises:
        StudyError: If the log is damaged.
        UnknownNameError: If no objective has that name.
        SpecError: If the objective reads a metric that no trial has.
    """
    path = Path(path)
    asked = objective_named(objective) if objective else None
    with one_line_errors(path):
        header = read_header(path)
        looks = open_looks(path)
        leaders = Leaders(top)
        feasible = _rank(looks, asked, leaders)
        trials = looks.index.lines - 1
        milestones = leaders.milestones(trials)
        scores = leaders.scores() | {
            m.best: m.score for m in milestones if m.best is not None
        }
        return StudySummary(
            header=header,
            objective=asked or OBJECTIVES.get(str(header.get("objective"))),
            trials=trials,
            feasible=feasible,
            milestones=milestones,
            leaders={
                n: replace(_trial(looks.index, n), score=s) for n, s in scores.items()
            },
            top=leaders.top,
            breaches=looks.breaches(),
            unfinished=looks.index.rest,
        )


def open_looks(path: Path) -> Looks:
    """Open a trial log; with DuckDB, where it is there, for that is much faster.

    Raises:
        StudyError: If the file is damaged or no trial log.
    """
    try:
        from cosmic.io.table_looks import TableLooks
    except CosmicError:
        return ReadLooks(LineIndex.of(path))
    return TableLooks(path)


def _rank(looks: Looks, objective: Objective | None, leaders: Leaders) -> int:
    """Show the feasible trials to the leaders; how many there are."""
    needed: Sequence[str] = objective.metrics if objective else ()
    count, able, unable = 0, False, None
    for look in looks.feasible(needed):
        count += 1
        if len(look.evaluation.metrics) < len(needed):
            unable = unable or look
            continue
        able = True
        score = score_of(look.evaluation, objective) if objective else look.score
        leaders.see(look.number, look.digest, score)
    if objective and unable and not able:
        _say_what_lacks(looks.index, unable, objective)
    return count


def _say_what_lacks(index: LineIndex, look: Look, objective: Objective) -> None:
    """Raise what scoring the trial raises, which lacks a metric."""
    score_of(_trial(index, look.number).evaluation, objective)


def _trial(index: LineIndex, number: int) -> RecordedTrial:
    return decode_trial(index.line(number + 1), number)
