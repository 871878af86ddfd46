"""The table of agents, and agents by name."""

import pytest

from cosmic.design.design_space import DesignSpace
from cosmic.errors import SpecError, UnknownNameError
from cosmic.search.agent import AGENTS, HyperParameter, hyper_parameters, make_agent


def test_the_built_in_agents_have_short_names() -> None:
    assert AGENTS.names() == (
        "annealing",
        "ant_colony",
        "bayesian",
        "cma_es",
        "exhaustive",
        "genetic",
        "nsga2",
        "policy_gradient",
        "random",
        "tpe",
    )


def test_hyper_parameters_come_with_the_defaults_of_the_paper() -> None:
    known = hyper_parameters("genetic")

    assert known["population"] == 32
    assert known["mutation_probability"] == 0.05


def test_an_agent_takes_the_hyper_parameters_it_is_given(space: DesignSpace) -> None:
    agent = make_agent("genetic", space, 0, {"population": 5})

    assert len(agent.ask(100)) == 5


def test_an_unknown_agent_is_met_with_a_near_name(space: DesignSpace) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'genetic'"):
        make_agent("genetics", space)


def test_an_unknown_hyper_parameter_is_met_with_a_near_name(space: DesignSpace) -> None:
    message = (
        "no hyper-parameter of agent 'genetic' named 'populaton'; "
        "did you mean 'population'?"
    )
    with pytest.raises(UnknownNameError, match=message):
        make_agent("genetic", space, 0, {"populaton": 5})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("population", 2.5, "population of agent 'genetic' must be int, not 2.5"),
        ("population", True, "must be int, not True"),
        ("mutation_probability", "high", "must be float, not 'high'"),
        ("population", 1, "population must be at least 2, not 1"),
        ("tournament", 0, "tournament must be at least 1, not 0"),
        ("offspring", -1, "offspring must be at least 1, not -1"),
        ("mutation_probability", 2, "mutation_probability must be from 0 to 1, not 2"),
    ],
)
def test_a_hyper_parameter_out_of_range_is_refused(
    space: DesignSpace, key: str, value: HyperParameter, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        make_agent("genetic", space, 0, {key: value})


def test_a_negative_seed_is_refused(space: DesignSpace) -> None:
    with pytest.raises(SpecError, match="a seed must not be negative, but is -1"):
        make_agent("random", space, -1)
