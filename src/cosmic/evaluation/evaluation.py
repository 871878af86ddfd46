"""What is known of a design point once it has been looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cosmic.units import Bytes, format_quantity


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a design point is no answer.

    Attributes:
        constraint: A short name, such as `memory`, for counting.
        message: The sentence for a person.
    """

    constraint: str
    message: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of a feasible point, or the reasons why it is none.

    Attributes:
        metrics: Number by name, in SI units; may hold a few (memory, network cost)
            although the point is infeasible.
        violations: Empty when the point is feasible.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()

    @property
    def feasible(self) -> bool:
        """Whether nothing stands against the point."""
        return not self.violations


def does_not_fit(needed: Bytes, capacity: Bytes) -> str:
    """The sentence for a device that is too small.

    >>> does_not_fit(31.2e9, 24e9)
    'needs 31.2 GB on a device, which has 24 GB: 7.2 GB too much'
    """
    over = format_quantity(needed - capacity, "B")
    return (
        f"needs {format_quantity(needed, 'B')} on a device, which has "
        f"{format_quantity(capacity, 'B')}: {over} too much"
    )
