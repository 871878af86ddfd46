"""A design as the baseline with changes: what `--set name=value` means."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cosmic.cli.wording import value_text
from cosmic.collective.algorithm import ALGORITHMS
from cosmic.design.checking import constraint_faults
from cosmic.design.parameter import Parameter, PointValue, Value
from cosmic.errors import SpecError, UnitError, UnknownNameError, suggest
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.setting import DEFAULTS, SETTINGS, Setting
from cosmic.units import parse

_CHANGE = re.compile(
    r"(?P<name>\w+)(\[(?P<index>\d+)\])?\s*=\s*(?P<text>.*)", re.DOTALL
)


def design_of(scenario: Scenario, changes: Sequence[str]) -> dict[str, PointValue]:
    """Every setting of the baseline after some changes, in their order.

    Args:
        scenario: Whose baseline is changed.
        changes: Such as `dp=16`, `topology=[Ring,Switch]` or `bandwidth[1]=200 GB/s`.

    Raises:
        UnknownNameError: There is no such setting.
        SpecError: A setting cannot have that value.
    """
    design = {**DEFAULTS, **scenario.settings, **scenario.baseline}
    if "weight_sharded" in design:
        del design["weight_sharding"]
    for change in changes:
        match = _CHANGE.fullmatch(change.strip())
        if match is None:
            raise SpecError(
                f"--set {change}: write name=value, such as dp=16 or "
                f"'bandwidth[1]=200 GB/s'"
            )
        name, index, text = match["name"], match["index"], match["text"]
        if name not in SETTINGS:
            raise UnknownNameError("setting", name, SETTINGS)
        try:
            design[name] = _changed(SETTINGS[name], design, index, text.strip())
        except SpecError as error:
            raise SpecError(f"--set {change}: {error}") from error
        _speak_of_sharding_once(design, name)
    return design


def breaches(scenario: Scenario, design: Mapping[str, PointValue]) -> tuple[str, ...]:
    """What of the scenario's design space a design breaks, one sentence each.

    What the baseline itself breaks is passed over: it is the design to beat, wherever
    it lies.
    """
    known = set(_breaches(scenario, design_of(scenario, ())))
    return tuple(s for s in _breaches(scenario, design) if s not in known)


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


def _changed(
    setting: Setting, design: Mapping[str, PointValue], index: str | None, text: str
) -> PointValue:
    if not setting.per_dimension:
        if index is not None:
            raise SpecError(f"{setting.name} is a single value; leave out [{index}]")
        return _value(setting, text)
    old = design.get(setting.name, ())
    assert isinstance(old, tuple)
    if index is None:
        return _vector(setting, text, len(old))
    place = int(index[:9])
    if place >= len(old):
        raise SpecError(f"there are dimensions 0 to {len(old) - 1}, and no {index}")
    return (*old[:place], _value(setting, text), *old[place + 1 :])


def _vector(setting: Setting, text: str, length: int) -> tuple[Value, ...]:
    items = text.removeprefix("[").removesuffix("]").split(",")
    if len(items) != length:
        raise SpecError(
            f"{setting.name} has one value for each of the {length} dimensions, such "
            f"as [{', '.join(['...'] * length)}], not {len(items)}"
        )
    return tuple(_value(setting, item.strip()) for item in items)


def _value(setting: Setting, text: str) -> Value:
    if setting.unit:
        return _quantity(setting, text)
    if setting.allowed:
        return _one_of(setting, text)
    if setting.name.endswith("_algorithm"):
        ALGORITHMS.get(text)
        return text
    try:
        count = int(text[:40])
    except ValueError:
        raise SpecError(f"expected a whole number, got {text[:60]!r}") from None
    if not 1 <= count <= 2**40:
        raise SpecError("must be from 1 to 2**40")
    return count


def _quantity(setting: Setting, text: str) -> float:
    value = parse(text, setting.unit, minimum=0)
    if value == 0 and setting.unit != "s":
        raise UnitError("must be more than 0")
    return value


def _one_of(setting: Setting, text: str) -> Value:
    texts = {value_text(setting.name, value): value for value in setting.allowed}
    if text not in texts:
        allowed = ", ".join(texts)
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
    held = {n: design.get(n, value) for n, value in parameter_set.constants.items()}
    yield from constraint_faults(replace(parameter_set, constants=held), point)


def _strange_values(parameter: Parameter, value: PointValue) -> Iterator[str]:
    for element in value if isinstance(value, tuple) else (value,):
        if element not in parameter.choices:
            shown = value_text(parameter.name, element)
            choices = [
                value_text(parameter.name, choice) for choice in parameter.choices
            ]
            if len(choices) > 6:
                choices = [*choices[:3], "...", choices[-1]]
            yield f"{parameter.name} {shown} is none of {', '.join(choices)}"
