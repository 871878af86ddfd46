"""What a simulator is, and the table of the built-in ones."""

from math import prod
from operator import itemgetter
from typing import Protocol

from cosmic.errors import ConsistencyError
from cosmic.registry import Registry
from cosmic.simulation.result import SimulationResult
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph, Group


class Simulator(Protocol):
    """Runs a trace on a system. A pure function: no clock, no file, no seed."""

    def run(self, graph: ExecutionGraph, system: System) -> SimulationResult:
        """How long one step takes, and where the time goes.

        Raises:
            ConsistencyError: The graph does not fit the system: another number of
                devices, groups that do not factor over its dimensions where flat rings
                are not allowed, or groups that cross pipeline stages.
            SpecError: A collective algorithm does not exist for a group's size.
        """
        ...


SIMULATORS: Registry[type[Simulator]] = Registry(
    "simulator",
    {
        "symmetric": "cosmic.simulation.symmetric:SymmetricSimulator",
        "event-driven": "cosmic.simulation.event_driven:EventDrivenSimulator",
    },
    "cosmic.simulators",
)


def check_fit(graph: ExecutionGraph, system: System) -> None:
    """Check what every simulator asks of a graph on a system.

    Raises:
        ConsistencyError: They have not the same number of devices, or a group has
            devices of several pipeline stages, which do not run the same.
    """
    if graph.devices != system.cluster.devices:
        raise ConsistencyError(
            f"the workload is split over {graph.devices} devices, "
            f"but the network joins {system.cluster.devices}"
        )
    for group in graph.groups:
        if not _apart(group, graph.pipeline):
            raise ConsistencyError(
                f"the {group}, crosses the pipeline's {graph.pipeline.size} stages, "
                f"{graph.pipeline.stride} apart"
            )


def _apart(group: Group, pipeline: Group) -> bool:
    """Whether all devices of each group have the same place in the pipeline.

    So it is if each part of the one lies wholly within the gaps of each part of the
    other, or the other way round.
    """
    return all(
        outer[1] % prod(inner) == 0
        for part in group.parts
        for stages in pipeline.parts
        for inner, outer in [sorted((part, stages), key=itemgetter(1))]
    )
