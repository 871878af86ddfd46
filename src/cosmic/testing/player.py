"""Plays the messages of a collective on numbers.

A step says who sends how much to whom, not what. What the messages hold is told
besides, as `Contents`, and then the collective can be carried out: every device gets a
buffer of random numbers, messages copy or add up parts of it, and at the end every
device must hold what the collective promises.

The buffer is cut into as many slices as there are devices, and each slice into equal
pieces. Slice i is the one that device i keeps of a reduce-scatter, brings to an
all-gather, and gets from everybody in an all-to-all. A part is (slice, piece), and in
an all-to-all, where no two devices send the same, (sender, slice, piece).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import assert_never

from cosmic.collective.algorithm import AnyStep, ShiftStep, Step, SwitchStep
from cosmic.trace.node import CollectiveKind

Part = tuple[int, ...]

_ROUNDING = 1e-12  # of a buffer, for a fraction that is a sum of equal parts


@dataclass(frozen=True, slots=True)
class Message:
    """What one message holds.

    Attributes:
        source: Who sends it.
        destination: Who receives it.
        parts: The parts of the buffer in it.
    """

    source: int
    destination: int
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class SwitchRound:
    """What goes up to a switch and what then comes down.

    The switch adds up what it gets of each part; of what it gets once, that is a copy.

    Attributes:
        up: The parts that each device sends.
        down: The parts that each device gets.
    """

    up: Sequence[Sequence[Part]]
    down: Sequence[Sequence[Part]]


Turn = Sequence[Message] | Sequence[SwitchRound]


@dataclass(frozen=True, slots=True)
class Contents:
    """What all messages of a collective hold.

    Attributes:
        pieces: Equal pieces of each slice.
        turns: For every step, as often as it is repeated, its messages in any order; or
            the rounds of a `SwitchStep`, which follow each other.
    """

    pieces: int
    turns: Sequence[Turn]


ContentsOf = Callable[[CollectiveKind, int], Contents]


def play(
    kind: CollectiveKind, size: int, steps: Iterable[AnyStep], contents: Contents
) -> None:
    """Carry out a collective and look at what the devices hold at its end.

    Raises:
        AssertionError: The contents do not go with the steps, a device sends or adds to
            what it does not have, or ends without what it should have.
    """
    expanded = [step for step in steps for _ in range(step.repeat)]
    assert len(expanded) == len(contents.turns), (
        f"{len(expanded)} steps, but contents for {len(contents.turns)}"
    )
    buffers = _Buffers(kind, size, contents.pieces)
    for number, (step, turn) in enumerate(zip(expanded, contents.turns, strict=True)):
        try:
            _play_turn(step, turn, buffers)
        except AssertionError as error:
            raise AssertionError(f"step {number}: {error}") from None
    buffers.check()


class _Buffers:
    """What each device holds of each part, and what it should hold at the end."""

    def __init__(self, kind: CollectiveKind, size: int, pieces: int) -> None:
        every = kind is CollectiveKind.ALL_TO_ALL
        counts = (size, size, pieces) if every else (size, pieces)
        self._parts = list(product(*map(range, counts)))
        self._kind = kind
        self.fraction = 1 / (size * pieces)  # of a part
        random = Random(size)
        self.held = [
            {part: random.randrange(1 << 40) for part in self._at_first(device)}
            for device in range(size)
        ]
        self._goal = dict.fromkeys(self._parts, 0)
        for buffer in self.held:
            for part, value in buffer.items():
                self._goal[part] += value

    def _at_first(self, device: int) -> list[Part]:
        match self._kind:
            case CollectiveKind.ALL_REDUCE | CollectiveKind.REDUCE_SCATTER:
                return self._parts
            case CollectiveKind.ALL_GATHER | CollectiveKind.ALL_TO_ALL:
                return [part for part in self._parts if part[0] == device]
            case CollectiveKind.BROADCAST:
                return self._parts if device == 0 else []
            case _:
                assert_never(self._kind)

    def _at_last(self, device: int) -> list[Part]:
        match self._kind:
            case CollectiveKind.REDUCE_SCATTER | CollectiveKind.ALL_TO_ALL:
                return [part for part in self._parts if part[-2] == device]
            case _:
                return self._parts

    def check(self) -> None:
        """Every device must hold the sums that it should, or what there was once."""
        for device, buffer in enumerate(self.held):
            wanted = self._at_last(device)
            wrong = [part for part in wanted if buffer.get(part) != self._goal[part]]
            assert not wrong, (
                f"device {device} ends without the right value of {len(wrong)} of "
                f"{len(wanted)} parts, such as {wrong[0]}"
            )

    def leaving(self, device: int, parts: Sequence[Part]) -> list[int]:
        """The values of parts that a device sends."""
        missing = [part for part in parts if part not in self.held[device]]
        assert not missing, f"device {device} sends {missing[0]}, but does not have it"
        return [self.held[device][part] for part in parts]


def _play_turn(step: AnyStep, turn: Turn, buffers: _Buffers) -> None:
    match step:
        case SwitchStep():
            rounds = [each for each in turn if isinstance(each, SwitchRound)]
            assert len(rounds) == len(turn), "a SwitchStep has rounds, not messages"
            _check_ports(step, rounds, buffers.fraction)
            for each in rounds:
                _play_round(each, buffers)
        case Step() | ShiftStep():
            messages = [each for each in turn if isinstance(each, Message)]
            assert len(messages) == len(turn), "only a SwitchStep has rounds"
            _check_messages(step, messages, buffers.fraction)
            _deliver(messages, step.reduces, buffers)
        case _:
            assert_never(step)


def _check_messages(
    step: Step | ShiftStep, messages: Sequence[Message], fraction: float
) -> None:
    """The contents must be those of the step's messages."""
    columns = step.sources, step.destinations, step.fractions
    listed = sorted(zip(*(column.tolist() for column in columns), strict=True))
    told = sorted((m.source, m.destination, len(m.parts) * fraction) for m in messages)
    assert len(listed) == len(told), f"{len(listed)} messages, contents of {len(told)}"
    for message, content in zip(listed, told, strict=True):
        same = message[:2] == content[:2] and _same(message[2], content[2])
        assert same, f"a message {message}, but contents {content}"


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= _ROUNDING


def _deliver(messages: Sequence[Message], reduces: bool, buffers: _Buffers) -> None:
    """All messages leave before the first one arrives."""
    leaving = [buffers.leaving(m.source, m.parts) for m in messages]
    for message, values in zip(messages, leaving, strict=True):
        buffer = buffers.held[message.destination]
        for part, value in zip(message.parts, values, strict=True):
            assert part in buffer or not reduces, (
                f"device {message.destination} adds to {part}, but does not have it"
            )
            buffer[part] = value + (buffer[part] if reduces else 0)


def _check_ports(
    step: SwitchStep, rounds: Sequence[SwitchRound], fraction: float
) -> None:
    """As much must go up and down at every port as the step says."""
    for name, ports in (("up", step.up), ("down", step.down)):
        for device, listed in enumerate(ports.tolist()):
            told = sum(len(getattr(each, name)[device]) for each in rounds) * fraction
            assert _same(listed, told), (
                f"{listed} goes {name} at device {device}, but contents of {told}"
            )


def _play_round(each: SwitchRound, buffers: _Buffers) -> None:
    total: dict[Part, int] = {}
    for device, parts in enumerate(each.up):
        for part, value in zip(parts, buffers.leaving(device, parts), strict=True):
            total[part] = total.get(part, 0) + value
    for device, parts in enumerate(each.down):
        missing = [part for part in parts if part not in total]
        assert not missing, f"device {device} gets {missing[0]}, which nobody sent up"
        buffers.held[device].update((part, total[part]) for part in parts)
