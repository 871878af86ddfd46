"""All durations of a graph on a system, on one grid that every simulator shares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosmic.simulation.clock import on_grid, tick
from cosmic.simulation.communication import PhaseTime, phase_times, transfer_time
from cosmic.simulation.flat_graph import FlatGraph, flat_graph
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.units import Seconds

Floats = NDArray[np.float64]
Phases = tuple[tuple[PhaseTime, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Durations:
    """How long each distinct thing takes.

    Attributes:
        computes: Each compute node, in the order of `FlatGraph.computes`.
        phases: The phases of one chunk of each collective, in the order of
            `FlatGraph.collectives`, with their durations as they are off the grid.
        phase_seconds: The durations of these phases, in one row.
        onward: The transfer from each stage to the next, and back.
    """

    computes: Floats
    phases: Phases
    phase_seconds: Floats
    onward: Floats

    @classmethod
    def of(cls, graph: ExecutionGraph, system: System) -> "Durations":
        """The durations of a graph on a system.

        Raises:
            ConsistencyError: A group does not factor over the dimensions.
            SpecError: A collective algorithm does not exist for a group's size.
        """
        flat = flat_graph(graph)
        computes = system.cost_model.times(flat.computes, system.cluster.device)
        phases = _phases(graph, flat, system)
        onward = _onward(graph, system)
        unit = tick(_bound(graph, flat, computes, phases, onward, system))
        seconds = np.array([phase.seconds for row in phases for phase in row])
        return cls(
            computes=on_grid(computes, unit),
            phases=phases,
            phase_seconds=on_grid(seconds, unit),
            onward=on_grid(onward, unit),
        )


def _phases(graph: ExecutionGraph, flat: FlatGraph, system: System) -> Phases:
    groups = {group.name: group for group in graph.groups}
    return tuple(
        tuple(phase_times(node, groups[node.group], system))
        for node in flat.collectives
    )


def _onward(graph: ExecutionGraph, system: System) -> Floats:
    """Duration of each transfer between neighboring stages."""
    return np.array(
        [
            transfer_time(graph.pipeline, stage, graph.boundary_bytes, system)
            for stage in range(len(graph.stages) - 1)
        ]
    )


def _bound(
    graph: ExecutionGraph,
    flat: FlatGraph,
    computes: Floats,
    phases: Phases,
    onward: Floats,
    system: System,
) -> Seconds:
    """A time that the step cannot exceed: everything after everything else."""
    chunks = system.policy.chunks
    serial = np.array([chunks * sum(p.seconds for p in row) for row in phases])
    slot = flat.compute_counts @ computes + flat.collective_counts @ serial
    turns = np.array([graph.micro_batches + 1, graph.micro_batches, 1, 1])
    return float((slot @ turns).max() * len(graph.stages)) + float(
        2 * (graph.micro_batches + 1) * onward.sum()
    )
