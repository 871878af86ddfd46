"""The longest path through the steps of a phase: how many links' latency it takes.

A device goes on to its next step when its own messages of the last one have left and
those that it awaits have come. So a message over many links holds up those who wait for
it, and nobody else: where a ring algorithm runs on a line, the way back from the last
device to the first is long, but what has come by it goes the short ways for a whole
round before it is there again. With r(i) links on the longest path that ends at device
i, and h(i, j) links from i to j, a step makes of r

    r'(j) = max(r(j), r(i) + h(i, j) for all i that send to j)

Groups of a dimension are translates of each other, so the paths of one are those of
all.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosmic.collective.algorithm import AnyStep, ShiftStep, SwitchStep
from cosmic.network.routing import Load, links_between
from cosmic.network.wiring import Shape
from cosmic.simulation.step_loads import Row

Ints = NDArray[np.int64]

_MESSAGES_AT_ONCE = 1 << 15  # bounds memory; more would not be faster


def longest_path(steps: Sequence[AnyStep], loads: Sequence[Load], row: Row) -> int:
    """Links on the longest path through all steps.

    Args:
        steps: The steps of a group, in order.
        loads: What each lays on the links.
        row: Where the devices of the group lie.
    """
    ready = np.zeros(row.extent, dtype=np.int64)
    runs = _merged(steps, loads)
    for place, (step, repeat, longest) in enumerate(runs):
        is_last = place == len(runs) - 1
        if isinstance(step, ShiftStep) and _rises(step, ready, row, is_last):
            ready = ready + repeat * longest
        elif isinstance(step, ShiftStep) and _goes_round(step, ready):
            ready = _round(repeat, row)
        else:
            ready = _after(step, repeat, ready, row)
    return int(ready.max())


def _merged(
    steps: Sequence[AnyStep], loads: Sequence[Load]
) -> list[tuple[AnyStep, int, int]]:
    """Steps, how often each is done, and its longest way.

    Those that follow each other over the same distances are one.
    """
    runs: list[tuple[AnyStep, int, int]] = []
    for step, load in zip(steps, loads, strict=True):
        repeat = step.repeat
        if runs and _same_distances(runs[-1][0], step):
            repeat += runs.pop()[1]
        runs.append((step, repeat, load.hops))
    return runs


def _same_distances(one: AnyStep, other: AnyStep) -> bool:
    return (
        isinstance(one, ShiftStep)
        and isinstance(other, ShiftStep)
        and np.array_equal(one.distances, other.distances)
    )


def _rises(step: ShiftStep, ready: Ints, row: Row, is_last: bool) -> bool:
    """Whether each time the step is done adds its longest way to the longest path.

    It does so for every device where ways depend on distances alone and paths are
    equally long. In the last step the longest path alone counts: it goes on by the
    longest way from wherever it is, or, where equal paths come before messages that go
    both ways, to and fro over it.
    """
    level = bool((ready == ready[0]).all())
    if _is_alike(row):
        return level or is_last
    back = row.extent - step.distances
    return level and is_last and np.array_equal(np.sort(back), np.sort(step.distances))


def _is_alike(row: Row) -> bool:
    """Whether the way to a device depends only on how much further on it is."""
    match row.wiring.shape:
        case Shape.FULLY_CONNECTED | Shape.SWITCH:
            return True
        case Shape.RING:
            return row.extent * row.stride == row.wiring.size
        case _:
            return False


def _goes_round(step: ShiftStep, ready: Ints) -> bool:
    """Whether everybody sends to the next one, after paths of no links."""
    return step.distances.tolist() == [1] and not ready.any()


def _round(repeat: int, row: Row) -> Ints:
    """Longest paths that go from each device to the next one so many times.

    Those that end at a device have come all the way round some times, and from some
    devices before it.
    """
    ranks = np.arange(row.extent)
    rounds, rest = divmod(repeat, row.extent)
    ways = _links(np.roll(ranks, 1), ranks, row)  # to each device, from the one before
    passed = np.concatenate([[0], np.cumsum(np.tile(ways, 2))])
    ends = ranks + row.extent + 1
    lengths: Ints = rounds * ways.sum() + passed[ends] - passed[ends - rest]
    return lengths


def _after(step: AnyStep, repeat: int, ready: Ints, row: Row) -> Ints:
    """Longest paths after a step that is done so many times.

    Once it adds equally much to all of them, it does so every time.
    """
    for left in range(repeat - 1, -1, -1):
        before, ready = ready, _after_one(step, ready, row)
        added = ready - before
        if (added == added[0]).all():
            ready += left * added[0]
            break
    return ready


def _after_one(step: AnyStep, ready: Ints, row: Row) -> Ints:
    after = ready.copy()
    if isinstance(step, SwitchStep):
        after[step.down > 0] = ready[step.up > 0].max() + 2
    elif isinstance(step, ShiftStep):
        ranks = np.arange(row.extent)
        at_once = max(1, _MESSAGES_AT_ONCE // row.extent)
        for first in range(0, len(step.distances), at_once):
            back = np.subtract.outer(ranks, step.distances[first : first + at_once]).T
            sources = ranks[back]  # negative places count from the end, as in a round
            came = ready[sources] + _links(sources, ranks, row)
            np.maximum(after, came.max(axis=0), out=after)
    else:
        ways = _links(step.sources, step.destinations, row)
        np.maximum.at(after, step.destinations, ready[step.sources] + ways)
    return after


def _links(sources: Ints, destinations: Ints, row: Row) -> Ints:
    return links_between(row.wiring, sources * row.stride, destinations * row.stride)
