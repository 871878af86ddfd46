"""Ranking: the fixed order of a space's points, and the way there and back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from cosmic.design.component import Component
from cosmic.design.diagram import IndexMatrix, Ranks
from cosmic.design.moves import IndexVector
from cosmic.errors import SpecError

_CHUNK = 2**10


@dataclass(frozen=True, slots=True)
class Ranking:
    """The feasible vectors of some components, in order.

    The first component counts most; within it, combinations are in lexicographic
    order. With one component for each gene that is the lexicographic order of all.

    Attributes:
        components: The genes, with what is feasible.
        width: Genes of the space.
        count: Feasible vectors.
        strides: Vectors before the next combination of each component.
    """

    components: tuple[Component, ...]
    width: int
    count: int = field(init=False)
    strides: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        counts = [component.count for component in self.components]
        strides = tuple(prod(counts[i + 1 :]) for i in range(len(counts)))
        object.__setattr__(self, "count", prod(counts))
        object.__setattr__(self, "strides", strides)

    def contains(self, vector: Sequence[int]) -> bool:
        """Whether a vector is feasible."""
        return len(vector) == self.width and all(
            component.diagram.contains([vector[gene] for gene in component.genes])
            for component in self.components
        )

    def rank(self, vector: Sequence[int]) -> int:
        """The place of a feasible vector.

        Raises:
            SpecError: It is not feasible.
        """
        if not self.contains(vector):
            raise SpecError(f"the vector {list(vector)} is not feasible")
        return sum(
            component.diagram.rank([vector[gene] for gene in component.genes]) * stride
            for component, stride in zip(self.components, self.strides, strict=True)
        )

    def vectors(self, ranks: Sequence[int]) -> IndexMatrix:
        """The vectors at some places.

        Raises:
            SpecError: There is no such place.
        """
        for rank in ranks:
            if not 0 <= rank < self.count:
                raise SpecError(f"no point {rank}: there are {self.count}, from 0")
        result = np.empty((len(ranks), self.width), dtype=np.int32)
        for component, stride in zip(self.components, self.strides, strict=True):
            part = [rank // stride % component.count for rank in ranks]
            result[:, component.genes] = _rows(component, part)
        return result

    def enumerate(self) -> Iterator[IndexVector]:
        """Every feasible vector, in order."""
        for start in range(0, self.count, _CHUNK):
            yield from self.vectors(range(start, min(start + _CHUNK, self.count)))


def _rows(component: Component, ranks: list[int]) -> IndexMatrix:
    exact = component.count < 2**62
    array: Ranks = np.array(ranks, dtype=np.int64 if exact else object)
    if component.table is not None:
        return component.table[array.astype(np.int64)]
    return component.diagram.at(array)
