"""From a design point to its evaluation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cosmic.design.design_point import DesignPoint
from cosmic.design.parameter import PointValue
from cosmic.errors import ConsistencyError, SpecError
from cosmic.evaluation.answering import Answer, answer
from cosmic.evaluation.configuration import Configuration
from cosmic.evaluation.evaluation import Evaluation, Violation, does_not_fit
from cosmic.evaluation.known_parts import KnownParts
from cosmic.evaluation.metrics import (
    answer_metrics,
    hardware_metrics,
    memory_metrics,
    time_metrics,
)
from cosmic.evaluation.network_cost import network_cost
from cosmic.evaluation.objective import Objective
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.shared_scenario import SharedScenario
from cosmic.evaluation.step_batch import StepBatch
from cosmic.evaluation.system_cost import system_cost
from cosmic.simulation.result import SimulationResult
from cosmic.simulation.simulator import Simulator
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.workload.memory import MemoryFootprint
from cosmic.workload.workload import Workload

_GRAPHS_KEPT = 4096
_PRICED = "cost_per_million_tokens"


class PointEvaluator(Protocol):
    """Whatever can evaluate points and says what is sought."""

    @property
    def objective(self) -> Objective:
        """What a study of these evaluations seeks."""
        ...

    def evaluate(self, points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
        """One evaluation for each point, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class FunctionEvaluator:
    """Evaluates with a plain function: for toy problems, tests and teaching.

    Attributes:
        function: From a point to its evaluation.
        objective: What is sought.
    """

    function: Callable[[DesignPoint], Evaluation]
    objective: Objective

    def evaluate(self, points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
        """One evaluation for each point, in their order."""
        return [self.function(point) for point in points]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inspection:
    """All that was found out about one point, for a person who asks.

    Attributes:
        evaluation: Metrics and violations.
        configuration: What the point denotes; None where it denotes nothing.
        footprint: Memory by part.
        result: The simulation; None where it was not run.
        answer: The passes of an inference; None where it was not run, or is none.
    """

    evaluation: Evaluation
    configuration: Configuration | None = None
    footprint: MemoryFootprint | None = None
    result: SimulationResult | None = None
    answer: Answer | None = None


class Evaluator:
    """Evaluates the points of a scenario, each once.

    A point that breaks a rule, or does not fit into memory, is not simulated, unless
    it is inspected.

    Args:
        scenario: What points mean and what is sought.
        simulator: How time is found; the symmetric simulator, if left out.
    """

    def __init__(self, scenario: Scenario, simulator: Simulator | None = None) -> None:
        self._scenario = scenario
        self._simulator = simulator or SymmetricSimulator()
        members = scenario.members if isinstance(scenario, SharedScenario) else ()
        self._members = [(m, Evaluator(m.scenario, self._simulator)) for m in members]
        self._known: dict[DesignPoint, Evaluation] = {}
        self._parts = KnownParts(scenario)
        symmetric = isinstance(self._simulator, SymmetricSimulator)
        serves = symmetric and not members and StepBatch.serves(scenario)
        self._batch = StepBatch(self._parts) if serves else None

    @property
    def scenario(self) -> Scenario:
        """What points mean."""
        return self._scenario

    @property
    def objective(self) -> Objective:
        """What is sought."""
        return self._scenario.objective

    def evaluate(self, points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
        """One evaluation for each point, in their order."""
        self._try_together([p for p in dict.fromkeys(points) if p not in self._known])
        if isinstance(self._scenario, SharedScenario):
            for member, evaluator in self._members:
                parts = [self._scenario.part(member, point) for point in points]
                evaluator.evaluate(parts)
        return [self._evaluation(point) for point in points]

    def _try_together(self, points: Sequence[DesignPoint]) -> None:
        """Get to know what a batch can say of points."""
        if self._batch is None:
            return
        found = self._batch.evaluate(points)
        for point, evaluation in zip(points, found, strict=True):
            if evaluation is not None:
                self._known[point] = evaluation

    def inspect(self, point: Mapping[str, PointValue]) -> Inspection:
        """Everything about a point, simulated even if it does not fit into memory.

        Args:
            point: A value for each parameter; need not be in the design space.
        """
        return self._inspect(point, even_if_it_does_not_fit=True)

    def _evaluation(self, point: DesignPoint) -> Evaluation:
        if point not in self._known:
            found = self._inspect(point, even_if_it_does_not_fit=False)
            self._known[point] = found.evaluation
        return self._known[point]

    def _together(
        self, scenario: SharedScenario, point: Mapping[str, PointValue]
    ) -> Evaluation:
        """What is known of a design that several workloads share."""
        parts = [(scenario.part(m, point), one) for m, one in self._members]
        return scenario.together([one._evaluation(part) for part, one in parts])

    def _inspect(
        self, point: Mapping[str, PointValue], *, even_if_it_does_not_fit: bool
    ) -> Inspection:
        if isinstance(self._scenario, SharedScenario):
            return Inspection(evaluation=self._together(self._scenario, point))
        try:
            configuration = self._scenario.configure(point)
        except SpecError as error:
            return _nothing(Violation("configuration", str(error)))
        footprint = self._parts.footprint(configuration.workload)
        metrics = hardware_metrics(configuration) | memory_metrics(footprint)
        violations = [
            *self._price(configuration, metrics),
            *self._unpriced(configuration),
            *_too_large(footprint, configuration),
        ]
        violations += self._breaches(metrics, violations)
        result, answered = None, None
        if even_if_it_does_not_fit or not violations:
            try:
                if configuration.workload.inference is not None:
                    answered = self._answer(configuration)
                    result = answered.result
                    metrics |= answer_metrics(configuration, answered)
                else:
                    graph, flops = self._parts.graph(configuration.workload)
                    result = self._simulator.run(graph, configuration.system)
                    metrics |= time_metrics(configuration, result, flops)
                violations += self._breaches(metrics, violations)
            except SpecError as error:
                violations.append(Violation("simulation", str(error)))
        return Inspection(
            evaluation=Evaluation(metrics, tuple(violations)),
            configuration=configuration,
            footprint=footprint,
            result=result,
            answer=answered,
        )

    def _answer(self, configuration: Configuration) -> Answer:
        """Simulate an inference."""
        system = configuration.system

        def run(one: Workload) -> tuple[ExecutionGraph, SimulationResult]:
            graph, _ = self._parts.graph(one)
            return graph, self._simulator.run(graph, system)

        return answer(configuration.workload, system, run)

    def _unpriced(self, configuration: Configuration) -> list[Violation]:
        """A violation if the price of tokens counts and devices have none."""
        limits = self._scenario.space.parameter_set.limits
        sought = {*self.objective.metrics, *(limit.metric for limit in limits)}
        if _PRICED not in sought or configuration.device_price is not None:
            return []
        return [Violation(_PRICED, "nothing says what a device costs: device_price")]

    def _price(
        self, configuration: Configuration, metrics: dict[str, float]
    ) -> list[Violation]:
        """Add the price of network and system; a violation if needed and not known."""
        cluster, scenario = configuration.system.cluster, self._scenario
        try:
            metrics["network_cost"] = network_cost(cluster.topology, scenario.prices)
        except ConsistencyError as error:
            needed = scenario.needs_network_price
            return [Violation("network_cost", str(error))] if needed else []
        if scenario.device_prices is not None:
            metrics["system_cost"] = system_cost(
                cluster.devices,
                cluster.device,
                metrics["network_cost"],
                scenario.device_prices,
            )
        return []

    def _breaches(
        self, metrics: Mapping[str, float], known: Sequence[Violation]
    ) -> list[Violation]:
        """Limits of the parameter set that the metrics break, but for those known."""
        names = {violation.constraint for violation in known}
        found = [
            (limit.metric, limit.violation(metrics))
            for limit in self._scenario.space.parameter_set.limits
            if limit.metric not in names
        ]
        return [Violation(name, message) for name, message in found if message]


def _nothing(violation: Violation) -> Inspection:
    return Inspection(evaluation=Evaluation({}, (violation,)))


def _too_large(
    footprint: MemoryFootprint, configuration: Configuration
) -> list[Violation]:
    capacity = configuration.system.cluster.device.memory_capacity
    if footprint.total <= capacity:
        return []
    return [Violation("memory", does_not_fit(footprint.total, capacity))]
