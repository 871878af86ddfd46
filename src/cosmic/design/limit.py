"""Limits: bounds on what only a simulation can tell, declared beside constraints."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from cosmic.design.parameter import check_name
from cosmic.errors import SpecError
from cosmic.units import format_quantity


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on what only a simulation can tell, such as memory or cost.

    A design space cannot check it and takes no notice of it; whoever evaluates a
    point turns a breach into a violation of the evaluation.

    Attributes:
        metric: The number that is bounded.
        at_most: The most that it may be, in `unit`.
        unit: Of the number.

    >>> Limit("memory", 24e9, "B").violation({"memory": 30e9})
    'memory is 30 GB, more than the 24 GB allowed'
    """

    metric: str
    at_most: float
    unit: str = ""

    def __post_init__(self) -> None:
        check_name("metric", self.metric)
        if not isfinite(self.at_most):
            raise SpecError(f"the limit of {self.metric} must be finite")

    def violation(self, metrics: Mapping[str, float]) -> str | None:
        """Give the sentence for a breach; None where it is kept or not known."""
        value = metrics.get(self.metric)
        if value is None or value <= self.at_most:
            return None
        return (
            f"{self.metric} is {format_quantity(value, self.unit)}, "
            f"more than the {format_quantity(self.at_most, self.unit)} allowed"
        )
