"""What the messages of the built-in algorithms hold, written out slowly and plainly.

Each function here says, for a collective of n devices, what its algorithm means to do,
message by message; that the algorithm's steps do it is what the kit checks.
"""

from collections.abc import Callable, Iterator, Mapping

from cosmic.testing.player import Contents, ContentsOf, Message, Part, SwitchRound
from cosmic.trace.node import CollectiveKind

AR, AG, RS, A2A, BROADCAST = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL,
    CollectiveKind.BROADCAST,
)
Turns = list[list[Message]]


def contents_of(name: str) -> ContentsOf:
    """What the messages of a built-in algorithm hold.

    Args:
        name: One of the table of algorithms, or `direct<W>`.

    Raises:
        KeyError: It is not known here.
    """
    if name.startswith("direct"):
        window = int(name.removeprefix("direct") or 0)
        return lambda kind, n: _direct(kind, n, window or max(1, n - 1))
    return _CONTENTS[name]


# ring: slices go round, each device passes on what it has just got


def _ring(kind: CollectiveKind, n: int) -> Contents:
    if kind is A2A:
        return Contents(1, [_onward(n, turn) for turn in range(1, n)])
    return Contents(1, _round(kind, n, 0, 1))


def _bidirectional_ring(kind: CollectiveKind, n: int) -> Contents:
    if kind is A2A:
        return Contents(2, [_shorter_way(n, t) for t in range(1, n // 2 + 1)])
    both = zip(_round(kind, n, 0, 1), _round(kind, n, 1, -1), strict=True)
    return Contents(2, [[*forth, *back] for forth, back in both])


def _round(kind: CollectiveKind, n: int, piece: int, way: int) -> Turns:
    """One piece of every slice goes one way round: 1 is forth, -1 is back."""

    def everybody(ahead: int) -> list[Message]:
        """Every device sends the slice of the one that is so far ahead."""
        return [
            Message(i, (i + way) % n, [((i + way * ahead) % n, piece)])
            for i in range(n)
        ]

    def chain(turn: int) -> list[Message]:
        """The device i places from the start sends slice turn - i."""
        return [
            Message(way * i % n, way * (i + 1) % n, [(turn - i, piece)])
            for i in range(n - 1)
            if 0 <= turn - i < n
        ]

    scatter = [everybody(-turn - 1) for turn in range(n - 1)]
    gather = [everybody(-turn) for turn in range(n - 1)]
    if kind is BROADCAST:
        return [chain(turn) for turn in range(2 * n - 2)]
    return {AR: scatter + gather, RS: scatter, AG: gather}[kind]


def _onward(n: int, turn: int) -> list[Message]:
    """Every device passes on what is not yet home of an all-to-all."""
    return [
        Message(
            (sender + turn - 1) % n,
            (sender + turn) % n,
            [(sender, (sender + distance) % n, 0) for distance in range(turn, n)],
        )
        for sender in range(n)
    ]


def _shorter_way(n: int, turn: int) -> list[Message]:
    """The same, forth or back; for the opposite device, one piece each way."""
    found = []
    for sender in range(n):
        for way, piece in ((1, 0), (-1, 1)):
            parts = [
                (sender, (sender + way * distance) % n, each)
                for distance in range(turn, n // 2 + 1)
                for each in ((0, 1) if 2 * distance < n else (piece,))
            ]
            here = (sender + way * (turn - 1)) % n
            found.append(Message(here, (here + way) % n, parts))
    return found


# direct: every device has something for every other


def _direct(kind: CollectiveKind, n: int, window: int) -> Contents:
    def everybody(part: Callable[[int, int], Part]) -> Turns:
        return [
            [
                Message(i, (i + distance) % n, [part(i, (i + distance) % n)])
                for i in range(n)
                for distance in range(start, min(start + window, n))
            ]
            for start in range(1, n, window)
        ]

    scatter = everybody(lambda _, receiver: (receiver, 0))
    gather = everybody(lambda sender, _: (sender, 0))
    exchange = everybody(lambda sender, receiver: (sender, receiver, 0))
    first = [m for turn in scatter for m in turn if m.source == 0]  # at once
    turns = {
        AR: scatter + gather,
        RS: scatter,
        AG: gather,
        A2A: exchange,
        BROADCAST: [first, *gather],
    }
    return Contents(1, turns[kind])


# halving and doubling: what belongs to whom is told by the last binary digits


def _halving_doubling(kind: CollectiveKind, n: int) -> Contents:
    levels = range(n.bit_length() - 1)

    def like(device: int, digits: int) -> list[Part]:
        """The slices whose number ends in the same digits as the device's."""
        return [(s, 0) for s in range(n) if (s ^ device) % (1 << digits) == 0]

    def theirs(_: int, partner: int, level: int) -> list[Part]:
        return like(partner, level + 1)

    def own(device: int, _: int, level: int) -> list[Part]:
        return like(device, level + 1)

    def passed(device: int, partner: int, level: int) -> list[Part]:
        """Of an all-to-all, what a device has for those like its partner."""
        alike = [i for i in range(n) if i >> level == device >> level]
        return [(i, *part) for i in alike for part in like(partner, level + 1)]

    def exchanges(parts: Callable[[int, int, int], list[Part]]) -> Turns:
        return [
            [Message(i, i ^ (1 << k), parts(i, i ^ (1 << k), k)) for i in range(n)]
            for k in levels
        ]

    halving, doubling = exchanges(theirs), exchanges(own)[::-1]
    scatter = [
        [message for message in turn if message.source < 1 << level]
        for level, turn in zip(levels, halving, strict=True)
    ]
    turns = {
        AR: halving + doubling,
        RS: halving,
        AG: doubling,
        A2A: exchanges(passed),
        BROADCAST: scatter + doubling,
    }
    return Contents(1, turns[kind])


# double binary tree: piece 0 goes over one tree, piece 1 over its mirror image


def _double_binary_tree(kind: CollectiveKind, n: int) -> Contents:
    everything = list(range(n))

    def whole(_: list[int]) -> list[Part]:
        return [(s,) for s in everything]

    def own(below: list[int]) -> list[Part]:
        return [(s,) for s in below]

    def from_below(below: list[int]) -> list[Part]:
        return [(i, s) for i in below for s in everything]

    def for_below(below: list[int]) -> list[Part]:
        return [(i, s) for i in everything for s in below]

    over = Message(0, n - 1, [(s, 1) for s in everything])
    turns = {
        AR: lambda: _up(n, whole) + _down(n, whole),
        RS: lambda: _up(n, whole) + _down(n, own),
        AG: lambda: _up(n, own) + _down(n, whole),
        A2A: lambda: _up(n, from_below) + _down(n, for_below),
        BROADCAST: lambda: [[over], *_down(n, whole)],
    }
    return Contents(2, turns[kind]() if n > 1 else [])


def _up(n: int, parts: Callable[[list[int]], list[Part]]) -> Turns:
    """Messages from children to parents, deepest first, of slices without pieces."""
    return [
        [
            Message(child, parent, [(*part, piece) for part in parts(below)])
            for piece in (0, 1)
            for child, parent, below, at in _edges(n, piece)
            if at == depth
        ]
        for depth in range((n - 1).bit_length(), 0, -1)
    ]


def _down(n: int, parts: Callable[[list[int]], list[Part]]) -> Turns:
    """The same from parents to children, the root first."""
    return [
        [Message(m.destination, m.source, m.parts) for m in turn]
        for turn in reversed(_up(n, parts))
    ]


def _edges(n: int, mirrored: int) -> Iterator[tuple[int, int, list[int], int]]:
    """Child, parent, the devices at and below the child, and its depth."""
    for child, parent, below, depth in _in_order(range(1, n), 0, 1):
        if mirrored:
            yield n - 1 - child, n - 1 - parent, [n - 1 - i for i in below], depth
        else:
            yield child, parent, list(below), depth


def _in_order(
    devices: range, parent: int, depth: int
) -> Iterator[tuple[int, int, range, int]]:
    """A balanced tree of neighbors; the middle one is the root, of two the second."""
    if devices:
        middle = len(devices) // 2
        root = devices[middle]
        yield root, parent, devices, depth
        yield from _in_order(devices[:middle], root, depth + 1)
        yield from _in_order(devices[middle + 1 :], root, depth + 1)


# algorithms of a switch: what goes up, and what comes down


def _in_network(kind: CollectiveKind, n: int) -> Contents:
    """The switch adds up or copies all at once; nobody gets back what is its own."""
    everything, own, others = _everything(n), _own(n), _others(n)
    nothing: list[list[Part]] = [[]]
    rounds = {
        AR: (everything, everything),
        RS: (everything, own),
        AG: (own, others),
        A2A: (_theirs(n), _mine(n)),
        BROADCAST: (everything[:1] + nothing * (n - 1), nothing + everything[1:]),
    }
    return Contents(1, [[SwitchRound(*rounds[kind])]])


def _nvls(kind: CollectiveKind, n: int) -> Contents:
    """Devices fetch sums and multicast slices, to themselves too."""
    everything, own = _everything(n), _own(n)
    nothing: list[list[Part]] = [[]]
    rounds = {
        AR: [(everything, own), (own, everything)],
        RS: [(everything, own)],
        AG: [(own, everything)],
        A2A: [(_theirs(n), _mine(n))],
        BROADCAST: [(everything[:1] + nothing * (n - 1), everything)],
    }
    return Contents(1, [[SwitchRound(*each) for each in rounds[kind]]])


def _everything(n: int) -> list[list[Part]]:
    return [[(s, 0) for s in range(n)]] * n


def _own(n: int) -> list[list[Part]]:
    return [[(i, 0)] for i in range(n)]


def _others(n: int) -> list[list[Part]]:
    return [[(s, 0) for s in range(n) if s != i] for i in range(n)]


def _theirs(n: int) -> list[list[Part]]:
    """Of an all-to-all, what each device has for the others."""
    return [[(i, j, 0) for j in range(n) if j != i] for i in range(n)]


def _mine(n: int) -> list[list[Part]]:
    """Of an all-to-all, what the others have for each device."""
    return [[(j, i, 0) for j in range(n) if j != i] for i in range(n)]


_CONTENTS: Mapping[str, ContentsOf] = {
    "ring": _ring,
    "bidirectionalRing": _bidirectional_ring,
    "halvingDoubling": _halving_doubling,
    "doubleBinaryTree": _double_binary_tree,
    "inNetwork": _in_network,
    "nvls": _nvls,
}
