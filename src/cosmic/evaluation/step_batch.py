"""Training steps of many design points at once.

What a point says is taken apart: how the work is split, how each dimension is joined,
which algorithms there are. Each of these is built once, when it is first met, and a
point is put together out of them as numbers, without an object for anything in it.
What is found is what the evaluator finds, which looks at a point by itself; the tests
hold the one against the other.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, cast

from cosmic.collective.algorithm import make_algorithm
from cosmic.collective.policy import MultiDimensional, SchedulingPolicy
from cosmic.compute.device import Device
from cosmic.design.design_point import DesignPoint
from cosmic.errors import SpecError
from cosmic.evaluation.configuration import Settings, values_by_dimension
from cosmic.evaluation.evaluation import Evaluation, Violation, does_not_fit
from cosmic.evaluation.known_parts import KnownParts, Link, Split
from cosmic.evaluation.metrics import exposed_by
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.setting import DEFAULTS, FOLLOWING, SETTINGS
from cosmic.evaluation.system_cost import system_cost
from cosmic.network.topology import Topology
from cosmic.simulation.step_columns import is_plain
from cosmic.simulation.step_timer import Machine, Names, Placed
from cosmic.system.device_order import Placement
from cosmic.trace.execution_graph import ExecutionGraph

_ALGORITHMS = (
    "all_reduce_algorithm",
    "all_gather_algorithm",
    "reduce_scatter_algorithm",
    "all_to_all_algorithm",
)
_HIERARCHICAL = {  # but for Themis, whose ways depend on the links' speed
    MultiDimensional.BASELINE.value: False,
    MultiDimensional.LOCAL_BW_AWARE.value: True,
}
_PLACEMENTS = (Placement.INNER_FIRST.value, Placement.OUTER_FIRST.value)
_STEPS_KEPT = 65536
_SCHEDULING = [policy.value for policy in SchedulingPolicy]


class _RareError(Exception):
    """Something that a batch leaves to the evaluator."""


class _Policy(NamedTuple):
    """How collectives are carried out, as a point says it.

    Attributes:
        names: Of the algorithms.
        hierarchical: Whether all-reduces shrink on their way out; None if a rare scheme
            decides.
        chunks: Equal parts of a collective.
        active_chunks: Chunks that a dimension serves at once.
        endpoint_delay: Time to take up a message.
        scheduling: Which of several collectives goes first.
    """

    names: Names
    hierarchical: bool | None
    chunks: int
    active_chunks: int
    endpoint_delay: float
    scheduling: str


_Key = tuple[Split, Machine, Device]
"""All that a step depends on: designs that differ in nothing else take as long."""
_Step = tuple[float, list[float]]


class _Waiting(NamedTuple):
    """A point that is to be simulated, with what is known of it already.

    Attributes:
        place: In the batch.
        key: What is to be simulated.
        metrics: Those that are known.
        peak: Operations a second of all devices.
    """

    place: int
    key: _Key
    metrics: dict[str, float]
    peak: float


class StepBatch:
    """Evaluates points of a scenario in batches, as far as it can.

    Args:
        parts: What points are made of.
    """

    def __init__(self, parts: KnownParts) -> None:
        self._parts, self._scenario = parts, parts.scenario
        self._timer = parts.timer
        self._placed: dict[tuple[object, ...], Placed | None] = {}
        self._steps: dict[_Key, _Step] = {}
        self._algorithms: set[str] = set()
        self._does_not_fit = lru_cache(does_not_fit)
        parameter_set = self._scenario.space.parameter_set
        self._limits = parameter_set.limits
        self._names = {p.name for p in parameter_set.parameters}
        self._priced = self._scenario.needs_network_price
        self._device_prices = self._scenario.device_prices

    @staticmethod
    def serves(scenario: Scenario) -> bool:
        """Whether it is of use for a scenario: training, without protocols."""
        searched = {p.name for p in scenario.space.parameter_set.parameters}
        said = {*scenario.settings, *searched, *DEFAULTS, *FOLLOWING}
        plain = scenario.asked is None and not scenario.protocols
        return plain and said >= SETTINGS.keys()

    def evaluate(self, points: Sequence[DesignPoint]) -> list[Evaluation | None]:
        """An evaluation of each point; None for one that must be looked at by itself.

        That is one of which something is out of its range or does not fit, or whose
        schedule, scheme or placement is a rare one.
        """
        found: list[Evaluation | None] = [None] * len(points)
        waiting: dict[Split, list[_Waiting]] = {}
        for index, point in enumerate(points):
            if point.keys() != self._names:
                continue
            try:
                found[index] = self._look(index, point, waiting)
            except (SpecError, ValueError, _RareError):
                continue  # the evaluator has the words for it
        for split, rows in waiting.items():
            self._run(split, rows, found)
        return found

    def _look(
        self, index: int, point: DesignPoint, waiting: dict[Split, list[_Waiting]]
    ) -> Evaluation | None:
        """What needs no simulation; the point is put to those that wait for one."""
        parts = self._parts
        settings = parts.held | point.as_dict()
        links = parts.links(settings)
        devices = prod([link.size for link in links])
        split, device = parts.split(settings, devices), parts.device(settings)
        metrics = {
            "total_bandwidth": sum([link.bandwidth for link in links]),
            "memory": split.memory,
        }
        self._price(links, devices, device, metrics)
        policy = self._policy(settings, len(links))
        violations = []
        if split.memory > device.memory_capacity:
            words = self._does_not_fit(split.memory, device.memory_capacity)
            violations.append(Violation("memory", words))
        violations += self._breaches(metrics, violations)
        if violations:
            return Evaluation(metrics, tuple(violations))
        machine = self._machine(split, links, policy, settings)
        peak = devices * device.peak_flops
        row = _Waiting(index, (split, machine, device), metrics, peak)
        waiting.setdefault(split, []).append(row)
        return None

    def _policy(self, settings: Settings, dimensions: int) -> _Policy:
        policy = _Policy(
            names=self._names_of(settings, dimensions),
            hierarchical=_HIERARCHICAL.get(_said(settings, "multi_dim_optimization")),
            chunks=int(_said(settings, "chunks")),
            active_chunks=int(_said(settings, "active_chunks")),
            endpoint_delay=float(_said(settings, "endpoint_delay")),
            scheduling=_said(settings, "scheduling_policy"),
        )
        if (
            policy.hierarchical is None
            or policy.scheduling not in _SCHEDULING
            or min(policy.chunks, policy.active_chunks) < 1
            or not 0 <= policy.endpoint_delay < float("inf")
        ):
            raise _RareError
        return policy

    def _machine(
        self, split: Split, links: Sequence[Link], policy: _Policy, settings: Settings
    ) -> Machine:
        placed = self._place(split, links, settings)
        wirings = [link.wiring for link in links]
        ways = self._timer.ways(
            placed, policy.names, wirings, hierarchical=bool(policy.hierarchical)
        )
        if ways is None:
            raise _RareError
        return Machine(
            ways=ways,
            messages=self._timer.message_ways(placed, wirings),
            bandwidth=tuple([link.link_bandwidth for link in links]),
            latency=tuple([link.latency for link in links]),
            endpoint_delay=policy.endpoint_delay,
            chunks=policy.chunks,
            active_chunks=policy.active_chunks,
            lifo=policy.scheduling == SchedulingPolicy.LIFO.value,
        )

    def _price(
        self,
        links: Sequence[Link],
        devices: int,
        device: Device,
        metrics: dict[str, float],
    ) -> None:
        total = 0.0
        for link in links:
            if link.block is None:
                if self._priced:
                    raise _RareError
                return
            total += devices // link.size * link.block
        metrics["network_cost"] = total
        if self._device_prices is not None:
            metrics["system_cost"] = system_cost(
                devices, device, total, self._device_prices
            )

    def _names_of(self, settings: Settings, dimensions: int) -> Names:
        found = []
        for setting in _ALGORITHMS:
            names = values_by_dimension(settings, setting)
            if len(names) != dimensions:
                raise _RareError
            if not self._algorithms.issuperset(names):
                for name in names:
                    make_algorithm(str(name))
                self._algorithms.update(map(str, names))
            found.append(cast(tuple[str, ...], names))
        return tuple(found)

    def _breaches(
        self, metrics: dict[str, float], known: Sequence[Violation]
    ) -> list[Violation]:
        if not self._limits:
            return []
        names = {violation.constraint for violation in known}
        return [
            Violation(limit.metric, words)
            for limit in self._limits
            if limit.metric not in names and (words := limit.violation(metrics))
        ]

    def _place(self, split: Split, links: Sequence[Link], settings: Settings) -> Placed:
        placement = _said(settings, "placement")
        if placement not in _PLACEMENTS:
            raise _RareError
        key = split, placement, *[link.size for link in links]
        if key not in self._placed:
            self._placed[key] = self._first_placed(split, links, placement)
        placed = self._placed[key]
        if placed is None:
            raise _RareError
        return placed

    def _first_placed(
        self, split: Split, links: Sequence[Link], placement: str
    ) -> Placed | None:
        graph, _ = self._parts.graph(split.workload)
        if not is_plain(graph):
            return None
        topology = Topology(tuple([link.dimension for link in links]))
        try:
            return self._timer.place(graph, topology, Placement(placement))
        except SpecError:
            return None

    def _steps_of(
        self, split: Split, graph: ExecutionGraph, keys: Sequence[_Key]
    ) -> Mapping[_Key, _Step]:
        """Time of each step and its parts; those that are not known are simulated."""
        new = [key for key in keys if key not in self._steps]
        found = {key: self._steps[key] for key in keys if key in self._steps}
        if new:
            makespans, means = self._timer.run(
                graph,
                [machine for _, machine, _ in new],
                [self._parts.computes(split, device) for _, _, device in new],
                [device.memory_bandwidth for _, _, device in new],
            )
            each = zip(makespans.tolist(), means.tolist(), strict=True)
            found.update(zip(new, each, strict=True))
        if len(self._steps) > _STEPS_KEPT:
            self._steps.clear()
        self._steps.update(found)
        return found

    def _run(
        self, split: Split, rows: Sequence[_Waiting], found: list[Evaluation | None]
    ) -> None:
        """Simulate those of one workload that are new."""
        graph, flops = self._parts.graph(split.workload)
        steps = self._steps_of(split, graph, list(dict.fromkeys(r.key for r in rows)))
        exposed = [exposed_by(group.name) for group in graph.groups]
        first = {} if split.workload.model.experts is None else {"exposed_expert": 0.0}
        for row in rows:
            makespan, (compute, optimizer, bubble, *waits) = steps[row.key]
            available, metrics = row.peak * makespan, row.metrics
            metrics["runtime"] = makespan
            metrics["tokens_per_second"] = split.tokens / makespan
            metrics["mfu"] = split.model_flops / available
            metrics["hfu"] = flops / available
            metrics["compute_time"] = compute
            metrics["optimizer_time"] = optimizer
            metrics.update(first)
            for name, wait in zip(exposed, waits, strict=True):
                metrics[name] = metrics.get(name, 0.0) + wait
            metrics["bubble"] = bubble
            found[row.place] = Evaluation(metrics, tuple(self._breaches(metrics, ())))


def _said(settings: Settings, name: str) -> Any:
    """What is said, or else the default."""
    return settings[name] if name in settings else DEFAULTS[name]
