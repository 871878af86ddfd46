"""Where the groups of devices lie in the network: the dimensions that each spans."""

from dataclasses import dataclass
from functools import lru_cache
from math import prod

from cosmic.errors import ConsistencyError
from cosmic.network.topology import Topology
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group

_SHOWN = 4  # devices of a group that a message names


@dataclass(frozen=True, slots=True)
class Span:
    """What of a group lies evenly spread along one dimension.

    A group may have several spans in one dimension, as {0, 1, 4, 5} has in one of 8.

    Attributes:
        dimension: Which, as an index into the topology.
        extent: Devices of one group along it, at least 2.
        stride: Distance between them, in positions of the dimension.
        flat: Whether it is the whole group as one ring, through all dimensions that the
            group touches; `dimension` is then the slowest of these, `extent` the size
            of the group and `stride` 1.
    """

    dimension: int
    extent: int
    stride: int
    flat: bool = False


def spans(group: Group, system: System) -> tuple[Span, ...]:
    """Where a group lies: by dimension, innermost first, then by stride.

    Device ids are mixed radix over the dimensions, which they count through as the
    system's placement says. So the range of strides of each part of a group meets each
    dimension's range in the extent that the group has there: 8 devices, 2 apart, on two
    rings of 4 are 2 devices, 2 apart, of the inner and all 4 of the outer. A group that
    does not come out even is a flat ring if the system allows those, and one that says
    so of itself is one anyway.

    Raises:
        ConsistencyError: The group's shape does not factor over the dimensions, and
            flat rings are not allowed; or the devices do not make up whole groups.
    """
    topology, strides = system.cluster.topology, system.strides
    sizes = tuple([dimension.size for dimension in topology.dimensions])
    found = _spans(group, sizes, strides)
    if found is not None and not (group.flat and found):
        return found
    if topology.devices % group.reach:
        raise ConsistencyError(
            f"the {group}, does not divide the network's {topology.devices} devices"
        )
    if not (system.flat_rings or group.flat):
        raise _does_not_factor(group, system)
    return (_flat_ring(group, topology, strides),)


@lru_cache(maxsize=4096)
def _spans(
    group: Group, sizes: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[Span, ...] | None:
    """The spans of a group that factors; otherwise nothing."""
    found = []
    for index, (inner, along) in enumerate(zip(strides, sizes, strict=True)):
        for size, stride in group.parts:
            low, high = max(inner, stride), min(inner * along, stride * size)
            if low >= high:
                continue
            if high % low or low % inner or along % (high // inner):
                return None
            found.append(Span(index, high // low, low // inner))
    return tuple(found) if prod(span.extent for span in found) == group.size else None


@lru_cache(maxsize=4096)
def _flat_ring(group: Group, topology: Topology, strides: tuple[int, ...]) -> Span:
    """The whole group, in the slowest dimension in which its devices differ.

    The slowest is that in which a device can send least; of equals, the outer one.
    """
    devices = range(topology.devices)
    firsts = [d - group.offset(group.position(d)) for d in devices]

    def touched(index: int) -> bool:
        stride, size = strides[index], topology.dimensions[index].size
        return any(
            device // stride % size != first // stride % size
            for device, first in zip(devices, firsts, strict=True)
        )

    slowest = min(
        filter(touched, range(len(strides))),
        key=lambda index: (topology.dimensions[index].bandwidth, -index),
    )
    return Span(slowest, group.size, 1, flat=True)


def _does_not_factor(group: Group, system: System) -> ConsistencyError:
    dimensions = system.cluster.topology.dimensions
    sizes = " x ".join(str(dimension.size) for dimension in dimensions)
    shown = ", ".join(map(str, group.members(0)[:_SHOWN]))
    more = ", ..." if group.size > _SHOWN else ""
    return ConsistencyError(
        f"the {group} (the first is {shown}{more}), does not factor over dimensions of "
        f"{sizes} devices, filled {system.placement.value}; change the degrees, the "
        "axis order, the placement or the dimensions, or allow flat rings"
    )
