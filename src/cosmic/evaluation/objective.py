"""What is sought: a few metrics of an evaluation folded into one score.

The paper's reward rises as every term falls towards one:

    r = 1 / sqrt(1 + sum_i (x_i - 1)^2)

A term is a product of metrics in the units of the authors' experiments, which count
time in nanoseconds and bandwidth in GB/s, so that all terms of a real design are far
above one. The metrics themselves are SI everywhere else.
"""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass

from cosmic.errors import SpecError, UnknownNameError


class Direction(enum.Enum):
    """Which way a metric is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


@dataclass(frozen=True, slots=True)
class Term:
    """A product of metrics, times a scale that turns SI into the paper's units.

    Attributes:
        metrics: Names of the metrics that are multiplied.
        scale: Factor on the product.
    """

    metrics: tuple[str, ...]
    scale: float = 1.0

    def value(self, metrics: Mapping[str, float]) -> float:
        """The scaled product; a missing metric is a KeyError."""
        return self.scale * math.prod(metrics[name] for name in self.metrics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A score of an evaluation; agents seek the highest.

    Attributes:
        name: The word that files and tables use.
        terms: What is folded; one term for most objectives.
        direction: Whether the terms are better low (the paper's reward) or high.
        about: One sentence for people.
    """

    name: str
    terms: tuple[Term, ...]
    direction: Direction = Direction.MINIMIZE
    about: str = ""

    def __post_init__(self) -> None:
        if not self.terms:
            raise SpecError(f"objective {self.name!r} has no terms")
        if self.direction is Direction.MAXIMIZE and len(self.terms) > 1:
            raise SpecError(f"objective {self.name!r} can maximize one term, not more")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that the objective reads, each once."""
        return tuple(dict.fromkeys(name for t in self.terms for name in t.metrics))

    def value(self, metrics: Mapping[str, float]) -> float:
        """The number that a person compares: the term, or 1/r when there are several.

        Ratios of it say how much better one design is than another.
        """
        if len(self.terms) == 1:
            return self.terms[0].value(metrics)
        return self._distance(metrics)

    def score(self, metrics: Mapping[str, float]) -> float:
        """The reward that agents maximize.

        Reference:
            The reward formulas of the COSMIC experiments, arXiv 2505.15020.

        >>> OBJECTIVES["runtime"].score({"runtime": 1e-9})
        1.0
        >>> round(OBJECTIVES["runtime"].score({"runtime": 4e-9}), 6)  # 1/sqrt(1+9)
        0.316228
        """
        if self.direction is Direction.MAXIMIZE:
            return self.terms[0].value(metrics)
        return 1 / self._distance(metrics)

    def _distance(self, metrics: Mapping[str, float]) -> float:
        """1/r, which is the square root of 1 + sum_i (x_i - 1)^2."""
        return math.hypot(1, *(term.value(metrics) - 1 for term in self.terms))


_NANO = 1e9  # nanoseconds in a second: the authors' simulator counts in ns
_MICRO = 1e6  # of a million tokens, so that terms are far above one

OBJECTIVES: Mapping[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective(
            name="runtime",
            terms=(Term(("runtime",), _NANO),),
            about="time of one step",
        ),
        Objective(
            name="both",
            terms=(Term(("runtime",), _NANO), Term(("memory",))),
            about="time of one step and bytes on the fullest device",
        ),
        Objective(
            name="perf_per_bandwidth",
            # ns x GB/s = s x B/s, so SI needs no further scale than the paper's 2000
            terms=(Term(("runtime", "total_bandwidth"), 1 / 2000),),
            about="time of one step x bandwidth of one device over all dimensions",
        ),
        Objective(
            name="perf_per_cost",
            terms=(Term(("runtime", "network_cost"), _NANO),),
            about="time of one step x dollars for the network",
        ),
        Objective(
            name="perf_per_system_cost",
            terms=(Term(("runtime", "system_cost"), _NANO),),
            about="time of one step x dollars for devices and network",
        ),
        Objective(
            name="network_cost",
            terms=(Term(("network_cost",)),),
            about="dollars for the network",
        ),
        Objective(
            name="system_cost",
            terms=(Term(("system_cost",)),),
            about="dollars for devices and network",
        ),
        Objective(
            name="throughput",
            terms=(Term(("tokens_per_second",)),),
            direction=Direction.MAXIMIZE,
            about="tokens of training data, or of answers, a second",
        ),
        Objective(
            name="ttft",
            terms=(Term(("ttft",), _NANO),),
            about="time to first token",
        ),
        Objective(
            name="tpot",
            terms=(Term(("tpot",), _NANO),),
            about="time per output token after the first",
        ),
        Objective(
            name="throughput_per_device",
            terms=(Term(("tokens_per_second_per_device",)),),
            direction=Direction.MAXIMIZE,
            about="tokens of answers a second for each device",
        ),
        Objective(
            name="cost_per_token",
            terms=(Term(("cost_per_million_tokens",), _MICRO),),
            about="dollars for a million tokens",
        ),
    )
}


def objective_named(name: str) -> Objective:
    """The built-in objective of that name.

    Raises:
        UnknownNameError: There is none.
    """
    if name not in OBJECTIVES:
        raise UnknownNameError("objective", name, OBJECTIVES)
    return OBJECTIVES[name]
