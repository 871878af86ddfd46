"""What a collective algorithm is, and the table of the built-in ones."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from cosmic.errors import SpecError, UnknownNameError
from cosmic.registry import Registry
from cosmic.trace.node import CollectiveKind

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """Messages that are sent at once; the next step waits for all of them.

    Devices are numbered 0 to n - 1 within the group.

    Attributes:
        sources: Who sends each message, shape (messages,).
        destinations: Who receives it, shape (messages,).
        fractions: Its size over the collective's buffer, shape (messages,).
        repeat: How many times the step is done, one after the other.
        reduces: Whether what arrives is added to what is there.
    """

    sources: Ints
    destinations: Ints
    fractions: Floats
    repeat: int = 1
    reduces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShiftStep:
    """A step in which all devices do the same: each sends to those at some distances.

    It says in n numbers what a `Step` says in n for every device, and gives that
    step's messages on demand.

    Attributes:
        size: Devices of the group, n.
        distances: How much further on, round the group, the receivers of every device
            are, from 1 to n - 1, shape (distances,).
        each: The size of the message to each of them over the collective's buffer,
            shape (distances,).
        repeat: How many times the step is done, one after the other.
        reduces: Whether what arrives is added to what is there.
    """

    size: int
    distances: Ints
    each: Floats
    repeat: int = 1
    reduces: bool = False

    @property
    def sources(self) -> Ints:
        """Who sends each message, shape (messages,)."""
        return np.repeat(np.arange(self.size), len(self.distances))

    @property
    def destinations(self) -> Ints:
        """Who receives it, shape (messages,)."""
        found: Ints = np.add.outer(np.arange(self.size), self.distances) % self.size
        return found.ravel()

    @property
    def fractions(self) -> Floats:
        """Its size over the collective's buffer, shape (messages,)."""
        return np.tile(self.each, self.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SwitchStep:
    """A step that the switch itself takes part in, by adding up or by copying.

    Whatever goes up has gone through the switch, and whatever it makes of that has come
    down, before the next step begins. It exists only where the group's devices are
    joined by a Switch.

    Attributes:
        up: What each device sends to the switch over the collective's buffer, shape
            (size,).
        down: What it gets from the switch, shape (size,).
        repeat: How many times the step is done, one after the other.
    """

    up: Floats
    down: Floats
    repeat: int = 1


AnyStep = Step | ShiftStep | SwitchStep


class CollectiveAlgorithm(Protocol):
    """How `size` devices of one dimension carry out a collective.

    It knows nothing of the links; what its messages cost is found by routing them.
    """

    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        """The steps, in order; none for a group of one.

        Raises:
            SpecError: The algorithm does not exist for this kind or size.
        """
        ...


def shift(size: int, distance: int, fraction: float) -> ShiftStep:
    """Every device sends `fraction` to the device `distance` further on."""
    return ShiftStep(
        size=size, distances=np.array([distance]), each=np.array([fraction])
    )


def power_of_two(name: str, size: int) -> int:
    """The logarithm of `size` to base two.

    Raises:
        SpecError: The size is no power of two.
    """
    if size & (size - 1):
        raise SpecError(f"{name} needs a power of two of devices, not {size}")
    return size.bit_length() - 1


ALGORITHMS: Registry[type[CollectiveAlgorithm]] = Registry(
    "collective algorithm",
    {
        "ring": "cosmic.collective.ring:Ring",
        "bidirectionalRing": "cosmic.collective.bidirectional_ring:BidirectionalRing",
        "direct": "cosmic.collective.direct:Direct",
        "halvingDoubling": "cosmic.collective.halving_doubling:HalvingDoubling",
        "doubleBinaryTree": "cosmic.collective.double_binary_tree:DoubleBinaryTree",
        "inNetwork": "cosmic.collective.in_network:InNetwork",
        "nvls": "cosmic.collective.nvls:Nvls",
    },
    "cosmic.collective_algorithms",
)

_WINDOWED = "direct<W>"


def make_algorithm(name: str) -> CollectiveAlgorithm:
    """The algorithm of a name: one of the table, or `direct<W>`.

    Args:
        name: Such as `ring`, or `direct4` for a direct algorithm in which a device
            sends to 4 others at a time.

    Raises:
        UnknownNameError: There is no such algorithm.
        SpecError: The window is not a whole number of at least 1.
        ConsistencyError: A plug-in's algorithm cannot be had.

    >>> len(make_algorithm("direct4").steps(CollectiveKind.ALL_GATHER, 8))  # 4 + 3
    2
    """
    windowed = re.fullmatch("direct([0-9]+)", name)
    if windowed is None:
        if name not in ALGORITHMS.names():
            known = (*ALGORITHMS.names(), _WINDOWED)
            raise UnknownNameError("collective algorithm", name, known)
        return ALGORITHMS.get(name)()
    digits = windowed[1].lstrip("0")
    if not 1 <= len(digits) <= 9:
        raise SpecError(
            f"the window of {_WINDOWED} is a whole number from 1 to 999999999, as in "
            f"direct4, not {windowed[1][:20]}"
        )
    direct = cast(Callable[[int], CollectiveAlgorithm], ALGORITHMS.get("direct"))
    return direct(int(digits))
