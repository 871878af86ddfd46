"""What the model says about a measurement: the best that its library would choose.

A library picks algorithm and protocol for each call. The prediction does as much: it
simulates the collective with every algorithm among which the library chooses, and over
several dimensions cut into few or many chunks, and takes the fastest. What a phase
sends, and over which protocol, is the simulator's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from cosmic.compute.cost_model import Roofline
from cosmic.design.parameter import PointValue
from cosmic.evaluation.configuration import build_system
from cosmic.evaluation.setting import DEFAULTS
from cosmic.simulation.collective_bound import least_time
from cosmic.simulation.communication import transfer_time
from cosmic.simulation.single_collective import time_collective
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind
from cosmic.units import Bytes, BytesPerSecond, GiB, Seconds
from cosmic.validation.machines import Machine, NotEvaluatedError, machine_of
from cosmic.validation.measurement import Operation, Setup

_ASYMPTOTIC = 16 * GiB  # the largest message that tables of nccl-tests commonly hold
_CHUNKS = (1, 4, 16, 64)  # over several dimensions
_KINDS = {
    Operation.ALL_REDUCE: CollectiveKind.ALL_REDUCE,
    Operation.ALL_GATHER: CollectiveKind.ALL_GATHER,
    Operation.REDUCE_SCATTER: CollectiveKind.REDUCE_SCATTER,
}
_ALGORITHMS = {"ring": "ring", "tree": "doubleBinaryTree", "nvls": "nvls"}
_LINKS = {"NVLink": "nvlink", "RDMA": "network"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the model says, and where that comes from.

    Attributes:
        bandwidth: Bus bandwidth, or that of the bottleneck, as the measurement's.
        bound: The same if nothing but bytes over data-sheet bandwidth took time.
        time: Of the collective.
        size: Of the message that was simulated.
        preset: The system.
        extents: Devices in each of its dimensions.
        algorithms: Of each dimension; empty for a transfer.
        protocols: Of each phase, without repetition.
        chunks: Into which the collective was cut.
    """

    bandwidth: BytesPerSecond
    bound: BytesPerSecond
    time: Seconds
    size: Bytes
    preset: str
    extents: tuple[int, ...]
    algorithms: tuple[str, ...]
    protocols: tuple[str, ...]
    chunks: int


@lru_cache(maxsize=100_000)
def predict(setup: Setup) -> Prediction:
    """The prediction for a setup.

    Raises:
        NotEvaluatedError: The measurement does not say enough, or what it says is none
            of ours.
    """
    machine = machine_of(setup)
    if machine.ranks < 2:
        raise NotEvaluatedError("one device alone sends nothing")
    size = setup.size or _ASYMPTOTIC
    if setup.operation is Operation.SEND_RECV:
        return _transfer(setup, machine, size)
    return _collective(setup, machine, size)


def _collective(setup: Setup, machine: Machine, size: Bytes) -> Prediction:
    """The fastest of all that the library may choose."""
    kind = _KINDS.get(setup.operation, CollectiveKind.ALL_TO_ALL)
    group = _group(machine)
    found = [
        (time_collective(kind, size, system, group), algorithms, system)
        for algorithms, system in _systems(kind, setup.algorithm, machine)
    ]
    timed, algorithms, system = min(found, key=lambda each: each[0].seconds)
    counted = size * setup.operation.bus_factor(machine.ranks)
    bottleneck = _bottleneck(setup, machine)
    if bottleneck is None:
        least = least_time(kind, size, group, _plain(system)).transfer
    else:
        counted = timed.sent(bottleneck)
        least = counted / system.cluster.topology.dimensions[bottleneck].bandwidth
    phases = [phase for route in timed.routes for phase in route.phases]
    return Prediction(
        bandwidth=counted / timed.seconds,
        bound=counted / least,
        time=timed.seconds,
        size=size,
        preset=machine.preset,
        extents=machine.extents,
        algorithms=algorithms,
        protocols=tuple(dict.fromkeys(phase.protocol for phase in phases)),
        chunks=system.policy.chunks,
    )


def _transfer(setup: Setup, machine: Machine, size: Bytes) -> Prediction:
    """From the first device of the group to the last."""
    system = _system(machine, {})
    group = _group(machine)
    time = transfer_time(group, (0, group.size - 1), size, system)
    crossed = [d for d, extent in enumerate(machine.extents) if extent > 1]
    slowest = min(system.cluster.topology.dimensions[d].bandwidth for d in crossed)
    return Prediction(
        bandwidth=size / time,
        bound=slowest,
        time=time,
        size=size,
        preset=machine.preset,
        extents=machine.extents,
        algorithms=(),
        protocols=(),
        chunks=1,
    )


def _systems(
    kind: CollectiveKind, named: str, machine: Machine
) -> Iterator[tuple[tuple[str, ...], System]]:
    """Every choice of algorithms and chunks with the system that carries it out."""
    spread = sum(extent > 1 for extent in machine.extents) > 1
    for algorithms in product(*_algorithms(kind, named, machine)):
        for chunks in _CHUNKS if spread else (1,):
            chosen: dict[str, PointValue] = {
                f"{kind.value}_algorithm": algorithms,
                "chunks": chunks,
            }
            yield algorithms, _system(machine, chosen)


def _algorithms(
    kind: CollectiveKind, named: str, machine: Machine
) -> list[tuple[str, ...]]:
    """What may be chosen in each dimension: the system's own, or the library's.

    A measurement that names the algorithm was made with it, where there is a choice.
    """
    own = machine.settings[f"{kind.value}_algorithm"]
    assert isinstance(own, tuple)
    choices = []
    for dimension, (mine, extent) in enumerate(zip(own, machine.extents, strict=True)):
        found = [str(mine)]
        if machine.linked is not None and extent > 1:
            link = machine.linked.links[dimension]
            found += machine.linked.library.choices(kind, link)
        forced = _ALGORITHMS.get(named.lower(), "")
        choices.append((forced,) if forced in found else tuple(dict.fromkeys(found)))
    return choices


def _system(machine: Machine, chosen: dict[str, PointValue]) -> System:
    settings = {**DEFAULTS, **machine.settings, **chosen}
    return build_system(settings, Roofline(), machine.protocols)


def _plain(system: System) -> System:
    """The system without protocols."""
    return replace(system, policy=replace(system.policy, protocols=()))


def _group(machine: Machine) -> Group:
    """The devices that take part: the first ones of each dimension."""
    stride, parts = 1, []
    for size, extent in zip(machine.sizes, machine.extents, strict=True):
        parts.append((extent, stride))
        stride *= size
    return Group.joined("all", parts)


def _bottleneck(setup: Setup, machine: Machine) -> int | None:
    """The dimension whose links the published bandwidth is that of."""
    if not setup.bottleneck:
        return None
    link = _LINKS.get(setup.bottleneck)
    links = machine.linked.links if machine.linked else ()
    if link not in links:
        raise NotEvaluatedError(
            f"system {machine.preset} has no link {setup.bottleneck!r}"
        )
    return links.index(link)
