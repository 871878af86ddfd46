"""Parameter sets as files write them, bound to a scenario's numbers."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from cosmic.collective.algorithm import make_algorithm
from cosmic.design import choices as ways
from cosmic.design.constraint import Expression
from cosmic.design.derived import Derived
from cosmic.design.expression import names
from cosmic.design.expression import parse as parse_formula
from cosmic.design.limit import Limit
from cosmic.design.parameter import Parameter, PointValue, Stack, Value
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import SpecError, UnknownNameError
from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.scenario import check_dimensions, check_parameter
from cosmic.evaluation.setting import SETTINGS
from cosmic.evaluation.setting_kind import Setting
from cosmic.io.formula_bounds import check_amount, check_depth
from cosmic.io.schemas import ParameterSetSpec, ParameterSpec, RangeSpec, Scalar
from cosmic.io.spec_error import located
from cosmic.units import parse


@dataclass(frozen=True, slots=True)
class _Lengths:
    """How long a vector is that has one value for each dimension of the network.

    Attributes:
        dimensions: A number, or the name of the parameter that holds it.
        longest: The most that it may be, in that case.
    """

    dimensions: int | str
    longest: int | None = None


def build_parameter_set(
    path: Path,
    spec: ParameterSetSpec,
    dimensions: int,
    constants: Mapping[str, PointValue],
    unsaid: Set[str],
) -> ParameterSet:
    """The parameter set of a file.

    What has one value for each dimension of the network is as long as `dimensions`
    says, where that is a parameter; constants of this kind then count in formulas as
    far as that.

    Args:
        path: The file; its stem is the set's name.
        spec: What it says.
        dimensions: Those of the baseline's network.
        constants: Names that formulas may use; the file may add others.
        unsaid: Those of them that count only where a formula names them.

    Raises:
        SpecError: A parameter, formula or constraint cannot be right.
    """
    with located(path.name):
        check_amount(spec)
    with located(path.name, ("parameters", "dimensions")):
        lengths = _lengths(spec, dimensions, constants)
    parameters = []
    for key, parameter in spec.parameters.items():
        with located(path.name, ("parameters", key)):
            parameters.append(_parameter(key, parameter, lengths, constants))
    known = spec.parameters.keys() | spec.derived.keys()
    known = known | spec.constants.keys() | constants.keys()
    derived = []
    for key, formula in spec.derived.items():
        with located(path.name, ("derived", key)):
            _check_names(formula, known)
            derived.append(Derived(name=key, formula=formula))
    constraints = []
    for index, text in enumerate(spec.constraints):
        with located(path.name, ("constraints", index)):
            _check_names(text, known)
            constraints.append(Expression(text))
    limits = []
    for metric, most in spec.limits.items():
        with located(path.name, ("limits", metric)):
            limits.append(limit(metric, most))
    held = {n: len(v) for n, v in constants.items() if isinstance(v, tuple)}
    with located(path.name, ("parameters", "dimensions")):
        check_dimensions(parameters, held)
    with located(path.name):
        kept = _kept(constants, unsaid - _mentioned(spec), lengths)
        parameter_set = ParameterSet(
            name=path.stem,
            parameters=tuple(parameters),
            constraints=tuple(constraints),
            constants=_merged(kept, spec.constants),
            derived=tuple(derived),
            limits=tuple(limits),
            lengths=_constant_lengths(lengths, kept),
        )
        check_depth(parameter_set)
        return parameter_set


def _lengths(
    spec: ParameterSetSpec, dimensions: int, constants: Mapping[str, PointValue]
) -> _Lengths:
    searched = spec.parameters.get("dimensions")
    if searched is None:
        return _Lengths(dimensions)
    setting = SETTINGS["dimensions"]
    choices = _choices(setting.name, searched, setting, constants)
    _check_choices(setting, choices)
    return _Lengths("dimensions", max(dimensions, *map(int, choices)))


def _constant_lengths(
    lengths: _Lengths, constants: Mapping[str, PointValue]
) -> dict[str, str]:
    if not isinstance(lengths.dimensions, str):
        return {}
    settings = [SETTINGS[name] for name in constants if name in SETTINGS]
    return {s.name: lengths.dimensions for s in settings if s.per_dimension}


def _mentioned(spec: ParameterSetSpec) -> set[str]:
    """Every name that a formula mentions."""
    formulas = [*spec.constraints, *spec.derived.values()]
    for parameter in spec.parameters.values():
        formulas += [f for f in (parameter.active_if, parameter.follows) if f]
    return {name for formula in formulas for name in names(parse_formula(formula))}


def _kept(
    constants: Mapping[str, PointValue], unsaid: Set[str], lengths: _Lengths
) -> dict[str, PointValue]:
    """The constants that count; a single value by dimension is that of all of them."""
    longest = lengths.longest or lengths.dimensions
    assert isinstance(longest, int)
    return {
        name: (value,) * longest
        if name in SETTINGS
        and SETTINGS[name].per_dimension
        and not isinstance(value, tuple)
        else value
        for name, value in constants.items()
        if name not in unsaid
    }


def limit(metric: str, most: float | str) -> Limit:
    """A bound on a metric, in the metric's unit.

    Raises:
        SpecError: There is no such metric, or it has another unit.
    """
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    unit = METRICS[metric].unit
    if unit == "1/s":
        raise SpecError(f"{metric} is better high, and limits are from above")
    if isinstance(most, str):
        return Limit(metric, parse(most, unit, minimum=0), unit)
    if most < 0:
        raise SpecError(f"must not be negative, but is {most}")
    if unit:
        raise SpecError(f"write {most!r} with its unit, such as '1 {unit}'")
    return Limit(metric, float(most))


def _check_names(formula: str, known: Set[str]) -> None:
    for name in names(parse_formula(formula)):
        if name not in known:
            raise UnknownNameError("parameter, derived value or constant", name, known)


def _merged(
    given: Mapping[str, PointValue], more: Mapping[str, Scalar]
) -> dict[str, PointValue]:
    for name in more:
        if name in given:
            raise SpecError(f"constant {name!r} is given by the scenario already")
    return {**given, **more}


def _parameter(
    name: str,
    spec: ParameterSpec,
    lengths: _Lengths,
    constants: Mapping[str, PointValue],
) -> Parameter:
    if name not in SETTINGS:
        raise UnknownNameError("parameter", name, SETTINGS)
    setting = SETTINGS[name]
    choices = _choices(name, spec, setting, constants)
    _check_choices(setting, choices)
    parameter = Parameter(
        name=name,
        stack=Stack(spec.stack),
        choices=choices,
        dimensions=lengths.dimensions if spec.per_dimension else None,
        max_dimensions=lengths.longest if spec.per_dimension else None,
        unit=setting.unit,
        active_if=spec.active_if,
        inactive=None if spec.inactive is None else _value(spec.inactive, setting),
        follows=spec.follows,
        description=spec.about or setting.about,
    )
    check_parameter(parameter)
    return parameter


def _choices(
    name: str,
    spec: ParameterSpec,
    setting: Setting,
    constants: Mapping[str, PointValue],
) -> tuple[Value, ...]:
    given = [
        key
        for key in ("values", "powers_of_two", "range", "divisors_of")
        if getattr(spec, key) is not None
    ]
    if len(given) != 1:
        raise SpecError(
            f"parameter {name!r}: give one of values, powers_of_two, range and "
            f"divisors_of, not {' and '.join(given) or 'none'}"
        )
    try:
        if spec.values is not None:
            return tuple(_value(value, setting) for value in spec.values)
        if spec.powers_of_two is not None:
            bounds = spec.powers_of_two
            return ways.powers_of_two(
                _whole(bounds.start, constants), _whole(bounds.stop, constants)
            )
        if spec.range is not None:
            return _range(spec.range, setting, constants)
        return ways.divisors(_whole(spec.divisors_of, constants))
    except SpecError as error:
        raise SpecError(f"parameter {name!r}: {error}") from error


def _range(
    spec: RangeSpec, setting: Setting, constants: Mapping[str, PointValue]
) -> tuple[Value, ...]:
    if setting.unit or setting.real:
        return _quantities(spec, setting)
    if spec.count is not None:
        raise SpecError("a count is for quantities; give a step")
    step_by = 1 if spec.step is None else _whole(spec.step, constants)
    return ways.integers(
        _whole(spec.start, constants), _whole(spec.stop, constants), step_by
    )


def _whole(value: object, constants: Mapping[str, PointValue]) -> int:
    """A whole number, or a constant by its name."""
    if isinstance(value, str):
        if value not in constants:
            raise UnknownNameError("constant", value, constants)
        value = constants[value]
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError(f"expected a whole number, got {value!r}")
    return value


def _quantities(spec: RangeSpec, setting: Setting) -> tuple[Value, ...]:
    """Quantities at equal distances, or at equal ratios."""
    low, high = (_real(bound, setting) for bound in (spec.start, spec.stop))
    match spec.step, spec.count:
        case None, int(count):
            return ways.log_steps(low, high, count)
        case (int() | float() | str()) as step, None:
            return ways.steps(low, high, _real(step, setting))
        case _:
            raise SpecError(
                "a range of quantities needs a step, or a count for equal ratios"
            )


def _real(value: Scalar, setting: Setting) -> float:
    number = _value(value, setting)
    if isinstance(number, str):
        raise SpecError(f"expected a number, got {number!r}")
    return float(number)


def _check_choices(setting: Setting, chosen: tuple[Value, ...]) -> None:
    """Refuse what a setting can never be; closed sets are checked elsewhere."""
    owner = f"parameter {setting.name!r}"
    for choice in () if setting.allowed else chosen:
        if setting.unit:
            if choice == 0 and setting.unit != "s":
                raise SpecError(f"{owner} must be more than 0")
        elif setting.name.endswith("_algorithm"):
            make_algorithm(str(choice))
        elif isinstance(choice, str | bool) or not (
            setting.real or isinstance(choice, int)
        ):
            kind = "number" if setting.real else "whole number"
            raise SpecError(f"{owner} is a {kind}, not {choice!r}")
        elif (fault := setting.range_fault(choice)) is not None:
            raise SpecError(f"{owner} {fault}")


def _value(value: Scalar, setting: Setting) -> Value:
    """A choice, in SI units where it has a unit."""
    if not setting.unit:
        return value
    if not isinstance(value, str):
        raise SpecError(f"write {value!r} with its unit, such as '1 {setting.unit}'")
    return parse(value, setting.unit, minimum=0)
