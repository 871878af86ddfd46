"""One collective that has the network to itself, done by all groups at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from cosmic.collective.policy import CollectivePolicy
from cosmic.errors import SpecError
from cosmic.simulation import kernels
from cosmic.simulation.collective_columns import collective_columns
from cosmic.simulation.communication import TimedRoute, routes
from cosmic.simulation.flat_routes import flat_phases
from cosmic.system.placement import spans
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind, CollectiveNode
from cosmic.units import Bytes, BytesPerSecond, Seconds

CHUNKS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class CollectiveTime:
    """How long a collective takes, and how.

    Attributes:
        seconds: From its start to the last chunk's end.
        policy: How it is carried out.
        routes: The ways of its chunks; none for a group of one.
    """

    seconds: Seconds
    policy: CollectivePolicy
    routes: tuple[TimedRoute, ...]

    def sent(self, dimension: int) -> Bytes:
        """What one device sends into a dimension, on average over the group."""
        return sum(
            route.chunks * phase.sent
            for route in self.routes
            for phase in route.phases
            if phase.dimension == dimension
        )


def all_devices(system: System) -> Group:
    """The group of all devices."""
    return Group(name="all", size=system.cluster.devices, stride=1)


def time_collective(
    kind: CollectiveKind, nbytes: Bytes, system: System, group: Group | None = None
) -> CollectiveTime:
    """The time of a collective on an idle network.

    Args:
        kind: Which collective.
        nbytes: Its buffer, as `CollectiveKind` counts it.
        system: Whose network and policy.
        group: Who communicates; every other group of the same shape does so at the same
            time. All devices together, if left out.

    Raises:
        ConsistencyError: The group's shape does not factor over the dimensions.
        SpecError: An algorithm does not exist for a kind, extent or shape.
    """
    chosen = group or all_devices(system)
    node = CollectiveNode(
        name=kind.value, kind=kind, group=chosen.name, nbytes=float(nbytes)
    )
    found = routes(node, chosen, system)
    phases = flat_phases(found)
    seconds = np.array([phase.timed.seconds for phase in phases])
    link_seconds = np.array([phase.timed.link_seconds for phase in phases])
    columns = collective_columns([phases], (seconds, link_seconds), [0], system)
    return CollectiveTime(float(kernels.alone(columns)[0]), system.policy, found)


def fastest_collective(
    kind: CollectiveKind,
    nbytes: Bytes,
    system: System,
    group: Group | None = None,
    *,
    algorithms: Sequence[str],
    chunks: Iterable[int] = CHUNKS,
) -> CollectiveTime:
    """The best of all algorithms in every dimension and of some numbers of chunks.

    Algorithms that do not exist for the kind, the extent or the shape of a dimension
    are left out there. Of equals the first is taken: fewer chunks, then the order in
    which algorithms are given.

    Raises:
        ConsistencyError: The group's shape does not factor over the dimensions.
        SpecError: No algorithm exists in some dimension.
    """
    chosen = group or all_devices(system)
    found = [
        time_collective(kind, nbytes, candidate, chosen)
        for count in chunks
        for candidate in _candidates(kind, count, system, chosen, algorithms)
    ]
    return min(found, key=lambda timed: timed.seconds)


def bus_factor(kind: CollectiveKind, devices: int) -> float:
    """Bus bandwidth over algorithm bandwidth: what a device sends of a buffer, at best.

    Reference:
        NVIDIA, nccl-tests, doc/PERFORMANCE.md.

    >>> bus_factor(CollectiveKind.ALL_REDUCE, 8)
    1.75
    """
    if kind is CollectiveKind.BROADCAST:
        return 1.0
    rest = (devices - 1) / devices
    return 2 * rest if kind is CollectiveKind.ALL_REDUCE else rest


def algorithm_bandwidth(nbytes: Bytes, seconds: Seconds) -> BytesPerSecond:
    """The buffer over the time; infinite where nothing takes time."""
    return nbytes / seconds if seconds > 0 else float("inf")


def _candidates(
    kind: CollectiveKind,
    chunks: int,
    system: System,
    group: Group,
    algorithms: Sequence[str],
) -> Iterator[System]:
    """The system with every choice of algorithms that exist on the group's spans."""
    own = [system.policy.algorithm(kind, d) for d in range(system.policy.dimensions)]
    choices: list[Sequence[str]] = [[name] for name in own]
    for dimension in {span.dimension for span in spans(group, system)}:
        choices[dimension] = [
            name for name in algorithms if _exists(name, dimension, kind, system, group)
        ]
        if not choices[dimension]:
            raise SpecError(
                f"none of {', '.join(algorithms)} can do an {kind.value} "
                f"in dimension {dimension}"
            )
    for names in product(*choices):
        yield _with(system, names, chunks)


def _exists(
    name: str, dimension: int, kind: CollectiveKind, system: System, group: Group
) -> bool:
    """Whether an algorithm can do its part of a collective in a dimension."""
    names = [
        name if d == dimension else "ring" for d in range(system.policy.dimensions)
    ]
    node = CollectiveNode(name=name, kind=kind, group=group.name, nbytes=1.0)
    try:
        routes(node, group, _with(system, names, 1))
    except SpecError:
        return False
    return True


def _with(system: System, names: Sequence[str], chunks: int) -> System:
    """The system with one algorithm for each dimension, whatever the kind."""
    same = tuple(names)
    policy = replace(
        system.policy,
        all_reduce=same,
        all_gather=same,
        reduce_scatter=same,
        all_to_all=same,
        chunks=chunks,
    )
    return replace(system, policy=policy)
