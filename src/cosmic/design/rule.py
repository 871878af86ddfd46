"""Rules: everything that must hold of the genes of a space, each on its own scope.

Besides the constraints there are: derived values must exist and be integers where
they say so; an inactive parameter keeps its canonical value; the genes beyond the
end of a vector of varying length keep theirs; such a vector gets no longer than what
it is held at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from math import log10, prod

import numpy as np

from cosmic.design.columns import Mask, column_of, relate, scalar_of, value_at
from cosmic.design.constraint import Constraint, Expression, Table
from cosmic.design.derived import Derived
from cosmic.design.evaluate_columns import holds
from cosmic.design.expression import (
    Binary,
    Call,
    Compare,
    Literal,
    Logic,
    Name,
    Node,
    at_dimension,
    children,
    parse,
)
from cosmic.design.expression import Index as At
from cosmic.design.parameter import Parameter, Value
from cosmic.design.parameter_set import ParameterSet
from cosmic.design.symbols import Grid, Symbols
from cosmic.errors import SpecError

MAX_CELLS = 2**22
"""Combinations that a formula is worked out for at once."""

MAX_CALLS = 2**18
"""Combinations that a constraint without a formula is asked about."""


MAX_WORK = 2**27
"""Steps for working out all rules of a space: combinations times parts of a formula."""

_POWER_WORK = 60  # a power leads to wide numbers, which take this much longer


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold.

    Attributes:
        text: What it says, for people.
        scope: Genes that it depends on, in order.
        node: The condition, if it is a formula.
        constraint: The constraint, if it is not.
        unless: A gene and its value for which the condition need not hold.
    """

    text: str
    scope: tuple[int, ...]
    node: Node | None = None
    constraint: Constraint | None = None
    unless: tuple[int, Value] | None = None

    def truth(self, symbols: Symbols) -> Mask:
        """Where it holds: one axis for each gene of its scope.

        Raises:
            SpecError: The formula joins kinds that do not fit.
        """
        if self.cells(symbols) > MAX_CELLS:
            raise SpecError(
                f"{self.text}: it ties {roughly(self.cells(symbols))} combinations of "
                f"{len(self.scope)} genes, more than {MAX_CELLS}"
            )
        grid = Grid(symbols, self.scope)
        if self.node is None:
            return _asked(self, grid)
        try:
            truth = holds(self.node, grid)
            if self.unless is not None:
                truth = truth | grid.equals(*self.unless)
            return np.broadcast_to(truth, grid.shape)
        except SpecError as error:
            raise SpecError(f"{self.text}: {error}") from None

    def work(self, symbols: Symbols) -> int:
        """Steps for working it out for all combinations, roughly."""
        parts = 1 if self.node is None else _parts(self.node)
        return self.cells(symbols) * parts

    def cells(self, symbols: Symbols) -> int:
        """Combinations of choices in its scope."""
        return prod(len(symbols.genes[g].choices) for g in self.scope)


def rules_of(parameter_set: ParameterSet, symbols: Symbols) -> tuple[Rule, ...]:
    """Everything that must hold in a space, constraints first."""
    return (
        *_constraint_rules(parameter_set, symbols),
        *_derived_rules(parameter_set, symbols),
        *_followed_rules(parameter_set, symbols),
        *_activity_rules(parameter_set, symbols),
        *_held_rules(parameter_set, symbols),
    )


def check_work(rules: Sequence[Rule], symbols: Symbols) -> None:
    """Check that the rules that are worked out do not take too long together.

    Raises:
        SpecError: They do; names the one that takes most.
    """
    works = [(r.work(symbols), r) for r in rules if r.cells(symbols) <= MAX_CELLS]
    total = sum(work for work, _ in works)
    if total > MAX_WORK:
        worst, rule = max(works, key=lambda pair: pair[0])
        raise SpecError(
            f"the rules take {roughly(total)} steps to work out, more than {MAX_WORK}; "
            f"most of them, {roughly(worst)}, are for '{rule.text}', which ties "
            f"{roughly(rule.cells(symbols))} combinations"
        )


def _parts(node: Node) -> int:
    """Parts of a formula, a power counting for many."""
    own = _POWER_WORK if isinstance(node, Binary) and node.operator == "**" else 1
    return own + sum(map(_parts, children(node)))


def roughly(count: int) -> str:
    """A count in few characters, however large.

    >>> roughly(1234), roughly(3 * 10**400)
    ('1234', '10^400')
    """
    return str(count) if count < 10**9 else f"10^{int(log10(count))}"


def activity(parameter: Parameter, position: int | None) -> Node | None:
    """The condition under which a gene has a meaning; None if it always has one."""
    parts: list[Node] = []
    if isinstance(parameter.dimensions, str) and position is not None:
        ends = Name(parameter.dimensions)
        parts.append(Compare(Literal(position), (("<", ends),)))
    if parameter.active_if is not None:
        node = parse(parameter.active_if)
        parts.append(node if position is None else at_dimension(node, position))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Logic("and", tuple(parts))


def _constraint_rules(parameter_set: ParameterSet, symbols: Symbols) -> Iterator[Rule]:
    for constraint in parameter_set.constraints:
        if isinstance(constraint, Expression):
            for node in _conjuncts(constraint.node):
                yield Rule(constraint.text, symbols.scope(node), node)
        else:
            scope = symbols.scope_of_names(constraint.names)
            yield Rule(repr(constraint), scope, constraint=constraint)


def _conjuncts(node: Node) -> Iterator[Node]:
    if isinstance(node, Logic) and node.operator == "and":
        for operand in node.operands:
            yield from _conjuncts(operand)
    else:
        yield node


def _derived_rules(parameter_set: ParameterSet, symbols: Symbols) -> Iterator[Rule]:
    for derived in parameter_set.derived:
        function = "integer" if derived.integer else "defined"
        ending = "must be an integer" if derived.integer else "must have a value"
        text = f"{derived.name} = {derived.formula} {ending}"
        for position, _ in enumerate(symbols.bindings[derived.name].nodes):
            vector = derived.length is not None
            node = _element_rule(derived, position if vector else None, function)
            yield Rule(text, symbols.scope(node), node)


def _followed_rules(parameter_set: ParameterSet, symbols: Symbols) -> Iterator[Rule]:
    for parameter in parameter_set.parameters:
        for position, _ in enumerate(symbols.bindings[parameter.name].nodes):
            vector = parameter.length is not None
            at = position if vector else None
            node = _element_rule(parameter, at, "defined")
            text = f"{parameter.name} follows {parameter.follows}"
            yield Rule(text, symbols.scope(node), node)


def _element_rule(
    owner: Parameter | Derived, position: int | None, function: str
) -> Node:
    if position is None:
        return Call(function, (Name(owner.name),))
    element = Call(function, (At(Name(owner.name), Literal(position)),))
    if not isinstance(owner.dimensions, str):
        return element
    beyond = Compare(Literal(position), ((">=", Name(owner.dimensions)),))
    return Logic("or", (beyond, element))


def _activity_rules(parameter_set: ParameterSet, symbols: Symbols) -> Iterator[Rule]:
    for number, gene in enumerate(symbols.genes):
        parameter = parameter_set.parameter(gene.parameter)
        node = activity(parameter, gene.position)
        if node is not None:
            yield Rule(
                text=f"{gene.name} keeps {parameter.canonical!r} while it is inactive",
                scope=tuple(sorted({number, *symbols.scope(node)})),
                node=node,
                unless=(number, parameter.canonical),
            )


def _held_rules(parameter_set: ParameterSet, symbols: Symbols) -> Iterator[Rule]:
    for parameter in parameter_set.parameters:
        value = symbols.bindings[parameter.name].value
        if isinstance(parameter.dimensions, str) and isinstance(value, tuple):
            node = Compare(Name(parameter.dimensions), (("<=", Literal(len(value))),))
            text = (
                f"{parameter.dimensions} <= {len(value)}, "
                f"the values that {parameter.name} is held at"
            )
            yield Rule(text, symbols.scope(node), node)


def _asked(rule: Rule, grid: Grid) -> Mask:
    constraint = rule.constraint
    assert constraint is not None, "a rule has a formula or a constraint"
    if isinstance(constraint, Table):
        return _listed(constraint, grid)
    cells = rule.cells(grid.symbols)
    if cells > MAX_CALLS:
        raise SpecError(
            f"{rule.text}: it ties {roughly(cells)} combinations, and without a "
            f"formula only {MAX_CALLS} can be asked about; write it as an Expression"
        )
    columns = [grid.columns(name) for name in constraint.names]
    answer = np.zeros(grid.shape, dtype=np.bool_)
    for cell in np.ndindex(*grid.shape):
        values = [value_at(column, cell) for column in columns]
        if None not in values:
            pairs = zip(constraint.names, values, strict=True)
            known = {name: value for name, value in pairs if value is not None}
            answer[cell] = constraint.violation(known) is None
    return answer


def _listed(table: Table, grid: Grid) -> Mask:
    columns = [scalar_of(grid.columns(name)) for name in table.names]
    answer = np.zeros((), dtype=np.bool_)
    for row in table.rows:
        pairs = zip(columns, row, strict=True)
        cells = [relate("==", column, column_of(value)) for column, value in pairs]
        same = [cell.values.astype(np.bool_) & ~cell.bad for cell in cells]
        answer = answer | reduce(np.logical_and, same)
    return np.broadcast_to(answer, grid.shape)
