"""Settings that exclude each other are an answer with a sentence, not an exception."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cosmic.design.parameter import PointValue
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.scenario import Scenario
from cosmic.io.specs import load_scenario


@pytest.fixture
def divisible(scenario: Scenario) -> Scenario:
    """A scenario whose heads and batch three and six devices can share."""
    model = replace(
        scenario.model, heads=24, key_value_heads=24, hidden=768, feed_forward=3072
    )
    return replace(scenario, model=model, batch=96)


Changes = Mapping[str, PointValue]


def sentences(scenario: Scenario, **changes: PointValue) -> list[str]:
    """Why the baseline with some changes is no answer."""
    point = {**scenario.baseline, **changes}
    evaluation = Evaluator(scenario).inspect(point).evaluation
    return [violation.message for violation in evaluation.violations]


def test_halving_and_doubling_needs_a_power_of_two(divisible: Scenario) -> None:
    kinds = ("all_reduce", "all_gather", "reduce_scatter")
    algorithms: Changes = {
        f"{kind}_algorithm": ("halvingDoubling", "ring") for kind in kinds
    }
    network: Changes = {"npus_count": (3, 4), "dp": 4, "pp": 1}

    [sentence] = sentences(divisible, **network, **algorithms)
    assert sentence == "halvingDoubling needs a power of two of devices, not 3"
    assert sentences(divisible, **network) == []


def test_reduction_in_the_network_needs_a_switch(divisible: Scenario) -> None:
    algorithms = ("inNetwork", "inNetwork")

    [sentence] = sentences(divisible, all_gather_algorithm=algorithms, dp=16, pp=1)
    assert "Switch" in sentence
    assert "Ring" in sentence
    switches: Changes = {"topology": ("Switch", "Switch"), "dp": 16, "pp": 1}
    assert sentences(divisible, all_gather_algorithm=algorithms, **switches) == []


def test_only_a_switch_is_oversubscribed(divisible: Scenario) -> None:
    [sentence] = sentences(divisible, oversubscription=(2.0, 2.0))

    assert sentence.startswith("dimension 0: only a Switch can be oversubscribed")
    assert sentences(divisible, oversubscription=(1.0, 2.0)) == []


def test_a_hypercube_has_a_power_of_two_of_devices(divisible: Scenario) -> None:
    network: Changes = {"npus_count": (6, 4), "dp": 4, "pp": 1}

    [sentence] = sentences(divisible, topology=("Hypercube", "Ring"), **network)
    assert sentence.startswith("dimension 0: ")
    assert "6" in sentence
    assert sentences(divisible, topology=("Mesh", "Ring"), **network) == []


def test_a_group_that_does_not_factor_may_be_a_flat_ring(divisible: Scenario) -> None:
    # groups of 4 data-parallel devices, next to each other, along 6
    changes: Changes = {
        "npus_count": (6, 4),
        "dp": 4,
        "pp": 1,
        "axis_order": "data-tensor-sequence-pipeline",
    }

    [sentence] = sentences(divisible, **changes)
    assert "does not factor over dimensions of 6 x 4 devices" in sentence
    assert sentences(divisible, **changes, flat_rings=True) == []


def test_a_parameter_may_be_active_only_where_it_means_something(
    tiny_folder: Path,
) -> None:
    """An oversubscription for each dimension, which is 1 unless that is a Switch."""
    path = tiny_folder / "parameter_set.yaml"
    path.write_text(
        path.read_text().replace(
            "derived:",
            "  oversubscription:\n    stack: network\n    per_dimension: true\n"
            "    values: [1, 2.5, 4]\n"
            "    active_if: topology[d] == 'Switch'\nderived:",
        )
    )
    scenario = load_scenario(tiny_folder / "scenario.yaml").scope("network_only")
    evaluator = Evaluator(scenario)
    points = scenario.space.points(np.array(list(scenario.space.enumerate())))

    # for each dimension a ring or three kinds of switch, and two bandwidths
    assert len(points) == (4 * 2) ** 2
    assert all(evaluation.feasible for evaluation in evaluator.evaluate(points))
    assert scenario.baseline["oversubscription"] == (1.0, 1.0)
