"""Evaluator: what is asked of it, it tells once and fully."""

from dataclasses import replace
from pathlib import Path

import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.errors import ConsistencyError
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.objective import Objective, Term, objective_named
from cosmic.evaluation.scenario import Scenario
from cosmic.io.specs import load_scenario
from cosmic.simulation.result import SimulationResult
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.workload.inference import Task


class Counting:
    """A simulator that counts its runs."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, graph: ExecutionGraph, system: System) -> SimulationResult:
        self.runs += 1
        return SymmetricSimulator().run(graph, system)


def test_every_metric_is_there_and_defined(scenario: Scenario) -> None:
    [evaluation] = Evaluator(scenario).evaluate([scenario.baseline])

    assert evaluation.feasible
    assert set(evaluation.metrics) == {
        metric.name
        for metric in METRICS.values()
        if Task.TRAIN in metric.tasks
        and not metric.of_experts
        and metric.name != "system_cost"  # nobody says what devices cost
    }


def test_experts_have_a_metric_of_their_own() -> None:
    """All-to-alls are told apart from exchanged gradients, be there any or not."""
    scenario = load_scenario("deepseek-v3-h800-2048-v1")
    roomy = {**scenario.settings, "memory_capacity": 1e15}
    evaluator = Evaluator(replace(scenario, settings=roomy))
    alone, spread = (
        evaluator.inspect({**scenario.baseline, "ep": ep}).evaluation.metrics
        for ep in (1, 64)
    )

    assert alone.keys() == spread.keys()
    assert not any("expert_data" in name for name in spread)
    assert alone["exposed_expert"] == 0 < spread["exposed_expert"]


def test_a_metric_of_experts_needs_some(scenario: Scenario) -> None:
    objective = Objective(name="rows", terms=(Term(("exposed_expert",)),))
    with pytest.raises(ConsistencyError, match="told of models with experts"):
        replace(scenario, objective=objective)


def test_a_point_is_simulated_once(scenario: Scenario) -> None:
    simulator = Counting()
    evaluator = Evaluator(scenario, simulator)

    evaluator.evaluate([scenario.baseline, DesignPoint(dict(scenario.baseline))])
    evaluator.evaluate([scenario.baseline])

    assert simulator.runs == 1


def test_what_does_not_fit_is_an_answer_and_is_not_simulated(
    scenario: Scenario,
) -> None:
    small = replace(scenario, settings={**scenario.settings, "memory_capacity": 1e6})
    simulator = Counting()

    [evaluation] = Evaluator(small, simulator).evaluate([small.baseline])

    [violation] = evaluation.violations
    assert violation.constraint == "memory"
    assert "on a device, which has 1 MB:" in violation.message
    assert simulator.runs == 0
    assert evaluation.metrics["memory"] > 1e6


def test_who_inspects_sees_the_time_of_what_does_not_fit(scenario: Scenario) -> None:
    small = replace(scenario, settings={**scenario.settings, "memory_capacity": 1e6})
    inspection = Evaluator(small).inspect(small.baseline)

    assert not inspection.evaluation.feasible
    assert inspection.result is not None
    assert inspection.evaluation.metrics["runtime"] == inspection.result.makespan


def test_a_point_that_denotes_nothing_says_why(scenario: Scenario) -> None:
    inspection = Evaluator(scenario).inspect({**scenario.baseline, "dp": 3})

    [violation] = inspection.evaluation.violations
    assert violation.constraint == "configuration"
    assert "does not make up 16 devices" in violation.message


def test_an_algorithm_that_does_not_exist_says_so(scenario: Scenario) -> None:
    # A network of 12 devices, 3 of them in the dimension of the halving-doubling.
    point = {**scenario.baseline, "npus_count": (4, 3), "dp": 3, "pp": 1, "sp": 1}
    settings = {**scenario.settings, "npus_count": (4, 3)}
    odd = replace(scenario, settings=settings, batch=36)

    inspection = Evaluator(odd).inspect(point)

    [violation] = inspection.evaluation.violations
    assert violation.constraint == "simulation"
    assert violation.message == "halvingDoubling needs a power of two of devices, not 3"


def test_the_price_stands_against_a_point_only_where_it_is_sought(
    scenario: Scenario,
) -> None:
    settings = {**scenario.settings, "latency": (0.0,) * 4}
    settings |= {"npus_count": (2, 2, 2, 2)}
    for kind in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all"):
        settings[f"{kind}_algorithm"] = ("ring",) * 4
    four = replace(scenario, settings=settings)
    point = {**scenario.baseline, "topology": ("Switch", "Ring", "Ring", "Ring")}
    point["bandwidth"] = (100e9,) * 4

    free = Evaluator(four).inspect(point).evaluation
    costly = replace(four, objective=objective_named("perf_per_cost"))
    dear = Evaluator(costly).inspect(point).evaluation

    assert free.feasible
    assert "network_cost" not in free.metrics
    assert [violation.constraint for violation in dear.violations] == ["network_cost"]


def test_utilization_and_tokens_follow_from_the_time(scenario: Scenario) -> None:
    metrics = Evaluator(scenario).inspect(scenario.baseline).evaluation.metrics
    tokens = 32 * 128

    assert metrics["tokens_per_second"] == pytest.approx(tokens / metrics["runtime"])
    flops = tokens * scenario.model.flops_per_token()
    available = 16 * 1e12 * metrics["runtime"]
    assert metrics["mfu"] == pytest.approx(flops / available)
    assert metrics["mfu"] < metrics["hfu"] < 1


def test_the_parts_of_the_time_make_up_the_time(scenario: Scenario) -> None:
    metrics = Evaluator(scenario).inspect(scenario.baseline).evaluation.metrics
    parts = ("compute_time", "optimizer_time", "exposed_tensor", "exposed_sequence")

    total = sum(metrics[name] for name in (*parts, "exposed_data", "bubble"))
    assert total == pytest.approx(metrics["runtime"], rel=1e-12)


@pytest.mark.parametrize(
    ("limit", "message", "runs"),
    [
        ("memory: 1 MB", "memory is 8.47 MB, more than the 1 MB allowed", 0),
        ("runtime: 1 us", "more than the 1 us allowed", 1),
    ],
)
def test_limits_stand_against_a_point_before_it_is_simulated_if_they_can(
    tiny_folder: Path, limit: str, message: str, runs: int
) -> None:
    path = tiny_folder / "parameter_set.yaml"
    path.write_text(f"{path.read_text()}limits: {{{limit}}}\n")
    limited = load_scenario(tiny_folder / "scenario.yaml")
    simulator = Counting()

    [evaluation] = Evaluator(limited, simulator).evaluate([limited.baseline])

    [violation] = evaluation.violations
    assert violation.constraint == limit.partition(":")[0]
    assert message in violation.message
    assert simulator.runs == runs
