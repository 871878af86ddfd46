"""Constraints: rules on several parameters, each with a sentence for its breach.

Most are formulas. `product_of`, `sum_of`, `divides`, `bounds` and `implies` write the
common ones, so that code need not paste text together; `Table` lists what may be.
Anything else with `names` and `violation` is a constraint too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cosmic.design.arithmetic import Number, Result, UndefinedError, truth
from cosmic.design.evaluate import evaluate
from cosmic.design.expression import Compare, Name, Node, names, parse
from cosmic.design.parameter import PointValue, Value, check_name
from cosmic.errors import SpecError

_RELATIONS = ("==", "!=", "<", "<=", ">", ">=")


class Constraint(Protocol):
    """A rule that a design point keeps or breaks, whatever else is chosen."""

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters, derived values and constants that the rule depends on."""
        ...

    def violation(self, values: Mapping[str, PointValue]) -> str | None:
        """Give the sentence for a breach, or None where the rule is kept.

        Args:
            values: At least a value for each of `names`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition written as a formula.

    Attributes:
        text: The formula, as `expression` describes it.

    >>> rule = Expression("dp * pp * sp <= npus")
    >>> rule.violation({"dp": 64, "pp": 4, "sp": 8, "npus": 1024})
    'dp * pp * sp <= npus: dp=64, pp=4, sp=8 gives 2048 <= 1024'
    """

    text: str
    node: Node = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "node", parse(self.text))

    @property
    def names(self) -> tuple[str, ...]:
        """Names that the formula mentions."""
        return names(self.node)

    def violation(self, values: Mapping[str, PointValue]) -> str | None:
        """Give the sentence for a breach, with the numbers that came out."""
        try:
            if truth(evaluate(self.node, values)):
                return None
            outcome = _outcome(self.node, values)
        except UndefinedError as error:
            outcome = f"has no value: {error}"
        return describe_breach(self.text, self.node, values, outcome)


def product_of(*names: str, relation: str = "==", to: Number | str) -> Expression:
    """The product of some parameters, all elements of vectors included.

    Args:
        names: Parameters, or formulas.
        relation: How it compares: `==`, `!=`, `<`, `<=`, `>` or `>=`.
        to: What it is compared with, a number or a formula.

    >>> product_of("dp", "pp", "sp", relation="<=", to="npus").text
    'product(dp, pp, sp) <= npus'
    """
    return _folded("product", names, relation, to)


def sum_of(*names: str, relation: str = "<=", to: Number | str) -> Expression:
    """The sum of some parameters, all elements of vectors included.

    >>> sum_of("bandwidth", to=800).text
    'sum(bandwidth) <= 800'
    """
    return _folded("sum", names, relation, to)


def divides(divisor: Number | str, number: Number | str) -> Expression:
    """One number divides another without remainder.

    >>> divides("tp", "heads").violation({"tp": 64, "heads": 96})
    'heads % tp == 0: heads=96, tp=64 gives 32 == 0'
    """
    return Expression(f"{_part(number)} % {_part(divisor)} == 0")


def bounds(
    name: str, at_least: Number | None = None, at_most: Number | None = None
) -> Expression:
    """A value lies between two numbers, or on one side of one.

    Raises:
        SpecError: There is no bound at all, or they leave nothing.

    >>> bounds("dp", at_least=2, at_most=64).text
    '2 <= dp <= 64'
    """
    if at_least is None and at_most is None:
        raise SpecError(f"bounds of {name!r}: give at_least, at_most or both")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise SpecError(f"bounds of {name!r}: nothing is in {at_least} to {at_most}")
    left = "" if at_least is None else f"{at_least} <= "
    right = "" if at_most is None else f" <= {at_most}"
    return Expression(f"{left}{_part(name)}{right}")


def implies(condition: str, conclusion: str) -> Expression:
    """Where one formula holds, another must.

    >>> implies("pp == 1", "virtual_stages == 1").text
    'implies(pp == 1, virtual_stages == 1)'
    """
    return Expression(f"implies({condition}, {conclusion})")


@dataclass(frozen=True, slots=True)
class Table:
    """Some single-valued parameters take only combinations that are listed.

    Attributes:
        names: The parameters.
        rows: Combinations of their values, in the same order.

    >>> rule = Table(("generation", "memory"), (("a", 24), ("b", 80)))
    >>> rule.violation({"generation": "a", "memory": 80})
    '(generation, memory) = (a, 80) is not in the table of 2 rows'
    """

    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "rows", tuple(map(tuple, self.rows)))
        for name in self.names:
            check_name("parameter", name)
        for row in self.rows:
            if len(row) != len(self.names):
                raise SpecError(
                    f"a row of the table for {', '.join(self.names)} has "
                    f"{len(self.names)} values, not {len(row)}: {row!r}"
                )

    def violation(self, values: Mapping[str, PointValue]) -> str | None:
        """Give the sentence for a combination that is not listed."""
        row = tuple(values[name] for name in self.names)
        if row in self.rows:
            return None
        shown = ", ".join(map(show, row))
        listed = f"the table of {len(self.rows)} rows"
        return f"({', '.join(self.names)}) = ({shown}) is not in {listed}"


def describe_breach(
    text: str, node: Node, values: Mapping[str, PointValue], outcome: str
) -> str:
    """Give the sentence for a breach of a formula: rule, inputs, outcome."""
    listed = [f"{name}={show(values[name])}" for name in _inputs(node)]
    return f"{text}: {', '.join(listed)} {outcome}".replace(":  ", ": ")


def show(value: Result) -> str:
    """A value as a sentence shows it.

    >>> show((4, "Ring", 0.5))
    '[4, Ring, 0.5]'
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(show, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _outcome(node: Node, values: Mapping[str, Result]) -> str:
    if not isinstance(node, Compare):
        return "makes it false"
    sides = [show(evaluate(node.first, values))]
    for operator, operand in node.rest:
        sides += [operator, show(evaluate(operand, values))]
    return f"gives {' '.join(sides)}"


def _inputs(node: Node) -> tuple[str, ...]:
    mentioned = names(node)
    if not isinstance(node, Compare):
        return mentioned
    # A side that is a bare name shows its value in the outcome already.
    sides = (node.first, *(operand for _, operand in node.rest))
    bare = {side.name for side in sides if isinstance(side, Name)}
    return tuple(n for n in mentioned if n not in bare) or mentioned


def _folded(
    function: str, names: tuple[str, ...], relation: str, to: Number | str
) -> Expression:
    if relation not in _RELATIONS:
        known = ", ".join(_RELATIONS)
        raise SpecError(f"no relation {relation!r} of a {function}; known: {known}")
    return Expression(f"{function}({', '.join(names)}) {relation} {_part(to)}")


def _part(value: Number | str) -> str:
    if not isinstance(value, str):
        return str(value)
    parse(value)
    return value if value.isidentifier() else f"({value})"
