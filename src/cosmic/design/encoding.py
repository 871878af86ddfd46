"""Encodings: the vectors of a space as arrays that agents like to work on.

Each turns feasible index vectors (n, genes) into an array (n, width) and back. The
way back takes any finite numbers and ends at the nearest feasible vector, so that
decoding what was encoded gives the same vectors again:

    ===========  ==================  =================================================
    encoding     width               one gene of r choices, at choice i
    ===========  ==================  =================================================
    INDEX        genes               i
    UNIT_CUBE    genes               (i + 1/2) / r, the middle of its part of [0, 1]
    ONE_HOT      sum of r            r numbers: 1 at i and 0 elsewhere; read by the
                                     greatest
    MIXED        between the two     an ordinal gene as in UNIT_CUBE, any other as in
                                     ONE_HOT
    ===========  ==================  =================================================
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from cosmic.design.design_space import DesignSpace
from cosmic.design.diagram import IndexMatrix
from cosmic.errors import SpecError

Encoded = npt.NDArray[np.float64]


class Form(Enum):
    """How a gene's choice is written as numbers."""

    INDEX = "index"
    UNIT_CUBE = "unit-cube"
    ONE_HOT = "one-hot"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Encoding:
    """One of the encodings of one space.

    Attributes:
        space: Whose vectors are encoded.
        form: How.
    """

    space: DesignSpace
    form: Form

    @property
    def width(self) -> int:
        """Numbers that one vector becomes."""
        return sum(self._widths())

    @property
    def columns(self) -> tuple[slice, ...]:
        """Where each gene stands."""
        ends = np.cumsum(self._widths()).tolist()
        starts = [0, *ends[:-1]]
        return tuple(slice(a, b) for a, b in zip(starts, ends, strict=True))

    def encode(self, vectors: IndexMatrix) -> Encoded:
        """Write index vectors, one a row, as numbers.

        Raises:
            SpecError: The array has not one column for each gene.
        """
        matrix = np.asarray(vectors)
        self._check(matrix, len(self.space.genes))
        result = np.zeros((len(matrix), self.width))
        for gene, (columns, radix) in enumerate(self._layout()):
            choices = matrix[:, gene]
            if self._hot(gene):
                result[np.arange(len(matrix)), columns.start + choices] = 1
            elif self.form is Form.INDEX:
                result[:, columns.start] = choices
            else:
                result[:, columns.start] = (choices + 0.5) / radix
        return result

    def decode(self, encoded: Encoded) -> IndexMatrix:
        """Read numbers as the nearest feasible index vectors, one a row.

        Raises:
            SpecError: The array is not `width` wide, or holds a NaN.
        """
        matrix = np.asarray(encoded, dtype=np.float64)
        self._check(matrix, self.width)
        if np.isnan(matrix).any():
            raise SpecError("an encoded vector holds a NaN")
        target = np.empty((len(matrix), len(self.space.genes)))
        for gene, (columns, radix) in enumerate(self._layout()):
            part = matrix[:, columns]
            if self._hot(gene):
                target[:, gene] = part.argmax(axis=1)
            elif self.form is Form.INDEX:
                target[:, gene] = part[:, 0]
            else:
                target[:, gene] = part[:, 0] * radix - 0.5
        return self.space.project_all(target)

    def _hot(self, gene: int) -> bool:
        ordinal = self.space.gene_table[gene].ordinal
        return self.form is Form.ONE_HOT or (self.form is Form.MIXED and not ordinal)

    def _widths(self) -> list[int]:
        radices = self.space.radices.tolist()
        return [radix if self._hot(gene) else 1 for gene, radix in enumerate(radices)]

    def _layout(self) -> list[tuple[slice, int]]:
        return list(zip(self.columns, self.space.radices.tolist(), strict=True))

    def _check(self, matrix: npt.NDArray[np.generic], width: int) -> None:
        if matrix.ndim != 2 or matrix.shape[1] != width:
            raise SpecError(f"expected an array (n, {width}), not {matrix.shape}")
