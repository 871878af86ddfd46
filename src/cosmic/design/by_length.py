"""Rules on vectors of varying length, compiled for each length by itself.

A sum or product takes in one gene after another, and which of them it takes in must
be settled before. So a rule that is too large for a table is compiled once for each
length, and the gene that holds the length chooses among the results.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cosmic.design.automaton import Automaton, States, distinct_rows, row_keys
from cosmic.design.expression import Node, names
from cosmic.design.machine import automaton_of_formula
from cosmic.design.symbols import Binding, Symbols
from cosmic.errors import SpecError

MAX_EDGES = 2**22
"""Edges that may be looked at while the results for all lengths are joined."""


def automaton_by_length(
    node: Node, scope: tuple[int, ...], symbols: Symbols
) -> Automaton:
    """The automaton of a condition, whose vectors may have a length that varies.

    Args:
        node: The condition.
        scope: The genes that it depends on, in order; at least one.
        symbols: What its names stand for.

    Raises:
        SpecError: It ties genes in another way than `decompose` can take apart, or
            needs too many states.
    """
    length = _length_name(node, symbols)
    if length is None:
        return automaton_of_formula(node, scope, symbols)
    binding = symbols.bindings[length]
    if isinstance(binding.value, int):
        return automaton_by_length(node, scope, _cut(symbols, length, binding.value))
    if not binding.genes:
        raise SpecError(f"the length {length} is computed")
    gene = binding.genes[0]
    choices = [
        automaton_by_length(node, scope, _cut(symbols, length, int(choice)))
        for choice in symbols.genes[gene].choices
    ]
    radices = [len(symbols.genes[g].choices) for g in scope]
    return _chosen(scope.index(gene), choices, radices)


def _length_name(node: Node, symbols: Symbols) -> str | None:
    """A name that says how long some vector of a condition is, if there is one."""
    waiting = dict.fromkeys(names(node))
    seen: set[str] = set()
    while waiting:
        name = next(iter(waiting))
        del waiting[name]
        seen.add(name)
        binding = symbols.bindings[name]
        if binding.length is not None:
            return binding.length
        mentioned = (n for formula in binding.nodes for n in names(formula))
        waiting |= dict.fromkeys(n for n in mentioned if n not in seen)
    return None


def _cut(symbols: Symbols, name: str, length: int) -> Symbols:
    """The same names, where the vectors that are as long as one says are so long."""

    def cut(binding: Binding) -> Binding:
        if binding.length != name:
            return binding
        value = binding.value
        return replace(
            binding,
            genes=binding.genes[:length],
            nodes=binding.nodes[:length],
            value=value[:length] if isinstance(value, tuple) else value,
            length=None,
        )

    bindings = {key: cut(binding) for key, binding in symbols.bindings.items()}
    return Symbols(bindings, symbols.genes)


def _chosen(
    place: int, automata: Sequence[Automaton], radices: Sequence[int]
) -> Automaton:
    """Goes by one automaton for each choice of a gene.

    All of them run side by side, -1 being the state of one that can keep its rule no
    more, until the gene has been read; then all but one are at an end.

    Args:
        place: Where the gene stands among those that are read.
        automata: One for each of its choices, all of the same genes.
        radices: Choices of each gene.
    """
    states: States = np.zeros((1, len(automata)), dtype=np.int64)
    layers: list[States] = []
    edges = 0
    for position, radix in enumerate(radices):
        edges += len(states) * radix * len(automata)
        if edges > MAX_EDGES:
            raise SpecError(f"it comes to more than {len(states)} different states")
        following = np.empty((len(states), radix, len(automata)), dtype=np.int64)
        for number, automaton in enumerate(automata):
            table = automaton.transitions[position]
            dead = np.full((1, radix), -1, dtype=np.int64)
            following[:, :, number] = np.concatenate([table, dead])[states[:, number]]
        if position == place:
            following = np.where(np.eye(radix, dtype=np.bool_), following, -1)
        layer, states = _joined(following)
        layers.append(layer)
    return Automaton(automata[0].scope, _smallest(layers))


def _joined(following: States) -> tuple[States, States]:
    """Number the joint states that go on; see `automaton.merged`."""
    alive = (following >= 0).any(axis=2)
    layer = np.full(alive.shape, -1, dtype=np.int64)
    reached = following[alive]
    _, first, inverse = np.unique(
        row_keys(reached + 1), return_index=True, return_inverse=True
    )
    layer[alive] = inverse.reshape(-1)
    return layer, reached[first]


def _smallest(layers: Sequence[States]) -> tuple[States, ...]:
    """The same automaton with equal states merged, which has one last state."""
    number: States = np.zeros(int(layers[-1].max(initial=-1)) + 1, dtype=np.int64)
    transitions: list[States] = []
    for layer in reversed(layers):
        kept, number = distinct_rows(np.append(number, -1)[layer])
        transitions.append(kept)
    return tuple(reversed(transitions))
