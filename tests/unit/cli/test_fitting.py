"""A search of which nothing fits is refused before it starts."""

from dataclasses import replace
from pathlib import Path

import pytest

from cosmic.cli.fitting import check_some_design_fits
from cosmic.errors import ConsistencyError
from cosmic.evaluation.scenario import Scenario
from cosmic.io.presets import PresetKind, preset_path
from cosmic.io.specs import load_scenario
from cosmic.workload.memory import memory_footprint


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("gpt3-175b-1024-devices-v1")


def with_memory(scenario: Scenario, capacity: float) -> Scenario:
    return replace(
        scenario, settings={**scenario.settings, "memory_capacity": capacity}
    )


def test_a_search_with_a_design_that_fits_may_start(scenario: Scenario) -> None:
    check_some_design_fits(scenario)
    check_some_design_fits(scenario.scope("network_only"))


def test_the_least_memory_is_the_least_of_all_workloads(scenario: Scenario) -> None:
    space = scenario.scope("workload_only").space
    points = map(space.point, space.enumerate())
    least = min(memory_footprint(scenario.configure(p).workload).total for p in points)

    check_some_design_fits(with_memory(scenario, least))
    with pytest.raises(
        ConsistencyError, match=r"the least that any of the 266 workloads"
    ):
        check_some_design_fits(with_memory(scenario, least - 1))


def test_where_no_workload_is_searched_the_baseline_must_fit(
    scenario: Scenario,
) -> None:
    narrow = with_memory(scenario, 1e9).scope("network_only")

    with pytest.raises(ConsistencyError, match=r"the only workload of this search"):
        check_some_design_fits(narrow)


def test_the_largest_memory_that_is_searched_counts(tmp_path: Path) -> None:
    text = preset_path(PresetKind.PARAMETER_SET, "cosmic-v1").read_text()
    choice = "  memory_capacity: {stack: compute, values: [1 GB, 80 GB]}\n"
    text = text.replace("derived:\n", f"{choice}derived:\n")
    (tmp_path / "mine.yaml").write_text(text)
    scenario = preset_path(PresetKind.SCENARIO, "gpt3-175b-1024-devices-v1").read_text()
    (tmp_path / "wide.yaml").write_text(scenario.replace("cosmic-v1", "mine.yaml"))
    wide = load_scenario(tmp_path / "wide.yaml")

    check_some_design_fits(wide)
    check_some_design_fits(wide.scope("full_stack"))  # at the baseline's 24 GB
