"""Tables of designs: how good they are, and what changed against the baseline."""

from collections.abc import Mapping, Sequence

from cosmic.cli.console import say, show_table, stdout
from cosmic.cli.wording import (
    Values,
    better,
    changed,
    changed_genes,
    gain,
    metric_text,
    objective_value,
    ratio_text,
    value_of_objective,
)
from cosmic.evaluation.objective import Objective
from cosmic.evaluation.scenario import Scenario
from cosmic.search.trial import Trial

_HEADS = {
    "runtime": "step time",
    "tokens_per_second": "tokens",
    "total_bandwidth": "bandwidth",
}
_BETWEEN = 2  # characters between two columns
_DEGREES = ("dp", "pp", "sp", "tp")  # shown first, though tp is derived


def show_best(
    scenario: Scenario, best: Sequence[Trial], baseline: Mapping[str, float]
) -> None:
    """Print the best designs, how good they are and what they changed.

    Args:
        scenario: Whose designs they are.
        best: Best first; at least one.
        baseline: Metrics of the baseline.
    """
    objective = scenario.objective
    metrics = shown_metrics(objective)
    rows = [
        (
            name,
            *(metric_text(m, found[m]) if m in found else "-" for m in metrics),
            value_of_objective(objective, found),
            ratio_text(gain(objective, baseline, found)),
        )
        for name, found in (
            ("baseline", baseline),
            *(
                (f"{n}, trial {t.number}", t.evaluation.metrics)
                for n, t in _ranked(best)
            ),
        )
    ]
    columns = ("design", *map(metric_head, metrics), "value", "times better")
    title = f"Best designs by {objective.name}: {objective.about}, {better(objective)}"
    show_table(title, columns, rows)
    show_changes(scenario, [(str(rank), trial) for rank, trial in _ranked(best)])


def show_changes(scenario: Scenario, designs: Sequence[tuple[str, Trial]]) -> None:
    """Print what designs changed against the baseline, as many as there is room for.

    Args:
        scenario: Whose designs they are.
        designs: Each with its name.
    """
    values = scenario.space.parameter_set.values
    compared = [scenario.baseline, *(trial.point for _, trial in designs)]
    heads = ("", "baseline", *(name for name, _ in designs))
    rows = changed_genes([values(point) for point in compared])
    fitting = _columns_that_fit([heads, *rows])
    rows = changed_genes([values(point) for point in compared[: fitting - 1]])
    rows.sort(key=lambda row: _place(row[0]))
    title = "What changed against the baseline"
    show_table(title, heads[:fitting], rows, words=range(fitting))
    if fitting < len(heads):
        say("  (the other designs need a wider screen, or --json)")


def shown_metrics(objective: Objective) -> tuple[str, ...]:
    """The step time, and whatever else an objective reads."""
    return tuple(dict.fromkeys(("runtime", *objective.metrics)))


def trial_document(
    scenario: Scenario, trial: Trial, baseline: Mapping[str, float]
) -> dict[str, object]:
    """A trial as JSON can hold it."""
    metrics = trial.evaluation.metrics
    values = scenario.space.parameter_set.values
    changes = changed(values(scenario.baseline), values(trial.point))
    return {
        "number": trial.number,
        "digest": trial.point.digest,
        "value": objective_value(scenario.objective, metrics),
        "score": trial.score,
        "times_better": gain(scenario.objective, baseline, metrics),
        "metrics": metrics,
        "design": values(trial.point),
        "changed": {n: {"from": a, "to": b} for n, (a, b) in changes.items()},
    }


def baseline_document(
    scenario: Scenario, metrics: Mapping[str, float], violations: Sequence[str]
) -> dict[str, object]:
    """The baseline as JSON can hold it."""
    values: Values = scenario.space.parameter_set.values(scenario.baseline)
    return {
        "value": objective_value(scenario.objective, metrics),
        "metrics": metrics,
        "violations": violations,
        "design": values,
    }


def _place(gene: str) -> int:
    return _DEGREES.index(gene) if gene in _DEGREES else len(_DEGREES)


def _columns_that_fit(rows: Sequence[Sequence[str]]) -> int:
    """How many columns the screen has room for, three at least."""
    widths = [max(map(len, column)) + _BETWEEN for column in zip(*rows, strict=True)]
    room = stdout().width
    fitting = sum(sum(widths[: n + 1]) <= room for n in range(len(widths)))
    return max(3, fitting)


def _ranked(best: Sequence[Trial]) -> list[tuple[int, Trial]]:
    return list(enumerate(best, start=1))


def metric_head(metric: str) -> str:
    """A metric as the head of a column."""
    return _HEADS.get(metric, metric.replace("_", " "))
