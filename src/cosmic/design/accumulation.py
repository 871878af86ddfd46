"""Accumulation: rules on so many combinations that none can list them all.

Most such rules are conditions on a few sums, products, extremes and counts:

    sum(bandwidth) <= 800          product(sizes) == npus          max(v) - min(v) < 3

Each of these takes in one gene after another and need only remember what it has come
to so far. The rule is a condition on what they come to in the end.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice

from cosmic.design.arithmetic import Scalar, arithmetic, number
from cosmic.design.columns import value_at
from cosmic.design.evaluate_columns import evaluate_columns
from cosmic.design.expression import (
    Binary,
    Call,
    Choose,
    Compare,
    Index,
    Literal,
    Name,
    Negate,
    Node,
    Vector,
    children,
    with_parts,
)
from cosmic.design.symbols import Grid, Symbols
from cosmic.errors import SpecError

_FOLDS = {"sum": "+", "count": "+", "product": "*", "all": "min", "any": "max"}
_MAX_PARTS = 10_000
_TRUTHS = frozenset({"count", "all", "any"})


@dataclass(frozen=True, slots=True)
class Accumulator:
    """A value that takes in one gene after another.

    Attributes:
        operator: `+`, `*`, `min`, `max`, or `only` for the value of a single gene.
        start: What it begins with; None for nothing yet.
        terms: For each gene what each of its choices adds; None where undefined.
    """

    operator: str
    start: Scalar | None
    terms: Mapping[int, tuple[Scalar | None, ...]]

    def fold(self, total: Scalar | None, term: Scalar) -> Scalar:
        """Take in one more term.

        Raises:
            UndefinedError: The result has no value.
        """
        if total is None or self.operator == "only":
            return term
        if self.operator in {"+", "*"}:
            return arithmetic(self.operator, total, term)
        a, b = number(total), number(term)
        return min(a, b) if self.operator == "min" else max(a, b)


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A condition on what a few accumulators come to.

    Attributes:
        condition: The condition; accumulator i is named as `placeholder(i)` says.
        accumulators: What it is about.
    """

    condition: Node
    accumulators: tuple[Accumulator, ...]


def placeholder(position: int) -> str:
    """The name of an accumulator in a condition, which no user can write."""
    return f"#{position}"


def decompose(node: Node, symbols: Symbols) -> Decomposition:
    """Write a condition as one on a few accumulators.

    Raises:
        SpecError: Some part of it ties several genes in another way.
    """
    found: list[Accumulator] = []
    visits = count()

    def replaced(part: Node) -> Node:
        if next(visits) > _MAX_PARTS:
            raise SpecError(f"it has more than {_MAX_PARTS} parts")
        accumulator = _accumulator(part, symbols)
        if accumulator is not None:
            found.append(accumulator)
            return Name(placeholder(len(found) - 1))
        if not symbols.scope(part):
            return part
        part = _expanded(part, symbols)
        if isinstance(part, Name):
            elements = _elements(part, symbols)
            if elements == [part]:
                return replaced(part)
            return Vector(tuple(map(replaced, elements)))
        return with_parts(part, replaced)

    return Decomposition(replaced(node), tuple(found))


def _expanded(node: Node, symbols: Symbols) -> Node:
    if isinstance(node, Name):
        binding = symbols.bindings[node.name]
        if binding.nodes and not binding.vector:
            return _expanded(binding.nodes[0], symbols)
    if isinstance(node, Index) and isinstance(node.vector, Name):
        nodes = symbols.bindings[node.vector.name].nodes
        at = node.position.value if isinstance(node.position, Literal) else None
        if isinstance(at, int) and 0 <= at < len(nodes):
            return _expanded(nodes[at], symbols)
    return node


def _accumulator(node: Node, symbols: Symbols) -> Accumulator | None:
    scope = symbols.scope(node)
    if len(scope) == 1 and _length(node, symbols) is None:
        return Accumulator("only", None, {scope[0]: _values(node, scope[0], symbols)})
    if not scope:
        return None
    node = _expanded(node, symbols)
    operator = _operator(node)
    if operator is None:
        return None
    terms = list(islice(_terms(node, operator, symbols), _MAX_PARTS + 1))
    if len(terms) > _MAX_PARTS:
        raise SpecError(f"it has more than {_MAX_PARTS} terms")
    if any(len(symbols.scope(term)) > 1 for term in terms):
        return None
    return _collected(operator, terms, symbols)


def _operator(node: Node) -> str | None:
    match node:
        case Binary("+" | "-", _, _):
            return "+"
        case Binary("*", _, _):
            return "*"
        case Call("min" | "max" as function, _):
            return function
        case Call(function, _):
            return _FOLDS.get(function)
        case _:
            return None


def _terms(node: Node, operator: str, symbols: Symbols) -> Iterator[Node]:
    node = _expanded(node, symbols)
    match node:
        case Binary(sign, left, right) if sign == operator:
            yield from _terms(left, operator, symbols)
            yield from _terms(right, operator, symbols)
        case Binary("-", left, right) if operator == "+":
            yield from _terms(left, operator, symbols)
            yield from (Negate("-", term) for term in _terms(right, operator, symbols))
        case Call(function, arguments) if _operator(node) == operator:
            items = chain.from_iterable(_elements(a, symbols) for a in arguments)
            if function in _TRUTHS:
                yield from (Choose(item, Literal(1), Literal(0)) for item in items)
            else:
                yield from items
        case _:
            yield node


def _elements(node: Node, symbols: Symbols) -> list[Node]:
    length = _length(node, symbols)
    if length is None:
        return [node]
    return [_element(node, i, symbols) for i in range(length)]


def _length(node: Node, symbols: Symbols) -> int | None:
    match node:
        case Name(name):
            binding = symbols.bindings[name]
            if binding.length is not None:
                raise SpecError(f"{name} has a length that varies")
            if not binding.vector:
                return None
            value = binding.value if isinstance(binding.value, tuple) else ()
            return len(binding.genes) or len(binding.nodes) or len(value)
        case Vector(items):
            return len(items)
        case Index() | Call():
            return None
        case _:
            lengths = {_length(part, symbols) for part in children(node)} - {None}
            return min((n for n in lengths if n is not None), default=None)


def _element(node: Node, position: int, symbols: Symbols) -> Node:
    if _length(node, symbols) is None:
        return node
    match node:
        case Name():
            return Index(node, Literal(position))
        case Vector(items):
            return items[position]
        case Binary() | Negate() | Compare():
            return with_parts(node, lambda part: _element(part, position, symbols))
        case _:
            raise SpecError("a vector stands where it cannot be folded")


def _collected(
    operator: str, terms: Sequence[Node], symbols: Symbols
) -> Accumulator | None:
    start: Scalar | None = {"+": 0, "*": 1}.get(operator)
    scopes = [symbols.scope(term) for term in terms]
    folding = Accumulator(operator, start, {})
    collected: dict[int, tuple[Scalar | None, ...]] = {}
    for term, scope in zip(terms, scopes, strict=True):
        if not scope:
            value = value_at(evaluate_columns(term, Grid(symbols, ())), ())
            if value is None or isinstance(value, tuple):
                return None
            start = folding.fold(start, value)
            continue
        values = _values(term, scope[0], symbols)
        known = collected.get(scope[0])
        collected[scope[0]] = (
            values if known is None else _folded(folding, known, values)
        )
    order = [scope[0] if scope else -1 for scope in scopes]
    if order != sorted(set(order)) and not _exact(collected.values(), start):
        raise SpecError("fractions are added or multiplied out of order")
    return Accumulator(operator, start, collected)


def _folded(
    folding: Accumulator,
    left: tuple[Scalar | None, ...],
    right: tuple[Scalar | None, ...],
) -> tuple[Scalar | None, ...]:
    return tuple(
        None if a is None or b is None else folding.fold(a, b)
        for a, b in zip(left, right, strict=True)
    )


def _exact(
    collected: Iterable[tuple[Scalar | None, ...]],
    start: Scalar | None,
) -> bool:
    values = chain(chain.from_iterable(collected), (start,))
    return not any(isinstance(value, float) for value in values)


def _values(node: Node, gene: int, symbols: Symbols) -> tuple[Scalar | None, ...]:
    column = evaluate_columns(node, Grid(symbols, (gene,)))
    values = [
        value_at(column, (choice,))
        for choice in range(len(symbols.genes[gene].choices))
    ]
    if any(isinstance(value, tuple) for value in values):
        raise SpecError("a vector stands where it cannot be folded")
    return tuple(value for value in values if not isinstance(value, tuple))
