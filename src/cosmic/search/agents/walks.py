"""Walks: vectors made gene by gene, of choices that can still be completed."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from cosmic.design.component import Component
from cosmic.design.moves import IndexVector

Open = npt.NDArray[np.bool_]
"""For each choice of a gene, whether a feasible vector goes on with it."""


def walk(
    components: Sequence[Component], choose: Callable[[int, Open], int]
) -> IndexVector:
    """A feasible vector, whose genes are chosen one after the other.

    Args:
        components: Those of the space.
        choose: Given a gene and its open choices, says which of these is taken.
    """
    genes = sum(len(component.genes) for component in components)
    vector = np.zeros(genes, dtype=np.int32)
    for component in components:
        node = 0
        layers = component.diagram.layers
        for gene, layer in zip(component.genes, layers, strict=True):
            following = layer[node]
            choice = choose(gene, following >= 0)
            vector[gene] = choice
            node = int(following[choice])
    return vector


def drawn(rng: np.random.Generator, weights: npt.NDArray[np.float64]) -> int:
    """An index at random, in proportion to weights that need not add up to 1."""
    ends = np.cumsum(weights)
    return int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))
