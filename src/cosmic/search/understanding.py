"""Why a design is good: what each change gained, what each choice costs, what matters.

Three questions of a finished study. Which of the changes against the baseline gained
what: a path from one to the other, a change at a time, the best first. What happens if
one parameter of the best design is chosen otherwise. And, over all trials, how much of
the differences between designs goes with a parameter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import PointValue
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import PointEvaluator
from cosmic.search.trial import WORST, RecordedTrial, Trial, score_of

_HALVES = 200
_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step from a design towards another.

    Attributes:
        names: Parameters that changed together; several where rules tie them.
        point: The design after it.
        evaluation: What it is worth.
        score: Higher is better; minus infinity where it is infeasible.
    """

    names: tuple[str, ...]
    point: DesignPoint
    evaluation: Evaluation
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """The best design with something chosen otherwise.

    Attributes:
        changed: Parameter to the value that it has instead.
        evaluation: What that is worth.
        score: Higher is better; minus infinity where it is infeasible.
    """

    changed: Mapping[str, PointValue]
    evaluation: Evaluation
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How much of the differences between trials goes with a parameter.

    Attributes:
        name: Of the parameter.
        share: Of the variance of the ranks of scores, that between the values of the
            parameter, less what as many groups would have by chance; from 0 to 1.
        low: Of its 90 % interval.
        high: Of the same.
    """

    name: str
    share: float
    low: float
    high: float


def ablation_path(
    evaluator: PointEvaluator,
    space: DesignSpace,
    start: Mapping[str, PointValue],
    best: Mapping[str, PointValue],
) -> tuple[Change, ...]:
    """The way from one design to another, the most useful change first.

    At each step every parameter that still differs is set as the best design has it,
    by itself; where a rule forbids that, with all that rules tie it to. The change
    after which the score is highest is made.

    Args:
        evaluator: Says what a design is worth.
        space: Whose rules hold on the way.
        start: The design to begin with; it may have values that the space does not
            offer.
        best: The design to arrive at, with a value for each parameter of the other.
    """
    here, there = dict(start), {name: best[name] for name in start}
    tied = _tied(space)
    path: list[Change] = []
    while here != there:
        moves = _moves(space, here, there, tied)
        points = [DesignPoint({**here, **move}) for move in moves]
        found = evaluator.evaluate(points)
        scores = [score_of(one, evaluator.objective) for one in found]
        place = max(range(len(moves)), key=lambda i: (scores[i], -i))
        path.append(
            Change(
                names=tuple(moves[place]),
                point=points[place],
                evaluation=found[place],
                score=scores[place],
            )
        )
        here |= moves[place]
    return tuple(path)


def alternatives(
    evaluator: PointEvaluator, space: DesignSpace, best: Mapping[str, PointValue]
) -> tuple[Alternative, ...]:
    """The designs one move away from one of a space, best first.

    Args:
        evaluator: Says what a design is worth.
        space: In which it lies.
        best: The design.

    Raises:
        SpecError: If it is not in the space.
    """
    center = space.vector(best)
    points = space.points(space.neighbors(center))
    found = evaluator.evaluate(points) if points else ()
    middle = space.point(center)
    each = [
        Alternative(
            changed={
                name: value for name, value in point.items() if value != middle[name]
            },
            evaluation=evaluation,
            score=score_of(evaluation, evaluator.objective),
        )
        for point, evaluation in zip(points, found, strict=True)
    ]
    return tuple(sorted(each, key=lambda one: -one.score))


def importances(
    trials: Sequence[RecordedTrial | Trial], names: Sequence[str]
) -> tuple[Importance, ...]:
    """How much each parameter goes with the ranks of scores, the greatest first.

    The correlation ratio (eta squared) of ranks, adjusted for the number of values as
    epsilon squared is. It tells nothing of parameters that matter only together, and a
    search that soon keeps to few values of a parameter tells little of it; the interval
    shows how little.

    Args:
        trials: Of a study; infeasible ones are left out.
        names: Of the parameters.

    The interval is that of halves of the trials, drawn at random without putting back,
    which scatter about the whole as wholes would about the truth. Halves with no more
    trials than values tell nothing; where there are few others, it is from 0 to 1.

    Reference:
        T. L. Kelley, "An unbiased correlation ratio measure", PNAS 21(9), 1935; J. Shao
        and C. F. J. Wu, "A general theory for jackknife variance estimation", Annals of
        Statistics 17(3), 1989 (deleting half).
    """
    good = [trial for trial in trials if trial.score > WORST]
    if len(good) < 3:
        return ()
    ranks = _ranks(np.array([trial.score for trial in good]))
    rng = np.random.default_rng(_SEED)
    orders = rng.random((_HALVES, len(good))).argsort(axis=1)
    halves = orders[:, : len(good) // 2]
    found = []
    for name in names:
        groups = _groups([trial.point.get(name) for trial in good])
        share = _share(groups, ranks)
        told = [rows for rows in halves if len(rows) > len(np.unique(groups[rows]))]
        shares = [_share(groups[rows], ranks[rows]) for rows in told]
        low, high = np.percentile([0.0, 1.0, *shares], [5, 95]).tolist()
        found.append(
            Importance(
                name=name, share=share, low=min(low, share), high=max(high, share)
            )
        )
    return tuple(sorted(found, key=lambda one: -one.share))


def _tied(space: DesignSpace) -> dict[str, set[str]]:
    """For each parameter those that rules tie it to, itself included."""
    groups = [
        {space.gene_table[gene].parameter for gene in component.genes}
        for component in space.components
        if component.rules
    ]
    found: dict[str, set[str]] = {}
    for group in groups:
        for name in group:
            found[name] = found.get(name, {name}) | group
    return found


def _moves(
    space: DesignSpace,
    here: dict[str, PointValue],
    there: dict[str, PointValue],
    tied: Mapping[str, set[str]],
) -> list[dict[str, PointValue]]:
    """Each parameter that differs, set as it is there, by itself if that may be."""
    known = len(space.violations(here))
    found: list[dict[str, PointValue]] = []
    for name, value in here.items():
        if value == there[name]:
            continue
        move = {name: there[name]}
        if len(space.violations({**here, **move})) > known:
            together = tied.get(name, {name})
            move = {n: there[n] for n in here if n in together and here[n] != there[n]}
        if move not in found:
            found.append(move)
    return found


def _ranks(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From 0 up; equals share the middle of theirs."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middles: npt.NDArray[np.float64] = (ends - (counts + 1) / 2)[places]
    return middles


def _groups(values: Sequence[PointValue | None]) -> npt.NDArray[np.int64]:
    """A number for each value, equal where values are."""
    numbers: dict[PointValue | None, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values])


def _share(groups: npt.NDArray[np.int64], ranks: npt.NDArray[np.float64]) -> float:
    """The adjusted correlation ratio of ranks within groups, at least 0."""
    _, places = np.unique(groups, return_inverse=True)
    sizes = np.bincount(places)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    free = len(ranks) - len(sizes)
    if total == 0 or free <= 0 or len(sizes) == 1:
        return 0.0
    means = np.bincount(places, weights=ranks) / sizes
    within = float(((ranks - means[places]) ** 2).sum())
    adjusted = 1 - within / total * (len(ranks) - 1) / free
    return max(0.0, adjusted)
