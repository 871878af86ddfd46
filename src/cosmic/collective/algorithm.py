"""What a collective algorithm is, and the table of the built-in ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cosmic.errors import SpecError
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


class CollectiveAlgorithm(Protocol):
    """How `size` devices of one dimension carry out a collective.

    It knows nothing of the links; what its messages cost is found by routing them.
    """

    def steps(self, kind: CollectiveKind, size: int) -> Sequence[Step]:
        """The steps, in order; none for a group of one.

        Raises:
            SpecError: The algorithm does not exist for this kind or size.
        """
        ...


def shift(size: int, distance: int, fraction: float) -> Step:
    """Every device sends `fraction` to the device `distance` further on."""
    devices = np.arange(size)
    return Step(
        sources=devices,
        destinations=(devices + distance) % size,
        fractions=np.full(size, fraction),
    )


def repeated(step: Step, repeat: int, *, reduces: bool) -> Step:
    """The same messages, so many times over."""
    return Step(
        sources=step.sources,
        destinations=step.destinations,
        fractions=step.fractions,
        repeat=repeat,
        reduces=reduces,
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
        "direct": "cosmic.collective.direct:Direct",
        "halvingDoubling": "cosmic.collective.halving_doubling:HalvingDoubling",
        "doubleBinaryTree": "cosmic.collective.double_binary_tree:DoubleBinaryTree",
    },
    "cosmic.collective_algorithms",
)
