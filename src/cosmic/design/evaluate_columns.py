"""What a formula means for all combinations of choices at once.

The walk over the tree that `evaluate` makes for one point, made on columns.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from cosmic.design.arithmetic import UNARY
from cosmic.design.columns import (
    Column,
    Columns,
    ColumnVector,
    Mask,
    apply,
    calculate,
    choose,
    column_of,
    negate,
    relate,
    scalar_of,
    truth_of,
)
from cosmic.design.expression import (
    Binary,
    Call,
    Choose,
    Compare,
    Index,
    Literal,
    Logic,
    Lookup,
    Name,
    Negate,
    Node,
    Vector,
)
from cosmic.errors import SpecError


class Surroundings(Protocol):
    """What the names of a formula stand for."""

    def columns(self, name: str) -> Columns:
        """The values of a name, for all combinations."""
        ...


def evaluate_columns(  # noqa: C901, PLR0911, PLR0912  # one case for each kind of node
    node: Node, around: Surroundings
) -> Columns:
    """Compute a formula for all combinations.

    Raises:
        SpecError: The formula joins kinds that do not fit.
    """
    match node:
        case Literal(value):
            return column_of(value)
        case Name(name):
            return around.columns(name)
        case Negate("not", operand):
            column = truth_of(evaluate_columns(operand, around))
            return Column(~column.values.astype(np.bool_), column.bad)
        case Negate(_, operand):
            return _each(negate, evaluate_columns(operand, around))
        case Binary(operator, left, right):
            return _pairwise(
                lambda x, y: calculate(operator, x, y),
                evaluate_columns(left, around),
                evaluate_columns(right, around),
            )
        case Compare(first, rest):
            return _compare(first, rest, around)
        case Logic(operator, operands):
            return _logic(operator, [_condition(o, around) for o in operands])
        case Choose(condition, yes, no):
            return _choose(condition, yes, no, around)
        case Index(vector, position):
            return _element(
                evaluate_columns(vector, around), evaluate_columns(position, around)
            )
        case Lookup(table, key):
            return _lookup(table, scalar_of(evaluate_columns(key, around)), around)
        case Vector(items):
            return ColumnVector(
                tuple(scalar_of(evaluate_columns(item, around)) for item in items)
            )
        case Call(function, arguments):
            return _call(function, arguments, around)
        case _:
            raise TypeError(f"{node!r} is no node of a formula")


def holds(node: Node, around: Surroundings) -> Mask:
    """Where a condition has a value and that is true."""
    column = _condition(node, around)
    return column.values.astype(np.bool_) & ~column.bad


def _condition(node: Node, around: Surroundings) -> Column:
    return truth_of(evaluate_columns(node, around))


def _logic(operator: str, columns: Sequence[Column]) -> Column:
    value, bad = columns[0].values.astype(np.bool_), columns[0].bad
    for column in columns[1:]:
        following = column.values.astype(np.bool_)
        if operator == "and":
            bad = bad | (value & column.bad)
            value = value & following
        else:
            bad = bad | (~value & column.bad)
            value = value | following
    return Column(value, bad)


def _choose(condition: Node, yes: Node, no: Node, around: Surroundings) -> Columns:
    test = _condition(condition, around)
    where = test.values.astype(np.bool_)
    a, b = evaluate_columns(yes, around), evaluate_columns(no, around)
    if isinstance(a, ColumnVector) or isinstance(b, ColumnVector):
        raise SpecError("'... if ... else ...' chooses between single values")
    chosen = choose(where, a, b)
    return Column(chosen.values, test.bad | chosen.bad)


def _compare(
    first: Node, rest: tuple[tuple[str, Node], ...], around: Surroundings
) -> Columns:
    left = evaluate_columns(first, around)
    results: list[Columns] = []
    for operator, operand in rest:
        right = evaluate_columns(operand, around)
        results.append(_compare_once(operator, left, right))
        left = right
    if len(results) == 1:
        return results[0]
    bad = np.zeros((), dtype=np.bool_)
    value = np.ones((), dtype=np.bool_)
    for result in map(truth_of, results):
        value, bad = value & result.values.astype(np.bool_), bad | result.bad
    return Column(value, bad)


def _compare_once(operator: str, left: Columns, right: Columns) -> Columns:
    if operator not in {"in", "not in"}:
        return _pairwise(lambda x, y: relate(operator, x, y), left, right)
    one = scalar_of(left)
    found, bad = np.zeros((), dtype=np.bool_), one.bad
    for item, present in _flatten([right]):
        same = relate("==", one, item)
        found = found | (same.values.astype(np.bool_) & present)
        bad = bad | (item.bad & present)
    return Column(found if operator == "in" else ~found, bad)


def _element(vector: Columns, position: Columns) -> Column:
    if not isinstance(vector, ColumnVector):
        raise SpecError("only a vector has elements; a single value was indexed")
    where = scalar_of(position)
    if where.values.dtype.kind != "i":
        raise SpecError("the position in a vector is an integer")
    result = Column(column_of(1).values, np.ones((), dtype=np.bool_))
    for i, item in enumerate(vector.items):
        here = np.asarray(where.values == i)
        absent = Column(item.values, item.bad | ~vector.present(i))
        result = absent if bool(here.all()) else choose(here, absent, result)
    return Column(result.values, result.bad | where.bad)


def _lookup(
    table: tuple[tuple[bool | int | float | str, Node], ...],
    key: Column,
    around: Surroundings,
) -> Column:
    result: Column | None = None
    found = np.zeros((), dtype=np.bool_)
    for candidate, node in reversed(table):
        here = relate("==", key, column_of(candidate)).values.astype(np.bool_)
        value = scalar_of(evaluate_columns(node, around))
        result = value if result is None else choose(here, value, result)
        found = found | here
    if result is None:
        raise SpecError("a table needs at least one row")
    return Column(result.values, result.bad | ~found | key.bad)


def _call(function: str, arguments: tuple[Node, ...], around: Surroundings) -> Columns:
    if function == "implies":
        first, second = (_condition(argument, around) for argument in arguments)
        premise = Column(~first.values.astype(np.bool_), first.bad)
        return _logic("or", [premise, second])
    results = [evaluate_columns(argument, around) for argument in arguments]
    if function == "len" and all(isinstance(a, Name) for a in arguments):
        return _reduce("len", [(column_of(1), p) for _, p in _flatten(results)])
    if function == "defined":
        bad = np.zeros((), dtype=np.bool_)
        for item, present in _flatten(results):
            bad = bad | (item.bad & present)
        return Column(np.ones((), dtype=np.bool_), bad)
    if function == "gcd":
        return calculate("gcd", scalar_of(results[0]), scalar_of(results[1]))
    if function in UNARY:
        return _each(lambda column: apply(function, column), results[0])
    return _reduce(function, _flatten(results))


def _reduce(function: str, items: list[tuple[Column, Mask]]) -> Column:
    match function:
        case "len":
            ones = column_of(1).values
            return _fold("+", [(Column(ones, item.bad), p) for item, p in items])
        case "count":
            return _fold("+", [(_as_number(item), present) for item, present in items])
        case "all" | "any":
            return _all_or_any(function, items)
        case "min" | "max":
            return _extreme("<" if function == "min" else ">", items)
        case "sum":
            return _fold("+", items)
        case _:
            return _fold("*", items)


def _fold(operator: str, items: list[tuple[Column, Mask]]) -> Column:
    neutral = column_of(0 if operator == "+" else 1)
    total = neutral
    for item, present in items:
        kept = item if bool(present.all()) else choose(present, item, neutral)
        total = calculate(operator, total, kept)
    return total


def _as_number(item: Column) -> Column:
    column = truth_of(item)
    return Column(column.values.astype(np.int64), column.bad)


def _all_or_any(function: str, items: list[tuple[Column, Mask]]) -> Column:
    value: Mask = np.full((), function == "all")
    bad = np.zeros((), dtype=np.bool_)
    for item, present in items:
        column = truth_of(item)
        condition = column.values.astype(np.bool_)
        bad = bad | (column.bad & present)
        if function == "all":
            value = value & (condition | ~present)
        else:
            value = value | (condition & present)
    return Column(value, bad)


def _extreme(operator: str, items: list[tuple[Column, Mask]]) -> Column:
    result = Column(column_of(1).values, np.ones((), dtype=np.bool_))
    started = np.zeros((), dtype=np.bool_)
    bad = np.zeros((), dtype=np.bool_)
    for item, present in items:
        number = calculate("+", item, column_of(0))
        better = relate(operator, number, result).values.astype(np.bool_)
        take = present & (better | ~started)
        result = choose(take, number, result)
        started = started | present
        bad = bad | (item.bad & present)
    return Column(result.values, bad | ~started)


def _flatten(results: Sequence[Columns]) -> list[tuple[Column, Mask]]:
    items: list[tuple[Column, Mask]] = []
    for result in results:
        if isinstance(result, ColumnVector):
            pairs = enumerate(result.items)
            items.extend((item, result.present(i)) for i, item in pairs)
        else:
            items.append((result, np.ones((), dtype=np.bool_)))
    return items


def _each(function: Callable[[Column], Column], value: Columns) -> Columns:
    if isinstance(value, ColumnVector):
        return ColumnVector(tuple(map(function, value.items)), value.length)
    return function(value)


def _pairwise(
    function: Callable[[Column, Column], Column], left: Columns, right: Columns
) -> Columns:
    if isinstance(left, ColumnVector):
        if isinstance(right, ColumnVector):
            return _paired_vectors(function, left, right)
        items = tuple(function(item, right) for item in left.items)
        return ColumnVector(items, left.length)
    if isinstance(right, ColumnVector):
        items = tuple(function(left, item) for item in right.items)
        return ColumnVector(items, right.length)
    return function(left, right)


def _paired_vectors(
    function: Callable[[Column, Column], Column],
    left: ColumnVector,
    right: ColumnVector,
) -> ColumnVector:
    lengths = (left.length or column_of(len(left.items))).values
    others = (right.length or column_of(len(right.items))).values
    differ = np.asarray(lengths != others)
    pairs = zip(left.items, right.items, strict=False)
    items = tuple(function(x, y) for x, y in pairs)
    marked = tuple(Column(item.values, item.bad | differ) for item in items)
    return ColumnVector(marked, left.length or right.length)
