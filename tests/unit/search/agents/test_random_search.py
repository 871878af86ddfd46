"""Random search."""

from itertools import pairwise

import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.search.agents.random_search import RandomSearch


def test_no_point_comes_twice_until_all_have_come(space: DesignSpace) -> None:
    points = RandomSearch(space, seed=3).ask(10_000)

    assert len(points) == space.count
    assert set(points) == {space.point(vector) for vector in space.enumerate()}


def test_after_the_last_point_there_are_none(space: DesignSpace) -> None:
    agent = RandomSearch(space, seed=3)
    agent.ask(space.count)

    assert agent.ask(1) == []


@pytest.mark.parametrize("batch", [1, 7, 128, 1000])
def test_the_sequence_does_not_depend_on_the_batch(
    space: DesignSpace, batch: int
) -> None:
    agent = RandomSearch(space, seed=5)
    points: list[DesignPoint] = []
    while more := agent.ask(batch):
        points += more

    assert points == RandomSearch(space, seed=5).ask(10_000)


def test_two_seeds_give_two_sequences(space: DesignSpace) -> None:
    sequences = [RandomSearch(space, seed=seed).ask(20) for seed in range(5)]

    assert all(one != other for one, other in pairwise(sequences))


def test_levels_are_drawn_evenly(space: DesignSpace) -> None:
    """Of the 1695 points 8^3 = 512 have w = 0, and 8^3 - 7^3 = 169 have w = 7."""
    points = [p for seed in range(40) for p in RandomSearch(space, seed).ask(50)]
    share = sum(point["w"] == 0 for point in points) / len(points)

    # 2000 draws: a standard error of sqrt(0.302 x 0.698 / 2000) = 0.0103
    assert share == pytest.approx(512 / 1695, abs=4 * 0.0103)
