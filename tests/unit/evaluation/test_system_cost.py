"""What a system costs: devices by their parts, and the network."""

from pathlib import Path

import numpy as np
import pytest

from cosmic.errors import SpecError
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.objective import objective_named
from cosmic.io.presets import PresetKind, preset_path
from cosmic.io.specs import load_scenario

PRICED = "gpt3-175b-1024-devices-compute-v1"
BUDGET = "gpt3-175b-1024-devices-network-budget-v1"
NETWORK = 8_775_680  # USD, of cosmic-1024


def test_it_is_the_price_of_all_parts() -> None:
    scenario = load_scenario(PRICED)
    [evaluation] = Evaluator(scenario).evaluate([scenario.baseline])
    devices = 1024 * (10 * 20 + 50 * 3)  # 10 TFLOP/s and 50 GB/s each

    assert evaluation.metrics["network_cost"] == NETWORK
    assert evaluation.metrics["system_cost"] == devices + NETWORK


@pytest.mark.parametrize(
    ("name", "value", "more"),
    [
        ("peak_flops", 20e12, 1024 * 10 * 20),
        ("memory_bandwidth", 100e9, 1024 * 50 * 3),
    ],
)
def test_what_a_device_can_do_is_paid_for(name: str, value: float, more: int) -> None:
    scenario = load_scenario(PRICED)
    point = {**scenario.baseline, name: value}
    evaluator = Evaluator(scenario)
    before = evaluator.inspect(scenario.baseline).evaluation.metrics
    after = evaluator.inspect(point).evaluation.metrics

    assert after["system_cost"] - before["system_cost"] == more
    assert after["runtime"] < before["runtime"]


def test_memory_and_a_base_are_paid_for(tmp_path: Path) -> None:
    text = preset_path(PresetKind.SCENARIO, PRICED).read_text()
    path = tmp_path / "dear.yaml"
    path.write_text(
        text.replace("  compute: 20", "  memory: 10\n  base: 100\n  compute: 0")
    )
    scenario = load_scenario(path)
    [evaluation] = Evaluator(scenario).evaluate([scenario.baseline])

    each = 100 + 24 * 10 + 50 * 3  # 24 GB of memory
    assert evaluation.metrics["system_cost"] == 1024 * each + NETWORK


def test_without_prices_it_cannot_be_sought() -> None:
    with pytest.raises(SpecError, match="give the scenario device_prices"):
        load_scenario("gpt3-175b-1024-devices-v1").seeking(
            objective_named("system_cost")
        )


def test_a_limit_on_the_network_s_price_leaves_out_networks_without_one() -> None:
    """A Switch has no price at the innermost level of four."""
    scenario = load_scenario(BUDGET)
    point = {**scenario.baseline, "topology": ("Switch", "Ring", "Ring", "Ring")}
    evaluation = Evaluator(scenario).inspect(point).evaluation
    genes = scenario.space.genes

    assert [v.constraint for v in evaluation.violations] == ["network_cost"]
    assert "Switch" not in scenario.space.possible(genes.index("topology[0]"))


def test_the_formula_of_a_budget_is_the_network_s_price() -> None:
    scenario = load_scenario(BUDGET)
    priced = load_scenario("gpt3-175b-1024-devices-v1").seeking(
        objective_named("network_cost")
    )
    evaluator, kept = Evaluator(priced), []
    for vector in scenario.space.sample(np.random.default_rng(1), 40):
        point = dict(scenario.space.point(vector))
        for last in (50e9, 150e9, 300e9):
            three = point["bandwidth"]
            assert isinstance(three, tuple)
            changed = {**point, "bandwidth": (*three[:3], last)}
            metrics = evaluator.inspect(changed).evaluation.metrics
            inside = metrics["network_cost"] <= 2e6
            assert (changed in scenario.space) == inside
            kept.append(inside)

    assert 10 < sum(kept) < len(kept) - 10
