"""The order of micro-batches on a stage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.simulation.schedule import Slot, slots, warm_up
from cosmic.trace.execution_graph import Schedule

schedules = st.sampled_from(Schedule)
counts = st.integers(1, 9)


@st.composite
def places(draw: st.DrawFn) -> tuple[int, int]:
    """Some stages, and one of them."""
    stages = draw(st.integers(1, 6))
    return stages, draw(st.integers(0, stages - 1))


def written(schedule: Schedule, stages: int, stage: int, micro_batches: int) -> str:
    order = slots(schedule, stages, stage, micro_batches)
    return " ".join(f"{'FB'[not slot.forward]}{slot.micro_batch}" for slot in order)


def interleaved(stages: int, stage: int, micro_batches: int, chunks: int) -> str:
    """The first part's slots as they are, the second part's in small letters."""
    order = slots(Schedule.ONE_F_ONE_B, stages, stage, micro_batches, chunks)
    return " ".join(
        f"{('FB', 'fb')[slot.chunk][not slot.forward]}{slot.micro_batch}"
        for slot in order
    )


@given(schedule=schedules, place=places(), micro_batches=counts)
def test_every_micro_batch_goes_once_forward_and_then_once_backward(
    schedule: Schedule, place: tuple[int, int], micro_batches: int
) -> None:
    order = list(slots(schedule, *place, micro_batches))
    put_off = schedule is Schedule.ZB_H1

    assert len(set(order)) == len(order) == (2 + put_off) * micro_batches
    for m in range(micro_batches):
        assert order.index(Slot(True, m)) < order.index(Slot(False, m))
        if put_off:
            later = Slot(False, m, weights=True)
            assert order.index(Slot(False, m)) < order.index(later)


@given(schedule=schedules, place=places(), micro_batches=counts)
def test_both_directions_take_micro_batches_in_order(
    schedule: Schedule, place: tuple[int, int], micro_batches: int
) -> None:
    order = list(slots(schedule, *place, micro_batches))

    for forward in (True, False):
        there = [slot for slot in order if not slot.weights]
        taken = [slot.micro_batch for slot in there if slot.forward is forward]
        assert taken == list(range(micro_batches))


@given(place=places(), micro_batches=counts)
def test_1f1b_keeps_no_more_micro_batches_than_there_are_stages_to_come(
    place: tuple[int, int], micro_batches: int
) -> None:
    stages, stage = place
    kept = most = 0
    for slot in slots(Schedule.ONE_F_ONE_B, stages, stage, micro_batches):
        kept += 1 if slot.forward else -1
        most = max(most, kept)

    assert most == min(micro_batches, stages - stage)


@pytest.mark.parametrize(
    ("stage", "order"),
    [
        (0, "F0 F1 F2 B0 F3 B1 B2 B3"),
        (1, "F0 F1 B0 F2 B1 F3 B2 B3"),
        (2, "F0 B0 F1 B1 F2 B2 F3 B3"),
    ],
)
def test_1f1b_of_four_micro_batches_on_three_stages(stage: int, order: str) -> None:
    assert written(Schedule.ONE_F_ONE_B, 3, stage, 4) == order


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_gpipe_takes_all_forward_first(stage: int) -> None:
    assert written(Schedule.GPIPE, 3, stage, 3) == "F0 F1 F2 B0 B1 B2"


def test_a_short_step_ends_before_the_warm_up_does() -> None:
    assert warm_up(Schedule.ONE_F_ONE_B, 8, 0, 2) == 2


@pytest.mark.parametrize(
    ("stage", "order"),
    [
        (0, "F0 F1 f0 f1 F2 b0 F3 b1 f2 B0 f3 B1 b2 b3 B2 B3"),
        (1, "F0 F1 f0 b0 f1 b1 F2 B0 F3 B1 f2 b2 f3 b3 B2 B3"),
    ],
)
def test_interleaved_two_parts_on_two_stages(stage: int, order: str) -> None:
    """By hand, two micro-batches through a part at a time: Narayanan et al. (2021)."""
    assert interleaved(2, stage, 4, 2) == order


@given(place=places(), rounds=st.integers(1, 4), chunks=st.integers(1, 4))
def test_each_part_takes_each_micro_batch_forward_and_then_backward(
    place: tuple[int, int], rounds: int, chunks: int
) -> None:
    stages, _ = place
    micro_batches = rounds * stages
    order = list(slots(Schedule.ONE_F_ONE_B, *place, micro_batches, chunks))

    assert len(set(order)) == len(order) == 2 * micro_batches * chunks
    for chunk in range(chunks):
        for m in range(micro_batches):
            there, back = (order.index(Slot(way, m, chunk)) for way in (True, False))
            assert there < back


@given(place=places(), rounds=st.integers(1, 4), chunks=st.integers(2, 4))
def test_an_interleaved_stage_keeps_a_round_and_twice_what_is_to_come(
    place: tuple[int, int], rounds: int, chunks: int
) -> None:
    """p v + p - 1 parts on the first stage, as Korthikanti et al. (2022) count."""
    stages, stage = place
    micro_batches = rounds * stages
    kept = most = 0
    for slot in slots(Schedule.ONE_F_ONE_B, *place, micro_batches, chunks):
        kept += 1 if slot.forward else -1
        most = max(most, kept)

    ahead = 2 * (stages - 1 - stage) + (chunks - 1) * stages + 1
    assert most == min(micro_batches * chunks, ahead)


@pytest.mark.parametrize(
    ("stage", "order"),
    [
        (0, "F0 F1 F2 B0 W0 F3 B1 W1 B2 W2 B3 W3"),
        (1, "F0 F1 B0 F2 B1 W0 F3 B2 W1 B3 W2 W3"),
        (2, "F0 B0 F1 B1 F2 B2 W0 F3 B3 W1 W2 W3"),
    ],
)
def test_zb_h1_puts_gradients_of_weights_off_by_as_many_as_stages_before(
    stage: int, order: str
) -> None:
    """By hand from Qi et al. (2023), section 2.1."""
    names = (
        f"{'W' if slot.weights else 'FB'[not slot.forward]}{slot.micro_batch}"
        for slot in slots(Schedule.ZB_H1, 3, stage, 4)
    )

    assert " ".join(names) == order


@given(place=places(), micro_batches=st.integers(6, 12))
def test_zb_h1_has_as_many_micro_batches_under_way_on_every_stage(
    place: tuple[int, int], micro_batches: int
) -> None:
    """From a forward to the gradients of its weights: as many as there are stages."""
    stages, _ = place
    under_way = most = 0
    for slot in slots(Schedule.ZB_H1, *place, micro_batches):
        under_way += slot.forward - slot.weights
        most = max(most, under_way)

    assert most == stages
