"""Several workloads that share one system, and what a design of it denotes.

A design has the parameters of the system once, and those of each workload under its
label: `dp_vit` is the `dp` of the workload `vit`. What is sought is the mean over the
workloads of the time of a step, weighted if somebody says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import PointValue, Stack
from cosmic.errors import ConsistencyError
from cosmic.evaluation.configuration import Configuration
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.objective import Objective
from cosmic.evaluation.priced_space import priced_space
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.setting import SETTINGS
from cosmic.evaluation.shared_parameters import (
    labelled,
    own_names,
    shared_parameter_set,
)

_LARGEST = ("memory",)
_OF_SYSTEM = ("total_bandwidth", "network_cost", "system_cost")
_SAME = ("prices", "cost_model", "protocols", "task", "device_prices", "scopes")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """One of the workloads that share a system.

    Attributes:
        label: What its parameters end with; an identifier.
        scenario: It alone on the system.
        weight: How much its time counts in the mean.
    """

    label: str
    scenario: Scenario
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharedScenario(Scenario):
    """Several workloads on one system; model, batch and task are the first one's.

    Attributes:
        members: The workloads.
        own: Names of parameters and constants that each workload has for itself.
    """

    members: tuple[Member, ...]
    own: frozenset[str]

    @override
    def __post_init__(self) -> None:
        if "system_cost" in self.counted and self.device_prices is None:
            raise ConsistencyError(
                "nothing says what devices cost, so system_cost is not known: give "
                "the members device_prices"
            )
        for name in self.counted:
            if not _is_told(name):
                raise ConsistencyError(
                    f"{name} is not told of several workloads together; seek one of "
                    f"their mean times, their largest memory or the system's price"
                )

    @property
    @override
    def needs_network_price(self) -> bool:
        """Whether a network without a price is no answer."""
        return any(member.scenario.needs_network_price for member in self.members)

    @override
    def seeking(self, objective: Objective) -> "SharedScenario":
        """The scenario with another objective, for its members too.

        Raises:
            ConsistencyError: No network that may be chosen has a price.
        """
        members = tuple(
            replace(member, scenario=member.scenario.seeking(objective))
            for member in self.members
        )
        sought = replace(self, objective=objective, members=members)
        if not sought.needs_network_price:
            return sought
        return replace(sought, space=priced_space(self.space, self.prices))

    @override
    def configure(self, point: Mapping[str, PointValue]) -> Configuration:
        """Refuse: a point denotes one configuration for each member.

        Raises:
            ConsistencyError: Always.
        """
        raise ConsistencyError(
            f"{self.name} is of several workloads, and this looks at one: take one of "
            f"{', '.join(member.scenario.name for member in self.members)}"
        )

    def part(self, member: Member, point: Mapping[str, PointValue]) -> DesignPoint:
        """What a point says of one member and of the system."""
        return DesignPoint(
            {
                parameter.name: point[
                    labelled(parameter.name, member.label)
                    if parameter.name in self.own
                    else parameter.name
                ]
                for parameter in member.scenario.space.parameter_set.parameters
            }
        )

    def together(self, evaluations: Sequence[Evaluation]) -> Evaluation:
        """What is known of a design once its members have been looked at.

        Times are means, memory is the largest, and what belongs to the system is as
        each member has it. Of each member there are its own time and its own memory.

        Args:
            evaluations: One for each member, in their order.
        """
        pairs = list(zip(self.members, evaluations, strict=True))
        violations = [
            Violation(violation.constraint, f"{member.label}: {violation.message}")
            for member, evaluation in pairs
            for violation in evaluation.violations
        ]
        metrics: dict[str, float] = {}
        common = [
            name
            for name in evaluations[0].metrics
            if all(name in one.metrics for one in evaluations)
        ]
        for name in common:
            values = [one.metrics[name] for one in evaluations]
            if name in _OF_SYSTEM:
                metrics[name] = values[0]
            elif name in _LARGEST:
                metrics[name] = max(values)
            elif _is_time(name):
                metrics[name] = self._mean(values)
        for member, evaluation in pairs:
            for name in ("runtime", "memory"):
                if name in evaluation.metrics:
                    own = f"{name}_of_{member.label}"
                    metrics[own] = evaluation.metrics[name]
        return Evaluation(metrics, tuple(violations))

    def _mean(self, values: Sequence[float]) -> float:
        weights = [member.weight for member in self.members]
        pairs = zip(weights, values, strict=True)
        return sum(weight * value for weight, value in pairs) / sum(weights)


def _is_time(name: str) -> bool:
    return name in METRICS and METRICS[name].unit == "s"


def _is_told(name: str) -> bool:
    return _is_time(name) or name in _LARGEST or name in _OF_SYSTEM


def share(name: str, members: Sequence[Member], objective: Objective) -> SharedScenario:
    """Several workloads on the system that their scenarios have in common.

    Args:
        name: Of the whole.
        members: Two workloads or more.
        objective: What is sought.

    Raises:
        ConsistencyError: Their systems or parameter sets differ, or no design is
            feasible.
    """
    first = members[0].scenario
    for member in members[1:]:
        _check_same_system(first, member.scenario)
    sets = {m.label: m.scenario.space.parameter_set for m in members}
    own = own_names(tuple(sets.values()))
    baseline: dict[str, PointValue] = {}
    for member in members:
        for key, value in member.scenario.baseline.items():
            baseline[labelled(key, member.label) if key in own else key] = value
    return SharedScenario(
        name=name,
        model=first.model,
        batch=first.batch,
        settings=_of_system(first.settings),
        space=DesignSpace(shared_parameter_set(name, sets), baseline),
        objective=first.objective,
        scopes=first.scopes,
        prices=first.prices,
        cost_model=first.cost_model,
        protocols=first.protocols,
        asked=first.asked,
        device_prices=first.device_prices,
        members=tuple(members),
        own=own,
    ).seeking(objective)


def _check_same_system(first: Scenario, other: Scenario) -> None:
    """Refuse members of which a design could not mean one system."""
    ours, theirs = (
        _of_system({**one.settings, **one.baseline}) for one in (first, other)
    )
    names = [n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n)]
    names += [n for n in _SAME if repr(getattr(first, n)) != repr(getattr(other, n))]
    if names:
        raise ConsistencyError(
            f"all members need the same system, and {other.name} has another "
            f"{names[0]} than {first.name}"
        )


def _of_system(settings: Mapping[str, PointValue]) -> dict[str, PointValue]:
    return {
        name: value
        for name, value in settings.items()
        if SETTINGS[name].stack is not Stack.WORKLOAD
    }
