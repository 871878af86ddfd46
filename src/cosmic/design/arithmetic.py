"""Exact and bounded arithmetic on the values of a formula, one at a time.

Integers stay integers: `/` of two integers is an integer when it comes out even.
What has no value (a division by zero, an index past the end) raises
`UndefinedError`; what can never have one (a string times a number) `SpecError`.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from cosmic.errors import SpecError

Scalar = bool | int | float | str
Result = Scalar | tuple[Scalar, ...]
Number = bool | int | float

MAX_BITS = 256
"""No integer grows longer than this; a formula that needs more has no value."""


class UndefinedError(Exception):
    """A formula has no value here, such as one that divides by zero."""


def truth(value: Result) -> bool:
    """A value as a condition.

    Raises:
        SpecError: It is a string or a vector.
    """
    if isinstance(value, bool | int | float):
        return bool(value)
    kind = "a vector; use all() or any()" if isinstance(value, tuple) else "a string"
    raise SpecError(f"a condition must be true or false, not {kind}")


def number(value: Result) -> Number:
    """A value as a number.

    Raises:
        SpecError: It is a string or a vector.
    """
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    raise SpecError(f"arithmetic needs numbers, not {value!r}")


def scalar(value: Result) -> Scalar:
    """A value that is no vector.

    Raises:
        SpecError: It is a vector.
    """
    if isinstance(value, tuple):
        raise SpecError(f"a single value is needed, not the vector {value!r}")
    return value


def arithmetic(operator: str, left: Scalar, right: Scalar) -> Number:
    """One step of arithmetic.

    Raises:
        UndefinedError: It has no value, or one too long.
        SpecError: An operand is no number.
    """
    a, b = number(left), number(right)
    try:
        return bounded(_ARITHMETIC[operator](a, b))
    except (ArithmeticError, ValueError) as error:
        raise UndefinedError(f"{a} {operator} {b} has no value") from error


def compare(operator: str, left: Scalar, right: Scalar) -> bool:
    """One comparison of two single values.

    Raises:
        SpecError: A string and a number are put in order.
    """
    if operator == "==":
        return left == right
    if operator == "!=":
        return left != right
    if isinstance(left, str) != isinstance(right, str):
        raise SpecError(f"cannot put {left!r} and {right!r} in order")
    return _ORDER[operator](left, right)


def element(vector: Result, position: Result) -> Scalar:
    """One element of a vector, counted from 0.

    Raises:
        UndefinedError: The vector has no such element.
        SpecError: It is no vector, or the position no integer.
    """
    if not isinstance(vector, tuple):
        raise SpecError(f"only a vector has elements, and {vector!r} is none")
    if isinstance(position, bool) or not isinstance(position, int):
        raise SpecError(f"the position in a vector is an integer, not {position!r}")
    if not 0 <= position < len(vector):
        raise UndefinedError(f"no element {position} in a vector of {len(vector)}")
    return vector[position]


def bounded(value: Number) -> Number:
    """A number, if it is one and not too long.

    Raises:
        UndefinedError: It is not finite, or an integer of more than `MAX_BITS`.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UndefinedError(f"{value} is not finite")
    elif isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise UndefinedError(f"an integer of {value.bit_length()} bits is too long")
    return value


def reduce(function: str, items: Sequence[Scalar]) -> Scalar:
    """Fold the elements of vectors into one value.

    Raises:
        UndefinedError: There is nothing to take the least or greatest of.
        SpecError: An element is of a kind that does not fit.
    """
    if function == "count":
        return sum(truth(item) for item in items)
    if function == "len":
        return len(items)
    if function in {"all", "any"}:
        wanted = function == "any"
        return wanted if any(truth(i) == wanted for i in items) else not wanted
    if function in {"min", "max"}:
        return _extreme(function, [number(item) for item in items])
    operator, total = ("+", 0) if function == "sum" else ("*", 1)
    result: Number = total
    for item in items:
        result = arithmetic(operator, result, item)
    return result


def unary(function: str, value: Scalar) -> Scalar:
    """One of the functions of a single number.

    Raises:
        UndefinedError: It has no value, such as the logarithm of zero.
        SpecError: The argument is no number.
    """
    x = number(value)
    try:
        return bounded(UNARY[function](x))
    except (ArithmeticError, ValueError) as error:
        raise UndefinedError(f"{function}({x}) has no value") from error


def _divide(a: Number, b: Number) -> Number:
    if isinstance(a, int) and isinstance(b, int) and a % b == 0:
        return a // b
    return a / b


def _power(a: Number, b: Number) -> Number:
    if isinstance(a, int) and isinstance(b, int) and b >= 0:
        if abs(a) > 1 and a.bit_length() * b > 2 * MAX_BITS:
            raise OverflowError
        return int(a**b)
    if a < 0 and not float(b).is_integer():
        raise ValueError
    return float(float(a) ** float(b))


def _gcd(a: Number, b: Number) -> int:
    return math.gcd(_whole(a), _whole(b))


def _whole(value: Number) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value)


_ARITHMETIC: Mapping[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": _power,
    "gcd": _gcd,
}
_ORDER: Mapping[str, Callable[[Scalar, Scalar], bool]] = {
    "<": lambda a, b: a < b,  # type: ignore[operator]  # both strings or both numbers
    "<=": lambda a, b: a <= b,  # type: ignore[operator]  # as above
    ">": lambda a, b: a > b,  # type: ignore[operator]  # as above
    ">=": lambda a, b: a >= b,  # type: ignore[operator]  # as above
}
UNARY: Mapping[str, Callable[[Number], Number]] = {
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "log2": math.log2,
    "integer": lambda x: isinstance(x, int) or x.is_integer(),
}


def _extreme(function: str, items: list[Number]) -> Number:
    if not items:
        raise UndefinedError(f"{function}() of nothing")
    return min(items) if function == "min" else max(items)
