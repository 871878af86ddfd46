"""Which dimensions of the network a group of devices spans."""

from collections.abc import Sequence
from dataclasses import dataclass

from cosmic.errors import ConsistencyError
from cosmic.network.topology import Topology
from cosmic.trace.execution_graph import Group


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a group that lies in one dimension.

    Attributes:
        dimension: Which, as an index into the topology.
        extent: Devices of one group along it, at least 2.
        stride: Distance between them, in positions of the dimension.
    """

    dimension: int
    extent: int
    stride: int


def spans(group: Group, topology: Topology) -> tuple[Span, ...]:
    """The dimensions that a group spans, innermost first.

    Device ids are mixed radix over the dimensions, and a group holds the ids
    `stride` apart, so its range of strides meets each dimension's range in the extent
    that the group has there.

    Raises:
        ConsistencyError: The group's shape does not factor over the dimensions.

    >>> from cosmic.network.dimension import Dimension, Shape
    >>> four = Dimension(shape=Shape.RING, size=4, link_bandwidth=1e9, latency=0.0)
    >>> spans(Group(name="tensor", size=8, stride=2), Topology((four, four)))
    (Span(dimension=0, extent=2, stride=2), Span(dimension=1, extent=4, stride=1))
    """
    found = []
    end = group.stride * group.size
    for index, (inner, dimension) in enumerate(
        zip(topology.strides, topology.dimensions, strict=True)
    ):
        low, high = max(inner, group.stride), min(inner * dimension.size, end)
        if low >= high:
            continue
        if high % low or low % inner or dimension.size % (high // inner):
            raise _does_not_factor(group, topology)
        found.append(Span(index, high // low, low // inner))
    return _checked(group, topology, found)


def _checked(
    group: Group, topology: Topology, found: Sequence[Span]
) -> tuple[Span, ...]:
    extent = 1
    for span in found:
        extent *= span.extent
    if extent != group.size:
        raise _does_not_factor(group, topology)
    return tuple(found)


def _does_not_factor(group: Group, topology: Topology) -> ConsistencyError:
    sizes = " x ".join(str(dimension.size) for dimension in topology.dimensions)
    return ConsistencyError(
        f"the {group.name} group of {group.size} devices, {group.stride} apart, "
        f"does not factor over dimensions of {sizes} devices"
    )
