"""In which order a pipeline stage takes its micro-batches.

Reference:
    D. Narayanan et al., "Efficient large-scale language model training on GPU clusters
    using Megatron-LM", SC 2021, section 2.2 (1F1B); Y. Huang et al., "GPipe", 2019.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from cosmic.trace.execution_graph import Schedule


@dataclass(frozen=True, slots=True)
class Slot:
    """One micro-batch in one direction.

    Attributes:
        forward: Whether it goes forward.
        micro_batch: Which one, from 0.
    """

    forward: bool
    micro_batch: int


def slots(
    schedule: Schedule, stages: int, stage: int, micro_batches: int
) -> Iterator[Slot]:
    """The order of one stage; every micro-batch once forward and once backward.

    >>> [
    ...     f"{'F' if slot.forward else 'B'}{slot.micro_batch}"
    ...     for slot in slots(Schedule.ONE_F_ONE_B, 3, 1, 3)
    ... ]
    ['F0', 'F1', 'B0', 'F2', 'B1', 'B2']
    """
    ahead = warm_up(schedule, stages, stage, micro_batches)
    for micro_batch in range(ahead):
        yield Slot(True, micro_batch)
    for micro_batch in range(ahead, micro_batches):
        yield Slot(True, micro_batch)
        yield Slot(False, micro_batch - ahead)
    for micro_batch in range(micro_batches - ahead, micro_batches):
        yield Slot(False, micro_batch)


def warm_up(schedule: Schedule, stages: int, stage: int, micro_batches: int) -> int:
    """Forward slots before the stage takes one backward after each forward."""
    match schedule:
        case Schedule.GPIPE:
            return micro_batches
        case Schedule.ONE_F_ONE_B:
            return min(micro_batches, stages - 1 - stage)
        case _:
            assert_never(schedule)
