"""Decision diagrams: the feasible combinations of some genes, counted and walked.

A layer for each gene, a node for each distinct remainder of the problem, an edge for
each choice that can still be completed. Paths from the root to the end are exactly
the feasible combinations, in lexicographic order; a count on each node makes ranks,
uniform samples and nearest combinations a matter of one walk.

Reference:
    R. Bryant, "Graph-based algorithms for Boolean function manipulation", IEEE
    Transactions on Computers C-35(8), 1986; here with as many edges as choices.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cosmic.design.automaton import Automaton, States, distinct_rows, merged
from cosmic.errors import SpecError

IndexMatrix = npt.NDArray[np.int32]
"""Row = a combination, column = a gene, entry = the index of its choice."""

Ranks = npt.NDArray[np.int64] | npt.NDArray[np.object_]

Rows = Sequence[Sequence[int]]

MAX_EDGES = 2**23
"""Edges that may be looked at while a diagram is built, once for each rule."""

_LISTED = 2**18


@dataclass(frozen=True, slots=True)
class Diagram:
    """The feasible combinations of some genes.

    Attributes:
        layers: For each gene: row = node, column = choice, entry = node of the next
            layer or -1. The first layer has one node; the last leads to node 0.
        before: For each gene: the number of combinations that begin at a node with a
            lower choice; one column more than choices, the last being the total.
        rows: `layers` again, as lists where they are small, for single steps.
        rows_before: `before` again, likewise.
    """

    layers: tuple[States, ...]
    before: tuple[Ranks, ...]
    rows: tuple[Rows, ...] = field(init=False, repr=False, compare=False)
    rows_before: tuple[Rows, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(map(_listed, self.layers)))
        object.__setattr__(self, "rows_before", tuple(map(_listed, self.before)))

    @property
    def count(self) -> int:
        """Feasible combinations."""
        return int(self.before[0][0, -1])

    @property
    def nodes(self) -> int:
        """Nodes of all layers, as a measure of its size."""
        return sum(len(layer) for layer in self.layers)

    def contains(self, choices: Sequence[int]) -> bool:
        """Whether a combination is feasible."""
        node = 0
        for layer, choice in zip(self.rows, choices, strict=True):
            row = layer[node]
            if not 0 <= choice < len(row):
                return False
            node = row[choice]
            if node < 0:
                return False
        return True

    def rank(self, choices: Sequence[int]) -> int:
        """The number of feasible combinations before a feasible one."""
        node, rank = 0, 0
        for layer, before, choice in zip(
            self.rows, self.rows_before, choices, strict=True
        ):
            rank += int(before[node][choice])
            node = layer[node][choice]
        return rank

    def one_at(self, rank: int) -> list[int]:
        """The combination that has a rank; faster than `at` for a few."""
        node, choices = 0, []
        for layer, before in zip(self.rows, self.rows_before, strict=True):
            row = before[node]
            choice = bisect_right(row, rank, 0, len(row) - 1) - 1
            rank -= int(row[choice])
            choices.append(choice)
            node = layer[node][choice]
        return choices

    def at(self, ranks: Ranks) -> IndexMatrix:
        """The combinations that have some ranks."""
        left = ranks.copy()
        node = np.zeros(len(left), dtype=np.int64)
        result = np.empty((len(left), len(self.layers)), dtype=np.int32)
        for gene, (layer, before) in enumerate(
            zip(self.layers, self.before, strict=True)
        ):
            choice = _locate(before, node, left)
            result[:, gene] = choice
            left = left - before[node, choice]
            node = layer[node, choice]
        return result

    def draw(self, rng: np.random.Generator, count: int) -> IndexMatrix:
        """Draw combinations, one a row, all being equally likely.

        Where there are too many to number them in 64 bits, each gene is drawn by the
        share of combinations that each choice leads to, to the precision of a float.
        """
        if self.count < 2**62:
            return self.at(rng.integers(0, self.count, count))
        node = np.zeros(count, dtype=np.int64)
        result = np.empty((count, len(self.layers)), dtype=np.int32)
        for gene, layer in enumerate(self.layers):
            shares = self._shares(gene)[node]
            choice = (shares <= rng.random((count, 1))).sum(axis=1)
            result[:, gene] = choice
            node = layer[node, choice]
        return result

    def _shares(self, gene: int) -> npt.NDArray[np.float64]:
        before = self.before[gene]
        # The last choice that leads anywhere ends at exactly 1, and so do all after it.
        return (before[:, 1:-1] / before[:, -1:]).astype(np.float64)

    def nearest(self, costs: Sequence[npt.NDArray[np.float64]]) -> IndexMatrix:
        """The feasible combination of least cost; of equals, the first.

        Args:
            costs: For each gene, what each choice costs; infinite for never.

        Returns:
            One row, or none if every combination costs infinitely much.
        """
        best = np.zeros(1)
        totals: list[npt.NDArray[np.float64]] = []
        for layer, cost in zip(reversed(self.layers), reversed(costs), strict=True):
            total = np.where(layer >= 0, best[layer] + cost, np.inf)
            totals.append(total)
            best = total.min(axis=1)
        if not np.isfinite(best[0]):
            return np.empty((0, len(self.layers)), dtype=np.int32)
        node, row = 0, []
        for layer, total in zip(self.layers, reversed(totals), strict=True):
            row.append(int(total[node].argmin()))
            node = int(layer[node, row[-1]])
        return np.array([row], dtype=np.int32)


def build(radices: Sequence[int], automata: Sequence[Automaton]) -> Diagram:
    """The combinations that keep several rules at once.

    Args:
        radices: Choices of each gene.
        automata: Rules on these genes, numbered by their place in `radices`.

    Raises:
        SpecError: The diagram would take more than `MAX_EDGES` to build.
    """
    layers: list[States] = []
    reading: list[Automaton] = []
    states: States = np.zeros((1, 0), dtype=np.int64)
    edges = 0
    for gene, radix in enumerate(radices):
        starting = [a for a in automata if a.scope[0] == gene]
        reading += starting
        states = np.pad(states, ((0, 0), (0, len(starting))))
        edges += len(states) * radix * max(len(reading), 1)
        if edges > MAX_EDGES:
            raise SpecError(
                f"the constraints tie {len(radices)} genes in too many ways: after "
                f"{gene} of them there are {len(states)} cases to tell apart"
            )
        layer, states = merged(_step(states, gene, radix, reading))
        if not len(states):
            return empty(radices)
        layers.append(layer)
        # A rule that has read its last gene is in its one last state for good.
        open_still = [i for i, a in enumerate(reading) if a.scope[-1] > gene]
        reading = [reading[i] for i in open_still]
        states = states[:, open_still]
    reduced = _reduced(layers)
    return empty(radices) if (reduced[0] < 0).all() else _counted(reduced)


def empty(radices: Sequence[int]) -> Diagram:
    """The diagram without any combination."""
    return _counted([np.full((1, radix), -1, dtype=np.int64) for radix in radices])


def _step(
    states: States, gene: int, radix: int, automata: Sequence[Automaton]
) -> States:
    following = np.empty((len(states), radix, len(automata)), dtype=np.int64)
    for rule, automaton in enumerate(automata):
        if gene in automaton.scope:
            table = automaton.transitions[automaton.scope.index(gene)]
            following[:, :, rule] = table[states[:, rule]]
        else:
            following[:, :, rule] = states[:, rule, np.newaxis]
    return following


def _reduced(layers: Sequence[States]) -> list[States]:
    number: States = np.zeros(1, dtype=np.int64)
    result: list[States] = []
    for layer in reversed(layers):
        # The extra entry keeps -1, which is how a missing edge is written, at -1.
        renumbered = np.append(number, -1)[layer]
        kept, number = distinct_rows(renumbered)
        result.append(kept)
    return result[::-1]


def _counted(layers: Sequence[States]) -> Diagram:
    counts: Ranks = np.ones(1, dtype=np.int64)
    before: list[Ranks] = []
    for layer in reversed(layers):
        if counts.dtype != object and int(counts.max()) * layer.shape[1] >= 2**62:
            counts = counts.astype(object)
        edges = np.where(layer >= 0, counts[layer], 0)
        sums = np.zeros((len(layer), layer.shape[1] + 1), dtype=counts.dtype)
        np.cumsum(edges, axis=1, out=sums[:, 1:])
        before.append(sums)
        counts = sums[:, -1]
    return Diagram(tuple(layers), tuple(reversed(before)))


def _listed(layer: Ranks) -> Rows:
    if layer.size > _LISTED:
        return layer  # type: ignore[return-value]  # indexed like a list of lists
    rows: Rows = layer.tolist()
    return rows


def _locate(
    before: Ranks, node: npt.NDArray[np.int64], left: Ranks
) -> npt.NDArray[np.int64]:
    if len(before) == 1:
        return np.searchsorted(before[0, 1:-1], left, side="right")
    passed = before[node, 1:-1] <= left[:, np.newaxis]
    return np.asarray(passed.sum(axis=1), dtype=np.int64)
