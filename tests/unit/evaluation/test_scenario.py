"""Scenario: what is fixed, what may be chosen, what is sought."""

from dataclasses import replace

import pytest

from cosmic.design.parameter import Parameter, Stack
from cosmic.errors import ConsistencyError, SpecError, UnknownNameError
from cosmic.evaluation.objective import objective_named
from cosmic.evaluation.scenario import Scenario, check_parameter
from cosmic.io.specs import load_scenario


def test_a_scope_searches_its_stacks_and_holds_the_rest(scenario: Scenario) -> None:
    genes = scenario.scope("network_only").space.genes

    assert genes == ("topology[0]", "topology[1]", "bandwidth[0]", "bandwidth[1]")


def test_an_unknown_scope_has_a_near_one(scenario: Scenario) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'network_only'"):
        scenario.scope("networkonly")


def test_a_point_denotes_a_workload_and_a_system(scenario: Scenario) -> None:
    configuration = scenario.configure({**scenario.baseline, "dp": 2, "chunks": 4})

    assert configuration.workload.parallelism.data == 2
    assert configuration.workload.parallelism.tensor == 4
    assert configuration.system.policy.chunks == 4


def test_what_nobody_says_is_asked_for(scenario: Scenario) -> None:
    settings = {k: v for k, v in scenario.settings.items() if k != "peak_flops"}

    with pytest.raises(ConsistencyError, match="nothing says what peak_flops should"):
        replace(scenario, settings=settings).configure(scenario.baseline)


def test_unpriced_shapes_are_not_searched_where_the_price_is_sought() -> None:
    scenario = load_scenario("vit-base-1024-devices-v1").scope("network_only")
    priced = scenario.seeking(objective_named("perf_per_cost"))

    shapes = {gene.name: gene.choices for gene in priced.space.gene_table}
    assert shapes["topology[0]"] == ("Ring", "FullyConnected")
    assert shapes["topology[1]"] == ("Ring", "Switch", "FullyConnected")
    assert 3 * priced.space.count == 2 * scenario.space.count


@pytest.mark.parametrize(
    ("parameter", "error", "message"),
    [
        (
            Parameter(name="mikro_batch", stack=Stack.WORKLOAD, choices=(1, 2)),
            UnknownNameError,
            "no parameter named 'mikro_batch'; did you mean 'micro_batch'",
        ),
        (
            Parameter(name="dp", stack=Stack.NETWORK, choices=(1, 2)),
            SpecError,
            "'dp' belongs to the workload stack, not to network",
        ),
        (
            Parameter(name="topology", stack=Stack.NETWORK, choices=("Ring",)),
            SpecError,
            "'topology' has one value for each dimension",
        ),
        (
            Parameter(
                name="topology",
                stack=Stack.NETWORK,
                choices=("Ring", "Torus"),
                dimensions=2,
            ),
            SpecError,
            "cannot be 'Torus'; allowed: Ring, FullyConnected, Switch",
        ),
    ],
)
def test_a_parameter_must_mean_something(
    parameter: Parameter, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        check_parameter(parameter)
