"""What a pipeline stage keeps of the micro-batches between forward and backward.

Reference:
    V. Korthikanti et al., "Reducing activation recomputation in large transformer
    models", 2022, section 4.2.3: of the model's layers, the first of p stages keeps one
    micro-batch by 1F1B, and 1 + (p - 1) / (p v) of one where it holds v parts.
    P. Qi et al., "Zero bubble pipeline parallelism", 2023, table 1: by ZB-H1 stage s of
    p, counted from 0, keeps p - s micro-batches, and of s others what their gradients
    of weights need.
"""

from collections.abc import Sequence

from cosmic.trace.execution_graph import Schedule
from cosmic.units import Bytes
from cosmic.workload.workload import Workload


def most_kept(
    workload: Workload, stage: int, kept: Sequence[Bytes], put_off: Bytes = 0.0
) -> Bytes:
    """The most that a stage keeps at once.

    Args:
        workload: What is trained.
        stage: Which stage, from 0.
        kept: What each of its parts keeps of one micro-batch.
        put_off: What it keeps of that while gradients of weights are put off.
    """
    if workload.schedule is Schedule.ZB_H1:
        return _most_with_put_off(workload, stage, kept[0], put_off)
    if len(kept) == 1:
        return _in_flight(workload, stage) * kept[0]
    stages, count = workload.parallelism.pipeline, workload.micro_batches
    turn = stages * len(kept)
    ahead = 2 * (stages - 1 - stage) + turn - stages
    total = count * len(kept)
    if ahead >= total:
        return count * sum(kept)
    moments = range(ahead, min(total, ahead + turn))
    return max(_kept_at(done + 1, done - ahead, stages, kept) for done in moments)


def _in_flight(workload: Workload, stage: int) -> int:
    """Micro-batches whose activations a stage of one part holds at once."""
    if workload.schedule is Schedule.GPIPE:
        return workload.micro_batches
    return min(workload.micro_batches, workload.parallelism.pipeline - stage)


def _most_with_put_off(
    workload: Workload, stage: int, kept: Bytes, put_off: Bytes
) -> Bytes:
    """Behind a forward or behind a backward, which goes before what was put off."""
    stages, count = workload.parallelism.pipeline, workload.micro_batches
    moments = []
    for back in range(min(count, stages + 1) + 1):
        for there, ended in (
            (back + stages - stage, back - stage),
            (back + stages - stage - 1, back - stage - 1),
        ):
            under_way = max(0, min(count, there) - back)
            moments.append(under_way * kept + (back - max(0, ended)) * put_off)
    return max(moments)


def _kept_at(
    forwards: int, backwards: int, stages: int, kept: Sequence[Bytes]
) -> Bytes:
    """What is kept after so many forwards and backwards over all parts."""
    parts = len(kept)
    there = (_turns(forwards, stages, parts, part) for part in range(parts))
    back = [_turns(backwards, stages, parts, part) for part in range(parts)]
    pairs = zip(there, reversed(back), kept, strict=True)
    return sum((ahead - behind) * each for ahead, behind, each in pairs)


def _turns(done: int, stages: int, parts: int, part: int) -> int:
    """How many of the first slots of one direction are a part's, in order of turns.

    >>> [_turns(done, 2, 2, 1) for done in range(9)]
    [0, 0, 0, 1, 2, 2, 2, 3, 4]
    """
    rounds, rest = divmod(done, stages * parts)
    return rounds * stages + min(max(rest - part * stages, 0), stages)
