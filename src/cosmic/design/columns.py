"""What a formula means for many sets of values at once, with numpy.

A column holds one value for each combination of choices; columns are shaped to
broadcast against one another, one axis for each gene. The meaning is that of
`evaluate`, and a property test says so: where that raises `UndefinedError`, a column
is marked `bad`. What numpy cannot do exactly goes element by element through Python;
only a column of both whole and broken numbers holds floats throughout, which differs
for integers past 2^53 alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cosmic.design.arithmetic import (
    Scalar,
    UndefinedError,
    arithmetic,
    compare,
    unary,
)
from cosmic.errors import SpecError

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.generic]

_EXACT_INTEGER = 2**62
_EXACT_FLOAT = 2**53
_NOT_BAD: Mask = np.zeros((), dtype=np.bool_)
_ORDER = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one scalar, and where it has none.

    Attributes:
        values: Booleans, 64-bit integers or floats, strings, or Python objects.
        bad: Where there is no value; broadcasts against `values`.
    """

    values: Values
    bad: Mask = field(default_factory=lambda: _NOT_BAD)


@dataclass(frozen=True, slots=True)
class ColumnVector:
    """Values of a vector, one column for each element.

    Attributes:
        items: As many as the vector ever has elements.
        length: How many of them it has; None for all, always.
    """

    items: tuple[Column, ...]
    length: Column | None = None

    def present(self, position: int) -> Mask:
        """Where the vector has an element at a position."""
        if self.length is None:
            return np.ones((), dtype=np.bool_)
        return np.asarray(self.length.values > position)  # type: ignore[operator]  # an integer column


Columns = Column | ColumnVector


def column_of(values: Sequence[Scalar] | Scalar) -> Column:
    """A column of given values; a single one broadcasts everywhere."""
    items = [values] if isinstance(values, bool | int | float | str) else list(values)
    flat = np.empty(len(items), dtype=object)
    flat[:] = items
    if isinstance(values, bool | int | float | str):
        return Column(_tidy(flat.reshape(())))
    return Column(_tidy(flat))


def truth_of(column: Columns) -> Column:
    """A column as a condition.

    Raises:
        SpecError: It holds strings or is a vector.
    """
    if isinstance(column, ColumnVector):
        raise SpecError(
            "a condition must be true or false, not a vector; use all() or any()"
        )
    if column.values.dtype.kind == "U" or _holds_text(column):
        raise SpecError("a condition must be true or false, not a string")
    return Column(column.values.astype(np.bool_), column.bad)


def scalar_of(column: Columns) -> Column:
    """A column that is no vector.

    Raises:
        SpecError: It is a vector.
    """
    if isinstance(column, ColumnVector):
        raise SpecError("a single value is needed, not a vector")
    return column


def value_at(
    column: Columns, cell: tuple[int, ...]
) -> Scalar | tuple[Scalar, ...] | None:
    """The value of one combination, or None if it has none."""
    if isinstance(column, ColumnVector):
        items = [
            value_at(item, cell)
            for i, item in enumerate(column.items)
            if _pick(column.present(i), cell)
        ]
        found = tuple(i for i in items if i is not None and not isinstance(i, tuple))
        return found if len(found) == len(items) else None
    if _pick(column.bad, cell):
        return None
    value = _pick(column.values, cell)
    assert isinstance(value, bool | int | float | str), "a column holds scalars"
    return value


def _pick(values: Values, cell: tuple[int, ...]) -> object:
    at = tuple(0 if n == 1 else i for i, n in zip(cell, values.shape, strict=False))
    value = values[at] if values.ndim else values[()]
    return value.item() if isinstance(value, np.generic) else value


def negate(column: Column) -> Column:
    """Minus."""
    return calculate("-", column_of(0), column)


def calculate(operator: str, left: Column, right: Column) -> Column:
    """One step of arithmetic.

    Raises:
        SpecError: An operand holds strings.
    """
    a, b = _numeric(left), _numeric(right)
    bad = left.bad | right.bad
    result: Column | None = None
    if a.dtype.kind == b.dtype.kind == "i":
        result = _integers(operator, a, b)
    elif "O" not in (a.dtype.kind, b.dtype.kind) and _fits(a, b, _EXACT_FLOAT):
        result = _floats(operator, a, b)
    if result is None:
        result = _slowly(lambda x, y: arithmetic(operator, x, y), a, b)
    return Column(result.values, bad | result.bad)


def apply(function: str, column: Column) -> Column:
    """One of the functions of a single number."""
    result = _slowly(lambda x: unary(function, x), _numeric(column))
    return Column(result.values, column.bad | result.bad)


def relate(operator: str, left: Column, right: Column) -> Column:
    """One comparison.

    Raises:
        SpecError: Strings and numbers are put in order.
    """
    a, b = left.values, right.values
    bad = left.bad | right.bad
    kinds = a.dtype.kind + b.dtype.kind
    if "O" in kinds or ("f" in kinds and not _fits(a, b, _EXACT_FLOAT)):
        result = _slowly(lambda x, y: compare(operator, x, y), a, b)
        return Column(result.values, bad | result.bad)
    mixed = (a.dtype.kind == "U") != (b.dtype.kind == "U")
    if operator in {"==", "!="}:
        shape = np.broadcast_shapes(a.shape, b.shape)
        equal = np.zeros(shape, dtype=np.bool_) if mixed else np.equal(a, b)
        return Column(equal if operator == "==" else ~equal, bad)
    if mixed:
        raise SpecError("cannot put a string and a number in order")
    return Column(np.asarray(_ORDER[operator](a, b)), bad)


def choose(condition: Mask, yes: Column, no: Column) -> Column:
    """One column where a condition holds, and another where it does not."""
    a, b = yes.values, no.values
    kinds = {a.dtype.kind, b.dtype.kind}
    plain = len(kinds) == 1 or (kinds == {"i", "f"} and _fits(a, b, _EXACT_FLOAT))
    if not plain:
        a, b = a.astype(object), b.astype(object)
    values = np.where(condition, a, b)
    bad = np.where(condition, yes.bad, no.bad)
    return Column(values, np.asarray(bad))


def _numeric(column: Column) -> Values:
    kind = column.values.dtype.kind
    if kind == "U":
        some = column.values.flat[0]
        raise SpecError(f"arithmetic needs numbers, not {str(some)!r}")
    return column.values.astype(np.int64) if kind == "b" else column.values


def _holds_text(column: Column) -> bool:
    return column.values.dtype.kind == "O" and any(
        isinstance(value, str) for value in column.values.flat
    )


def _largest(values: Values) -> int | float:
    if values.size == 0 or values.dtype.kind in "bU":
        return 1
    number = values.astype(np.float64) if values.dtype.kind == "f" else values
    low, high = number.min().item(), number.max().item()
    return (
        float(max(abs(low), abs(high)))
        if values.dtype.kind == "f"
        else int(max(abs(low), abs(high)))
    )


def _fits(a: Values, b: Values, limit: int) -> bool:
    return all(v.dtype.kind != "i" or _largest(v) < limit for v in (a, b))


def _integers(operator: str, a: Values, b: Values) -> Column | None:
    x, y = a.astype(np.int64, copy=False), b.astype(np.int64, copy=False)
    if operator in {"+", "-", "*"}:
        p, q = int(_largest(x)), int(_largest(y))
        if max(p * q, p + q) >= _EXACT_INTEGER:
            return None
        return Column({"+": np.add, "-": np.subtract, "*": np.multiply}[operator](x, y))
    if operator in {"/", "//", "%"}:
        return _divide_integers(operator, x, y)
    return None


def _divide_integers(
    operator: str, x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]
) -> Column | None:
    zero = y == 0
    safe = np.where(zero, 1, y)
    if operator == "%":
        return Column(x % safe, zero)
    if operator == "//" or bool(np.all((x % safe == 0) | zero)):
        return Column(x // safe, zero)
    return Column(x / safe, zero) if _fits(x, y, _EXACT_FLOAT) else None


def _floats(operator: str, a: Values, b: Values) -> Column | None:
    x, y = a.astype(np.float64), b.astype(np.float64)
    zero = y == 0
    safe = np.where(zero, 1.0, y) if operator in {"/", "//", "%"} else y
    table: dict[str, Callable[..., npt.NDArray[np.float64]]] = {
        "+": np.add,
        "-": np.subtract,
        "*": np.multiply,
        "/": np.divide,
        "//": np.floor_divide,
        "%": np.remainder,
    }
    if operator not in table:
        return None
    with np.errstate(all="ignore"):
        result = np.asarray(table[operator](x, safe))
    bad = ~np.isfinite(result)
    return Column(result, bad | zero if safe is not y else bad)


def _slowly(function: Callable[..., Scalar], *operands: Values) -> Column:
    def defined(*values: Scalar) -> Scalar | None:
        try:
            return function(*values)
        except UndefinedError:
            return None

    # An overflow in Python leaves a flag behind that numpy would warn about.
    with np.errstate(all="ignore"):
        result = np.frompyfunc(defined, len(operands), 1)(
            *(operand.astype(object) for operand in operands)
        )
    values = np.array(result, dtype=object)
    bad = np.asarray(np.equal(values, np.array(None, dtype=object)), dtype=np.bool_)
    values[bad] = 1
    return Column(_tidy(values), bad)


def _tidy(values: npt.NDArray[np.object_]) -> Values:
    items: list[Scalar] = values.reshape(-1).tolist()
    kinds = {type(value) for value in items}
    if kinds == {bool}:
        return values.astype(np.bool_)
    if kinds == {str}:
        return values.astype(np.str_)
    if kinds <= {int, float} and kinds:
        limit = _EXACT_INTEGER if kinds == {int} else _EXACT_FLOAT
        whole = [abs(value) for value in items if isinstance(value, int)]
        if max(whole, default=0) < limit:
            return values.astype(np.int64 if kinds == {int} else np.float64)
    return values
