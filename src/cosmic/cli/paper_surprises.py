"""Surprising designs: where the best one goes against a rule of thumb, and why.

A rule of thumb is put into numbers: the design as it is, and the same one with the
usual choice instead. What the usual choice would cost is how surprising the design is.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosmic.cli.gains import where_gain_comes_from
from cosmic.cli.paper_runs import evaluator_of, whole_of
from cosmic.cli.wording import ratio_text
from cosmic.design.design_point import DesignPoint
from cosmic.design.parameter import PointValue
from cosmic.errors import SpecError
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.evaluation.scenario import Scenario
from cosmic.io.comparisons import Comparison
from cosmic.search.standing import Outcome, times_better
from cosmic.units import format_quantity

Design = Mapping[str, PointValue]

_LEAST = 1.02  # times worse that the usual choice must be to be worth a word
_OF_A_RULE, _OF_A_SCENARIO = 2, 2  # at most so many are shown
_FOLLOWS = {"Ring": "ring", "FullyConnected": "direct", "Switch": "halvingDoubling"}
_KINDS = ("all_reduce", "all_gather", "reduce_scatter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise:
    """A choice of a best design that goes against a rule of thumb.

    Attributes:
        scenario: Whose design.
        objective: What was sought.
        rule: The rule of thumb.
        choice: What the design does instead.
        usual: What the rule would have: parameter to value.
        times_worse: How many times worse the design is with that.
        reason: What moves between the two.
        design: The design.
    """

    scenario: str
    objective: str
    rule: str
    choice: str
    usual: Design
    times_worse: float
    reason: str
    design: Design

    @property
    def text(self) -> str:
        """A paragraph for people."""
        return (
            f"{self.scenario}, {self.objective}: {self.choice}. The rule of thumb, "
            f"{self.rule}, is {ratio_text(self.times_worse)} times worse. Against it, "
            f"{self.reason}"
        )


def surprises(
    comparison: Comparison, outcomes: Sequence[Outcome], *, published: bool, most: int
) -> tuple[Surprise, ...]:
    """The most surprising choices of the best designs of the widest scope.

    Args:
        comparison: What was run.
        outcomes: What its searches came to.
        published: Whether everything was as the authors of the paper had it.
        most: How many; few of one rule, and few of one scenario.
    """
    found = []
    for name in comparison.scenarios:
        for objective in comparison.objectives:
            best = _best(comparison, outcomes, name, objective)
            if best is not None:
                key = (name, comparison.folder, objective, published)
                found += list(_of(best, key))
    found.sort(key=lambda each: -each.times_worse)
    return tuple(_varied(found))[:most]


def _varied(found: Sequence[Surprise]) -> Iterator[Surprise]:
    rules: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for each in found:
        if rules[each.rule] < _OF_A_RULE and places[each.scenario] < _OF_A_SCENARIO:
            rules[each.rule] += 1
            places[each.scenario] += 1
            yield each


def _best(
    comparison: Comparison, outcomes: Sequence[Outcome], name: str, objective: str
) -> Outcome | None:
    here = [
        outcome
        for outcome in outcomes
        if outcome.scenario == Path(name).stem
        and (outcome.objective, outcome.scope) == (objective, comparison.scopes[-1])
        and outcome.value is not None
    ]
    best: Outcome | None = None
    for outcome in here:
        if best is None or _ahead(best, outcome):
            best = outcome
    return best


def _ahead(old: Outcome, new: Outcome) -> bool:
    assert old.value is not None
    assert new.value is not None
    return times_better(OBJECTIVES[old.objective], old.value, new.value) > 1


def _of(best: Outcome, key: tuple[str, Path, str, bool]) -> Iterator[Surprise]:
    """What is surprising of one best design."""
    scenario, evaluator = whole_of(*key), evaluator_of(*key)
    objective = OBJECTIVES[best.objective]
    for rule in _RULES:
        against = rule(scenario, best.design)
        if against is None:
            continue
        found = [
            evaluation
            for design in _fair({**best.design, **against.usual})
            for evaluation in evaluator.evaluate(_in_space(scenario, design))
            if evaluation.feasible
        ]
        if not found or best.value is None:
            continue
        evaluation = max(found, key=lambda each: objective.score(each.metrics))
        usual = objective.value(evaluation.metrics)
        worse = times_better(objective, usual, best.value)
        if worse >= _LEAST:
            yield Surprise(
                scenario=best.scenario,
                objective=best.objective,
                rule=against.rule,
                choice=against.choice,
                usual=against.usual,
                times_worse=worse,
                reason=where_gain_comes_from(
                    objective, evaluation.metrics, best.metrics
                ),
                design=best.design,
            )


def _fair(design: Design) -> Iterator[Design]:
    """A design as it is, and with algorithms that suit the shape of each dimension.

    The search left those algorithms to chance that its best design never calls, and a
    usual choice that calls them must not be blamed for that.
    """
    yield design
    usual = tuple(_FOLLOWS[shape] for shape in _words(design, "topology"))
    names = [f"{kind}_algorithm" for kind in _KINDS]
    if usual and all(name in design for name in names):
        yield {**design, **dict.fromkeys(names, usual)}


def _in_space(scenario: Scenario, design: Design) -> Sequence[DesignPoint]:
    """The design as a point; none where it may not be chosen."""
    point = DesignPoint(design)
    try:
        scenario.space.vector(point)
    except SpecError:
        return ()
    return (point,)


@dataclass(frozen=True, slots=True)
class _Against:
    """A choice against a rule."""

    rule: str
    choice: str
    usual: Design


def _algorithms(scenario: Scenario, design: Design) -> _Against | None:
    """Collectives go by the shape of each dimension."""
    shapes = _words(design, "topology")
    usual = tuple(_FOLLOWS[shape] for shape in shapes)
    names = [f"{kind}_algorithm" for kind in _KINDS]
    if not shapes or any(name not in design for name in names):
        return None
    unlike = [
        f"{kind.replace('_', '-')} by {word} on dimension {place}, a {shape}"
        for kind in _KINDS
        for place, (word, shape) in enumerate(
            zip(_words(design, f"{kind}_algorithm"), shapes, strict=True)
        )
        if word != _FOLLOWS[shape]
    ]
    if not unlike:
        return None
    return _Against(
        "an algorithm for the shape of each dimension",
        "; ".join(unlike[:3]) + (f"; and {len(unlike) - 3} more" * (len(unlike) > 3)),
        dict.fromkeys(names, usual),
    )


def _falling(scenario: Scenario, design: Design) -> _Against | None:
    """Inner dimensions are the fast ones."""
    given = _numbers(design, "bandwidth")
    falling = tuple(sorted(given, reverse=True))
    if not given or given == falling:
        return None
    inner, place = given[0], max(range(len(given)), key=lambda i: (given[i], i))
    rates = format_quantity(given[place], "B/s"), format_quantity(inner, "B/s")
    where = f"dimension {place} has the most bandwidth, {rates[0]}"
    text = f"{where}, and the innermost {rates[1]}" if place else _rising(given)
    return _Against(
        "bandwidth that falls from the inner to the outer dimensions",
        text,
        {"bandwidth": falling},
    )


def _rising(given: Sequence[float]) -> str:
    place = next(i for i in range(1, len(given)) if given[i] > given[i - 1])
    rates = [format_quantity(given[i], "B/s") for i in (place - 1, place)]
    return f"dimension {place} has {rates[1]}, the one within it {rates[0]}"


def _network(scenario: Scenario, design: Design) -> _Against | None:
    """More bandwidth is worth having."""
    old, new = (
        sum(_numbers(each, "bandwidth")) for each in (scenario.baseline, design)
    )
    if not new or new >= old:
        return None
    names = [name for name in ("topology", "npus_count", "bandwidth") if name in design]
    rates = format_quantity(new, "B/s"), format_quantity(old, "B/s")
    return _Against(
        "the network that the system came with",
        f"a device has {rates[0]} in all instead of {rates[1]}",
        {name: scenario.baseline[name] for name in names},
    )


def _sharding(scenario: Scenario, design: Design) -> _Against | None:
    """Weights are sharded."""
    if design.get("weight_sharded") != 0:
        return None
    return _Against(
        "weights sharded over the data-parallel devices",
        "every device keeps whole weights and optimizer state",
        {"weight_sharded": 1},
    )


def _unsharding(scenario: Scenario, design: Design) -> _Against | None:
    """Weights that fit whole are kept whole."""
    if design.get("weight_sharded") != 1:
        return None
    return _Against(
        "whole weights where they fit",
        "weights are sharded although they would fit whole",
        {"weight_sharded": 0},
    )


def _degrees(scenario: Scenario, design: Design) -> _Against | None:
    """The usual mix of all kinds of parallelism."""
    names = ("dp", "pp", "sp")
    usual = {name: scenario.baseline[name] for name in names if name in design}
    if not usual or all(design[name] == value for name, value in usual.items()):
        return None
    values = scenario.space.parameter_set.values
    old, new = (
        ", ".join(f"{n} {each[n]}" for n in ("dp", "tp", "pp", "sp") if n in each)
        for each in (values(scenario.baseline), values(design))
    )
    return _Against(
        "the split that the system came with",
        f"devices are split {new}, where they came with {old}",
        usual,
    )


def _tensor(scenario: Scenario, design: Design) -> _Against | None:
    """Tensor parallelism stays within the innermost dimension."""
    values = scenario.space.parameter_set.values(design)
    sizes = _numbers(design, "npus_count")
    tensor, data = values.get("tp"), design.get("dp")
    if not sizes or not isinstance(tensor, int) or not isinstance(data, int):
        return None
    over = tensor // int(sizes[0])
    if over < 2:
        return None
    return _Against(
        "tensor parallelism within the innermost dimension",
        f"tensor parallelism of {tensor} reaches beyond the innermost dimension of "
        f"{int(sizes[0])} devices",
        {"dp": data * over},
    )


def _pipeline(scenario: Scenario, design: Design) -> _Against | None:
    """A pipeline has few enough messages for the slow outer network."""
    data, stages = design.get("dp"), design.get("pp")
    if not isinstance(data, int) or not isinstance(stages, int) or data < 4:
        return None
    if stages > 1:
        return None
    return _Against(
        "a pipeline of 4 over the outer network",
        f"no pipeline, data parallelism of {data} over the outer network",
        {"pp": 4, "dp": data // 4},
    )


_RULES: tuple[Callable[[Scenario, Design], _Against | None], ...] = (
    _algorithms,
    _falling,
    _network,
    _sharding,
    _unsharding,
    _degrees,
    _tensor,
    _pipeline,
)


def _words(design: Design, name: str) -> tuple[str, ...]:
    value = design.get(name, ())
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _numbers(design: Design, name: str) -> tuple[float, ...]:
    value = design.get(name, ())
    return tuple(float(str(v)) for v in value) if isinstance(value, tuple) else ()
