"""Moves inside a space: projection, mutation, crossover and neighbors.

Every move ends at the feasible combination nearest to where it was aimed at, each
component by itself. Distance is the number of steps along the choices of an ordinal
gene, and 1 for any other choice of a categorical one; of equally near combinations
the first in lexicographic order is taken, so that a move depends on nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosmic.design.component import Component
from cosmic.design.diagram import IndexMatrix

IndexVector = npt.NDArray[np.int32]
"""For each gene the index of its choice."""

Target = npt.NDArray[np.floating] | npt.NDArray[np.integer]

_KEEP = 2.0**20
"""Steps that it is worth to keep a gene that was changed on purpose."""


@dataclass(frozen=True, slots=True)
class Moves:
    """The moves of one space.

    Attributes:
        components: Its genes, with what is feasible.
        radices: Choices of each gene.
        ordinal: Whether each gene is ordinal.
    """

    components: tuple[Component, ...]
    radices: npt.NDArray[np.int64]
    ordinal: npt.NDArray[np.bool_]

    def project(
        self, target: Target, kept: frozenset[int] = frozenset()
    ) -> IndexVector:
        """The feasible vector nearest to any vector.

        Args:
            target: For each gene where to aim at along its choices; need not be whole
                and may lie outside.
            kept: Genes to leave as they are where that is possible at all.
        """
        result = self._rounded(target)
        rounded = result.tolist()
        for component in self.components:
            if not component.rules:
                continue
            genes = component.genes
            if not component.diagram.contains([rounded[g] for g in genes]):
                costs = [self._cost(g, float(target[g]), g in kept) for g in genes]
                result[component.places] = component.nearest(costs)[0]
        return result

    def mutate(
        self, vector: IndexVector, rng: np.random.Generator, probability: float
    ) -> IndexVector:
        """Change each gene with some probability, and mend what that breaks.

        A gene that changes takes any other choice, all alike; the genes tied to it
        follow as little as they must.
        """
        changed = (rng.random(len(vector)) < probability) & (self.radices > 1)
        others = rng.integers(1, np.maximum(self.radices, 2))
        target = np.where(changed, (vector + others) % self.radices, vector)
        return self.project(target, frozenset(np.flatnonzero(changed).tolist()))

    def crossover(
        self, first: IndexVector, second: IndexVector, rng: np.random.Generator
    ) -> IndexVector:
        """Take each gene from either parent, and mend what that breaks."""
        return self.project(np.where(rng.random(len(first)) < 0.5, first, second))

    def neighbors(self, vector: IndexVector) -> IndexMatrix:
        """Feasible vectors one move away, each once, in lexicographic order.

        A move sets one gene to another choice (the one before or after, if it is
        ordinal); the genes tied to it follow as little as they must.
        """
        found: set[tuple[int, ...]] = set()
        for component in self.components:
            for place, gene in enumerate(component.genes):
                for choice in self._alternatives(gene, int(vector[gene])):
                    row = self._completed(component, vector, place, choice)
                    if row is not None:
                        moved = vector.copy()
                        moved[component.places] = row
                        found.add(tuple(moved.tolist()))
        found.discard(tuple(vector.tolist()))
        return np.array(sorted(found), dtype=np.int32).reshape(-1, len(vector))

    def _rounded(self, target: Target) -> IndexVector:
        near = np.ceil(np.asarray(target, dtype=np.float64) - 0.5)
        inside = np.minimum(np.maximum(near, 0), self.radices - 1)
        return inside.astype(np.int32)

    def _cost(self, gene: int, target: float, kept: bool) -> npt.NDArray[np.float64]:
        choices = np.arange(self.radices[gene], dtype=np.float64)
        if self.ordinal[gene]:
            cost = np.abs(choices - min(max(target, 0.0), float(choices[-1])))
        else:
            wanted = min(max(np.ceil(target - 0.5), 0), choices[-1])
            cost = (choices != wanted).astype(np.float64)
        return cost * _KEEP if kept else cost

    def _alternatives(self, gene: int, choice: int) -> Sequence[int]:
        radix = int(self.radices[gene])
        if self.ordinal[gene]:
            return [c for c in (choice - 1, choice + 1) if 0 <= c < radix]
        return [c for c in range(radix) if c != choice]

    def _completed(
        self, component: Component, vector: IndexVector, place: int, choice: int
    ) -> IndexVector | None:
        costs = [self._cost(g, float(vector[g]), kept=False) for g in component.genes]
        pinned = np.full_like(costs[place], np.inf)
        pinned[choice] = 0
        costs[place] = pinned
        rows = component.nearest(costs)
        return rows[0] if len(rows) else None
