"""The double binary tree: two trees that span, and what goes up and down them."""

import math
from itertools import pairwise

import numpy as np
import pytest

from cosmic.collective.algorithm import Step
from cosmic.collective.double_binary_tree import DoubleBinaryTree
from cosmic.trace.node import CollectiveKind

SIZES = [2, 3, 4, 5, 6, 7, 8, 13, 16, 64]
POWERS = [4, 8, 16, 64]


def messages(kind: CollectiveKind, size: int) -> list[Step]:
    steps = DoubleBinaryTree().steps(kind, size)
    found = [step for step in steps if isinstance(step, Step)]
    assert len(found) == len(steps)
    return found


def trees(size: int) -> list[dict[int, int]]:
    """The parent of every child in each tree: a step lists one tree, then the other."""
    parents: list[dict[int, int]] = [{}, {}]
    for step in messages(CollectiveKind.ALL_REDUCE, size):
        if not step.reduces:
            break
        half = len(step.sources) // 2
        for tree, part in zip(parents, (slice(half), slice(half, None)), strict=True):
            children = step.sources[part].tolist()
            assert not tree.keys() & set(children)
            tree.update(zip(children, step.destinations[part].tolist(), strict=True))
    return parents


def depth(tree: dict[int, int], device: int) -> int:
    return 0 if device not in tree else 1 + depth(tree, tree[device])


@pytest.mark.parametrize("size", SIZES)
def test_both_trees_span_all_devices_from_one_root(size: int) -> None:
    for tree in trees(size):
        roots = set(range(size)) - tree.keys()
        assert len(roots) == 1
        assert set(tree) | roots == set(range(size))
        assert all(depth(tree, device) < size for device in range(size))


@pytest.mark.parametrize("size", SIZES)
def test_no_device_has_more_than_two_children(size: int) -> None:
    for tree in trees(size):
        assert max(np.bincount(list(tree.values()))) <= 2


@pytest.mark.parametrize("size", SIZES)
def test_the_depth_is_the_logarithm(size: int) -> None:
    for tree in trees(size):
        deepest = max(depth(tree, device) for device in range(size))
        assert deepest == math.ceil(math.log2(size))


@pytest.mark.parametrize("size", POWERS)
def test_a_leaf_of_one_tree_is_inner_in_the_other(size: int) -> None:
    one, other = (set(tree.values()) for tree in trees(size))

    assert one.isdisjoint(other)
    assert one | other == set(range(size))


@pytest.mark.parametrize("size", SIZES)
def test_an_all_reduce_leaves_every_device_with_the_sum(size: int) -> None:
    """A message that reduces is added, one that does not takes the place."""
    vectors = np.random.default_rng(0).integers(0, 99, (2, size))
    held = vectors.copy()  # one half of the buffer for each tree

    for step in messages(CollectiveKind.ALL_REDUCE, size):
        before, half = held.copy(), len(step.sources) // 2
        for tree, part in enumerate((slice(half), slice(half, None))):
            sources, destinations = step.sources[part], step.destinations[part]
            for source, to in zip(sources, destinations, strict=True):
                kept = held[tree, to] if step.reduces else 0
                held[tree, to] = before[tree, source] + kept

    assert (held == vectors.sum(axis=1, keepdims=True)).all()


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_down_after_a_reduce_scatter_is_what_each_subtree_keeps(
    size: int,
) -> None:
    steps = messages(CollectiveKind.REDUCE_SCATTER, size)
    down = [step for step in steps if not step.reduces]

    below = np.zeros(size)  # half of 1/n for each device of each child's subtree
    for tree in trees(size):
        for device in range(size):
            climber = device
            while climber in tree:
                below[climber] += 1
                climber = tree[climber]
    received = np.zeros(size)
    for step in down:
        np.add.at(received, step.destinations, step.fractions)
    assert received * 2 * size == pytest.approx(below)


def test_an_all_gather_is_a_reduce_scatter_backwards() -> None:
    scatter = messages(CollectiveKind.REDUCE_SCATTER, 8)
    gather = messages(CollectiveKind.ALL_GATHER, 8)

    for there, back in zip(scatter, reversed(gather), strict=True):
        assert (there.sources == back.destinations).all()
        assert (there.destinations == back.sources).all()
        assert (there.fractions == back.fractions).all()


def test_an_all_to_all_carries_every_slice_of_a_subtree() -> None:
    steps = messages(CollectiveKind.ALL_TO_ALL, 4)
    # trees of 4: 0 <- 2 <- {1, 3} and its mirror image; half of the buffers of one
    # device leave a leaf, of three the inner device
    heaviest = [float(step.fractions.max()) for step in steps]

    assert heaviest == [0.5, 1.5, 1.5, 0.5]
    assert not any(step.reduces for step in steps)


def test_levels_go_up_deepest_first() -> None:
    for tree in trees(16):
        depths = [depth(tree, child) for child in tree]
        assert all(here >= after for here, after in pairwise(depths))


def test_a_broadcast_goes_down_both_trees_once_both_roots_have_it() -> None:
    over, *down = messages(CollectiveKind.BROADCAST, 8)
    rest = messages(CollectiveKind.ALL_REDUCE, 8)[3:]

    assert (over.sources.tolist(), over.destinations.tolist()) == ([0], [7])
    assert over.fractions.tolist() == [0.5]
    for step, same in zip(down, rest, strict=True):
        assert (step.sources == same.sources).all()
        assert (step.destinations == same.destinations).all()
        assert (step.fractions == same.fractions).all()
