"""The safe expression language of constraints and derived values: text to a tree.

A formula is arithmetic, comparison and logic over names, as in Python:

    dp * pp * sp <= npus        heads % tp == 0        pp > 1 or virtual_stages == 1
    product(npus_count) == npus            count(topology == "Switch") <= 1
    {"Ring": 2, "Switch": 1}[topology[0]]  4 if fast else 2

The text is parsed with `ast`, and only the node kinds below are let through, so
nothing of it is ever executed as code. What a tree means is in `evaluate` (for one
point) and in `columns` (for all combinations at once).
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite

from cosmic.design.arithmetic import UndefinedError, arithmetic
from cosmic.errors import SpecError, UnknownNameError

MAX_LENGTH = 2_000
MAX_DEPTH = 100

FUNCTIONS = frozenset(
    {
        "abs",
        "all",
        "any",
        "ceil",
        "count",
        "defined",
        "floor",
        "gcd",
        "implies",
        "integer",
        "len",
        "log2",
        "max",
        "min",
        "product",
        "sum",
    }
)
"""What a formula may call."""

_ARGUMENTS = {"gcd": 2, "implies": 2}
_ARGUMENTS |= dict.fromkeys(("abs", "ceil", "defined", "floor", "integer", "log2"), 1)

INDEX_NAME = "d"
"""Stands for the dimension in a formula that is written once for all dimensions."""

_BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_COMPARE: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}


class Node:
    """A part of a formula; one of the classes below."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, a string or a truth value."""

    value: bool | int | float | str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A parameter, a derived value or a constant."""

    name: str


@dataclass(frozen=True, slots=True)
class Negate(Node):
    """Minus, or logical not."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Arithmetic on two operands; element by element when one is a vector."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """A chain of comparisons, `a < b <= c`."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`and` or `or` of several operands, from left to right, no further than needed."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choose(Node):
    """`yes if condition else no`."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Index(Node):
    """One element of a vector."""

    vector: Node
    position: Node


@dataclass(frozen=True, slots=True)
class Lookup(Node):
    """The value that a table gives for a key."""

    table: tuple[tuple[bool | int | float | str, Node], ...]
    key: Node


@dataclass(frozen=True, slots=True)
class Vector(Node):
    """Values in a row."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """One of `FUNCTIONS` on its arguments."""

    function: str
    arguments: tuple[Node, ...]


def parse(text: str) -> Node:
    """Read a formula.

    Raises:
        SpecError: The text is no formula of this language.
    """
    if not isinstance(text, str):
        raise SpecError(f"a formula is text, not {text!r}")
    if len(text) > MAX_LENGTH:
        raise SpecError(
            f"formula {text[:40]!r}... has {len(text)} characters, "
            f"more than the {MAX_LENGTH} allowed"
        )
    return _parsed(text)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SpecError(
            f"cannot read formula {_short(text)}: {_cause(error)}"
        ) from None
    try:
        return _convert(tree.body, MAX_DEPTH)
    except SpecError as error:
        raise SpecError(f"cannot use formula {_short(text)}: {error}") from None


def children(  # noqa: C901, PLR0911  # one case for each kind of node
    node: Node,
) -> tuple[Node, ...]:
    """The parts that a part of a formula is made of."""
    match node:
        case Negate(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Compare(first, rest):
            return (first, *(operand for _, operand in rest))
        case Logic(_, operands):
            return operands
        case Choose(condition, yes, no):
            return (condition, yes, no)
        case Index(vector, position):
            return (vector, position)
        case Lookup(table, key):
            return (*(value for _, value in table), key)
        case Vector(items):
            return items
        case Call(_, arguments):
            return arguments
        case _:
            return ()


def names(node: Node) -> tuple[str, ...]:
    """Names that a formula mentions, each once, in the order of appearance."""
    return tuple(dict.fromkeys(_names(node)))


def at_dimension(node: Node, dimension: int) -> Node:
    """The formula for one dimension: `d` replaced by the dimension's number."""
    if isinstance(node, Name):
        return Literal(dimension) if node.name == INDEX_NAME else node
    return with_parts(node, lambda part: at_dimension(part, dimension))


def with_parts(  # noqa: C901, PLR0911  # one case for each kind of node
    node: Node, change: Callable[[Node], Node]
) -> Node:
    """The same kind of node with each of its parts changed."""
    match node:
        case Negate(operator, operand):
            return Negate(operator, change(operand))
        case Binary(operator, left, right):
            return Binary(operator, change(left), change(right))
        case Compare(first, rest):
            return Compare(change(first), tuple((o, change(n)) for o, n in rest))
        case Logic(operator, operands):
            return Logic(operator, tuple(map(change, operands)))
        case Choose(condition, yes, no):
            return Choose(change(condition), change(yes), change(no))
        case Index(vector, position):
            return Index(change(vector), change(position))
        case Lookup(table, key):
            return Lookup(tuple((k, change(v)) for k, v in table), change(key))
        case Vector(items):
            return Vector(tuple(map(change, items)))
        case Call(function, arguments):
            return Call(function, tuple(map(change, arguments)))
        case _:
            return node


def _names(node: Node) -> Iterator[str]:
    if isinstance(node, Name):
        yield node.name
    for child in children(node):
        yield from _names(child)


def _convert(  # noqa: C901, PLR0911  # one case for each kind of node
    tree: ast.expr, depth: int
) -> Node:
    if depth == 0:
        raise SpecError(f"nested deeper than {MAX_DEPTH} levels")
    match tree:
        case ast.Constant(value):
            return Literal(_literal(value))
        case ast.Name(name):
            return Name(name)
        case ast.UnaryOp(operator, operand):
            return _unary(operator, _convert(operand, depth - 1))
        case ast.BinOp(left, operator, right):
            parts = [_convert(part, depth - 1) for part in (left, right)]
            return _folded(Binary(_binary(operator), *parts))
        case ast.Compare():
            return _compare(tree, depth - 1)
        case ast.BoolOp(operator, values):
            word = "and" if isinstance(operator, ast.And) else "or"
            return Logic(word, tuple(_convert(v, depth - 1) for v in values))
        case ast.IfExp(test, body, orelse):
            parts = [_convert(part, depth - 1) for part in (test, body, orelse)]
            return Choose(*parts)
        case ast.Subscript(value, position):
            return _subscript(value, position, depth - 1)
        case ast.Tuple(items) | ast.List(items):
            return Vector(tuple(_convert(item, depth - 1) for item in items))
        case ast.Call():
            return _call(tree, depth - 1)
        case _:
            raise SpecError(f"{type(tree).__name__} is not part of the language")


def _folded(node: Binary) -> Node:
    match node:
        case Binary(operator, Literal(left), Literal(right)):
            try:
                return Literal(arithmetic(operator, left, right))
            except UndefinedError as error:
                raise SpecError(str(error)) from None
        case _:
            return node


def _literal(value: object) -> bool | int | float | str:
    if isinstance(value, float) and not isfinite(value):
        raise SpecError("numbers must be finite")
    if isinstance(value, bool | int | float | str):
        return value
    raise SpecError(f"{value!r} is no number, string or truth value")


def _unary(operator: ast.unaryop, operand: Node) -> Node:
    if isinstance(operator, ast.Not):
        return Negate("not", operand)
    if isinstance(operator, ast.UAdd):
        return operand
    if isinstance(operator, ast.USub):
        return Negate("-", operand)
    raise SpecError("operator ~ is not part of the language")


def _binary(operator: ast.operator) -> str:
    if type(operator) not in _BINARY:
        raise SpecError(f"{type(operator).__name__} is not part of the language")
    return _BINARY[type(operator)]


def _compare(tree: ast.Compare, depth: int) -> Node:
    for operator in tree.ops:
        if type(operator) not in _COMPARE:
            raise SpecError(f"{type(operator).__name__} is not part of the language")
    pairs = zip(tree.ops, tree.comparators, strict=True)
    rest = tuple((_COMPARE[type(o)], _convert(c, depth)) for o, c in pairs)
    return Compare(_convert(tree.left, depth), rest)


def _subscript(value: ast.expr, position: ast.expr, depth: int) -> Node:
    if isinstance(position, ast.Slice):
        raise SpecError("a slice is not part of the language; index one element")
    if isinstance(value, ast.Dict):
        return Lookup(_table(value, depth), _convert(position, depth))
    return Index(_convert(value, depth), _convert(position, depth))


def _table(
    tree: ast.Dict, depth: int
) -> tuple[tuple[bool | int | float | str, Node], ...]:
    rows = []
    for key, value in zip(tree.keys, tree.values, strict=True):
        if not isinstance(key, ast.Constant):
            raise SpecError("a table's keys must be plain numbers or strings")
        rows.append((_literal(key.value), _convert(value, depth)))
    return tuple(rows)


def _call(tree: ast.Call, depth: int) -> Node:
    if not isinstance(tree.func, ast.Name) or tree.func.id not in FUNCTIONS:
        raise UnknownNameError("function", _called(tree.func), FUNCTIONS)
    if tree.keywords or not tree.args:
        raise SpecError(f"{tree.func.id}() takes one or more plain arguments")
    wanted = _ARGUMENTS.get(tree.func.id, len(tree.args))
    if len(tree.args) != wanted:
        raise SpecError(
            f"{tree.func.id}() takes {wanted} arguments, not {len(tree.args)}"
        )
    return Call(tree.func.id, tuple(_convert(a, depth) for a in tree.args))


def _called(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else type(function).__name__


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _cause(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.msg:
        return error.msg
    return (
        "it is nested too deeply" if not isinstance(error, ValueError) else str(error)
    )
