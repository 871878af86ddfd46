"""The slots of all stages as columns of numbers, for the compiled pipeline."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosmic.simulation.schedule import Slot, slots
from cosmic.trace.execution_graph import Schedule

Ints = NDArray[np.int64]

FORWARD, BACKWARD, LAST_BACKWARD, UPDATE, FINISH = range(5)
WEIGHTS, LAST_WEIGHTS = 5, 6
"""Places of a stage's programs."""

_OF_CHUNK = 3  # programs of each further chunk, which follow on these


class SlotColumns(NamedTuple):
    """What each stage does in each slot.

    Attributes:
        order: Way (1 forward, -1 backward, 0 for gradients of weights), virtual stage
            and micro-batch, shape (stages, slots, 3).
        programs: Which of the stage's programs, shape (stages, slots).
        ending: The stage's first slot whose program leaves something to its end.
    """

    order: Ints
    programs: Ints
    ending: Ints


def chunk_program(program: int, chunk: int) -> int:
    """The place of a chunk's forward, backward or last backward.

    >>> [chunk_program(LAST_BACKWARD, chunk) for chunk in range(3)]
    [2, 9, 12]
    """
    if chunk == 0:
        return program
    return LAST_WEIGHTS + 1 + _OF_CHUNK * (chunk - 1) + program


@lru_cache(maxsize=256)
def slot_columns(
    schedule: Schedule, stages: int, micro_batches: int, chunks: int
) -> SlotColumns:
    """The columns of a schedule, kept for the next graph that goes by it."""
    written = [
        list(slots(schedule, stages, stage, micro_batches, chunks))
        for stage in range(stages)
    ]
    rows = [
        [_row(slot, slot.chunk * stages + stage, micro_batches) for slot in order]
        for stage, order in enumerate(written)
    ]
    table = np.array(rows, dtype=np.int64)
    ending = chunk_program(LAST_BACKWARD, chunks - 1)
    if schedule is Schedule.ZB_H1:
        ending = LAST_WEIGHTS
    return SlotColumns(
        order=np.ascontiguousarray(table[:, :, :3]),
        programs=np.ascontiguousarray(table[:, :, 3]),
        ending=np.argmax(table[:, :, 3] == ending, axis=1),
    )


def _row(slot: Slot, place: int, micro_batches: int) -> tuple[int, int, int, int]:
    last = slot.micro_batch == micro_batches - 1
    if slot.weights:
        return 0, place, slot.micro_batch, LAST_WEIGHTS if last else WEIGHTS
    if slot.forward:
        return 1, place, slot.micro_batch, chunk_program(FORWARD, slot.chunk)
    program = LAST_BACKWARD if last else BACKWARD
    return -1, place, slot.micro_batch, chunk_program(program, slot.chunk)
