"""Walk: some designs in the making, all at the same gene."""

import numpy as np
import numpy.typing as npt

from cosmic.design.design_space import DesignSpace
from cosmic.design.diagram import IndexMatrix
from cosmic.design.prefix import Mask, prefixes_of

Observation = npt.NDArray[np.float32]


class Walk:
    """Chooses the genes of `count` designs one after another.

    What it shows of a design, its observation, is `genes + sum(radices)` zeros and
    ones: first a 1 at the gene to choose next (none after the last), then for each
    gene as many numbers as it has choices, with a 1 at the one chosen (none before).

    Attributes:
        gene: The gene to choose next.
        vectors: The choices so far, a row for each design; -1 where none was made.
        corrected: For each design the number of actions that were not allowed.
    """

    def __init__(self, space: DesignSpace, count: int) -> None:
        radices = space.radices
        self._genes = space.genes
        self._count = count
        self._prefixes = prefixes_of(space)
        self._first = len(radices) + np.cumsum(radices) - radices
        self._rows = np.arange(count)
        self.width = int(len(radices) + radices.sum())
        self.most_choices = int(radices.max())
        self.restart()

    @property
    def over(self) -> bool:
        """Whether every gene has been chosen."""
        return self.gene == len(self._genes)

    @property
    def gene_name(self) -> str:
        """The name of the gene to choose next; empty after the last."""
        return "" if self.over else self._genes[self.gene]

    def restart(self) -> None:
        """Begin new designs."""
        self.gene = 0
        self.vectors: IndexMatrix = np.full(
            (self._count, len(self._genes)), -1, dtype=np.int32
        )
        self.corrected = np.zeros(self._count, dtype=np.int64)
        self._nodes = self._prefixes.start(self._count)
        self._shown = np.zeros((self._count, self.width), dtype=np.float32)
        self._shown[:, 0] = 1

    def masks(self) -> Mask:
        """The allowed choices, a row for each design, padded to `most_choices`.

        After the last gene only choice 0 is allowed, and nothing comes of it, so that
        no row is ever empty.
        """
        padded = np.zeros((self._count, self.most_choices), dtype=np.bool_)
        if self.over:
            padded[:, 0] = True
        else:
            allowed = self._prefixes.masks(self._nodes, self.gene)
            padded[:, : allowed.shape[1]] = allowed
        return padded

    def observations(self) -> Observation:
        """What is seen of the designs, one a row."""
        return self._shown.copy()

    def choose(self, actions: npt.NDArray[np.integer]) -> None:
        """Choose the next gene of each design.

        An action that is not allowed stands for the allowed choice whose index is
        nearest, the lower of two, and is counted.
        """
        gene = self.gene
        choices = _nearest(self._prefixes.masks(self._nodes, gene), actions)
        self.corrected = self.corrected + (choices != actions)
        self.vectors[:, gene] = choices
        self._nodes = self._prefixes.after(self._nodes, gene, choices)
        self._shown[:, gene] = 0
        self._shown[self._rows, self._first[gene] + choices] = 1
        self.gene = gene + 1
        if not self.over:
            self._shown[:, self.gene] = 1


def _nearest(allowed: Mask, actions: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    steps = np.abs(np.arange(allowed.shape[1]) - actions[:, np.newaxis])
    away = np.where(allowed, steps, np.iinfo(np.int64).max)
    return np.asarray(away.argmin(axis=1), dtype=np.int64)
