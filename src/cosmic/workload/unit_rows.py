"""Programs out of units in a row, each told of those around it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

from cosmic.trace.execution_graph import Block, Program
from cosmic.trace.node import Instruction, Token
from cosmic.workload.layers import Unit


@dataclass(frozen=True, slots=True)
class Run:
    """Equal units in a row.

    Attributes:
        unit: What each of them does.
        first: The layer of the first one.
        count: How many there are.
    """

    unit: Unit
    first: int
    count: int

    @property
    def later(self) -> "Run":
        """The same units, with what they put off as their backward."""
        unit = replace(self.unit, backward=self.unit.weight_backward)
        return replace(self, unit=unit)


@dataclass(frozen=True, slots=True)
class Around:
    """A unit and those around it, in the order in which they run.

    Attributes:
        units: The unit in the middle, and as many before as after; None where the row
            has ended.
        step: From one unit's layer to the next one's: 1 forward, -1 backward.
    """

    units: tuple[Unit | None, ...]
    step: int

    def at(self, distance: int) -> Unit | None:
        """The unit so many turns later, or earlier if that is negative."""
        return self.units[len(self.units) // 2 + distance]

    @property
    def unit(self) -> Unit:
        """The one in the middle."""
        unit = self.at(0)
        assert unit is not None
        return unit

    def token(self, label: str, distance: int) -> Token:
        """A token of the unit so many turns later."""
        return Token(label, self.step * distance)


Turn = Callable[[Around], tuple[Instruction, ...]]


def program(
    runs: Sequence[Run], turn: Turn, reach: int = 1, reverse: bool = False
) -> Program:
    """A turn for every unit, in order or backward; equal turns in a row are one block.

    Args:
        runs: The units.
        turn: What is done in the turn of a unit.
        reach: How far around itself a turn looks.
        reverse: Whether the last unit comes first.
    """
    places = list(places_of(runs))
    if reverse:
        places.reverse()
    none: list[Unit | None] = [None] * reach
    padded = [*none, *(unit for unit, _ in places), *none]
    known: dict[tuple[int, ...], tuple[Instruction, ...]] = {}
    step = -1 if reverse else 1
    turns: list[tuple[int, tuple[str, tuple[Instruction, ...]]]] = []
    for number, (unit, layer) in enumerate(places):
        around = tuple(padded[number : number + 2 * reach + 1])
        key = tuple(map(id, around))
        if key not in known:
            known[key] = turn(Around(around, step))
        turns.append((layer, (unit.name, known[key])))
    return tuple(_blocks(turns, step))


def _blocks(
    turns: Iterable[tuple[int, tuple[str, tuple[Instruction, ...]]]], step: int
) -> Iterator[Block]:
    for (name, instructions), equal in groupby(turns, key=itemgetter(1)):
        if not instructions:
            continue
        layers = [layer for layer, _ in equal]
        yield Block(
            name=name,
            instructions=instructions,
            repeat=len(layers),
            first=layers[0],
            step=step,
        )


def places_of(runs: Iterable[Run]) -> Iterator[tuple[Unit, int]]:
    """Every unit with its layer."""
    for run in runs:
        for layer in range(run.first, run.first + run.count):
            yield run.unit, layer
