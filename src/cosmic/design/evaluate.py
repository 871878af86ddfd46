"""What a formula means for one set of values.

`and`, `or` and `not` give truth values; arithmetic and comparison with a vector go
element by element.
"""

from collections.abc import Callable, Mapping, Sequence

from cosmic.design.arithmetic import (
    UNARY,
    Result,
    Scalar,
    UndefinedError,
    arithmetic,
    compare,
    element,
    number,
    reduce,
    scalar,
    truth,
    unary,
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
from cosmic.errors import UnknownNameError


def evaluate(  # noqa: C901, PLR0911, PLR0912  # one case for each kind of node
    node: Node, values: Mapping[str, Result]
) -> Result:
    """Compute a formula.

    Args:
        node: The formula.
        values: What each name stands for.

    Raises:
        UndefinedError: The formula has no value for these values.
        UnknownNameError: The formula mentions a name that has no value.
        SpecError: The formula joins kinds that do not fit, whatever the values.
    """
    match node:
        case Literal(value):
            return value
        case Name(name):
            if name not in values:
                raise UnknownNameError("name", name, values)
            return values[name]
        case Negate("not", operand):
            return not truth(evaluate(operand, values))
        case Negate(_, operand):
            return _each(lambda x: -number(x), evaluate(operand, values))
        case Binary(operator, left, right):
            return _pairwise(
                lambda x, y: arithmetic(operator, x, y),
                evaluate(left, values),
                evaluate(right, values),
            )
        case Compare(first, rest):
            return _compare(first, rest, values)
        case Logic(operator, operands):
            stop = operator == "or"
            return stop if _stops(operands, stop, values) else not stop
        case Choose(condition, yes, no):
            return evaluate(yes if truth(evaluate(condition, values)) else no, values)
        case Index(vector, position):
            return element(evaluate(vector, values), evaluate(position, values))
        case Lookup(table, key):
            return evaluate(_row(table, scalar(evaluate(key, values))), values)
        case Vector(items):
            return tuple(scalar(evaluate(item, values)) for item in items)
        case Call(function, arguments):
            return _call(function, arguments, values)
        case _:
            raise TypeError(f"{node!r} is no node of a formula")


def _compare(
    first: Node, rest: tuple[tuple[str, Node], ...], values: Mapping[str, Result]
) -> Result:
    left = evaluate(first, values)
    results: list[Result] = []
    for operator, operand in rest:
        right = evaluate(operand, values)
        results.append(_compare_once(operator, left, right))
        left = right
    if len(results) == 1:
        return results[0]
    return all(truth(result) for result in results)


def _compare_once(operator: str, left: Result, right: Result) -> Result:
    if operator in {"in", "not in"}:
        items = right if isinstance(right, tuple) else (right,)
        found = any(scalar(left) == item for item in items)
        return found if operator == "in" else not found
    return _pairwise(lambda x, y: compare(operator, x, y), left, right)


def _stops(
    operands: tuple[Node, ...], stop: bool, values: Mapping[str, Result]
) -> bool:
    return any(truth(evaluate(operand, values)) == stop for operand in operands)


def _row(table: tuple[tuple[Scalar, Node], ...], key: Scalar) -> Node:
    for candidate, node in table:
        if candidate == key:
            return node
    raise UndefinedError(f"the table has no row for {key!r}")


def _call(
    function: str, arguments: tuple[Node, ...], values: Mapping[str, Result]
) -> Result:
    if function == "implies":
        condition, conclusion = arguments
        if not truth(evaluate(condition, values)):
            return True
        return truth(evaluate(conclusion, values))
    results = [evaluate(argument, values) for argument in arguments]
    if function == "defined":
        return True
    if function == "gcd":
        a, b = results
        return arithmetic("gcd", scalar(a), scalar(b))
    if function in UNARY:
        return _each(lambda x: unary(function, x), results[0])
    return reduce(function, flatten(results))


def flatten(results: Sequence[Result]) -> list[Scalar]:
    """All elements of vectors and single values, in order."""
    items: list[Scalar] = []
    for result in results:
        items.extend(result if isinstance(result, tuple) else (result,))
    return items


def _each(function: Callable[[Scalar], Scalar], value: Result) -> Result:
    if isinstance(value, tuple):
        return tuple(function(item) for item in value)
    return function(value)


def _pairwise(
    function: Callable[[Scalar, Scalar], Scalar], left: Result, right: Result
) -> Result:
    match left, right:
        case tuple(), tuple():
            if len(left) != len(right):
                raise UndefinedError(
                    f"vectors of {len(left)} and {len(right)} elements"
                )
            return tuple(function(x, y) for x, y in zip(left, right, strict=True))
        case tuple(), _:
            return tuple(function(x, scalar(right)) for x in left)
        case _, tuple():
            return tuple(function(scalar(left), y) for y in right)
        case _:
            return function(scalar(left), scalar(right))
