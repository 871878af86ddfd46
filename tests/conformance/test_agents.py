"""Every built-in agent is held to what a stranger's is."""

from collections.abc import Sequence

import numpy as np
import pytest
from typing_extensions import override

from cosmic.design.constraint import Expression
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.search.agent import AGENTS, Agent, make_agent
from cosmic.search.trial import Trial
from cosmic.testing.conformance import check_agent

POWERS = (1, 2, 4, 8, 16)


@pytest.fixture(scope="module")
def space() -> DesignSpace:
    """The points whose degrees multiply to at most 16, with a ring or a switch."""
    degrees = [
        Parameter(name=name, stack=Stack.WORKLOAD, choices=POWERS)
        for name in ("dp", "pp", "sp")
    ]
    shape = Parameter(
        name="shape", stack=Stack.NETWORK, choices=("Ring", "Switch"), dimensions=2
    )
    return DesignSpace(
        ParameterSet(
            name="toy",
            parameters=(*degrees, shape),
            constraints=(Expression("dp * pp * sp <= 16"),),
        )
    )


@pytest.mark.parametrize("name", AGENTS.names())
def test_every_built_in_agent_keeps_the_promises(name: str, space: DesignSpace) -> None:
    check_agent(lambda space, seed: make_agent(name, space, seed), space)


@pytest.mark.parametrize("name", AGENTS.names())
def test_every_built_in_agent_takes_vectors_of_varying_length(name: str) -> None:
    length = Parameter(name="length", stack=Stack.NETWORK, choices=(1, 2, 3))
    sizes = Parameter(
        name="sizes",
        stack=Stack.NETWORK,
        choices=POWERS,
        dimensions="length",
        max_dimensions=3,
    )
    rule = Expression("product(sizes) == 16")
    space = DesignSpace(
        ParameterSet(name="toy", parameters=(sizes, length), constraints=(rule,))
    )

    check_agent(lambda space, seed: make_agent(name, space, seed), space)


class _Scripted(Agent):
    """Asks for what it is made with, over and over."""

    def __init__(self, points: Sequence[DesignPoint]) -> None:
        self._points = points

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        return self._points

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        pass


def test_an_agent_that_gives_too_many_points_is_found_out(space: DesignSpace) -> None:
    points = [space.point(v) for v in space.sample(np.random.default_rng(0), 2)]

    with pytest.raises(AssertionError, match="gave 2 points when asked for 0"):
        check_agent(lambda _space, _seed: _Scripted(points), space)


def test_an_agent_that_asks_for_a_forbidden_point_is_found_out(
    space: DesignSpace,
) -> None:
    point = DesignPoint({"dp": 16, "pp": 16, "sp": 1, "shape": ("Ring", "Ring")})

    with pytest.raises(AssertionError, match=r"forbidden point: DesignPoint\(dp=16"):
        check_agent(lambda _space, _seed: _Scripted([point]), space)


def test_an_agent_that_draws_from_elsewhere_is_found_out(space: DesignSpace) -> None:
    elsewhere = iter(range(1000))

    def make(space: DesignSpace, _seed: int) -> Agent:
        return make_agent("random", space, next(elsewhere))

    with pytest.raises(AssertionError, match="one seed must give one sequence"):
        check_agent(make, space)


def test_an_agent_that_never_asks_is_found_out(space: DesignSpace) -> None:
    with pytest.raises(AssertionError, match="asked for no point at all"):
        check_agent(lambda _space, _seed: _Scripted([]), space)
