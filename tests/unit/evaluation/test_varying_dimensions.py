"""Scenarios that search the number of network dimensions."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pytest

from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import ConsistencyError, SpecError
from cosmic.evaluation.configuration import build_topology, values_by_dimension
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.network_cost import NetworkPrices, network_cost
from cosmic.evaluation.objective import objective_named
from cosmic.evaluation.scenario import Scenario, check_dimensions
from cosmic.io.specs import load_scenario

LATENCY = (1e-7, 1e-7, 1e-6)  # held, innermost first


@pytest.fixture
def varying(varying_folder: Path) -> Scenario:
    """Eight devices in one to three dimensions."""
    return load_scenario(varying_folder / "scenario.yaml")


def points(scenario: Scenario) -> list[Mapping[str, PointValue]]:
    """Every point of a scenario's space."""
    return list(map(scenario.space.point, scenario.space.enumerate()))


def networks() -> Iterator[dict[str, PointValue]]:
    """Every network that the rules leave, by trying all."""
    for dimensions in (1, 2, 3):
        for sizes in product((2, 4, 8), repeat=dimensions):
            for shapes in product(("Ring", "Switch"), repeat=dimensions):
                near = sum(LATENCY[:dimensions]) < 1e-6
                if prod(sizes) == 8 and (near or shapes.count("Switch") <= 1):
                    for speeds in product((50e9, 100e9), repeat=dimensions):
                        yield {
                            "dimensions": dimensions,
                            "npus_count": sizes,
                            "topology": shapes,
                            "bandwidth": speeds,
                        }


def test_the_points_are_those_that_brute_force_finds(varying: Scenario) -> None:
    expected = {
        (dp, *network.values(), algorithms)
        for network in networks()
        for dp in (2, 4)  # tp is then 2 or 1
        for algorithms in product(
            ("ring", "direct"), repeat=int(str(network["dimensions"]))
        )
    }

    assert {tuple(point.values()) for point in points(varying)} == expected
    assert varying.space.count == len(expected)


def test_what_follows_the_topology_is_as_long_as_it(varying: Scenario) -> None:
    algorithm = {"Ring": "ring", "Switch": "direct"}
    expected = {
        (
            4,
            *network.values(),
            tuple(algorithm[str(s)] for s in values_by_dimension(network, "topology")),
        )
        for network in networks()
    }
    found = points(varying.scope("network_only"))

    assert {tuple(point.values()) for point in found} == expected


def test_every_point_denotes_a_network_of_its_number_of_dimensions(
    varying: Scenario,
) -> None:
    for vector in varying.space.sample(np.random.default_rng(0), 50):
        point = varying.space.point(vector)
        system = varying.configure(point).system

        assert len(system.cluster.topology.dimensions) == point["dimensions"]
        assert system.policy.dimensions == point["dimensions"]


def test_what_is_held_counts_from_the_innermost(varying: Scenario) -> None:
    point = {**varying.baseline, "dimensions": 2, "npus_count": (4, 2)}
    topology = varying.configure(point).system.cluster.topology

    assert [d.latency for d in topology.dimensions] == [1e-7, 1e-7]
    assert [d.size for d in topology.dimensions] == [4, 2]


def test_two_dimensions_simulate_as_where_there_are_always_two(
    varying: Scenario, varying_folder: Path
) -> None:
    for file, old, new in (
        ("system.yaml", "Torus, npus_count: [2, 2]", "Ring, npus_count: 4"),
        ("system.yaml", "50 GB/s, latency: 1 us", "50 GB/s, latency: 100 ns"),
        ("parameter_set.yaml", "  dimensions: {stack: network, values: [1, 2, 3]}", ""),
    ):
        text = (varying_folder / file).read_text()
        assert old in text
        (varying_folder / file).write_text(text.replace(old, new))
    fixed = load_scenario(varying_folder / "scenario.yaml")
    of_two = [p for p in points(varying.scope("network_only")) if p["dimensions"] == 2]
    ours, theirs = Evaluator(varying), Evaluator(fixed)

    assert len(of_two) == 2 * 2**2 * 2**2
    for point in of_two:
        same = {name: value for name, value in point.items() if name != "dimensions"}
        found = ours.inspect(point).evaluation
        assert found.feasible
        assert theirs.inspect(same).evaluation == found


def test_a_scope_that_holds_the_network_keeps_its_baseline(varying: Scenario) -> None:
    found = points(varying.scope("collective_only"))

    assert {point["dimensions"] for point in found} == {3}
    assert len(found) == 2**3


def test_a_baseline_may_have_more_dimensions_than_are_searched(
    varying_folder: Path,
) -> None:
    path = varying_folder / "parameter_set.yaml"
    path.write_text(path.read_text().replace("values: [1, 2, 3]", "values: [1, 2]"))
    scenario = load_scenario(varying_folder / "scenario.yaml")

    assert scenario.baseline["dimensions"] == 3
    assert {p["dimensions"] for p in points(scenario)} == {1, 2}
    assert len(points(scenario.scope("collective_only"))) == 2**3
    assert Evaluator(scenario).inspect(scenario.baseline).evaluation.feasible


def test_what_is_held_for_too_few_dimensions_is_refused(varying_folder: Path) -> None:
    path = varying_folder / "parameter_set.yaml"
    path.write_text(path.read_text().replace("values: [1, 2, 3]", "values: [1, 4]"))

    with pytest.raises(
        SpecError,
        match=r"parameter_set.yaml: dimensions may be 4, but latency is held for 3: "
        r"search latency too, or .* @ \$.parameters.dimensions",
    ):
        load_scenario(varying_folder / "scenario.yaml")


def test_a_point_of_too_many_dimensions_is_no_configuration(varying: Scenario) -> None:
    point = {**varying.baseline, "dimensions": 4}

    with pytest.raises(
        ConsistencyError, match="has 3 values, but the network has 4 dimensions"
    ):
        varying.configure(point)


@pytest.mark.parametrize("scope", ["network_only", "full_stack"])
def test_where_the_price_is_sought_every_network_has_one(
    varying: Scenario, scope: str
) -> None:
    """The second of three dimensions is at level 3, the second of two at level 4."""
    first, second, third, fourth = varying.prices.levels
    prices = NetworkPrices((first, second, replace(third, switch=None), fourth))
    without = [
        point
        for point in points(varying.scope(scope))
        if point["dimensions"] != 3
        or values_by_dimension(point, "topology")[1] != "Switch"
    ]
    sought = replace(varying, prices=prices).seeking(objective_named("perf_per_cost"))

    found = points(sought.scope(scope))
    assert found == without
    assert len(found) < len(points(varying.scope(scope)))
    for point in found:
        settings = {**sought.settings, **point}
        assert network_cost(build_topology(settings), prices) > 0


def test_seeking_the_price_twice_asks_for_it_once(varying: Scenario) -> None:
    first = varying.scope("network_only")
    objective = objective_named("perf_per_cost")

    assert first.seeking(objective).space.digest == (
        first.seeking(objective).seeking(objective).space.digest
    )


def test_what_is_held_or_unknown_is_not_narrowed(varying: Scenario) -> None:
    objective = objective_named("perf_per_cost")
    held = varying.scope("workload_only")
    dimensions = varying.space.parameter_set.parameter("dimensions")
    sizes = varying.space.parameter_set.parameter("npus_count")
    unknown = ParameterSet(name="unknown", parameters=(dimensions, sizes))
    baseline: dict[str, PointValue] = {"dimensions": 3, "npus_count": (2, 2, 2)}
    bare = replace(varying, space=DesignSpace(unknown, baseline))

    assert held.seeking(objective).space.digest == held.space.digest
    assert bare.seeking(objective).space.parameter_set.constraints == ()


def test_more_dimensions_than_levels_are_not_searched_for_a_price(
    varying: Scenario,
) -> None:
    """With two levels, only networks of one dimension have prices."""
    few = replace(varying, prices=NetworkPrices(varying.prices.levels[:2]))
    several = replace(few, space=few.space.restrict("dimensions", (2, 3)))
    sought = few.seeking(objective_named("perf_per_cost"))

    assert {p["dimensions"] for p in points(sought)} == {1}
    with pytest.raises(ConsistencyError, match="no prices for a network of 2"):
        several.seeking(objective_named("perf_per_cost"))


def test_a_vector_must_be_as_long_as_the_number_of_dimensions_says() -> None:
    dimensions = Parameter(name="dimensions", stack=Stack.NETWORK, choices=(1, 2))
    topology = Parameter(
        name="topology", stack=Stack.NETWORK, choices=("Ring",), dimensions=2
    )

    with pytest.raises(SpecError, match="'topology' must be as long as the parameter"):
        check_dimensions([dimensions, topology], {})
