"""Machines: automata of rules that are decomposed into accumulators.

Each accumulator is a machine whose states are the values that it can have come to.
Run side by side, their last states are all the ways in which the rule can be asked;
working backwards from the answers leaves the smallest automaton. A rule that compares
one accumulator with a constant is settled as early as its bounds allow, which keeps a
product of many genes from having as many states as it has values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cosmic.design.accumulation import (
    Accumulator,
    Decomposition,
    decompose,
    placeholder,
)
from cosmic.design.arithmetic import Scalar, UndefinedError
from cosmic.design.automaton import Automaton, States, distinct_rows, merged
from cosmic.design.bounds import Bounds, Verdict, bounds_of
from cosmic.design.columns import Column, Columns, Mask, column_of
from cosmic.design.evaluate_columns import holds
from cosmic.design.expression import Node
from cosmic.design.symbols import Grid, Symbols
from cosmic.errors import SpecError

MAX_STEPS = 2**18
"""Steps that one accumulator may take, over all its states and choices."""

MAX_EDGES = 2**22
"""Edges of all layers of machines that run side by side."""


class _Undefined:
    """The state of an accumulator that has no value any more."""


class _Accepted:
    """The state of an accumulator that will keep its rule whatever follows."""


_UNDEFINED, _ACCEPTED = _Undefined(), _Accepted()
_State = Scalar | None | _Undefined | _Accepted


@dataclass(frozen=True, slots=True)
class _Machine:
    """An accumulator as a machine.

    Attributes:
        layers: For each gene of the rule's scope: row = state, column = choice,
            entry = next state or -1; None for a gene that it does not read.
        values: What its last states have come to.
    """

    layers: tuple[States | None, ...]
    values: tuple[_State, ...]


@dataclass(frozen=True, slots=True)
class _Ends:
    """What the accumulators have come to in each of the joint last states."""

    machines: tuple[_Machine, ...]
    final: States
    around: Grid

    def columns(self, name: str) -> Columns:
        """The values of an accumulator, or of a name that no gene changes."""
        for position, machine in enumerate(self.machines):
            if name == placeholder(position):
                column = _column(machine.values)
                last = self.final[:, position]
                return Column(column.values[last], column.bad[last])
        return self.around.columns(name)


def automaton_of_formula(
    node: Node, scope: tuple[int, ...], symbols: Symbols
) -> Automaton:
    """The automaton of a condition on accumulators.

    Args:
        node: The condition.
        scope: The genes that it depends on, in order.
        symbols: What its names stand for.

    Raises:
        SpecError: It ties genes in another way, or needs too many states.
    """
    parts = decompose(node, symbols)
    bounds = bounds_of(parts, symbols)
    radices = [len(symbols.genes[gene].choices) for gene in scope]
    machines = tuple(
        _machine(accumulator, scope, radices, bounds)
        for accumulator in parts.accumulators
    )
    layers, final = _side_by_side(machines, radices)
    number: States = np.where(_answers(parts, machines, final, symbols), 0, -1)
    transitions: list[States] = []
    for layer in reversed(layers):
        kept, number = distinct_rows(np.append(number, -1)[layer])
        transitions.append(kept)
    return Automaton(scope, tuple(reversed(transitions)))


def _machine(
    accumulator: Accumulator,
    scope: tuple[int, ...],
    radices: Sequence[int],
    bounds: Bounds | None,
) -> _Machine:
    states: dict[_State, int] = {accumulator.start: 0}
    layers: list[States | None] = []
    steps = 0
    for gene, radix in zip(scope, radices, strict=True):
        if gene not in accumulator.terms:
            layers.append(None)
            continue
        steps += len(states) * radix
        if steps > MAX_STEPS:
            raise SpecError(f"working it out takes more than {MAX_STEPS} steps")
        layer = np.full((len(states), radix), -1, dtype=np.int64)
        following: dict[_State, int] = {}
        for state, row in states.items():
            for choice, term in enumerate(accumulator.terms[gene]):
                after = _after(accumulator, state, term)
                verdict = _verdict(bounds, gene, after)
                if verdict is Verdict.KEPT:
                    after = _ACCEPTED
                if verdict is not Verdict.BROKEN:
                    layer[row, choice] = following.setdefault(after, len(following))
        layers.append(layer)
        states = following
    return _Machine(tuple(layers), tuple(states))


def _after(accumulator: Accumulator, state: _State, term: Scalar | None) -> _State:
    if isinstance(state, _Undefined | _Accepted):
        return state
    if term is None:
        return _UNDEFINED
    try:
        return accumulator.fold(state, term)
    except UndefinedError:
        return _UNDEFINED


def _verdict(bounds: Bounds | None, gene: int, state: _State) -> Verdict:
    if bounds is None or state is None or isinstance(state, _Undefined | _Accepted):
        return Verdict.OPEN
    return bounds.verdict(gene, state)


def _side_by_side(
    machines: Sequence[_Machine], radices: Sequence[int]
) -> tuple[list[States], States]:
    states: States = np.zeros((1, len(machines)), dtype=np.int64)
    layers: list[States] = []
    edges = 0
    for gene, radix in enumerate(radices):
        edges += len(states) * radix * len(machines)
        if edges > MAX_EDGES:
            raise SpecError(f"it comes to more than {len(states)} different states")
        following = np.empty((len(states), radix, len(machines)), dtype=np.int64)
        for position, machine in enumerate(machines):
            table, now = machine.layers[gene], states[:, position]
            following[:, :, position] = (
                now[:, np.newaxis] if table is None else table[now]
            )
        layer, states = merged(following)
        layers.append(layer)
    return layers, states


def _answers(
    parts: Decomposition,
    machines: tuple[_Machine, ...],
    final: States,
    symbols: Symbols,
) -> Mask:
    if not len(final):
        return np.zeros(0, dtype=np.bool_)
    ends = _Ends(machines, final, Grid(symbols, ()))
    truth = np.broadcast_to(holds(parts.condition, ends), (len(final),))
    for position, machine in enumerate(machines):
        accepted = np.array([value is _ACCEPTED for value in machine.values])
        truth = truth | accepted[final[:, position]]
    return truth


def _column(values: Sequence[_State]) -> Column:
    known: list[Scalar] = [v for v in values if isinstance(v, bool | int | float | str)]
    stand_in: Scalar = known[0] if known else 1
    items = [v if isinstance(v, bool | int | float | str) else stand_in for v in values]
    bad = [not isinstance(v, bool | int | float | str) for v in values]
    return Column(column_of(items).values, np.array(bad, dtype=np.bool_))
