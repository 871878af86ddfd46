"""What a simulator is, and the table of the built-in ones."""

from typing import Protocol

from cosmic.registry import Registry
from cosmic.simulation.result import SimulationResult
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph


class Simulator(Protocol):
    """Runs a trace on a system. A pure function: no clock, no file, no seed."""

    def run(self, graph: ExecutionGraph, system: System) -> SimulationResult:
        """How long one step takes, and where the time goes.

        Raises:
            ConsistencyError: The graph does not fit the system: another number of
                devices, or groups that do not factor over its dimensions.
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
