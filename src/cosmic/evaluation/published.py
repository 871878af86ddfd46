"""The setting of the paper's authors, slips included, to compare like for like.

What their public experiment files do differently from this package: every model is cut
to 4 layers; a group smaller than the cluster is one ring that knows nothing of the
network's dimensions; constraints are looked at only after a point was drawn, so that
most draws are lost; and the memory that a device needs is underestimated.
"""

from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.evaluation.evaluation import Evaluation, Violation, does_not_fit
from cosmic.evaluation.evaluator import Evaluator, PointEvaluator
from cosmic.evaluation.objective import Objective
from cosmic.evaluation.scenario import Scenario
from cosmic.simulation.result import SimulationResult
from cosmic.simulation.simulator import Simulator
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.units import Bytes
from cosmic.workload.memory import memory_footprint
from cosmic.workload.weights import (
    embedding_weights,
    head_weights,
    layer_weights,
)
from cosmic.workload.workload import Workload

LAYERS = 4
"""To which the authors cut every model."""

_UNLIMITED = 1e18  # bytes: the authors' own estimate is checked instead


def as_published(scenario: Scenario) -> Scenario:
    """A scenario with 4 layers, whose points nothing ties together.

    `PublishedEvaluator` says which of them are lost.
    """
    space = scenario.space
    free = replace(space.parameter_set, constraints=(), derived=())
    return replace(
        scenario,
        model=replace(scenario.model, layers=LAYERS),
        space=DesignSpace(free, space.baseline),
        settings={**scenario.settings, "flat_rings": True},
    )


class PublishedEvaluator(PointEvaluator):
    """Evaluates points as the authors' pipeline would, by this package's simulator.

    Args:
        scenario: As this package has it; its constraints say which draws are lost.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = as_published(scenario)
        self._rules = scenario.space.parameter_set
        held = self._scenario.settings
        judged = replace(
            self._scenario, settings={**held, "memory_capacity": _UNLIMITED}
        )
        self._evaluator = Evaluator(judged, _FlatGroups())
        self._capacity = float(str(held["memory_capacity"]))

    @property
    @override
    def objective(self) -> Objective:
        """What is sought."""
        return self._scenario.objective

    @override
    def evaluate(self, points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
        """One evaluation for each point, in their order."""
        return [self._lost(point) or self._bounded(point) for point in points]

    def _lost(self, point: DesignPoint) -> Evaluation | None:
        """What is said of a draw that breaks a constraint."""
        values, failures = self._rules.evaluated(point)
        found = (rule.violation(values) for rule in self._rules.constraints)
        broken = list(failures.values()) or [text for text in found if text]
        if not broken:
            return None
        return Evaluation({}, tuple(Violation("drawn", text) for text in broken))

    def _bounded(self, point: DesignPoint) -> Evaluation:
        [evaluation] = self._evaluator.evaluate([point])
        if not evaluation.feasible:
            return evaluation
        workload = self._scenario.configure(point).workload
        needed = published_memory(workload)
        metrics = {**evaluation.metrics, "memory": needed}
        if needed <= self._capacity:
            return Evaluation(metrics)
        return Evaluation(
            metrics, (Violation("memory", does_not_fit(needed, self._capacity)),)
        )


class _FlatGroups(Simulator):
    """Simulates with every group but the whole cluster as one ring."""

    def __init__(self) -> None:
        self._simulator = SymmetricSimulator()

    @override
    def run(self, graph: ExecutionGraph, system: System) -> SimulationResult:
        groups = tuple(
            replace(group, flat=group.size < graph.devices) for group in graph.groups
        )
        return self._simulator.run(replace(graph, groups=groups), system)


def published_memory(workload: Workload) -> Bytes:
    """What the authors take for the bytes that a device holds of the model.

    Attention weights are divided by the data-parallel degree where weights are not
    sharded and left whole where they are; embeddings are spread over all stages;
    gradients and optimizer state are not counted. Activations are those of this
    package, for their own count of them is not public.
    """
    model, split = workload.model, workload.parallelism
    attention = model.attention_matrices(split.tensor)
    others = layer_weights(workload) - attention
    shares = 1 if split.weight_sharding >= 3 else split.data
    layers = model.layers / split.pipeline
    ends = (embedding_weights(workload) + head_weights(workload)) / split.pipeline
    weights = layers * (attention / shares + others) + ends
    activations = memory_footprint(workload).activations
    return weights * workload.element_bytes + activations
