"""Programs out of units in a row, each told of those around it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

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
    ordered = runs[::-1] if reverse else runs
    none: list[Unit | None] = [None] * reach
    row = [*none, *(run.unit for run in ordered for _ in range(run.count)), *none]
    known: dict[tuple[int, ...], tuple[Instruction, ...]] = {}
    step = -1 if reverse else 1
    turns: list[_Turns] = []
    place = 0
    for run in ordered:
        first = run.first + run.count - 1 if reverse else run.first
        for count in _alike(run.count, reach):
            around = tuple(row[place : place + 2 * reach + 1])
            key = tuple(map(id, around))
            if key not in known:
                known[key] = turn(Around(around, step))
            turns.append(_Turns(run.unit.name, known[key], first, count))
            place += count
            first += step * count
    return tuple(_blocks(turns, step))


@dataclass(frozen=True, slots=True)
class _Turns:
    """Equal turns in a row, from a layer on."""

    name: str
    instructions: tuple[Instruction, ...]
    first: int
    count: int


def _alike(count: int, reach: int) -> Iterator[int]:
    """A run in stretches that have the same around them: its inside, and its ends."""
    inside = max(0, count - 2 * reach)
    ends = (count - inside + 1) // 2
    yield from [1] * ends
    if inside:
        yield inside
    yield from [1] * (count - inside - ends)


def _blocks(turns: Iterable[_Turns], step: int) -> Iterator[Block]:
    def what(turn: _Turns) -> tuple[str, tuple[Instruction, ...]]:
        return turn.name, turn.instructions

    for (name, instructions), equal in groupby(turns, key=what):
        if not instructions:
            continue
        together = list(equal)
        yield Block(
            name=name,
            instructions=instructions,
            repeat=sum(turn.count for turn in together),
            first=together[0].first,
            step=step,
        )


def places_of(runs: Iterable[Run]) -> Iterator[tuple[Unit, int]]:
    """Every unit with its layer."""
    for run in runs:
        for layer in range(run.first, run.first + run.count):
            yield run.unit, layer
