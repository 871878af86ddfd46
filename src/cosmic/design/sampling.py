"""Uniform samples of a space, one or a million at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosmic.design.component import MAX_TABLE, Component
from cosmic.design.diagram import IndexMatrix

_CHUNK = 2**15
_FEW = 16


@dataclass(frozen=True, slots=True)
class Sampler:
    """Draws feasible index vectors, each with the same probability.

    Small components are multiplied out into a few tables of at most `MAX_TABLE` rows;
    a sample is then one random row of each table. Large components are drawn by the
    rank of a combination.

    Attributes:
        rows: The rows of all tables below one another, padded to one width.
        first: The first row of each table.
        sizes: Rows of each table.
        columns: Where each gene of `genes` stands in a sample of all tables.
        genes: Genes that are in tables.
        tables: For each table its genes, a row for each of these, and its size.
        large: Components that are not.
        width: Genes of the space.
    """

    rows: IndexMatrix
    first: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    genes: npt.NDArray[np.int64]
    tables: tuple[tuple[tuple[int, ...], IndexMatrix, int], ...]
    large: tuple[Component, ...]
    width: int

    def sample(self, rng: np.random.Generator, count: int) -> IndexMatrix:
        """Draw index vectors, one a row."""
        if count <= _FEW:
            return self._few(rng, count)
        # Column by column, so that each gene is one look-up in a small table.
        result = np.empty((self.width, count), dtype=np.int32)
        for start in range(0, count, _CHUNK):
            self._fill(rng, result[:, start : start + _CHUNK])
        return result.T

    def _few(self, rng: np.random.Generator, count: int) -> IndexMatrix:
        draws = np.asarray(rng.random((count, len(self.sizes))) * self.sizes)
        rows = self.rows[draws.astype(np.int64) + self.first]
        drawn: IndexMatrix = rows.reshape(count, self.rows.shape[1] * len(self.sizes))
        if not self.large:
            return drawn[:, self.columns]
        result = np.empty((count, self.width), dtype=np.int32)
        result[:, self.genes] = drawn[:, self.columns]
        for component in self.large:
            for row in result:
                rank = random_rank(rng, component.count)
                row[component.places] = component.diagram.one_at(rank)
        return result

    def _fill(self, rng: np.random.Generator, part: IndexMatrix) -> None:
        count = part.shape[1]
        for genes, table, size in self.tables:
            draws = np.asarray(rng.random(count) * size).astype(np.int64)
            for gene, choices in zip(genes, table, strict=True):
                np.take(choices, draws, out=part[gene], mode="clip")
        for component in self.large:
            part[component.places] = component.diagram.draw(rng, count).T


def sampler_of(components: Sequence[Component]) -> Sampler:
    """Lay out the tables of some components."""
    width = sum(len(component.genes) for component in components)
    groups: list[tuple[tuple[int, ...], IndexMatrix]] = []
    for component in components:
        if component.table is not None:
            _add(groups, component.genes, component.table)
    padded = max((table.shape[1] for _, table in groups), default=0)
    tables = [_padded(table, padded) for _, table in groups]
    sizes = np.array([len(table) for table in tables], dtype=np.int64)
    place = {
        gene: group * padded + column
        for group, (genes, _) in enumerate(groups)
        for column, gene in enumerate(genes)
    }
    genes = sorted(place)
    return Sampler(
        rows=np.concatenate(tables) if tables else np.zeros((0, 0), dtype=np.int32),
        first=np.cumsum(sizes) - sizes,
        sizes=sizes,
        columns=np.array([place[gene] for gene in genes], dtype=np.int64),
        genes=np.array(genes, dtype=np.int64),
        tables=tuple(
            (genes, np.ascontiguousarray(table.T), len(table))
            for genes, table in groups
        ),
        large=tuple(c for c in components if c.table is None),
        width=width,
    )


def _add(
    groups: list[tuple[tuple[int, ...], IndexMatrix]],
    genes: tuple[int, ...],
    table: IndexMatrix,
) -> None:
    for i, (known, rows) in enumerate(groups):
        if len(rows) * len(table) <= MAX_TABLE // 4:
            left = np.repeat(rows, len(table), axis=0)
            right = np.tile(table, (len(rows), 1))
            groups[i] = ((*known, *genes), np.concatenate([left, right], axis=1))
            return
    groups.append((genes, table))


def _padded(table: IndexMatrix, width: int) -> IndexMatrix:
    return np.pad(table, ((0, 0), (0, width - table.shape[1])))


def random_rank(rng: np.random.Generator, total: int) -> int:
    """A random number below another, however large that is."""
    if total < 2**62:
        return int(rng.integers(total))
    size = total.bit_length() // 8 + 9  # 64 bits too many: a bias below 2^-64
    return int.from_bytes(rng.bytes(size), "little") % total
