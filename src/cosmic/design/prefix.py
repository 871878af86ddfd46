"""Prefixes: which choices of a gene can still be completed, given those before it.

Genes are chosen one after another, in the order of their space. Each component keeps
the node of its decision diagram that the choices so far lead to; an edge from there
is a choice that at least one feasible point makes. So whoever takes allowed choices
only always ends at a feasible point, and every feasible point can be reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosmic.design.automaton import States
from cosmic.design.component import Component
from cosmic.design.design_space import DesignSpace
from cosmic.design.diagram import Rows
from cosmic.errors import SpecError

Mask = npt.NDArray[np.bool_]

Nodes = npt.NDArray[np.int64]
"""Row = a prefix, column = a component, entry = node that the prefix leads to."""


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The prefixes of the feasible vectors of a space.

    >>> from cosmic.design.constraint import Expression
    >>> from cosmic.design.parameter import Parameter, Stack
    >>> from cosmic.design.parameter_set import ParameterSet
    >>> degrees = [
    ...     Parameter(name=name, stack=Stack.WORKLOAD, choices=(1, 2, 3, 4))
    ...     for name in ("dp", "tp")
    ... ]
    >>> rule = Expression("dp * tp == 4")
    >>> prefixes = prefixes_of(
    ...     DesignSpace(ParameterSet(name="4", parameters=degrees, constraints=[rule]))
    ... )
    >>> prefixes.allowed([]).tolist()  # dp of 1, 2, 4
    [True, True, False, True]
    >>> prefixes.allowed([1]).tolist()  # with dp = 2, only tp = 2
    [False, True, False, False]

    Attributes:
        genes: The names of the genes, in the order in which they are chosen.
        components: Groups of genes that rules tie together.
        homes: For each gene the number of its component.
        layers: For each gene its layer in the diagram of its component.
        rows: `layers` again, as lists where they are small.
    """

    genes: tuple[str, ...]
    components: int
    homes: tuple[int, ...]
    layers: tuple[States, ...]
    rows: tuple[Rows, ...]

    def allowed(self, prefix: Sequence[int]) -> Mask:
        """Which choices of the next gene some feasible vector makes.

        Args:
            prefix: A choice for each of the first genes; not for all of them.

        Returns:
            One entry for each choice of the gene after the prefix.

        Raises:
            SpecError: The prefix is no beginning of a feasible vector, or a whole one.
        """
        if len(prefix) >= len(self.genes):
            raise SpecError(
                f"a prefix has fewer entries than the {len(self.genes)} genes, "
                f"not {len(prefix)}"
            )
        nodes = [0] * self.components
        for gene, choice in enumerate(prefix):
            row = self.rows[gene][nodes[self.homes[gene]]]
            if not 0 <= choice < len(row) or row[choice] < 0:
                raise SpecError(self._refusal(gene, choice, row))
            nodes[self.homes[gene]] = row[choice]
        gene = len(prefix)
        mask: Mask = self.layers[gene][nodes[self.homes[gene]]] >= 0
        return mask

    def start(self, count: int) -> Nodes:
        """The nodes of `count` empty prefixes."""
        return np.zeros((count, self.components), dtype=np.int64)

    def masks(self, nodes: Nodes, gene: int) -> Mask:
        """`allowed` for many prefixes at once.

        Args:
            nodes: Where prefixes of all genes before `gene` lead.
            gene: The gene after them.

        Returns:
            Row = a prefix, column = a choice of the gene.
        """
        return np.asarray(self.layers[gene][nodes[:, self.homes[gene]]] >= 0)

    def after(self, nodes: Nodes, gene: int, choices: npt.NDArray[np.integer]) -> Nodes:
        """The nodes that prefixes lead to when each makes an allowed choice."""
        following = nodes.copy()
        home = self.homes[gene]
        following[:, home] = self.layers[gene][nodes[:, home], choices]
        return following

    def _refusal(self, gene: int, choice: int, row: Sequence[int]) -> str:
        open_choices = [i for i, node in enumerate(row) if node >= 0]
        return (
            f"{self.genes[gene]}: choice {choice} does not go with the choices before "
            f"it; allowed: {', '.join(map(str, open_choices))}"
        )


def prefixes_of(space: DesignSpace) -> Prefixes:
    """The prefixes of a space's feasible vectors."""
    components: Sequence[Component] = space.components
    places = {
        gene: (number, place)
        for number, component in enumerate(components)
        for place, gene in enumerate(component.genes)
    }
    ordered = [places[gene] for gene in range(len(places))]
    return Prefixes(
        genes=space.genes,
        components=len(components),
        homes=tuple(number for number, _ in ordered),
        layers=tuple(components[n].diagram.layers[place] for n, place in ordered),
        rows=tuple(components[n].diagram.rows[place] for n, place in ordered),
    )
