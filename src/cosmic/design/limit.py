"""Limits: bounds on what only a simulation can tell, declared beside constraints."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from cosmic.design.parameter import check_name
from cosmic.errors import SpecError


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
    'memory is 3e+10 B, more than the 2.4e+10 B allowed'
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
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.metric} is {value:.6g}{unit}, "
            f"more than the {self.at_most:.6g}{unit} allowed"
        )
