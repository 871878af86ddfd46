"""The compiled pipeline: the order of micro-batches over stages."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True)
def _slot(position: int, ahead: int, micro_batches: int) -> tuple[bool, int]:
    """Whether a stage's slot goes forward, and its micro-batch; see `schedule`."""
    steady = position - ahead
    if steady < 0:
        return True, position
    if steady >= 2 * (micro_batches - ahead):
        return False, position - micro_batches
    return steady % 2 == 0, (ahead if steady % 2 == 0 else 0) + steady // 2


@njit(cache=True)
def run_schedule(  # noqa: C901, PLR0915 - one loop over the slots of all stages
    warm_up: Ints,
    micro_batches: int,
    forward: Floats,
    backward: Floats,
    last_backward: Floats,
    onward: Floats,
    back: Floats,
) -> tuple[Floats, Floats]:
    """Run the micro-batches of one step over the stages of a pipeline.

    A stage takes its slots in order, each as soon as it is free and its input is there.
    Transfers of one direction go one after the other, beside the slots.

    Args:
        warm_up: Forward slots of each stage before it alternates.
        micro_batches: How many.
        forward: Duration of a forward slot of each stage.
        backward: Duration of a backward slot.
        last_backward: Duration of the last backward slot.
        onward: Duration of the transfer from each stage to the next.
        back: Duration of the transfer from the next stage to each.

    Returns:
        For each stage the end of its first forward and the start of its last backward.
    """
    stages = len(forward)
    arrived = np.full((stages, micro_batches), np.inf)
    returned = np.full((stages, micro_batches), np.inf)
    arrived[0, :] = 0.0
    returned[stages - 1, :] = 0.0
    now, sent, answered = np.zeros(stages), np.zeros(stages), np.zeros(stages)
    first_end, last_start = np.zeros(stages), np.zeros(stages)
    position = np.zeros(stages, np.int64)
    while position.min() < 2 * micro_batches:
        for stage in range(stages):
            while position[stage] < 2 * micro_batches:
                ahead, m = _slot(position[stage], warm_up[stage], micro_batches)
                start = max(now[stage], (arrived if ahead else returned)[stage, m])
                if start == np.inf:
                    break
                position[stage] += 1
                if ahead:
                    now[stage] = start + forward[stage]
                    if m == 0:
                        first_end[stage] = now[stage]
                    if stage + 1 < stages:
                        sent[stage] = max(sent[stage], now[stage]) + onward[stage]
                        arrived[stage + 1, m] = sent[stage]
                    continue
                last = m == micro_batches - 1
                if last:
                    last_start[stage] = start
                now[stage] = start + (last_backward[stage] if last else backward[stage])
                if stage > 0:
                    before = max(answered[stage], now[stage])
                    answered[stage] = before + back[stage - 1]
                    returned[stage - 1, m] = answered[stage]
    return first_end, last_start


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
