"""What each step of a phase lays on the links of a dimension.

The messages of a step are routed over the dimension's links, those of all groups
together, since all groups communicate at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from cosmic.collective.algorithm import AnyStep, ShiftStep, Step, SwitchStep
from cosmic.network.routing import Load, core_load, link_load
from cosmic.network.shift_load import shift_load
from cosmic.network.wiring import Wiring

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """Where the devices of a group lie in a dimension.

    Attributes:
        wiring: How the dimension's devices are joined.
        extent: Devices of a group.
        stride: Positions between them; groups fill the dimension.
    """

    wiring: Wiring
    extent: int
    stride: int


def step_loads(steps: Sequence[AnyStep], row: Row) -> list[Load]:
    """The load of each step, done once.

    More messages never load a link less. So where steps only add messages, one after
    the other, or only leave some out, those between two of equal load have that load
    too, and are not routed: a pipeline fills and drains in many steps that load alike.
    """
    found: dict[int, Load] = {}
    for first, last in _monotone_runs(steps):
        _find_between(first, last, steps, row, found)
    return [found[place] for place in range(len(steps))]


def in_every_group(step: Step, row: Row) -> tuple[Ints, Ints, Floats]:
    """The step's messages in every group of the dimension, by position."""
    blocks = np.arange(0, row.wiring.size, row.extent * row.stride)
    starts = np.add.outer(blocks, np.arange(row.stride)).ravel()
    sources = np.add.outer(starts, step.sources * row.stride).ravel()
    destinations = np.add.outer(starts, step.destinations * row.stride).ravel()
    return sources, destinations, np.tile(step.fractions, len(starts))


def _find_between(
    first: int, last: int, steps: Sequence[AnyStep], row: Row, found: dict[int, Load]
) -> None:
    """Find the loads of a run of steps that only add messages, or only leave out."""
    for end in (first, last):
        if end not in found:
            found[end] = _load(steps[end], row)
    between = range(first + 1, last)
    if found[first] == found[last]:
        found.update(dict.fromkeys(between, found[first]))
    elif between:
        middle = (first + last) // 2
        _find_between(first, middle, steps, row, found)
        _find_between(middle, last, steps, row, found)


def _monotone_runs(steps: Sequence[AnyStep]) -> Iterator[tuple[int, int]]:
    """First and last of runs of steps that only add messages, or only leave out."""
    tests: Iterator[Callable[[AnyStep, AnyStep], bool]] = cycle((_adds, _leaves_out))
    first = 0
    while first < len(steps):
        test, last = next(tests), first
        while last + 1 < len(steps) and test(steps[last], steps[last + 1]):
            last += 1
        yield first, last
        first = last + 1


def _adds(before: AnyStep, after: AnyStep) -> bool:
    """Whether a step begins or ends with all messages of the one before."""
    if not (isinstance(before, Step) and isinstance(after, Step)):
        return False
    count = len(before.sources)
    places = (slice(None, count), slice(len(after.sources) - count, None))
    return count <= len(after.sources) and any(
        np.array_equal(before.sources, after.sources[place])
        and np.array_equal(before.destinations, after.destinations[place])
        and np.array_equal(before.fractions, after.fractions[place])
        for place in places
    )


def _leaves_out(before: AnyStep, after: AnyStep) -> bool:
    return _adds(after, before)


def _load(step: AnyStep, row: Row) -> Load:
    match step:
        case SwitchStep():
            return _switch_load(step, row.wiring)
        case ShiftStep():
            return shift_load(
                row.wiring, row.extent, row.stride, step.distances, step.each
            )
        case Step():
            return link_load(row.wiring, *in_every_group(step, row))
        case _:
            assert_never(step)


def _switch_load(step: SwitchStep, wiring: Wiring) -> Load:
    """Two links; each port carries what its device sends or gets.

    The core of an oversubscribed switch carries all that goes up or all that comes
    down, whichever is more.
    """
    ports = max(float(step.up.max()), float(step.down.max()) / wiring.asymmetry)
    through = max(float(step.up.mean()), float(step.down.mean())) * wiring.size
    return Load(2, max(ports, core_load(wiring, through)))
