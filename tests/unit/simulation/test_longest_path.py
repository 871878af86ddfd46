"""The longest path through the steps of a phase, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.collective.algorithm import (
    AnyStep,
    ShiftStep,
    Step,
    SwitchStep,
    make_algorithm,
)
from cosmic.network.wiring import Shape, Wiring
from cosmic.simulation.longest_path import longest_path
from cosmic.simulation.step_loads import Row, step_loads
from cosmic.trace.node import CollectiveKind

RING, MESH, CUBE = Shape.RING, Shape.MESH, Shape.HYPERCUBE
SWITCH, FULL = Shape.SWITCH, Shape.FULLY_CONNECTED
AR, A2A, BROADCAST = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_TO_ALL,
    CollectiveKind.BROADCAST,
)


def path(steps: list[AnyStep], row: Row) -> int:
    return longest_path(steps, step_loads(steps, row), row)


def path_of(name: str, kind: CollectiveKind, row: Row) -> int:
    return path(list(make_algorithm(name).steps(kind, row.extent)), row)


def line(extent: int, stride: int = 1) -> Row:
    return Row(Wiring(MESH, extent * stride), extent, stride)


def around(extent: int, repeat: int) -> ShiftStep:
    """Everybody sends to the next one, so many times."""
    return ShiftStep(
        size=extent, distances=np.array([1]), each=np.array([0.1]), repeat=repeat
    )


def pairs(*ends: tuple[int, int], repeat: int = 1) -> Step:
    return Step(
        sources=np.array([source for source, _ in ends]),
        destinations=np.array([to for _, to in ends]),
        fractions=np.full(len(ends), 0.1),
        repeat=repeat,
    )


@given(extent=st.integers(2, 12), stride=st.integers(1, 3), repeat=st.integers(1, 40))
def test_what_goes_round_on_a_line_comes_back_once_a_round(
    extent: int, stride: int, repeat: int
) -> None:
    # the way back is the first step, and every extent-th after it
    back = (repeat - 1) // extent + 1
    links = back * (extent - 1) + (repeat - back)

    assert path([around(extent, repeat)], line(extent, stride)) == stride * links


def test_a_ring_on_a_part_of_a_ring_by_hand() -> None:
    part = Row(Wiring(RING, 16), 4, 1)

    # 6 steps: back over 3 links, three on, back again and one on: 3 + 1 + 1 + 1 + 3 + 1
    assert path_of("ring", AR, part) == 10


@pytest.mark.parametrize("shape", [RING, FULL, MESH])
@pytest.mark.parametrize("n", [2, 3, 8])
def test_slices_follow_each_other_down_a_chain(shape: Shape, n: int) -> None:
    # the first device waits for nobody, so the last slice leaves it without delay
    assert path_of("ring", BROADCAST, Row(Wiring(shape, n), n, 1)) == n - 1


def test_two_chains_make_a_path_go_to_and_fro() -> None:
    # each device but the first is in both chains: what came down one holds up the
    # other, from the second of 6 steps to the last but one
    assert path_of("bidirectionalRing", BROADCAST, Row(Wiring(RING, 4), 4, 1)) == 5


@pytest.mark.parametrize("name", ["direct", "bidirectionalRing"])
def test_messages_both_ways_cross_a_line_in_every_step(name: str) -> None:
    steps = sum(step.repeat for step in make_algorithm(name).steps(AR, 5))

    assert path_of(name, AR, line(5)) == 4 * steps


def test_windows_on_a_line_never_wait_for_the_longest_way_in_each_step() -> None:
    # 1, 2 and 3 further on: from 3 to 0 over 3 links, from 0 to 2 over 2, from 2 to 1
    # over 1; or from 2 to 3, from 3 to 1, from 1 to 0; or 3, 0, 2 and then 1
    steps = make_algorithm("direct1").steps(A2A, 4)

    assert path(list(steps), line(4)) == 3 + 2 + 1
    assert sum(load.hops for load in step_loads(steps, line(4))) == 3 + 2 + 3


def test_a_path_may_stay_where_it_is_for_a_step() -> None:
    # 0 to 3 over 3 links; 3 awaits nothing from 2; then 3 to 2
    steps = [pairs((0, 3)), pairs((1, 2)), pairs((3, 2))]

    assert path(list(steps), line(4)) == 3 + 1


def test_ways_that_do_not_follow_each_other_do_not_add_up() -> None:
    steps = [pairs((0, 3)), pairs((1, 2)), pairs((0, 1))]

    assert path(list(steps), line(4)) == 3


@pytest.mark.parametrize(("repeat", "links"), [(1, 3), (2, 6), (1000, 3000)])
def test_a_step_to_and_fro_is_done_as_often_as_it_says(repeat: int, links: int) -> None:
    swap = pairs((0, 3), (3, 0), (1, 2), (2, 1), repeat=repeat)

    assert path([swap], line(4)) == links


def test_a_round_that_begins_late_waits_for_the_last() -> None:
    # 0 to 2 over 2 links, then 2 to 3, and 3 back to 0; on its own the round has 3 + 1
    assert path([pairs((0, 2)), around(4, 2)], line(4)) == 2 + 1 + 3
    assert path([around(4, 2)], line(4)) == 3 + 1


def test_a_round_on_a_ring_goes_on_from_wherever_the_path_is() -> None:
    ring = Row(Wiring(RING, 6), 6, 1)

    assert path([pairs((0, 3)), around(6, 4)], ring) == 3 + 4
    assert path([around(6, 4), pairs((0, 3))], ring) == 4 + 3


def test_everybody_meets_at_a_switch() -> None:
    row = Row(Wiring(SWITCH, 4), 4, 1)
    meeting = SwitchStep(up=np.ones(4), down=np.ones(4))
    from_first = SwitchStep(up=np.array([1.0, 0, 0, 0]), down=np.ones(4), repeat=2)

    assert path([meeting, meeting], row) == 4
    # 1 to 2 holds up nobody, since the first device alone sends up
    assert path([pairs((1, 2)), from_first], row) == 4
    assert path([pairs((1, 2)), meeting], row) == 4
    assert path([pairs((1, 0)), from_first], row) == 6


@pytest.mark.parametrize("name", ["ring", "direct", "direct3", "bidirectionalRing"])
@pytest.mark.parametrize(("shape", "longer"), [(MESH, 4), (CUBE, 1), (SWITCH, 1)])
def test_groups_that_are_spread_take_the_same_path_over_longer_ways(
    name: str, shape: Shape, longer: int
) -> None:
    close, spread = Row(Wiring(shape, 8), 8, 1), Row(Wiring(shape, 64), 8, 4)

    assert path_of(name, AR, spread) == longer * path_of(name, AR, close)


def test_nobody_has_a_path_where_nobody_sends() -> None:
    assert path([], line(4)) == 0
