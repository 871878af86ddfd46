"""How the devices of one dimension are joined: all that routing needs to know."""

import enum
from dataclasses import dataclass
from typing import assert_never

from cosmic.errors import SpecError


class Shape(enum.Enum):
    """How the devices of a dimension are joined.

    RING: each to the next one and the last to the first.
    FULLY_CONNECTED: each to every other one.
    SWITCH: each to one switch.
    MESH: a line, each to the next one; nothing joins the ends.
    HYPERCUBE: each to those whose position differs in one binary digit; the size is a
    power of two.
    """

    RING = "Ring"
    FULLY_CONNECTED = "FullyConnected"
    SWITCH = "Switch"
    MESH = "Mesh"
    HYPERCUBE = "Hypercube"


def links_per_device(shape: Shape, size: int) -> int:
    """Links that leave one device; none where there is nobody to be joined to.

    Two on a ring and on a mesh, where the two devices at the ends leave one unused; one
    to every other device fully connected; one to a switch; log2 n in a hypercube.
    """
    if size == 1:
        return 0
    match shape:
        case Shape.RING | Shape.MESH:
            return 2
        case Shape.FULLY_CONNECTED:
            return size - 1
        case Shape.SWITCH:
            return 1
        case Shape.HYPERCUBE:
            return (size - 1).bit_length()
        case _:
            assert_never(shape)


@dataclass(frozen=True, slots=True)
class Wiring:
    """`size` devices in one shape, and how far its links fall short of one bandwidth.

    Attributes:
        shape: How the devices are joined.
        size: Devices along the dimension; 1 means that it is not there.
        oversubscription: What all ports of a Switch together could send, over what its
            core carries; 1, or more for a fat tree or a Dragonfly whose outer links are
            thinner than the ports below them. Other shapes have no core.
        asymmetry: Bandwidth of the links to lower positions over that of the links to
            higher ones. On a Ring the former are those that go round anticlockwise, on
            a Switch those down to the devices.

    Raises:
        SpecError: There is no such wiring.
    """

    shape: Shape
    size: int
    oversubscription: float = 1.0
    asymmetry: float = 1.0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise SpecError(f"a dimension joins at least 1 device, not {self.size}")
        if self.shape is Shape.HYPERCUBE and self.size & (self.size - 1):
            raise SpecError(
                f"a Hypercube joins a power of two of devices, not {self.size}"
            )
        if not 1 <= self.oversubscription < float("inf"):
            raise SpecError(
                "oversubscription must be finite and at least 1, "
                f"not {self.oversubscription}"
            )
        if self.oversubscription != 1 and self.shape is not Shape.SWITCH:
            raise SpecError(
                f"only a Switch can be oversubscribed; a {self.shape.value} has "
                f"oversubscription 1, not {self.oversubscription}"
            )
        if not 0 < self.asymmetry < float("inf"):
            raise SpecError(
                f"asymmetry must be positive and finite, not {self.asymmetry}"
            )
