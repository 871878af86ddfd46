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
from cosmic.design.moves import IndexVector
from cosmic.design.parameter import PointValue
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import PointEvaluator
from cosmic.search.trial import WORST, RecordedTrial, score_of

_RESAMPLES = 200
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
        low: The fifth percentile of the same over trials drawn again with replacement.
        high: The ninety-fifth.
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
    """The way from one design of a space to another, the most useful change first.

    At each step every parameter that still differs is set as the best design has it,
    by itself; where a rule forbids that, with all that rules tie it to. The change
    after which the score is highest is made.

    Args:
        evaluator: Says what a design is worth.
        space: In which both lie.
        start: The design to begin with.
        best: The design to arrive at.

    Raises:
        SpecError: If one of them is not in the space.
    """
    here, there = space.vector(start), space.vector(best)
    path: list[Change] = []
    while (here != there).any():
        moves = _moves(space, here, there)
        changes = _evaluated(evaluator, space, moves)
        place = max(range(len(changes)), key=lambda i: (changes[i].score, -i))
        path.append(changes[place])
        here = moves[place][1]
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
    trials: Sequence[RecordedTrial], names: Sequence[str]
) -> tuple[Importance, ...]:
    """How much each parameter goes with the ranks of scores, the greatest first.

    The correlation ratio (eta squared) of ranks, adjusted for the number of values as
    epsilon squared is. It tells nothing of parameters that matter only together, and a
    search that soon keeps to few values of a parameter tells little of it; the interval
    shows how little.

    Args:
        trials: Of a study; infeasible ones are left out.
        names: Of the parameters.

    Reference:
        T. L. Kelley, "An unbiased correlation ratio measure", PNAS 21(9), 1935.
    """
    good = [trial for trial in trials if trial.score > WORST]
    if len(good) < 3:
        return ()
    ranks = _ranks(np.array([trial.score for trial in good]))
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(len(good), size=(_RESAMPLES, len(good)))
    found = []
    for name in names:
        groups = _groups([trial.point.get(name) for trial in good])
        shares = [_share(groups[rows], ranks[rows]) for rows in drawn]
        low, high = np.percentile(shares, [5, 95]).tolist()
        share = _share(groups, ranks)
        found.append(Importance(name=name, share=share, low=low, high=high))
    return tuple(sorted(found, key=lambda one: -one.share))


def _moves(
    space: DesignSpace, here: IndexVector, there: IndexVector
) -> list[tuple[tuple[str, ...], IndexVector]]:
    """Each parameter that differs, set as it is there, by itself if that may be."""
    found: list[tuple[tuple[str, ...], IndexVector]] = []
    for name in dict.fromkeys(gene.parameter for gene in space.gene_table):
        genes = [i for i, g in enumerate(space.gene_table) if g.parameter == name]
        if (here[genes] == there[genes]).all():
            continue
        moved = here.copy()
        moved[genes] = there[genes]
        if not space.feasible(moved):
            tied = [
                gene
                for component in space.components
                if set(component.genes) & set(genes)
                for gene in component.genes
            ]
            moved = here.copy()
            moved[tied] = there[tied]
        changed = [
            gene.parameter
            for gene, old, new in zip(space.gene_table, here, moved, strict=True)
            if old != new
        ]
        found.append((tuple(dict.fromkeys(changed)), moved))
    return found


def _evaluated(
    evaluator: PointEvaluator,
    space: DesignSpace,
    moves: Sequence[tuple[tuple[str, ...], IndexVector]],
) -> list[Change]:
    points = [space.point(vector) for _, vector in moves]
    evaluations = evaluator.evaluate(points)
    return [
        Change(
            names=names,
            point=point,
            evaluation=evaluation,
            score=score_of(evaluation, evaluator.objective),
        )
        for (names, _), point, evaluation in zip(
            moves, points, evaluations, strict=True
        )
    ]


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
