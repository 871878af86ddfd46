"""Bounds: when a sum, product or extreme has settled a comparison before its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from cosmic.design.accumulation import Accumulator, Decomposition, placeholder
from cosmic.design.arithmetic import Number, Scalar, UndefinedError, number
from cosmic.design.columns import value_at
from cosmic.design.evaluate_columns import evaluate_columns
from cosmic.design.expression import Compare, Name, Node
from cosmic.design.symbols import Grid, Symbols

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_SLACK = 1e-9  # relative; far more than the rounding of any fold of floats


class Verdict(Enum):
    """What is known of a comparison before all genes have been read."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A comparison of one accumulator with a constant.

    Attributes:
        operator: How they are compared, the accumulator standing left.
        limit: The constant.
        accumulator: What is compared.
        rest: For each gene, the least and the most that all later ones can add.
        whole: Whether all that is added is integers.
    """

    operator: str
    limit: Number
    accumulator: Accumulator
    rest: Mapping[int, tuple[Number, Number]]
    whole: bool

    def verdict(self, gene: int, total: Scalar) -> Verdict:
        """What is known when a gene has been read and the total is known."""
        low, high = self.rest[gene]
        try:
            least = number(self.accumulator.fold(total, low))
            most = number(self.accumulator.fold(total, high))
        except UndefinedError:
            return Verdict.OPEN
        if self._impossible(least, most) or self._indivisible(total):
            return Verdict.BROKEN
        return Verdict.KEPT if self._certain(least, most) else Verdict.OPEN

    def _impossible(self, least: Number, most: Number) -> bool:
        match self.operator:
            case "<" | "<=":
                return _below(self.limit, least)
            case ">" | ">=":
                return _below(most, self.limit)
            case _:
                return _below(self.limit, least) or _below(most, self.limit)

    def _indivisible(self, total: Scalar) -> bool:
        if self.accumulator.operator != "*" or self.operator != "==":
            return False
        whole = self.whole and isinstance(total, int) and isinstance(self.limit, int)
        return whole and total != 0 and self.limit % number(total) != 0

    def _certain(self, least: Number, most: Number) -> bool:
        match self.operator:
            case "<" | "<=":
                return _below(most, self.limit)
            case ">" | ">=":
                return _below(self.limit, least)
            case _:
                return False


def bounds_of(parts: Decomposition, symbols: Symbols) -> Bounds | None:
    """The bounds of a condition that compares one accumulator with a constant."""
    compared = _compared(parts.condition, len(parts.accumulators))
    if compared is None:
        return None
    operator, constant = compared
    limit = value_at(evaluate_columns(constant, Grid(symbols, ())), ())
    accumulator = parts.accumulators[0]
    terms = [t for choices in accumulator.terms.values() for t in choices]
    numeric = all(isinstance(t, int | float) for t in terms)
    if not isinstance(limit, int | float) or not numeric:
        return None
    if accumulator.operator == "*":
        start = accumulator.start
        factors = [number(t) for t in (*terms, start) if t is not None]
        if min(factors) < 0:
            return None
    if accumulator.operator == "only":
        return None
    try:
        return Bounds(
            operator=operator,
            limit=limit,
            accumulator=accumulator,
            rest=_rest(accumulator),
            whole=all(isinstance(term, int) for term in terms),
        )
    except UndefinedError:
        return None


def _compared(condition: Node, count: int) -> tuple[str, Node] | None:
    if count != 1 or not isinstance(condition, Compare) or len(condition.rest) != 1:
        return None
    operator, right = condition.rest[0]
    if operator not in _MIRRORED:
        return None
    name = Name(placeholder(0))
    if condition.first == name:
        return operator, right
    return (_MIRRORED[operator], condition.first) if right == name else None


def _rest(accumulator: Accumulator) -> dict[int, tuple[Number, Number]]:
    rest: dict[int, tuple[Number, Number]] = {}
    later: list[tuple[Number, Number]] = []
    for gene in sorted(accumulator.terms, reverse=True):
        rest[gene] = (_fold(accumulator, later, 0), _fold(accumulator, later, 1))
        known = [number(t) for t in accumulator.terms[gene] if t is not None]
        later.append((min(known), max(known)))
    return rest


def _fold(
    accumulator: Accumulator, ranges: list[tuple[Number, Number]], end: int
) -> Number:
    neutral: dict[str, Number] = {"+": 0, "*": 1}
    neutral |= {"min": float("inf"), "max": float("-inf")}
    total: Number = neutral[accumulator.operator]
    for bounds in ranges:
        total = number(accumulator.fold(total, bounds[end]))
    return total


def _below(a: Number, b: Number) -> bool:
    if isinstance(a, int) and isinstance(b, int):
        return a < b
    if a in _INFINITE or b in _INFINITE:
        return a < b
    return a < b - _SLACK * max(abs(a), abs(b))


_INFINITE = (float("inf"), float("-inf"))
