"""Checking of values that came from outside: every fault as a sentence."""

from collections.abc import Iterator, Mapping

from cosmic.design.constraint import Constraint, Expression, show
from cosmic.design.parameter import Parameter, PointValue, Value
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import SpecError, UnknownNameError


def name_faults(
    parameter_set: ParameterSet, values: Mapping[str, PointValue]
) -> Iterator[str]:
    """Names that are no parameters, and parameters that are missing."""
    known = [p.name for p in parameter_set.parameters]
    for name in values:
        if name not in known:
            yield str(UnknownNameError("parameter", str(name), known))
    for name in known:
        if name not in values:
            yield f"{name} has no value"


def shape_fault(parameter: Parameter, value: object, length: int | None) -> str | None:
    """What is wrong with the form of a value: a vector or not, and how long."""
    if parameter.length is None:
        if isinstance(value, tuple | list):
            return f"{parameter.name} is a single value, not {value!r}"
        return None
    if not isinstance(value, tuple | list):
        return f"{parameter.name} has one value for each dimension, not {value!r}"
    wanted = parameter.length if length is None else length
    if len(value) != wanted:
        return f"{parameter.name} has {wanted} values, not {len(value)}"
    return None


def choice_fault(name: str, value: Value, choices: tuple[Value, ...]) -> str | None:
    """What is wrong with a value that is not among the choices."""
    if value in choices:
        return None
    shown = [show(choice) for choice in choices]
    if len(shown) > 12:
        shown = [*shown[:9], "...", shown[-1]]
    return f"{name} = {show(value)} is not among its choices: {', '.join(shown)}"


def constraint_faults(
    parameter_set: ParameterSet, values: Mapping[str, PointValue]
) -> Iterator[str]:
    """Derived values that fail and constraints that are broken.

    Args:
        parameter_set: The rules.
        values: Of as many parameters as are known; rules on others are passed over.
    """
    known, failures = parameter_set.evaluated(values)
    yield from failures.values()
    for constraint in parameter_set.constraints:
        if all(n in known and n not in failures for n in constraint.names):
            sentence = _breach(constraint, known)
            if sentence is not None:
                yield sentence


def _breach(constraint: Constraint, known: Mapping[str, PointValue]) -> str | None:
    try:
        return constraint.violation(known)
    except SpecError as error:
        text = constraint.text if isinstance(constraint, Expression) else constraint
        return f"{text}: {error}"
