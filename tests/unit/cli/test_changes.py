"""What `--set` makes of the baseline."""

import pytest

from cosmic.cli.changes import breaches, design_of
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.setting import SETTINGS
from cosmic.io.specs import load_scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("gpt3-175b-1024-devices-v1")


def test_without_changes_it_is_the_baseline(scenario: Scenario) -> None:
    design = design_of(scenario, ())

    assert dict(scenario.baseline).items() <= design.items()
    unsaid = {"device_price", "peak_fp8", "peak_tf32", "peak_fp32"}
    assert SETTINGS.keys() - design.keys() == unsaid | {"tp", "weight_sharding"}


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ("dp=16", "dp", 16),
        (" pp = 2 ", "pp", 2),
        ("tensor_sequence=true", "tensor_sequence", True),
        ("recompute=full", "recompute", "full"),
        ("endpoint_delay=0 s", "endpoint_delay", 0.0),
        ("memory_capacity=80GiB", "memory_capacity", 80 * 2.0**30),
        ("topology=[Ring, Ring,Ring,Ring]", "topology", ("Ring",) * 4),
        ("npus_count=8,8,4,4", "npus_count", (8, 8, 4, 4)),
        ("bandwidth[1]=400 Gb/s", "bandwidth", (375e9, 50e9, 150e9, 100e9)),
    ],
)
def test_a_value_is_read_as_its_setting_needs_it(
    scenario: Scenario, change: str, name: str, value: object
) -> None:
    assert design_of(scenario, (change,))[name] == value


def test_later_changes_build_on_earlier_ones(scenario: Scenario) -> None:
    changes = ("topology=[Ring,Ring,Ring,Ring]", "topology[2]=Switch", "dp=1", "dp=2")
    design = design_of(scenario, changes)

    assert design["topology"] == ("Ring", "Ring", "Switch", "Ring")
    assert design["dp"] == 2


def test_the_baseline_breaks_nothing_wherever_it_lies(scenario: Scenario) -> None:
    assert scenario.baseline not in scenario.space  # 375 GB/s is no choice

    assert breaches(scenario, design_of(scenario, ())) == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (("pp=8",), "pp 8 is none of 1, 2, 4"),
        (("bandwidth[0]=1 TB/s",), "bandwidth 1 TB/s is none of 50 GB/s, 100 GB/s, "),
        (("micro_batch=512",), "batch % (dp * micro_batch) == 0"),
        (("npus_count[0]=8",), "product(npus_count) == npus"),
        (("weight_sharding=2",), "weight_sharded cannot say weight_sharding 1 or 2"),
    ],
)
def test_a_breach_of_the_space_is_a_sentence(
    scenario: Scenario, changes: tuple[str, ...], sentence: str
) -> None:
    [found] = breaches(scenario, design_of(scenario, changes))

    assert sentence in found


def test_a_held_setting_counts_in_constraints_as_changed(scenario: Scenario) -> None:
    assert breaches(scenario, design_of(scenario, ("micro_batch=4",))) == ()
