"""In which order a pipeline stage takes its micro-batches.

Where stages hold several parts of the model, the micro-batches take turns in them, as
many at a time as there are stages: these go through the first parts of all stages,
then through the second ones, and so on.

ZB-H1 goes by 1F1B, but a backward leaves the gradients of the weights to a slot of
their own. On stage s, counted from 0, these are s backwards behind, so that all stages
have as many micro-batches under way, and what is put off fills the time in which a
stage would wait at the end. Where stages are alike, transfers free and the weights'
gradients (W) no longer than forward (F) and the rest of backward (B), the p stages wait
(p - 1) (F + B - W).

Reference:
    D. Narayanan et al., "Efficient large-scale language model training on GPU clusters
    using Megatron-LM", SC 2021, section 2.2 (1F1B and interleaved 1F1B); Y. Huang et
    al., "GPipe", 2019; P. Qi et al., "Zero bubble pipeline parallelism", 2023, section
    2.1 and table 1 (ZB-H1).
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
        chunk: Through which of the stage's parts of the model, from 0.
        weights: Whether only the gradients of the weights are computed, which were put
            off.
    """

    forward: bool
    micro_batch: int
    chunk: int = 0
    weights: bool = False


def slots(
    schedule: Schedule, stages: int, stage: int, micro_batches: int, chunks: int = 1
) -> Iterator[Slot]:
    """The order of one stage; every micro-batch once forward and once backward.

    With ZB_H1 it also has its gradients of the weights once.

    >>> [
    ...     f"{'F' if slot.forward else 'B'}{slot.micro_batch}"
    ...     for slot in slots(Schedule.ONE_F_ONE_B, 3, 1, 3)
    ... ]
    ['F0', 'F1', 'B0', 'F2', 'B1', 'B2']
    """
    ahead = warm_up(schedule, stages, stage, micro_batches, chunks)
    total = micro_batches * chunks
    if schedule is Schedule.ZB_H1:
        yield from _with_weights_put_off(micro_batches, ahead, stage)
        return
    for number in range(ahead):
        yield _slot(True, number, stages, chunks)
    for number in range(ahead, total):
        yield _slot(True, number, stages, chunks)
        yield _slot(False, number - ahead, stages, chunks)
    for number in range(total - ahead, total):
        yield _slot(False, number, stages, chunks)


def _with_weights_put_off(
    micro_batches: int, ahead: int, behind: int
) -> Iterator[Slot]:
    for number in range(ahead):
        yield Slot(True, number)
    for number in range(micro_batches):
        if number + ahead < micro_batches:
            yield Slot(True, number + ahead)
        yield Slot(False, number)
        if number >= behind:
            yield Slot(False, number - behind, weights=True)
    for number in range(max(0, micro_batches - behind), micro_batches):
        yield Slot(False, number, weights=True)


def _slot(forward: bool, number: int, stages: int, chunks: int) -> Slot:
    """Where the stage is when it goes that way for so many times."""
    if chunks == 1:
        return Slot(forward, number)
    turn, place = divmod(number, stages * chunks)
    chunk, micro_batch = divmod(place, stages)
    part = chunk if forward else chunks - 1 - chunk
    return Slot(forward, turn * stages + micro_batch, part)


def warm_up(
    schedule: Schedule, stages: int, stage: int, micro_batches: int, chunks: int = 1
) -> int:
    """Forward slots before the stage takes one backward after each forward."""
    match schedule:
        case Schedule.GPIPE:
            return micro_batches
        case Schedule.ONE_F_ONE_B if chunks > 1:
            rounds = 2 * (stages - 1 - stage) + (chunks - 1) * stages
            return min(micro_batches * chunks, rounds)
        case Schedule.ONE_F_ONE_B | Schedule.ZB_H1:
            return min(micro_batches, stages - 1 - stage)
        case _:
            assert_never(schedule)
