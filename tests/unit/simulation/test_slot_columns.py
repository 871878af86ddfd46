"""Slots of any order run as they read: the compiled loop beside a plain one."""

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.simulation.pipeline_kernel import run_slots
from cosmic.simulation.schedule import Slot, slots
from cosmic.simulation.slot_columns import (
    BACKWARD,
    LAST_BACKWARD,
    LAST_WEIGHTS,
    WEIGHTS,
    chunk_program,
    slot_columns,
)
from cosmic.trace.execution_graph import Schedule

seconds = st.integers(0, 5).map(float)
SHAPES = [(Schedule.ZB_H1, 1), (Schedule.ONE_F_ONE_B, 1), (Schedule.ONE_F_ONE_B, 3)]


@settings(max_examples=150)
@given(
    shape=st.sampled_from(SHAPES),
    stages=st.integers(2, 4),
    rounds=st.integers(1, 3),
    data=st.data(),
)
def test_slots_run_as_their_order_reads(  # noqa: C901, PLR0915 - a twin written out
    shape: tuple[Schedule, int], stages: int, rounds: int, data: st.DataObject
) -> None:
    schedule, chunks = shape
    count, places = rounds * stages, stages * chunks
    orders = [list(slots(schedule, stages, s, count, chunks)) for s in range(stages)]
    length = len(orders[0])
    row = st.lists(seconds, min_size=length, max_size=length)
    lasting = [data.draw(row) for _ in range(stages)]
    ring = st.lists(seconds, min_size=stages, max_size=stages)
    onward, back = data.draw(ring), data.draw(ring)

    @cache
    def end(stage: int, number: int) -> float:
        free = end(stage, number - 1) if number else 0.0
        slot = orders[stage][number]
        there = 0.0 if slot.weights else arrival(stage, slot)
        return max(free, there) + lasting[stage][number]

    @cache
    def arrival(stage: int, slot: Slot) -> float:
        """When what the slot needs is there; each stage sends one thing at a time."""
        way = 1 if slot.forward else -1
        source = slot.chunk * stages + stage - way
        if not 0 <= source < places:
            return 0.0
        sender, chunk = source % stages, source // stages
        link = onward[sender] if slot.forward else back[stage]
        sent = 0.0
        for number, other in enumerate(orders[sender]):
            if other.forward is not slot.forward or other.weights:
                continue
            if not 0 <= other.chunk * stages + sender + way < places:
                continue
            sent = max(sent, end(sender, number)) + link
            if (other.chunk, other.micro_batch) == (chunk, slot.micro_batch):
                return sent
        raise AssertionError("nobody sends it")

    order, _, _ = slot_columns(schedule, stages, count, chunks)
    first_end, now, _, returned = run_slots(
        order,
        np.array(lasting),
        np.full(stages, length),
        np.array(onward),
        np.array(back),
        (places, count),
    )

    assert first_end.tolist() == [end(s, 0) for s in range(stages)]
    assert now.tolist() == [end(s, length - 1) for s in range(stages)]
    for place in range(places):
        stage, chunk = place % stages, place // stages
        expected = [arrival(stage, Slot(False, m, chunk)) for m in range(count)]
        assert returned[place].tolist() == expected


def test_the_programs_of_slots() -> None:
    """The last micro-batch has programs of its own, each further part three."""
    zero = slot_columns(Schedule.ZB_H1, 2, 2, 1)
    parts = slot_columns(Schedule.ONE_F_ONE_B, 2, 2, 2)

    assert zero.programs[0].tolist() == [0, 0, BACKWARD, WEIGHTS, LAST_BACKWARD, 6]
    assert zero.ending.tolist() == [5, 5]
    assert LAST_WEIGHTS == 6
    assert parts.ending.tolist() == [
        row.tolist().index(chunk_program(LAST_BACKWARD, 1)) for row in parts.programs
    ]
