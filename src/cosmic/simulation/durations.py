"""All durations of a graph on a system, on one grid that every simulator shares."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cosmic.simulation.clock import on_grid, tick
from cosmic.simulation.communication import TimedRoute, routes, transfer_time
from cosmic.simulation.flat_graph import FlatGraph, flat_graph
from cosmic.simulation.flat_routes import FlatPhase, flat_phases
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.units import Seconds

Floats = NDArray[np.float64]
Routes = tuple[tuple[TimedRoute, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Durations:
    """How long each distinct thing takes.

    Attributes:
        computes: Each compute node, in the order of `FlatGraph.computes`.
        routes: The routes of each collective, in the order of `FlatGraph.collectives`,
            with their durations as they are off the grid.
        phases: Their phases in one row, collective by collective.
        phase_seconds: How long a chunk is in each of these phases.
        link_seconds: How long it has the links there, no longer than that.
        onward: The transfer from each stage to the next; with virtual stages, from the
            last to the first, too.
        back: The transfer from the next stage to each.
        unit: The tick of the grid, of which all but `routes` are multiples.
    """

    computes: Floats
    routes: Routes
    phases: tuple[tuple[FlatPhase, ...], ...]
    phase_seconds: Floats
    link_seconds: Floats
    onward: Floats
    back: Floats
    unit: Seconds

    @classmethod
    def of(cls, graph: ExecutionGraph, system: System) -> "Durations":
        """The durations of a graph on a system.

        Raises:
            ConsistencyError: A group does not factor over the dimensions.
            SpecError: A collective algorithm does not exist for a group's size.
        """
        flat = flat_graph(graph)
        computes = system.cost_model.times(flat.computes, system.cluster.device)
        found = _routes(graph, flat, system)
        pairs = list(pairwise(range(len(graph.stages))))
        if graph.chunks > 1:
            pairs.append((len(graph.stages) - 1, 0))
        onward = _transfers(graph, pairs, system)
        back = _transfers(graph, [(b, a) for a, b in pairs], system)
        both = float(onward.sum() + back.sum())
        unit = tick(_bound(graph, flat, computes, found, both))
        phases = tuple(map(flat_phases, found))
        times = [phase.timed for row in phases for phase in row]
        return cls(
            computes=on_grid(computes, unit),
            routes=found,
            phases=phases,
            phase_seconds=on_grid(np.array([t.seconds for t in times]), unit),
            link_seconds=on_grid(np.array([t.link_seconds for t in times]), unit),
            onward=on_grid(onward, unit),
            back=on_grid(back, unit),
            unit=unit,
        )


def _routes(graph: ExecutionGraph, flat: FlatGraph, system: System) -> Routes:
    """Those of each collective; what differs in name only is found once."""
    groups = {group.name: group for group in graph.groups}
    keys = [(node.kind, node.group, node.nbytes) for node in flat.collectives]
    found = {
        key: routes(node, groups[node.group], system)
        for key, node in dict(zip(keys, flat.collectives, strict=True)).items()
    }
    return tuple(found[key] for key in keys)


def _transfers(
    graph: ExecutionGraph, pairs: Iterable[tuple[int, int]], system: System
) -> Floats:
    """Duration of the transfer from the first stage of each pair to the other."""
    return np.array(
        [
            transfer_time(graph.pipeline, pair, graph.boundary_bytes, system)
            for pair in pairs
        ]
    )


def _bound(
    graph: ExecutionGraph,
    flat: FlatGraph,
    computes: Floats,
    found: Routes,
    transfers: Seconds,
) -> Seconds:
    """A time that the step cannot exceed: everything after everything else.

    A chunk waits only while another one is in the dimension, so that one after the
    other, all for as long as they are there, takes longest.
    """
    serial = np.array([sum(map(_serial, row)) for row in found])
    slot = flat.compute_counts @ computes + flat.collective_counts @ serial
    count = graph.micro_batches
    turns = np.array([count + 1, count, *graph.turns[2:]])
    whole = float((slot @ turns).max() * len(graph.stages))
    return whole + (count * graph.chunks + 1) * transfers


def _serial(route: TimedRoute) -> Seconds:
    return route.chunks * sum(phase.seconds for phase in route.phases)
