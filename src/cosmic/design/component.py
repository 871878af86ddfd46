"""Components: genes that rules tie together, with their feasible combinations.

Genes of different components do not know of each other, so their counts multiply. A
component of few combinations also lists them in a table, which is faster to look
into; a large one is only a decision diagram.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cosmic.design.automaton import Automaton, automaton_of_truth
from cosmic.design.by_length import automaton_by_length
from cosmic.design.conflict import smallest_conflict
from cosmic.design.constraint import show
from cosmic.design.diagram import Diagram, IndexMatrix, build
from cosmic.design.rule import MAX_CELLS, Rule, check_work, roughly
from cosmic.design.symbols import Symbols
from cosmic.errors import ConsistencyError, SpecError

MAX_TABLE = 2**16
"""Combinations that a table lists."""

_SEARCHED_TABLE = 2**12

Costs = Sequence[npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Component:
    """Genes that are tied together.

    Attributes:
        genes: Their numbers in the space, in order.
        rules: What ties them.
        diagram: Their feasible combinations.
        table: The same as rows in lexicographic order; None where they are too many.
        places: `genes` again, to index arrays with.
    """

    genes: tuple[int, ...]
    rules: tuple[Rule, ...]
    diagram: Diagram
    table: IndexMatrix | None
    places: npt.NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = np.array(self.genes, dtype=np.int64)
        object.__setattr__(self, "places", places)

    @property
    def count(self) -> int:
        """Feasible combinations."""
        return self.diagram.count

    def nearest(self, costs: Costs) -> IndexMatrix:
        """The combination of least cost, the first of equals, as one row.

        Args:
            costs: For each of its genes, what each choice costs; infinite for never.

        Returns:
            One row, or none if every combination costs infinitely much.
        """
        if self.table is None or len(self.table) > _SEARCHED_TABLE:
            return self.diagram.nearest(costs)
        total = costs[0][self.table[:, 0]]
        for gene, cost in enumerate(costs[1:], start=1):
            total = total + cost[self.table[:, gene]]
        best = int(total.argmin())
        return self.table[best : best + 1 if total[best] < np.inf else best]


def compile_components(
    symbols: Symbols, rules: Sequence[Rule]
) -> tuple[Component, ...]:
    """Split the genes of a space into components and compile each.

    Raises:
        ConsistencyError: The rules leave no design point; names a few that do so.
        SpecError: A rule cannot be computed, or a component is too large.
    """
    check_work(rules, symbols)
    compiled: dict[int, Automaton] = {}
    for rule in rules:
        if rule.scope:
            compiled[id(rule)] = automaton_of(rule, symbols)
        elif not rule.truth(symbols).all():
            raise ConsistencyError(_nothing_left(symbols, [rule]))
    components = []
    for genes, tied in _split(len(symbols.genes), [r for r in rules if r.scope]):
        diagram = _diagram(symbols, genes, [compiled[id(rule)] for rule in tied])
        if diagram.count == 0:
            raise ConsistencyError(_conflict(symbols, genes, tied, compiled))
        table = None
        if diagram.count <= MAX_TABLE:
            table = diagram.at(np.arange(diagram.count, dtype=np.int64))
        components.append(Component(genes, tuple(tied), diagram, table))
    return tuple(components)


def automaton_of(rule: Rule, symbols: Symbols) -> Automaton:
    """The automaton of a rule that depends on at least one gene.

    Raises:
        SpecError: It cannot be computed, or ties too many combinations.
    """
    if rule.node is None or rule.unless or rule.cells(symbols) <= MAX_CELLS:
        return automaton_of_truth(rule.scope, rule.truth(symbols))
    try:
        return automaton_by_length(rule.node, rule.scope, symbols)
    except SpecError as error:
        raise SpecError(
            f"{rule.text}: cannot be compiled for {roughly(rule.cells(symbols))} "
            f"combinations of {len(rule.scope)} genes: {error}"
        ) from None


def _diagram(
    symbols: Symbols, genes: tuple[int, ...], automata: Sequence[Automaton]
) -> Diagram:
    place = {gene: i for i, gene in enumerate(genes)}
    moved = [
        Automaton(tuple(place[g] for g in a.scope), a.transitions) for a in automata
    ]
    return build([len(symbols.genes[g].choices) for g in genes], moved)


def _split(
    count: int, rules: Sequence[Rule]
) -> list[tuple[tuple[int, ...], list[Rule]]]:
    leader = list(range(count))

    def find(gene: int) -> int:
        while leader[gene] != gene:
            gene = leader[gene]
        return gene

    for rule in rules:
        for gene in rule.scope:
            low, high = sorted((find(rule.scope[0]), find(gene)))
            leader[high] = low
    members: dict[int, list[int]] = {}
    for gene in range(count):
        members.setdefault(find(gene), []).append(gene)
    return [
        (tuple(genes), [r for r in rules if find(r.scope[0]) == first])
        for first, genes in members.items()
    ]


def _conflict(
    symbols: Symbols,
    genes: tuple[int, ...],
    rules: Sequence[Rule],
    compiled: dict[int, Automaton],
) -> str:
    def is_empty(some: Sequence[Rule]) -> bool:
        automata = [compiled[id(rule)] for rule in some]
        return _diagram(symbols, genes, automata).count == 0

    return _nothing_left(symbols, smallest_conflict(rules, is_empty))


def _nothing_left(symbols: Symbols, rules: Sequence[Rule]) -> str:
    texts = list(dict.fromkeys(rule.text for rule in rules))
    genes = sorted({gene for rule in rules for gene in rule.scope})
    given = symbols.given([rule.node for rule in rules if rule.node is not None])
    ranges = [f"{name} = {show(value)}" for name, value in given.items()]
    ranges += [_range(symbols, gene) for gene in genes]
    ranges = [*ranges[:8], "..."] if len(ranges) > 8 else ranges
    together = " and ".join(f"'{text}'" for text in texts)
    where = f", with {'; '.join(ranges)}" if ranges else ""
    return f"no design point satisfies {together}{where}"


def _range(symbols: Symbols, number: int) -> str:
    gene = symbols.genes[number]
    shown = [str(choice) for choice in gene.choices]
    if len(shown) > 6:
        shown = [*shown[:3], "...", shown[-1]]
    return f"{gene.name} in ({', '.join(shown)})"
