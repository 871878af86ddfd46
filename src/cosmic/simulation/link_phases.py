"""What each device of a group sends and awaits in each phase of each chunk."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cosmic.collective.algorithm import AnyStep, SwitchStep, make_algorithm
from cosmic.collective.plan import Phase
from cosmic.simulation.communication import planned_routes
from cosmic.simulation.flat_ring import FLAT_ALGORITHM
from cosmic.system.placement import Span, spans
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind
from cosmic.units import Bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moves:
    """One step, seen by each rank: its place among those who pass a phase together.

    All sizes are fractions of the phase's buffer.

    Attributes:
        sends: Receivers and sizes of the messages that each rank sends.
        expected: How many messages each rank awaits.
        added: What each rank adds up when they are there.
        up: What each rank sends to the switch; empty where the switch has no part.
        down: What it makes of that and sends to each rank.
    """

    sends: tuple[tuple[tuple[int, float], ...], ...]
    expected: tuple[int, ...]
    added: tuple[float, ...]
    up: tuple[float, ...] = ()
    down: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinkPhase:
    """One phase of one chunk.

    Attributes:
        dimension: Which one it occupies.
        members: For each device, those who pass it together with that one, by rank.
        nbytes: The phase's buffer.
        moves: Its steps, in order.
    """

    dimension: int
    members: tuple[tuple[int, ...], ...]
    nbytes: Bytes
    moves: tuple[Moves, ...]


def link_phases(
    kind: CollectiveKind, nbytes: Bytes, group: Group, system: System
) -> tuple[tuple[LinkPhase, ...], ...]:
    """The phases of each chunk of a collective, as the policy plans them.

    Raises:
        SpecError: An algorithm does not exist for this kind, extent or shape.
        ConsistencyError: The group does not factor over the dimensions.
    """
    along = [(span, _members(span, group, system)) for span in spans(group, system)]
    chunk = nbytes / system.policy.chunks

    def link_phase(phase: Phase) -> LinkPhase:
        span, members = along[phase.span]
        algorithm = FLAT_ALGORITHM if span.flat else phase.algorithm
        return LinkPhase(
            dimension=phase.dimension,
            members=members,
            nbytes=chunk * phase.fraction,
            moves=_moves(algorithm, phase.kind, span.extent),
        )

    return tuple(
        tuple(link_phase(phase) for phase in route.phases)
        for route in planned_routes(kind, nbytes, group, system)
        for _ in range(route.chunks)
    )


def transfer_phase(
    pair: tuple[int, int], nbytes: Bytes, group: Group, system: System
) -> LinkPhase:
    """One message from a position of every group to another, through all dimensions."""
    source, destination = pair
    sends: list[tuple[tuple[int, float], ...]] = [()] * group.size
    sends[source] = ((destination, 1.0),)
    moves = Moves(
        sends=tuple(sends),
        expected=tuple(int(rank == destination) for rank in range(group.size)),
        added=(0.0,) * group.size,
    )
    devices = range(system.cluster.devices)
    return LinkPhase(
        dimension=0,
        members=tuple(group.members(device) for device in devices),
        nbytes=nbytes,
        moves=(moves,),
    )


def _members(span: Span, group: Group, system: System) -> tuple[tuple[int, ...], ...]:
    """For each device, those who pass a phase along a span together with it."""
    devices = range(system.cluster.devices)
    if span.flat:
        return tuple(group.members(device) for device in devices)
    stride = system.strides[span.dimension] * span.stride
    ranks = range(span.extent)
    return tuple(
        tuple(
            device + (rank - device // stride % span.extent) * stride for rank in ranks
        )
        for device in devices
    )


@lru_cache(maxsize=4096)
def _moves(algorithm: str, kind: CollectiveKind, extent: int) -> tuple[Moves, ...]:
    """The steps of an algorithm, one by one, as each rank sees them."""
    return tuple(
        moves
        for step in make_algorithm(algorithm).steps(kind, extent)
        for moves in [_moves_of(step, extent)] * step.repeat  # one object, many times
    )


def _moves_of(step: AnyStep, extent: int) -> Moves:
    if isinstance(step, SwitchStep):
        return Moves(
            sends=((),) * extent,
            expected=tuple((step.down > 0).astype(int).tolist()),
            added=(0.0,) * extent,
            up=tuple(step.up.tolist()),
            down=tuple(step.down.tolist()),
        )
    sends: list[list[tuple[int, float]]] = [[] for _ in range(extent)]
    expected, added = [0] * extent, [0.0] * extent
    for source, destination, fraction in zip(
        step.sources.tolist(),
        step.destinations.tolist(),
        step.fractions.tolist(),
        strict=True,
    ):
        sends[source].append((destination, fraction))
        expected[destination] += 1
        added[destination] += fraction if step.reduces else 0.0
    return Moves(
        sends=tuple(map(tuple, sends)), expected=tuple(expected), added=tuple(added)
    )


def messages(chunks: Sequence[Sequence[LinkPhase]]) -> int:
    """How many messages all devices together send."""
    return sum(
        (sum(map(len, moves.sends)) + len(moves.up))
        * (len(phase.members) // len(phase.members[0]))
        for phases in chunks
        for phase in phases
        for moves in phase.moves
    )
