"""The double binary tree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from typing_extensions import override

from cosmic.collective.algorithm import (
    AnyStep,
    CollectiveAlgorithm,
    Floats,
    Ints,
    Step,
)
from cosmic.trace.node import CollectiveKind


class DoubleBinaryTree(CollectiveAlgorithm):
    """Half the buffer goes up and down one tree, half a mirrored one.

    In a group of a power of two, a device that is a leaf in one tree is inner in the
    other, so that both ways of every port are used. A level of the tree is one step,
    2 log2 n in all; a chunk is not cut further to fill the levels.

    A reduce-scatter sums up the tree and sends down only what each subtree keeps, an
    all-gather runs that backwards, and an all-to-all goes by way of the root. For a
    broadcast the first device, which is the root of one tree, hands the other root its
    half, and then both go down.

    Reference:
        P. Sanders, J. Speck and J. L. Träff, "Two-tree algorithms for full bandwidth
        broadcast, reduction and scan", Parallel Computing 35(12), 2009.
    """

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        if size == 1:
            return []
        levels = _levels(size)
        whole = [np.ones(len(level.children)) for level in levels]
        shares = [level.subtrees / size for level in levels]
        slices = [level.subtrees.astype(float) for level in levels]
        match kind:
            case CollectiveKind.ALL_REDUCE:
                return [*_up(levels, whole, True), *_down(levels, whole)]
            case CollectiveKind.REDUCE_SCATTER:
                return [*_up(levels, whole, True), *_down(levels, shares)]
            case CollectiveKind.ALL_GATHER:
                return [*_up(levels, shares, False), *_down(levels, whole)]
            case CollectiveKind.ALL_TO_ALL:
                return [*_up(levels, slices, False), *_down(levels, slices)]
            case CollectiveKind.BROADCAST:
                return [_other_root(size), *_down(levels, whole)]
            case _:
                assert_never(kind)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """The edges between two depths of both trees, deepest first."""

    children: Ints
    parents: Ints
    subtrees: Ints  # devices at and below each child


def _up(levels: Sequence[_Level], sizes: list[Floats], reduces: bool) -> Iterator[Step]:
    for level, fractions in zip(levels, sizes, strict=True):
        yield Step(
            sources=level.children,
            destinations=level.parents,
            fractions=fractions / 2,
            reduces=reduces,
        )


def _down(levels: Sequence[_Level], sizes: list[Floats]) -> Iterator[Step]:
    for level, fractions in zip(reversed(levels), reversed(sizes), strict=True):
        yield Step(
            sources=level.parents,
            destinations=level.children,
            fractions=fractions / 2,
        )


def _other_root(size: int) -> Step:
    """The root of the first tree hands half the buffer to that of the second."""
    return Step(
        sources=np.array([0]),
        destinations=np.array([size - 1]),
        fractions=np.array([0.5]),
    )


def _levels(size: int) -> list[_Level]:
    """Both trees' edges by depth; the second tree is the first one mirrored."""
    by_depth: dict[int, list[tuple[int, int, int]]] = {}
    _grow(1, size, 0, 1, by_depth)
    levels = []
    for depth in sorted(by_depth, reverse=True):
        edges = np.array(by_depth[depth], dtype=np.int64)
        child, parent, below = edges[:, 0], edges[:, 1], edges[:, 2]
        levels.append(
            _Level(
                np.concatenate([child, size - 1 - child]),
                np.concatenate([parent, size - 1 - parent]),
                np.concatenate([below, below]),
            )
        )
    return levels


def _grow(
    start: int,
    stop: int,
    parent: int,
    depth: int,
    by_depth: dict[int, list[tuple[int, int, int]]],
) -> None:
    """Add the in-order tree of devices start to stop - 1 below `parent`.

    Device 0 is the root and has one child, so that the rest is balanced.
    """
    if start >= stop:
        return
    child = (start + stop) // 2 if (stop - start) % 2 == 0 else (start + stop - 1) // 2
    by_depth.setdefault(depth, []).append((child, parent, stop - start))
    _grow(start, child, child, depth + 1, by_depth)
    _grow(child + 1, stop, child, depth + 1, by_depth)
