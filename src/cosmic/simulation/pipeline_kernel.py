"""The compiled pipeline of any order: micro-batches over stages that have parts."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True)
def run_slots(  # noqa: C901 - one loop over the slots of all stages
    order: Ints,
    seconds: Floats,
    until: Ints,
    onward: Floats,
    back: Floats,
    shape: tuple[int, int],
) -> tuple[Floats, Floats, Floats, Floats]:
    """Run slots of any order over stages that hold several parts of the model.

    Args:
        order: What each stage does in each slot: its way (1 forward, -1 backward, 0
            for what has no message), virtual stage and micro-batch, shape (stages,
            slots, 3).
        seconds: How long that takes, shape (stages, slots).
        until: How many slots each stage runs.
        onward: Duration of the transfer from each stage to the next, round the ring.
        back: Duration of the transfer from the next stage to each.
        shape: Virtual stages and micro-batches.

    Returns:
        When each stage ended its first slot and its last one, when what it sent back
        last had arrived, and when what comes back from each virtual stage's next one
        arrives, shape (virtual stages, micro-batches).
    """
    stages, places = len(order), shape[0]
    arrived, returned = np.full(shape, np.inf), np.full(shape, np.inf)
    arrived[0, :] = 0.0
    returned[places - 1, :] = 0.0
    now, sent, answered = np.zeros(stages), np.zeros(stages), np.zeros(stages)
    first_end = np.zeros(stages)
    position = np.zeros(stages, np.int64)
    while (position < until).any():
        for stage in range(stages):
            while position[stage] < until[stage]:
                way, place, m = order[stage, position[stage]]
                start = now[stage]
                if way != 0:
                    start = max(start, (arrived if way > 0 else returned)[place, m])
                if start == np.inf:
                    break
                now[stage] = start + seconds[stage, position[stage]]
                if position[stage] == 0:
                    first_end[stage] = now[stage]
                position[stage] += 1
                if way > 0 and place + 1 < places:
                    sent[stage] = max(sent[stage], now[stage]) + onward[stage]
                    arrived[place + 1, m] = sent[stage]
                if way < 0 and place > 0:
                    before = max(answered[stage], now[stage])
                    answered[stage] = before + back[(stage - 1) % stages]
                    returned[place - 1, m] = answered[stage]
    return first_end, now, answered, returned
