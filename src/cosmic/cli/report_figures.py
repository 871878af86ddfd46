"""The sections of a report on a study that are charts, one function each."""

from collections.abc import Mapping, Sequence

import numpy as np

from cosmic.cli.simulated import memory_parts
from cosmic.cli.studied import Studied, improvements
from cosmic.cli.wording import better, metric_text
from cosmic.evaluation.metrics import METRICS
from cosmic.report.chart_axes import Axis
from cosmic.report.page_parts import Block, Picture, Section, Table
from cosmic.report.study_charts import (
    Cloud,
    Points,
    scatter_chart,
    stacked_chart,
)
from cosmic.report.thinning import thinned
from cosmic.report.timeline_picture import timeline_svg
from cosmic.search.pareto import pareto_front
from cosmic.search.trial import RecordedTrial
from cosmic.units import format_quantity

_PARTS = {
    "compute_time": "compute",
    "exposed_tensor": "tensor-parallel communication",
    "exposed_sequence": "sequence-parallel communication",
    "exposed_data": "gradients and weights",
    "exposed_expert": "rows of experts",
    "bubble": "pipeline bubble",
    "optimizer_time": "optimizer",
}
_AGAINST = ("network_cost", "total_bandwidth", "memory")
_MOST_DOTS = 2500
_SEEN = 0.95  # of the trials are within the ends of a chart


def time_section(study: Studied) -> Section | None:
    """Where the time goes; None where nothing is known of it."""
    bars = {
        name: parts
        for name, metrics in _compared(study).items()
        if (parts := {_PARTS[m]: metrics[m] for m in _PARTS if m in metrics})
    }
    if not bars:
        return None
    chart = stacked_chart(
        "time",
        f"Stacked bars of the time of one {study.whole} by part, for the baseline and "
        f"the best design; the table below has the numbers.",
        Axis(name="time, mean over pipeline stages", unit="s"),
        bars,
    )
    words = (
        "Time in which operators are at work, and time of waiting that nothing hides: "
        "for each kind of communication, for other pipeline stages, and for the "
        "optimizer. The parts sum to the "
        f"{study.whole}."
    )
    table = _parts_table("part", bars, "s")
    return Section(
        name="time",
        title="Where the time goes",
        words=(words,),
        blocks=(chart, table, *_timeline(study)),
    )


def _timeline(study: Studied) -> list[Block]:
    """A picture of one step of the best design."""
    if study.timeline is None:
        return []
    about = (
        "One step of the best design: each pipeline stage from its start to its end, "
        "and below what is inside a layer and at the end."
    )
    return [Picture(about=about, svg=timeline_svg(study.timeline))]


def memory_section(study: Studied) -> Section | None:
    """Memory by part against the capacity; None without a feasible trial."""
    bars: dict[str, dict[str, float]] = {}
    capacity = None
    for name, found in (("baseline", study.baseline), ("best", study.inspected)):
        if found and found.footprint and found.configuration:
            parts = memory_parts(found.configuration.workload, found.footprint)
            bars[name] = {part: held for part, held in parts.items() if held > 0}
            capacity = found.configuration.system.cluster.device.memory_capacity
    if not bars:
        bars = {
            name: {"in all": metrics["memory"]}
            for name, metrics in _compared(study).items()
            if "memory" in metrics
        }
    if not bars:
        return None
    text = f"capacity {format_quantity(capacity, 'B')}" if capacity else ""
    chart = stacked_chart(
        "memory",
        "Stacked bars of the memory of the fullest device by part, against what a "
        "device has; the table below has the numbers.",
        Axis(name="memory of the fullest device", unit="B"),
        bars,
        (text, capacity) if capacity else None,
    )
    words = "What the fullest device holds at its fullest moment."
    if capacity:
        words += f" A device of the best design has {format_quantity(capacity, 'B')}."
    table = _parts_table("part", bars, "B")
    return Section(name="memory", title="Memory", words=(words,), blocks=(chart, table))


def front_section(study: Studied) -> Section | None:
    """Step time against another metric; None where there are not two that vary."""
    found = _two_metrics(study)
    if found is None:
        return None
    names, able = found
    values = _values(able, names)
    front = pareto_front(values)
    axes = (Axis(name=f"{study.whole} time", unit="s"), _metric_axis(names[1]))
    inside = np.flatnonzero((values <= _ends(study, names, values, front)).all(axis=1))
    places = {row: place for place, row in enumerate(inside.tolist())}
    kept = np.array([places[row] for row in front])
    drawn = inside[thinned(_bent(values[inside]), _MOST_DOTS, kept)]
    clouds = [
        _cloud("trials", able, values, drawn.tolist(), "dots"),
        _cloud("Pareto front", able, values, front, "line"),
        *_landmarks(study, names),
    ]
    about = (
        f"{axes[0].name} against {axes[1].name} of feasible trials; a line joins those "
        f"that no other one beats in both. The table below lists them."
    )
    chart = scatter_chart("front", about, axes, clouds)
    words = (
        f"The {len(front):,} designs on the line are beaten by no other one in both "
        f"{axes[0].name} and {axes[1].name}; lower is better on both axes. "
        f"{_drawn_text(len(drawn), len(inside))}"
    )
    if len(inside) < len(able):
        words += (
            f" The worst {len(able) - len(inside):,} in one or the other are far "
            f"outside and left out."
        )
    rows = tuple(
        (f"{able[row].number:,}", *_metric_cells(able[row], names)) for row in front
    )
    heads = ("trial", *(axis.name for axis in axes))
    table = Table(
        heads=heads, rows=rows[:200], words=(), folded=f"The front, {len(rows):,} rows"
    )
    title = f"{axes[0].name} against {axes[1].name}".capitalize()
    return Section(name="front", title=title, words=(words,), blocks=(chart, table))


def convergence_section(study: Studied) -> Section | None:
    """The best so far; None without a feasible trial."""
    able = [t for t in study.feasible if study.worth(t) is not None]
    if not able:
        return None
    values = np.array([[t.number + 1, study.worth(t)] for t in able])
    steps = list(improvements(able))
    ends = np.array([[t.number + 1, study.worth(t)] for t in steps])
    end = np.array([[len(study.trials), ends[-1][1]]])
    drawn = thinned(_bent(values), _MOST_DOTS, np.array([], dtype=np.int64)).tolist()
    texts = [f"trial {able[row].number:,}" for row in drawn]
    lines = [f"trial {t.number:,}, the best so far" for t in steps]
    clouds = [
        Cloud(name="trials", points=values[drawn], texts=texts, look="dots"),
        Cloud(
            name="best so far",
            points=np.concatenate([ends, end]),
            texts=[*lines, "the end of the study"],
            look="steps",
        ),
    ]
    name = study.worth_name
    if study.objective is not None and study.start:
        name += " than the baseline"
    chart = scatter_chart(
        "convergence",
        f"{name} of each feasible trial over the number of trials, with a line for the "
        f"best so far.",
        (Axis(name="trials", unit=""), Axis(name=name, unit="")),
        clouds,
    )
    words = (
        f"{_improved_text(steps)} of {len(study.trials):,}. {_worth_words(study)} "
        f"{_drawn_text(len(drawn), len(able))}"
    )
    return Section(
        name="convergence", title="Best so far", words=(words,), blocks=(chart,)
    )


def _compared(study: Studied) -> dict[str, Mapping[str, float]]:
    """Metrics of the baseline and of the best design, where they are known."""
    found = {"baseline": study.start} if study.start else {}
    if study.best is not None:
        found["best"] = study.best.evaluation.metrics
    return found


def _parts_table(
    head: str, bars: Mapping[str, Mapping[str, float]], unit: str
) -> Table:
    parts = dict.fromkeys(part for bar in bars.values() for part in bar)
    rows = [
        (part, *(format_quantity(bar.get(part, 0.0), unit) for bar in bars.values()))
        for part in parts
    ]
    sums = (format_quantity(sum(bar.values()), unit) for bar in bars.values())
    rows.append(("in all", *sums))
    return Table(heads=(head, *bars), rows=tuple(rows), folded="The numbers")


def _two_metrics(
    study: Studied,
) -> tuple[tuple[str, str], list[RecordedTrial]] | None:
    """The step time and what it is held against, and the trials that have both."""
    read = study.objective.metrics if study.objective else ()
    others = [name for name in dict.fromkeys((*read, *_AGAINST)) if name in _AGAINST]
    for name in others:
        names = ("runtime", name)
        able = [trial for trial in study.feasible if _has(trial, names)]
        if able and all(np.ptp(_values(able, names), axis=0) > 0):
            return names, able
    return None


def _ends(
    study: Studied, names: tuple[str, str], values: Points, front: Sequence[int]
) -> Points:
    """Where the chart ends: it holds most trials, the front and the baseline."""
    most = np.quantile(values, _SEEN, axis=0)
    ends = np.maximum(most, values[front].max(axis=0))
    if _known(study.start, names):
        ends = np.maximum(ends, [study.start[name] for name in names])
    if study.best is not None and _known(study.best.evaluation.metrics, names):
        metrics = study.best.evaluation.metrics
        ends = np.maximum(ends, [metrics[name] for name in names])
    return np.asarray(ends, dtype=np.float64)


def _landmarks(study: Studied, names: tuple[str, str]) -> list[Cloud]:
    """The baseline and the best design, where they have both metrics."""
    looks = {"baseline": "diamond", "best": "star"}
    return [
        Cloud(
            name=name,
            points=np.array([[metrics[one] for one in names]]),
            texts=(name,),
            look=looks[name],
        )
        for name, metrics in _compared(study).items()
        if _known(metrics, names)
    ]


def _has(trial: RecordedTrial, names: Sequence[str]) -> bool:
    return _known(trial.evaluation.metrics, names)


def _known(metrics: Mapping[str, float], names: Sequence[str]) -> bool:
    return all(np.isfinite(metrics.get(name, np.nan)) for name in names)


def _values(trials: Sequence[RecordedTrial], names: Sequence[str]) -> Points:
    rows = [[trial.evaluation.metrics[name] for name in names] for trial in trials]
    return np.array(rows, dtype=np.float64)


def _bent(values: Points) -> Points:
    """As they are drawn: by logarithm, where all are above 0."""
    positive = (values > 0).all(axis=0)
    return np.where(positive, np.log(np.maximum(values, 1e-300)), values)


def _cloud(
    name: str,
    trials: Sequence[RecordedTrial],
    values: Points,
    rows: Sequence[int],
    look: str,
) -> Cloud:
    texts = [f"trial {trials[row].number:,}" for row in rows]
    return Cloud(name=name, points=values[list(rows)], texts=texts, look=look)


def _metric_axis(name: str) -> Axis:
    return Axis(name=_NAMES.get(name, name), unit=METRICS[name].unit)


def _metric_cells(trial: RecordedTrial, names: Sequence[str]) -> list[str]:
    return [metric_text(name, trial.evaluation.metrics[name]) for name in names]


def _drawn_text(drawn: int, able: int) -> str:
    if drawn == able:
        return f"{able:,} feasible trials are drawn."
    return (
        f"{drawn:,} of {able:,} feasible trials are drawn, fewer where they are dense."
    )


def _improved_text(steps: Sequence[RecordedTrial]) -> str:
    last = f"trial {steps[-1].number:,}"
    if len(steps) == 1:
        return f"The first feasible trial was the best, {last}"
    return f"The study improved {len(steps) - 1:,} times, the last time at {last}"


def _worth_words(study: Studied) -> str:
    """What is drawn as how good a trial is."""
    if study.objective is None:
        return "A higher score is better."
    if study.start:
        return f"What is compared is the {study.objective.about}."
    return f"{better(study.objective).capitalize()}."


_NAMES = {
    "network_cost": "network cost",
    "total_bandwidth": "bandwidth of a device",
    "memory": "memory of the fullest device",
}
