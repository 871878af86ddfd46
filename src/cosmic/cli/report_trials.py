"""All trials of a study, as a report carries them."""

import math
from collections.abc import Callable, Sequence

from cosmic.cli.studied import Studied
from cosmic.cli.wording import genes, value_text
from cosmic.design.parameter import PointValue
from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.objective import Direction
from cosmic.evaluation.setting import SETTINGS
from cosmic.report.packing import Choices, Numbers, pack
from cosmic.search.trial import RecordedTrial

_PARTS = ("compute_time", "optimizer_time", "bubble", "hfu")  # seen in other charts
_MOST_AXES = 6  # of parameters, at first: more are hard to read
_OF_EACH = 2  # of those with a value for each dimension
_ABSENT = "–"


def packed_trials(study: Studied) -> bytes:
    """Every trial with its parameters and the metrics that people compare."""
    trials = study.trials
    if not trials:
        return b""
    value, higher = _value(study)
    metrics = [
        Numbers(name=name, unit=METRICS[name].unit, values=found)
        for name in METRICS
        if name not in _PARTS and not name.startswith("exposed_")
        if (found := _metric(trials, name)) is not None
    ]
    parameters = list(_parameters(trials))
    columns: list[Choices | Numbers] = [
        _feasible(trials),
        value,
        *metrics,
        *parameters,
        *_again(trials),
    ]
    varied = {column.name for column in parameters if len(column.texts) > 1}
    best = study.best
    about = {
        "sought": value.name,
        "higher": higher,
        "best": None if best is None else best.number,
        "axes": [*_first_axes(study, varied), *_results(study, value.name)],
        "drawn_if": "feasible" if study.feasible else None,
    }
    return pack(columns, about, len(trials))


def _value(study: Studied) -> tuple[Numbers, bool]:
    """How good each trial is, and whether higher is better."""
    worths = [
        study.worth(trial) if trial.evaluation.feasible else None
        for trial in study.trials
    ]
    values = [float("nan") if worth is None else worth for worth in worths]
    name, objective = study.worth_name, study.objective
    higher = objective is None or bool(study.start)
    if objective is not None and objective.direction is Direction.MAXIMIZE:
        higher = True
    column = name if name not in METRICS else f"{name} (value)"
    return Numbers(name=column.replace(" ", "_"), unit="", values=values), higher


def _metric(trials: Sequence[RecordedTrial], name: str) -> list[float] | None:
    if not any(name in trial.evaluation.metrics for trial in trials):
        return None
    nothing = float("nan")
    return [trial.evaluation.metrics.get(name, nothing) for trial in trials]


def _feasible(trials: Sequence[RecordedTrial]) -> Choices:
    """Whether each trial is; if not, what it breaks. The feasible ones are number 0."""
    broken = [
        tuple(dict.fromkeys(v.constraint for v in trial.evaluation.violations))
        for trial in trials
    ]
    places: dict[tuple[str, ...], int] = {(): 0}
    for one in sorted(set(broken)):
        places.setdefault(one, len(places))
    texts = ["yes" if not one else f"no: {', '.join(one)}" for one in places]
    codes = [places[one] for one in broken]
    return Choices(name="feasible", texts=texts, numbers=(), codes=codes)


def _again(trials: Sequence[RecordedTrial]) -> list[Choices]:
    """Whether an earlier trial was of the same design; nothing if none ever was."""
    seen: set[str] = set()
    codes = []
    for trial in trials:
        codes.append(int(trial.digest in seen))
        seen.add(trial.digest)
    if not any(codes):
        return []
    return [Choices(name="again", texts=("no", "yes"), numbers=(), codes=codes)]


def _parameters(trials: Sequence[RecordedTrial]) -> Sequence[Choices]:
    """A column for each single value, such as `topology[0]`."""
    longest: dict[str, int] = {}  # -1 for a single value
    for trial in trials:
        for name, value in trial.point.items():
            length = len(value) if isinstance(value, tuple) else -1
            longest[name] = max(length, longest.get(name, -1))
    columns = []
    for name, length in longest.items():
        if length < 0:
            columns.append(_choices(name, name, trials, _single))
        for index in range(max(0, length)):
            columns.append(_choices(name, f"{name}[{index}]", trials, _element(index)))
    return columns


def _single(value: PointValue | None) -> PointValue | None:
    return value


def _element(index: int) -> Callable[[PointValue | None], PointValue | None]:
    def element(value: PointValue | None) -> PointValue | None:
        if not isinstance(value, tuple):
            return value
        return value[index] if index < len(value) else None

    return element


def _choices(
    name: str,
    shown: str,
    trials: Sequence[RecordedTrial],
    part: Callable[[PointValue | None], PointValue | None],
) -> Choices:
    found = [part(trial.point.get(name)) for trial in trials]
    # of different kinds, such as 1 and True, two values may be equal and read otherwise
    keyed = [(type(value), value) for value in found]
    different = sorted(dict.fromkeys(keyed), key=lambda pair: _order(pair[1]))
    places = {pair: place for place, pair in enumerate(different)}
    values = [value for _, value in different]
    numeric = all(_is_number(value) for value in values)
    return Choices(
        name=shown,
        texts=[_ABSENT if v is None else value_text(name, v) for v in values],
        numbers=[float(str(value)) for value in values] if numeric else (),
        codes=[places[pair] for pair in keyed],
        unit=SETTINGS[name].unit if name in SETTINGS else "",
    )


def _is_number(value: PointValue | None) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and math.isfinite(float(str(value)))


def _order(value: PointValue | None) -> tuple[int, float, str]:
    """Numbers by size, then words, then what is absent."""
    if value is None:
        return 2, 0.0, ""
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value)


def _first_axes(study: Studied, varied: set[str]) -> list[str]:
    """The parameters that matter most, in the order of the study."""
    point = study.trials[0].point
    ranked = [share.name for share in study.shares if share.name in point]
    by_weight: list[str] = []
    for name in [*ranked, *(n for n in point if n not in ranked)]:
        mine = [gene for gene, _ in genes({name: point[name]}) if gene in varied]
        by_weight += mine[:_OF_EACH]
    chosen = set(by_weight[:_MOST_AXES])
    return [gene for gene, _ in genes(point) if gene in chosen]


def _results(study: Studied, value: str) -> list[str]:
    """What came out, the value that was sought last."""
    had = {name for trial in study.feasible[:1] for name in trial.evaluation.metrics}
    read = study.objective.metrics if study.objective else ("runtime",)
    names = [name for name in dict.fromkeys(("runtime", *read)) if name in had]
    alone = len(read) == 1 and read[0] in names
    return names if alone else [*names, value]
