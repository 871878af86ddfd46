"""What the names of a parameter set stand for in one space: genes, constants, formulas.

A parameter is *searched* (its genes vary), *held* (at the baseline's value) or
*followed* (computed from the others); a derived value is always computed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cosmic.design.columns import Column, Columns, ColumnVector, Mask, column_of
from cosmic.design.evaluate_columns import evaluate_columns
from cosmic.design.expression import (
    Call,
    Index,
    Literal,
    Name,
    Node,
    at_dimension,
    children,
    names,
    parse,
)
from cosmic.design.parameter import PointValue, Value
from cosmic.design.parameter_set import ParameterSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Gene:
    """One value that is searched: a parameter, or one element of a vector.

    Attributes:
        name: `dp` or `topology[0]`.
        parameter: The parameter's name.
        position: Which element of a vector; None for a single value.
        choices: What it may be in this space, in order.
        ordinal: Whether choices that stand near each other act alike.
    """

    name: str
    parameter: str
    position: int | None
    choices: tuple[Value, ...]
    ordinal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What one name stands for: genes, a constant or formulas; one of the three.

    Attributes:
        genes: Indices of the genes, if it is searched.
        value: Its value, if it is held.
        nodes: Its formulas, one for each element, if it is computed.
        vector: Whether it has elements.
        length: The name that holds the number of elements, if that varies.
    """

    genes: tuple[int, ...] = ()
    value: PointValue | None = None
    nodes: tuple[Node, ...] = ()
    vector: bool = False
    length: str | None = None


@dataclass(frozen=True, slots=True)
class Symbols:
    """All names of a space, and its genes."""

    bindings: Mapping[str, Binding]
    genes: tuple[Gene, ...]
    # Without it, values derived from each other twice would be walked 2^n times.
    _scopes: dict[Name, frozenset[int]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def scope(self, node: Node) -> tuple[int, ...]:
        """Genes that a formula's value depends on, in order."""
        return tuple(sorted(set(self._scope(node))))

    def scope_of_names(self, mentioned: Sequence[str]) -> tuple[int, ...]:
        """Genes that the values of some names depend on, in order."""
        return tuple(sorted({g for name in mentioned for g in self._scope(Name(name))}))

    def given(self, nodes: Sequence[Node]) -> dict[str, PointValue]:
        """Constants and held parameters that some formulas depend on."""
        found: dict[str, PointValue] = {}
        waiting = dict.fromkeys(name for node in nodes for name in names(node))
        seen: set[str] = set()
        while waiting:
            name = next(iter(waiting))
            del waiting[name]
            seen.add(name)
            binding = self.bindings[name]
            if binding.value is not None:
                found[name] = binding.value
            mentioned = (name for node in binding.nodes for name in names(node))
            waiting |= dict.fromkeys(name for name in mentioned if name not in seen)
        return found

    def _scope(self, node: Node) -> Iterator[int]:
        match node:
            case Index(Name(name), Literal(int(position))):
                yield from self._element_scope(self.bindings[name], position)
            case Call("len", (Name(name),)):
                yield from self._length_scope(self.bindings[name])
            case Name(name):
                if node not in self._scopes:
                    self._scopes[node] = frozenset(self._name_scope(name))
                yield from self._scopes[node]
            case _:
                for child in children(node):
                    yield from self._scope(child)

    def _name_scope(self, name: str) -> Iterator[int]:
        binding = self.bindings[name]
        yield from binding.genes
        yield from self._length_scope(binding)
        for formula in binding.nodes:
            yield from self._scope(formula)

    def _element_scope(self, binding: Binding, position: int) -> Iterator[int]:
        yield from self._length_scope(binding)
        if binding.vector:
            yield from binding.genes[position : position + 1]
            for formula in binding.nodes[position : position + 1]:
                yield from self._scope(formula)

    def _length_scope(self, binding: Binding) -> Iterator[int]:
        if binding.length is not None:
            yield from self._scope(Name(binding.length))


@dataclass(frozen=True, slots=True)
class Grid:
    """All combinations of the choices of some genes, one axis for each.

    Attributes:
        symbols: What the names stand for.
        scope: The genes, in order; the columns of others hold nothing.
    """

    symbols: Symbols
    scope: tuple[int, ...]
    _known: dict[str, Columns] = field(default_factory=dict, repr=False, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Choices of each gene."""
        return tuple(len(self.symbols.genes[g].choices) for g in self.scope)

    def columns(self, name: str) -> Columns:
        """The values of a name, for all combinations."""
        if name not in self._known:
            self._known[name] = self._compute(self.symbols.bindings[name])
        return self._known[name]

    def equals(self, gene: int, value: Value) -> Mask:
        """Where a gene has a value."""
        shape = [1] * len(self.scope)
        shape[self.scope.index(gene)] = -1
        choices = self.symbols.genes[gene].choices
        return np.array([choice == value for choice in choices]).reshape(shape)

    def _compute(self, binding: Binding) -> Columns:
        if binding.genes:
            items = tuple(map(self._gene_column, binding.genes))
        elif binding.nodes:
            items = tuple(map(self._formula_column, binding.nodes))
        else:
            items = tuple(map(column_of, _items(binding.value)))
        if not binding.vector:
            return items[0]
        return ColumnVector(items, self._length(binding))

    def _length(self, binding: Binding) -> Column | None:
        if binding.length is None:
            return None
        length = self.columns(binding.length)
        assert isinstance(length, Column), "a length is a single value"
        return length

    def _gene_column(self, gene: int) -> Column:
        if gene not in self.scope:
            return _ABSENT
        column = column_of(self.symbols.genes[gene].choices)
        shape = [1] * len(self.scope)
        shape[self.scope.index(gene)] = -1
        return Column(column.values.reshape(shape))

    def _formula_column(self, node: Node) -> Column:
        if not set(self.symbols.scope(node)) <= set(self.scope):
            return _ABSENT
        column = evaluate_columns(node, self)
        return column if isinstance(column, Column) else _ABSENT


_ABSENT = Column(np.ones((), dtype=np.int64), np.ones((), dtype=np.bool_))


def bind(
    parameter_set: ParameterSet,
    held: Mapping[str, PointValue],
    followed: frozenset[str],
    choices: Mapping[str, tuple[Value, ...]],
) -> Symbols:
    """Say what each name stands for.

    Args:
        parameter_set: The names.
        held: Parameters that keep one value.
        followed: Parameters that are computed by what they follow.
        choices: What genes may be, where that is less than their parameter allows.
    """
    bindings: dict[str, Binding] = {
        name: _constant(value, parameter_set.lengths.get(name))
        for name, value in parameter_set.constants.items()
    }
    genes: list[Gene] = []
    for p in parameter_set.parameters:
        length = p.dimensions if isinstance(p.dimensions, str) else None
        vector, ordinal = p.length is not None, p.is_ordinal
        if p.name in held:
            bindings[p.name] = _constant(held[p.name], length)
        elif p.name in followed and p.follows is not None:
            nodes = _formulas(p.follows, p.length)
            bindings[p.name] = Binding(nodes=nodes, vector=vector, length=length)
        else:
            numbers = tuple(range(len(genes), len(genes) + len(p.gene_names)))
            bindings[p.name] = Binding(genes=numbers, vector=vector, length=length)
            genes += [
                Gene(
                    name=name,
                    parameter=p.name,
                    position=i if vector else None,
                    choices=choices.get(name, p.choices),
                    ordinal=ordinal,
                )
                for i, name in enumerate(p.gene_names)
            ]
    for d in parameter_set.derived:
        length = d.dimensions if isinstance(d.dimensions, str) else None
        nodes = _formulas(d.formula, d.length)
        vector = d.length is not None
        bindings[d.name] = Binding(nodes=nodes, vector=vector, length=length)
    return Symbols(bindings, tuple(genes))


def _formulas(text: str, length: int | None) -> tuple[Node, ...]:
    node = parse(text)
    if length is None:
        return (node,)
    return tuple(at_dimension(node, i) for i in range(length))


def _constant(value: PointValue, length: str | None) -> Binding:
    return Binding(value=value, vector=isinstance(value, tuple), length=length)


def _items(value: PointValue | None) -> tuple[Value, ...]:
    assert value is not None, "a name stands for genes, formulas or a value"
    return value if isinstance(value, tuple) else (value,)
