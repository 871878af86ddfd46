"""`cosmic pareto`: the designs of a study that no other one beats in everything."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.cli.wording import better, metric_text
from cosmic.errors import SpecError, StudyError, UnknownNameError
from cosmic.evaluation.objective import OBJECTIVES, Direction, Objective, Term
from cosmic.io.trial_log import read_trial_log
from cosmic.search.pareto import Values, hypervolume, knee, pareto_front
from cosmic.search.trial import RecordedTrial

_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoRequest:
    """What `cosmic pareto` is asked for.

    Attributes:
        log: A trial log.
        objectives: Names of objectives or metrics, separated by commas.
        plot: Where to draw a picture.
        as_json: Whether to print JSON.
    """

    log: str
    objectives: str
    plot: str
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Front:
    """The trials that no other one beats, in the order of the first objective.

    Attributes:
        objectives: What is sought.
        tried: Values of all feasible trials, lower is better.
        trials: Those of the front.
        values: Theirs, row by row.
        knee: Which of them; None if there is no middle.
    """

    objectives: tuple[Objective, ...]
    tried: Values
    trials: tuple[RecordedTrial, ...]
    values: Values
    knee: int | None

    @property
    def reference(self) -> list[float]:
        """The worst that was tried of each objective."""
        worst: list[float] = self.tried.max(axis=0).tolist()
        return worst

    @property
    def share(self) -> float:
        """What the front beats of the box from the best of each to the worst of each.

        On a logarithmic scale where all values are above 0, as for the knee.
        """
        both = np.concatenate([self.values, self.tried])
        scaled = np.log(both) if (both > 0).all() else both
        low, high = scaled.min(axis=0), scaled.max(axis=0)
        box = float(np.prod(high - low))
        return hypervolume(scaled[: len(self.values)], high) / box if box else 1.0


def show_front(request: ParetoRequest) -> None:
    """Print the front of a trial log.

    Raises:
        StudyError: The log cannot be read, or no trial of it is feasible.
        SpecError: Something in the request cannot be right.
    """
    recorded = read_trial_log(request.log).trials
    feasible = [trial for trial in recorded if trial.evaluation.feasible]
    if not feasible:
        raise StudyError(f"{request.log}: none of {len(recorded):,} trials is feasible")
    objectives = _objectives(request.objectives, feasible)
    needed = {name for objective in objectives for name in objective.metrics}
    able = [t for t in feasible if needed <= t.evaluation.metrics.keys()]
    if not able:
        raise StudyError(
            f"{request.log}: no feasible trial has all of {', '.join(sorted(needed))}"
        )
    if len(able) < len(feasible):
        missing = f"{len(feasible) - len(able):,} of {len(feasible):,}"
        remark(f"left out: {missing} feasible trials, which lack one of the metrics")
    found = _front(able, objectives)
    if request.plot:
        _draw(found, request)
    if request.as_json:
        write_json(_document(found))
    else:
        _show(found, request.log)


def _objectives(text: str, feasible: Sequence[RecordedTrial]) -> tuple[Objective, ...]:
    names = list(dict.fromkeys(n.strip() for n in text.split(",") if n.strip()))
    if len(names) < 2:
        raise SpecError(f"--objectives {text}: name at least two, as runtime,memory")
    metrics = dict.fromkeys(m for trial in feasible for m in trial.evaluation.metrics)
    return tuple(_objective(name, metrics) for name in names)


def _objective(name: str, metrics: Collection[str]) -> Objective:
    """The metric of a name, lower being better, or else the objective."""
    if name in metrics:
        return Objective(name=name, terms=(Term((name,)),))
    if name in OBJECTIVES:
        return OBJECTIVES[name]
    raise UnknownNameError("objective or metric", name, [*OBJECTIVES, *metrics])


def _front(
    feasible: Sequence[RecordedTrial], objectives: tuple[Objective, ...]
) -> _Front:
    tried = np.array([[_low(o, trial) for o in objectives] for trial in feasible])
    rows = pareto_front(tried)
    return _Front(
        objectives=objectives,
        tried=tried,
        trials=tuple(feasible[row] for row in rows),
        values=tried[rows],
        knee=knee(tried[rows]),
    )


def _low(objective: Objective, trial: RecordedTrial) -> float:
    """The objective's value, so turned that lower is better."""
    value = objective.value(trial.evaluation.metrics)
    return -value if objective.direction is Direction.MAXIMIZE else value


def _show(found: _Front, log: str) -> None:
    say(
        f"{log}: {len(found.trials)} of {len(found.tried):,} feasible trials are on "
        f"the Pareto front; it beats {found.share:.1%} of the box from the best to "
        f"the worst that was tried"
    )
    columns = ["trial", *(f"{o.name} ({better(o)})" for o in found.objectives), ""]
    rows = [
        (
            str(trial.number),
            *(_text(objective, trial) for objective in found.objectives),
            "knee" if place == found.knee else "",
        )
        for place, trial in enumerate(found.trials)
    ]
    places = np.unique(np.linspace(0, len(rows) - 1, _SHOWN).round().astype(int))
    chosen = sorted({*places.tolist(), *([] if found.knee is None else [found.knee])})
    show_table("Pareto front", columns, [rows[place] for place in chosen])
    if len(chosen) < len(rows):
        say(f"  ({len(chosen)} of {len(rows)} shown; all of them with --json)")


def _text(objective: Objective, trial: RecordedTrial) -> str:
    metrics = trial.evaluation.metrics
    if len(objective.metrics) == 1:
        [name] = objective.metrics
        return metric_text(name, metrics[name])
    return f"{objective.value(metrics):.4g}"


def _draw(found: _Front, request: ParetoRequest) -> None:
    from cosmic.report.search_figures import front_figure  # noqa: PLC0415 - an extra

    if len(found.objectives) != 2:
        raise SpecError("--plot draws two objectives; name two with --objectives")
    first, second = found.objectives
    pairs = [(float(a), float(b)) for a, b in np.abs(found.tried)]
    front = [(float(a), float(b)) for a, b in np.abs(found.values)]
    names = (first.about or first.name, second.about or second.name)
    front_figure(request.log, names, pairs, front, request.plot)


def _document(found: _Front) -> Mapping[str, object]:
    return {
        "objectives": [objective.name for objective in found.objectives],
        "feasible": len(found.tried),
        "hypervolume": hypervolume(found.values, found.reference),
        "hypervolume_share": found.share,
        "reference": np.abs(found.reference).tolist(),
        "knee": None if found.knee is None else found.trials[found.knee].number,
        "front": [
            {
                "trial": trial.number,
                "values": np.abs(values).tolist(),
                "metrics": trial.evaluation.metrics,
                "design": trial.point,
            }
            for trial, values in zip(found.trials, found.values, strict=True)
        ],
    }
