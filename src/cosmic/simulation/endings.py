"""How stages come to the end of a step, where 1F1B alone does not say it.

From the last backward of its last part on, a stage that holds several parts of the
model has gradients under way, and what it
does takes as long as the network lets it. What is left then are backwards only: those
of the other parts for as many micro-batches as there are stages, part by part. What one
part waits for comes from the same part of the next stage or, on the last stage, from
the part behind it on the first stage.

Where gradients of weights are put off, a stage's end begins with the last of these, for
which it waits for nobody.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cosmic.simulation.slot_columns import (
    BACKWARD,
    FORWARD,
    LAST_BACKWARD,
    LAST_WEIGHTS,
    WEIGHTS,
    chunk_program,
)
from cosmic.trace.execution_graph import ExecutionGraph, Schedule

Floats = NDArray[np.float64]
Run = Callable[[int, tuple[int, ...], tuple[float, ...]], tuple[Floats, Floats]]
"""Ends and waits of programs of a stage, run in a row from 0 on or when released."""


class Endings:
    """The ends of all stages; lives for the length of one step.

    Args:
        graph: What runs.
        back: Duration of the transfer from the next stage to each.
        run: Runs programs of a stage.
    """

    def __init__(self, graph: ExecutionGraph, back: Floats, run: Run) -> None:
        self._stages, self._chunks = len(graph.stages), graph.chunks
        self._micro_batches = graph.micro_batches
        self._graph, self._back, self._run = graph, back, run
        self._programs: list[tuple[int, ...]] = [() for _ in graph.stages]
        self._releases: list[tuple[float, ...]] = [() for _ in graph.stages]
        self._start = np.zeros(self._stages)

    @property
    def _put_off(self) -> bool:
        return self._graph.schedule is Schedule.ZB_H1

    @property
    def turns_before(self) -> tuple[int, ...]:
        """How often a stage runs each of its programs before its end begins."""
        turns = [0] * len(self._graph.turns)
        if self._put_off:
            for program in (FORWARD, BACKWARD, LAST_BACKWARD, WEIGHTS):
                turns[program] = self._graph.turns[program]
            return tuple(turns)
        for chunk in range(self._chunks):
            forward = chunk_program(FORWARD, chunk)
            turns[forward] = self._graph.turns[forward]
            left = 1 if chunk == self._chunks - 1 else self._stages
            turns[chunk_program(BACKWARD, chunk)] = self._micro_batches - left
        return tuple(turns)

    def run(self, now: Floats, answered: Floats, returned: Floats) -> None:
        """All that comes before the last programs.

        Args:
            now: When each stage is free.
            answered: When what it sent back last had arrived.
            returned: When what comes back from each virtual stage's next one arrives,
                as far as that is known, shape (virtual stages, micro-batches).
        """
        if self._put_off:
            self._start[:] = now
            self._programs = [(LAST_WEIGHTS,)] * self._stages
            self._releases = [(0.0,)] * self._stages
            return
        for chunk in reversed(range(self._chunks)):
            for stage in reversed(range(self._stages)):
                place = chunk * self._stages + stage
                first = chunk == self._chunks - 1
                left = 1 if first else self._stages
                arrivals = returned[place, self._micro_batches - left :]
                if first:
                    self._start[stage] = max(now[stage], arrivals[0])
                ends = self._backwards(stage, chunk, arrivals)
                if place == 0:
                    return
                for number, end in enumerate(ends, self._micro_batches - left):
                    sent = max(answered[stage], end) + self._back[stage - 1]
                    answered[stage] = returned[place - 1, number] = sent

    def _backwards(self, stage: int, chunk: int, arrivals: Floats) -> Floats:
        """When the backwards of a part end that is released at these times."""
        count = len(arrivals)
        alike = (chunk_program(BACKWARD, chunk),) * (count - 1)
        self._programs[stage] += (*alike, chunk_program(LAST_BACKWARD, chunk))
        self._releases[stage] += tuple(arrivals - self._start[stage])
        ends, _ = self._run(stage, self._programs[stage], self._releases[stage])
        begun: float = self._start[stage]
        return begun + ends[-count:]

    def finish(
        self, stage: int, programs: tuple[int, ...], arrivals: tuple[float, ...]
    ) -> tuple[float, Floats]:
        """End of a stage's last programs, and all it waited for since its start."""
        begun = self._start[stage]
        release = (*self._releases[stage], *(a - begun for a in arrivals))
        ends, waits = self._run(stage, (*self._programs[stage], *programs), release)
        return float(begun + ends[-1]), waits.sum(axis=0)
