"""Simulated: a design that was simulated, and what follows for people."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from cosmic.cli.wording import Values
from cosmic.errors import ConsistencyError
from cosmic.evaluation.configuration import Configuration
from cosmic.evaluation.evaluator import Inspection
from cosmic.evaluation.network_cost import network_cost
from cosmic.evaluation.scenario import Scenario
from cosmic.simulation.result import Breakdown, SimulationResult
from cosmic.workload.inference import Task
from cosmic.workload.memory import MemoryFootprint, stage_footprints
from cosmic.workload.parallelism import Recompute
from cosmic.workload.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A design of a scenario, and what its simulation told.

    Attributes:
        scenario: Whose design it is.
        design: Every setting.
        baseline: Every setting of the scenario's own design.
        breaches: What of the design space it breaks.
        inspection: What was found out, with a simulation in it.
        simulator: Name of the simulator.
    """

    scenario: Scenario
    design: Values
    baseline: Values
    breaches: tuple[str, ...]
    inspection: Inspection
    simulator: str

    @property
    def configuration(self) -> Configuration:
        """What the design denotes."""
        assert self.inspection.configuration is not None
        return self.inspection.configuration

    @property
    def result(self) -> SimulationResult:
        """What the simulator told."""
        assert self.inspection.result is not None
        return self.inspection.result

    @property
    def footprint(self) -> MemoryFootprint:
        """Memory by part."""
        assert self.inspection.footprint is not None
        return self.inspection.footprint

    @property
    def metrics(self) -> Mapping[str, float]:
        """Numbers by name."""
        return self.inspection.evaluation.metrics

    @property
    def degrees(self) -> dict[str, int]:
        """Degrees of parallelism by their short names."""
        split = self.configuration.workload.parallelism
        return {
            "dp": split.data,
            "pp": split.pipeline,
            "sp": split.sequence,
            "tp": split.tensor,
        }

    @property
    def memory(self) -> dict[str, float]:
        """Bytes of each part, on the fullest device."""
        return self._memory_of(self.footprint)

    @property
    def memory_of_stages(self) -> tuple[dict[str, float], ...]:
        """Bytes of each part, on the devices of each pipeline stage."""
        found = stage_footprints(self.configuration.workload)
        return tuple(self._memory_of(parts) | {"total": parts.total} for parts in found)

    def _memory_of(self, parts: MemoryFootprint) -> dict[str, float]:
        return memory_parts(self.configuration.workload, parts)

    @property
    def whole(self) -> str:
        """What was timed, in a word."""
        return WHOLE[self.configuration.workload.task]

    def parts(self, breakdown: Breakdown) -> dict[str, float]:
        """Seconds of each part of a breakdown, in words; inference has no optimizer."""
        exposed = {
            f"{group} communication, exposed": seconds
            for group, seconds in breakdown.exposed.items()
        }
        trained = self.configuration.workload.task is Task.TRAIN
        optimizer = {"optimizer": breakdown.optimizer} if trained else {}
        return {
            "compute": breakdown.compute,
            **optimizer,
            **exposed,
            "pipeline bubble": breakdown.bubble,
        }

    @property
    def spare_memory(self) -> float:
        """Capacity that is left; below 0 where the design does not fit."""
        device = self.configuration.system.cluster.device
        return device.memory_capacity - self.footprint.total

    @property
    def sent(self) -> tuple[float, ...]:
        """Bytes that a device sends in a step, by dimension, mean over stages."""
        rows = self.result.sent
        return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))

    @property
    def utilization(self) -> tuple[float, ...]:
        """Share of the step in which each dimension's links are at work."""
        dimensions = self.configuration.system.cluster.topology.dimensions
        return tuple(
            sent / (dimension.bandwidth * self.result.makespan)
            if dimension.bandwidth
            else 0.0
            for sent, dimension in zip(self.sent, dimensions, strict=True)
        )

    @property
    def no_price(self) -> str:
        """Why the network has no price; empty where it has one."""
        topology = self.configuration.system.cluster.topology
        try:
            network_cost(topology, self.scenario.prices)
        except ConsistencyError as error:
            return str(error)
        return ""


def memory_parts(workload: Workload, parts: MemoryFootprint) -> dict[str, float]:
    """Bytes of each part that there is in a task."""
    trained = workload.task is Task.TRAIN
    absent = ["cache"] if trained else ["gradients", "optimizer"]
    if workload.recompute is Recompute.NONE:
        absent.append("recomputed")
    names = (f.name for f in fields(parts) if f.name not in absent)
    return {name: getattr(parts, name) for name in names}


WHOLE = {
    Task.TRAIN: "step",
    Task.PREFILL: "prefill",
    Task.DECODE: "decode step",
    Task.SERVE: "request",
}
"""What is timed, in a word."""
