"""What a simulation tells."""

from collections.abc import Mapping
from dataclasses import dataclass

from cosmic.units import Bytes, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Where the time of one step goes on a device; the parts sum to the step.

    Attributes:
        compute: Operators at work, forward and backward.
        optimizer: The optimizer at work.
        exposed: Waiting for collectives, by the group that communicates.
        bubble: Waiting for other pipeline stages.
    """

    compute: Seconds
    optimizer: Seconds
    exposed: Mapping[str, Seconds]
    bubble: Seconds

    @property
    def total(self) -> Seconds:
        """The whole step."""
        return self.compute + self.optimizer + sum(self.exposed.values()) + self.bubble


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationResult:
    """One step of a trace on a system.

    Attributes:
        makespan: Time of the step, from the end of its first forward to the end of the
            next step's.
        stages: The breakdown of each pipeline stage.
        sent: Bytes that one device of each stage sends in a step, by dimension.
    """

    makespan: Seconds
    stages: tuple[Breakdown, ...]
    sent: tuple[tuple[Bytes, ...], ...]

    @property
    def breakdown(self) -> Breakdown:
        """The mean over stages, which also sums to the step."""
        count = len(self.stages)
        names = self.stages[0].exposed
        return Breakdown(
            compute=sum(stage.compute for stage in self.stages) / count,
            optimizer=sum(stage.optimizer for stage in self.stages) / count,
            exposed={
                name: sum(stage.exposed[name] for stage in self.stages) / count
                for name in names
            },
            bubble=sum(stage.bubble for stage in self.stages) / count,
        )
