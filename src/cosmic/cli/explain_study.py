"""`cosmic explain LOG`: why the best design of a study is the best."""

from collections.abc import Iterator, Mapping

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.cli.gains import where_gain_comes_from
from cosmic.cli.studied import Studied, studied
from cosmic.cli.wording import (
    changed_genes,
    gain,
    percent,
    ratio_text,
    value_of_objective,
    value_text,
)
from cosmic.design.parameter import PointValue
from cosmic.errors import StudyError
from cosmic.evaluation.objective import Objective
from cosmic.io.trial_log import read_trial_log
from cosmic.search.trial import RecordedTrial
from cosmic.search.understanding import Alternative, Change

_NEGLIGIBLE = 0.005  # a change of the value by less is none
_SHARE_SHOWN = 0.005


def explain_study(log: str, reference: str | None, *, as_json: bool) -> None:
    """Explain the best design of a trial log.

    Args:
        log: The file.
        reference: Its scenario, where that is no preset.
        as_json: Whether to print JSON.

    Raises:
        StudyError: The log cannot be read, has no feasible trial, or is of another
            scenario.
        SpecError: The scenario cannot be read.
    """
    found = studied(read_trial_log(log), log, reference)
    if found.scenario is None:
        raise StudyError(f"{log}: {found.why_none}")
    if found.best is None:
        count = len(found.trials)
        raise StudyError(f"{log}: none of the {count:,} trials is feasible")
    with patience(remark):
        started = bool(found.start)
    if not started:
        raise StudyError(f"{log}: its baseline cannot be simulated, to start from")
    objective = found.scenario.objective
    if as_json:
        write_json(_document(found, objective, found.best))
    else:
        _show(found, objective, found.best)


def _show(found: Studied, objective: Objective, best: RecordedTrial) -> None:
    metrics = best.evaluation.metrics
    value = value_of_objective(objective, metrics)
    times = ratio_text(gain(objective, found.start, metrics))
    reason = where_gain_comes_from(objective, found.start, metrics)
    say(
        f"{found.log}: the best of {len(found.trials):,} trials is number "
        f"{best.number:,}, with {objective.name} of {value}, {times} times better than "
        f"the baseline. Against that, {reason}"
    )
    say("What each change gained, from the baseline on, the most useful one first:")
    for number, line in enumerate(_path_lines(found, objective), 1):
        say(f"{number:3}. {line}")
    _show_others(found, objective, best)
    show_table(
        "How much of the differences between the trials' ranks goes with a parameter",
        ("parameter", "share", "90 % interval"),
        [
            (one.name, percent(one.share), f"{percent(one.low)} .. {percent(one.high)}")
            for one in found.shares
            if one.share >= _SHARE_SHOWN
        ],
    )
    say(
        "Shares are of these trials: where an agent has settled on some values, what "
        "changed on its way there counts as well. Of trials drawn at random "
        "(--agent random) they are of the space."
    )


def _path_lines(found: Studied, objective: Objective) -> Iterator[str]:
    assert found.scenario is not None
    before, idle = found.start, list[str]()
    last: dict[str, PointValue] = dict(found.scenario.baseline)
    for change in found.path:
        words = ", ".join(
            f"{name} {value_text(name, last[name])} -> "
            f"{value_text(name, change.point[name])}"
            for name in change.names
        )
        last |= change.point
        if not change.evaluation.feasible:
            yield f"{words}: not feasible by itself, for {_why(change)}"
            continue
        after = change.evaluation.metrics
        times = gain(objective, before, after)
        if times is not None and abs(times - 1) < _NEGLIGIBLE:
            idle += change.names
        else:
            in_all = ratio_text(gain(objective, found.start, after))
            reason = where_gain_comes_from(objective, before, after)
            yield f"{words}: {ratio_text(times)} x, {in_all} x in all; {reason}"
        before = after
    if idle:
        yield f"{', '.join(idle)}: no difference"


def _why(found: Change | Alternative) -> str:
    return found.evaluation.violations[0].message


def _show_others(found: Studied, objective: Objective, best: RecordedTrial) -> None:
    """What other choices would cost, the dearest parameter first."""
    by_name: dict[str, list[Alternative]] = {}
    for other in found.others:  # best first
        by_name.setdefault(next(iter(other.changed)), []).append(other)
    rows, indifferent = [], []
    for name, others in by_name.items():
        losses = [_loss(found, objective, best, other) for other in others]
        if all(loss == "the same" for loss in losses):
            indifferent.append(name)
            continue
        cells = [
            (_instead(best.point, other), _loss(found, objective, best, other))
            for other in (others[0], others[-1])
        ]
        rows.append((others[0].score, (name, *cells[0], *cells[1])))
    show_table(
        "If one thing were chosen otherwise, the dearest first",
        ("parameter", "least harm", "worse by", "most harm", "worse by"),
        [row for _, row in sorted(rows, key=lambda pair: pair[0])],
        words=(1, 3),
    )
    if indifferent:
        say(f"One step of {', '.join(indifferent)} makes no difference here.")


def _instead(best: Mapping[str, PointValue], other: Alternative) -> str:
    rows = changed_genes([best, {**best, **other.changed}])
    return "; ".join(f"{name} {old} -> {new}" for name, old, new in rows)


def _loss(
    found: Studied, objective: Objective, best: RecordedTrial, other: Alternative
) -> str:
    if not other.evaluation.feasible:
        return "infeasible"
    times = gain(objective, other.evaluation.metrics, best.evaluation.metrics)
    if times is None:
        return "-"
    if abs(times - 1) < _NEGLIGIBLE:
        return "the same"
    if times < 1:
        return f"{ratio_text(1 / times)} x better"
    return f"{ratio_text(times)} x"


def _document(
    found: Studied, objective: Objective, best: RecordedTrial
) -> dict[str, object]:
    assert found.scenario is not None
    metrics = best.evaluation.metrics
    return {
        "scenario": found.scenario.name,
        "objective": objective.name,
        "trial": best.number,
        "design": dict(best.point),
        "times_better": gain(objective, found.start, metrics),
        "because": where_gain_comes_from(objective, found.start, metrics),
        "path": [
            {
                "changed": {name: change.point[name] for name in change.names},
                "feasible": change.evaluation.feasible,
                "times_better": gain(objective, found.start, change.evaluation.metrics),
                "metrics": dict(change.evaluation.metrics),
            }
            for change in found.path
        ],
        "alternatives": [
            {
                "changed": dict(other.changed),
                "feasible": other.evaluation.feasible,
                "worse_by": gain(objective, other.evaluation.metrics, metrics),
            }
            for other in found.others
        ],
        "importances": [
            {"name": one.name, "share": one.share, "low": one.low, "high": one.high}
            for one in found.shares
        ],
    }
