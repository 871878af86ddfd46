"""Numbers, values and designs as people read them."""

from collections.abc import Iterator, Mapping, Sequence

from cosmic.design.parameter import PointValue, Value
from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.objective import Direction, Objective
from cosmic.evaluation.setting import SETTINGS
from cosmic.units import format_quantity
from cosmic.workload.inference import Task
from cosmic.workload.workload import Workload

Values = Mapping[str, PointValue]
"""Settings, parameters and derived values by name."""

SCORE_UNITS = {metric.name: metric.unit for metric in METRICS.values()}


def value_text(name: str, value: PointValue) -> str:
    """The value of a setting, with its unit.

    >>> value_text("bandwidth", (5e10, 2e11)), value_text("recompute", "full")
    ('[50 GB/s, 200 GB/s]', 'full')
    """
    if isinstance(value, tuple):
        return f"[{', '.join(_element_text(name, element) for element in value)}]"
    return _element_text(name, value)


def _element_text(name: str, value: Value) -> str:
    unit = SETTINGS[name].unit if name in SETTINGS else ""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value
        case _ if unit:
            return format_quantity(value, unit)
        case _:
            return f"{value:g}" if isinstance(value, float) else str(value)


def metric_text(name: str, value: float) -> str:
    """A metric, with its unit.

    >>> metric_text("runtime", 619.89), metric_text("tokens_per_second", 6766.19)
    ('620 s', '6,766 1/s')
    """
    unit = METRICS[name].unit if name in METRICS else ""
    if unit == "1/s":
        return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return format_quantity(value, unit)


def percent(share: float) -> str:
    """A share of one.

    >>> percent(0.7458)
    '74.6 %'
    """
    return f"{100 * share:.1f} %"


def ratio_text(ratio: float | None) -> str:
    """How many times better one thing is than another.

    >>> ratio_text(19.276), ratio_text(131.2), ratio_text(None)
    ('19.28', '131', '-')
    """
    if ratio is None:
        return "-"
    return f"{ratio:.2f}" if ratio < 100 else f"{ratio:,.0f}"


def gain(
    objective: Objective, before: Mapping[str, float], after: Mapping[str, float]
) -> float | None:
    """How many times better the second is; None where either has not been measured."""
    if not all(name in before and name in after for name in objective.metrics):
        return None
    old, new = objective.value(before), objective.value(after)
    if objective.direction is Direction.MAXIMIZE:
        old, new = new, old
    return old / new if new else None


def objective_value(objective: Objective, metrics: Mapping[str, float]) -> float | None:
    """The number that an objective compares; None where it has not been measured."""
    if not all(name in metrics for name in objective.metrics):
        return None
    return objective.value(metrics)


def value_of_objective(objective: Objective, metrics: Mapping[str, float]) -> str:
    """The number that an objective compares, as a table shows it."""
    value = objective_value(objective, metrics)
    return "-" if value is None else f"{value:.4g}"


def better(objective: Objective) -> str:
    """Which way the objective's value is better, for the head of a column."""
    maximize = objective.direction is Direction.MAXIMIZE
    return "higher is better" if maximize else "lower is better"


def genes(values: Values) -> Iterator[tuple[str, str]]:
    """Every single value with its name, such as `topology[0]`, as text."""
    for name, value in values.items():
        if isinstance(value, tuple):
            for index, element in enumerate(value):
                yield f"{name}[{index}]", _element_text(name, element)
        else:
            yield name, _element_text(name, value)


def changed_genes(designs: Sequence[Values]) -> list[tuple[str, ...]]:
    """Every single value in which designs differ from the first: a row for each.

    A row holds the name, the first design's value and those of the others: a dot where
    it is the same, a dash where there is no such dimension.

    >>> changed_genes([{"dp": 4, "size": (2, 4)}, {"dp": 4, "size": (8,)}])
    [('size[0]', '2', '8'), ('size[1]', '4', '-')]
    """
    columns = [dict(genes(design)) for design in designs]
    rows = []
    for name in _all_names(designs):
        old, *others = (column.get(name, "-") for column in columns)
        if any(new != old for new in others):
            rows.append((name, old, *("." if new == old else new for new in others)))
    return rows


def _all_names(designs: Sequence[Values]) -> Iterator[str]:
    """The names of all single values, vectors as far as the longest design has them."""
    for name in dict.fromkeys(name for design in designs for name in design):
        values = [design[name] for design in designs if name in design]
        yield from dict(genes({name: max(values, key=_length)}))


def _length(value: PointValue) -> int:
    return len(value) if isinstance(value, tuple) else 1


def work_text(workload: Workload) -> str:
    """What a step, a pass or a request takes, for people."""
    asked, batch = workload.inference, f"{workload.batch:,} sequences"
    if asked is None:
        return f"{batch} of {workload.model.sequence:,} tokens a step"
    match asked.task:
        case Task.PREFILL:
            return f"prefill of {batch} of {asked.prompt:,} tokens"
        case Task.DECODE:
            return f"a token for each of {batch}, attending to {asked.prompt:,}"
        case _:
            return (
                f"requests of {batch} together, {asked.prompt:,} tokens in and "
                f"{asked.output:,} out"
            )


def changed(before: Values, after: Values) -> dict[str, tuple[PointValue, PointValue]]:
    """What differs: name -> (value before, value after)."""
    return {
        name: (before[name], value)
        for name, value in after.items()
        if name in before and before[name] != value
    }


def split_text(values: Values) -> str:
    """The degrees of a design, such as for a sentence.

    >>> split_text({"dp": 8, "pp": 4, "sp": 8, "tp": 4, "chunks": 2})
    'dp 8, pp 4, sp 8, tp 4'
    """
    names = ("dp", "pp", "sp", "tp")
    return ", ".join(f"{name} {values[name]}" for name in names if name in values)


def count_text(count: int) -> str:
    """A count in full, and in short where it is long.

    >>> count_text(266), count_text(148062984575385600000)
    ('266', '148,062,984,575,385,600,000 (1.48e+20)')
    """
    return f"{count:,}" + (f" ({scientific(count)})" if count >= 1_000_000 else "")


def amount_text(count: int) -> str:
    """A large count in words, to four digits.

    >>> amount_text(174_591_000_000), amount_text(85_060_000), amount_text(512)
    ('174.6 billion', '85.06 million', '512')
    """
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if count >= size:
            return f"{count / size:.4g} {word}"
    return f"{count:,}"


def scientific(count: int) -> str:
    """A whole number of any size to three digits.

    >>> scientific(76862433280000), scientific(10**400)
    ('7.69e+13', '1.00e+400')
    """
    digits = str(count)
    exponent = len(digits) - 1
    if exponent < 300:
        return f"{count:.2e}"
    return f"{int(digits[:3]) / 100:.2f}e+{exponent}"


def unfinished_text(log: str, count: int) -> str:
    """The remark about a last line that is not whole."""
    return (
        f"{log}: left out {count:,} bytes of a last line that is not whole: it is "
        f"being written, or was cut off by a kill"
    )
