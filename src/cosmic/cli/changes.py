"""A design as the baseline with changes: what `--set name=value` means."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cosmic.cli.wording import value_text
from cosmic.collective.algorithm import make_algorithm
from cosmic.design.checking import constraint_faults
from cosmic.design.parameter import Parameter, PointValue, Value
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import SpecError, UnitError, UnknownNameError, suggest
from cosmic.evaluation.configuration import values_by_dimension
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.setting import DEFAULTS, SETTINGS
from cosmic.evaluation.setting_kind import Setting
from cosmic.units import parse

_MOST_LISTED = 6  # values that a sentence lists
_CHANGE = re.compile(
    r"(?P<name>\w+)(\[(?P<index>\d+)\])?\s*=\s*(?P<text>.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class _Change:
    """One `name=value`, or `name[index]=value`."""

    written: str
    setting: Setting
    index: str | None
    text: str


def design_of(scenario: Scenario, changes: Sequence[str]) -> dict[str, PointValue]:
    """Every setting of the baseline after some changes, in their order.

    Where `dimensions` is changed, what has one value for each dimension is cut to so
    many, or must be given values for the dimensions that come new.

    Args:
        scenario: Whose baseline is changed.
        changes: Such as `dp=16`, `topology=[Ring,Switch]` or `bandwidth[1]=200 GB/s`.

    Raises:
        UnknownNameError: There is no such setting.
        SpecError: A setting cannot have that value.
    """
    return with_changes(_baseline(scenario), changes)


def with_changes(
    settings: Mapping[str, PointValue], changes: Sequence[str]
) -> dict[str, PointValue]:
    """Settings after some changes, in their order, as `design_of` takes them.

    Raises:
        UnknownNameError: There is no such setting.
        SpecError: A setting cannot have that value.
    """
    read = [_read(change) for change in changes]
    design = dict(settings)
    dimensions = int(str(design["dimensions"]))
    for change in read:
        if change.setting.name == "dimensions":
            dimensions = int(str(_made(change, design, dimensions)))
    design |= _by_dimension(design, dimensions)
    for change in read:
        design[change.setting.name] = _made(change, design, dimensions)
        _speak_of_sharding_once(design, change.setting.name)
    return _of_length(design, dimensions)


def constants_of(
    parameter_set: ParameterSet, design: Mapping[str, PointValue]
) -> dict[str, PointValue]:
    """The constants of a parameter set as they are where a design says otherwise.

    Of those that are longer than the design has dimensions, the rest stays as it was.
    """
    constants = dict(parameter_set.constants)
    for name, old in constants.items():
        new = design.get(name, old)
        if name in parameter_set.lengths:
            assert isinstance(new, tuple)
            assert isinstance(old, tuple)
            new = (*new, *old[len(new) :])
        constants[name] = new
    return constants


def breaches(scenario: Scenario, design: Mapping[str, PointValue]) -> tuple[str, ...]:
    """What of the scenario's design space a design breaks, one sentence each.

    What the baseline itself breaks is passed over: it is the design to beat, wherever
    it lies.
    """
    known = set(_breaches(scenario, design_of(scenario, ())))
    found = dict.fromkeys(_breaches(scenario, design))
    return tuple(sentence for sentence in found if sentence not in known)


def length_fault(
    parameter_set: ParameterSet, design: Mapping[str, PointValue]
) -> str | None:
    """What is wrong with a design's number of dimensions; None if nothing is."""
    if any(p.name == "dimensions" for p in parameter_set.parameters):
        return None  # a choice like others
    lengths = [p.length for p in parameter_set.parameters if p.length is not None]
    if all(length == design["dimensions"] for length in lengths):
        return None
    return f"dimensions {design['dimensions']}: all networks here have {lengths[0]}"


def _speak_of_sharding_once(design: dict[str, PointValue], changed: str) -> None:
    """Keep one of `weight_sharding` and its short form `weight_sharded`.

    The one that the baseline has, if it can say the same.
    """
    if not {"weight_sharding", "weight_sharded"} <= design.keys():
        return
    if changed == "weight_sharded":
        design["weight_sharding"] = 3 if design.pop("weight_sharded") else 0
    elif design["weight_sharding"] in (0, 3):
        design["weight_sharded"] = 1 if design.pop("weight_sharding") else 0
    else:
        del design["weight_sharded"]


def _baseline(scenario: Scenario) -> dict[str, PointValue]:
    """What the scenario says, and the defaults but for those of each dimension."""
    said = {**scenario.settings, **scenario.baseline}
    plain = {n: v for n, v in DEFAULTS.items() if not SETTINGS[n].per_dimension}
    if "weight_sharded" in said:
        del plain["weight_sharding"]
    dimensions = len(values_by_dimension(said, "npus_count"))
    return {**plain, **said, "dimensions": dimensions}


def _by_dimension(
    design: Mapping[str, PointValue], dimensions: int
) -> dict[str, PointValue]:
    """Single values of what has one for each dimension, and defaults, as vectors."""
    known = {
        setting.name: design.get(setting.name, setting.default)
        for setting in SETTINGS.values()
        if setting.per_dimension
    }
    return {
        name: value if isinstance(value, tuple) else (value,) * dimensions
        for name, value in known.items()
        if value is not None
    }


def _read(change: str) -> _Change:
    match = _CHANGE.fullmatch(change.strip())
    if match is None:
        raise SpecError(
            f"--set {change}: write name=value, such as dp=16 or "
            f"'bandwidth[1]=200 GB/s'"
        )
    if match["name"] not in SETTINGS:
        raise UnknownNameError("setting", match["name"], SETTINGS)
    setting = SETTINGS[match["name"]]
    return _Change(change, setting, match["index"], match["text"].strip())


def _made(
    change: _Change, design: Mapping[str, PointValue], dimensions: int
) -> PointValue:
    try:
        return _changed(change, design, dimensions)
    except SpecError as error:
        raise SpecError(f"--set {change.written}: {error}") from error


def _changed(
    change: _Change, design: Mapping[str, PointValue], dimensions: int
) -> PointValue:
    setting, index = change.setting, change.index
    if not setting.per_dimension:
        if index is not None:
            raise SpecError(f"{setting.name} is a single value; leave out [{index}]")
        return _value(setting, change.text)
    if index is None:
        return _vector(setting, change.text, dimensions)
    old, place = design.get(setting.name, ()), int(index[:9])
    assert isinstance(old, tuple)
    if place >= dimensions:
        raise SpecError(f"there are dimensions 0 to {dimensions - 1}, and no {index}")
    if place > len(old):
        raise SpecError(f"give {setting.name}[{len(old)}] before it")
    return (*old[:place], _value(setting, change.text), *old[place + 1 :])


def _vector(setting: Setting, text: str, length: int) -> tuple[Value, ...]:
    items = text.removeprefix("[").removesuffix("]").split(",")
    if len(items) != length:
        raise SpecError(
            f"{setting.name} has one value for each of the {length} dimensions, such "
            f"as [{', '.join(['...'] * length)}], not {len(items)}; to have another "
            f"number of them, add --set dimensions={len(items)}"
        )
    return tuple(_value(setting, item.strip()) for item in items)


def _of_length(design: dict[str, PointValue], dimensions: int) -> dict[str, PointValue]:
    """The design with a value for each dimension, and no more."""
    values = {n: v for n, v in design.items() if isinstance(v, tuple)}
    short = [name for name, value in values.items() if len(value) < dimensions]
    if short:
        at = len(values[short[0]])
        raise SpecError(
            f"--set dimensions={dimensions}: say what dimension {at} is, by --set "
            f"'{short[0]}[{at}]=...' and so on: {', '.join(short)}"
        )
    return design | {name: value[:dimensions] for name, value in values.items()}


def _value(setting: Setting, text: str) -> Value:
    if setting.unit:
        return _quantity(setting, text)
    if setting.allowed:
        return _one_of(setting, text)
    if setting.name.endswith("_algorithm"):
        make_algorithm(text)
        return text
    return _number(setting, text)


def _number(setting: Setting, text: str) -> Value:
    try:
        number = float(text[:40]) if setting.real else int(text[:40])
    except ValueError:
        kind = "number" if setting.real else "whole number"
        raise SpecError(f"expected a {kind}, got {text[:60]!r}") from None
    fault = setting.range_fault(number)
    if fault is not None:
        raise SpecError(fault)
    return number


def _quantity(setting: Setting, text: str) -> float:
    value = parse(text, setting.unit, minimum=0)
    if value == 0 and setting.unit != "s":
        raise UnitError("must be more than 0")
    return value


def _one_of(setting: Setting, text: str) -> Value:
    texts = {value_text(setting.name, value): value for value in setting.allowed}
    if text not in texts:
        allowed = _listed(list(texts))
        near = suggest(text, texts)
        hint = f"; {near}" if near.startswith("did you mean") else ""
        raise SpecError(f"must be one of {allowed}, not {text[:60]!r}{hint}")
    return texts[text]


def _breaches(scenario: Scenario, design: Mapping[str, PointValue]) -> Iterator[str]:
    parameter_set = scenario.space.parameter_set
    point = {
        p.name: design[p.name] for p in parameter_set.parameters if p.name in design
    }
    for parameter in parameter_set.parameters:
        if parameter.name in point:
            yield from _strange_values(parameter, point[parameter.name])
        else:
            yield f"{parameter.name} cannot say weight_sharding 1 or 2"
    fault = length_fault(parameter_set, design)
    if fault is not None:
        yield fault
    held = constants_of(parameter_set, design)
    yield from constraint_faults(replace(parameter_set, constants=held), point)


def _strange_values(parameter: Parameter, value: PointValue) -> Iterator[str]:
    for element in value if isinstance(value, tuple) else (value,):
        if element not in parameter.choices:
            shown = value_text(parameter.name, element)
            choices = [value_text(parameter.name, c) for c in parameter.choices]
            yield f"{parameter.name} {shown} is none of {_listed(choices)}"


def _listed(texts: Sequence[str]) -> str:
    short = len(texts) <= _MOST_LISTED
    return ", ".join(texts if short else (*texts[:3], "...", texts[-1]))
