"""A whole design at once."""

import math

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from cosmic.design.design_space import DesignSpace
from cosmic.environment.one_shot_env import OneShotDesignEnv
from cosmic.evaluation.evaluator import Evaluator, PointEvaluator
from cosmic.evaluation.scenario import Scenario


@pytest.fixture
def env(evaluator: PointEvaluator, space: DesignSpace) -> OneShotDesignEnv:
    return OneShotDesignEnv(evaluator, space)


# An environment without a registered name has no other render modes to try.
@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes")
def test_it_keeps_what_gymnasium_asks_for(
    env: OneShotDesignEnv, scenario: Scenario
) -> None:
    check_env(env)
    check_env(OneShotDesignEnv(Evaluator(scenario), scenario.space))


def test_a_feasible_action_is_evaluated_as_it_is(env: OneShotDesignEnv) -> None:
    env.reset()
    _, reward, ended, truncated, info = env.step(np.array([1, 1, 2]))

    assert reward == pytest.approx(math.log(2))  # 2 against the baseline's 4
    assert (ended, truncated) == (True, False)
    assert (info["vector"].tolist(), info["distance"]) == ([1, 1, 2], 0)
    assert info["metrics"] == {"cost": 2.0}


def test_an_infeasible_action_is_projected(
    env: OneShotDesignEnv, space: DesignSpace
) -> None:
    """dp = tp = 1 make 1; two steps along tp and one along dp make 8, as three do."""
    env.reset()
    info = env.step(np.array([0, 2, 0]))[-1]

    assert info["vector"].tolist() == space.project([0, 2, 0]).tolist()
    assert info["distance"] == 3
    assert info["design_point"] in space


def test_every_action_ends_at_a_point_of_the_space(
    env: OneShotDesignEnv, space: DesignSpace
) -> None:
    env.action_space.seed(0)
    for _ in range(50):
        env.reset()
        assert env.step(env.action_space.sample())[-1]["design_point"] in space


def test_an_observation_shows_what_was_evaluated(env: OneShotDesignEnv) -> None:
    first, _ = env.reset()
    last = env.step(np.array([1, 1, 2]))[0]

    assert first.tolist() == [0] * 11
    assert last.tolist() == [*[0, 1, 0, 0], *[0, 1, 0], *[0, 0, 1, 0]]


def test_an_episode_is_one_step(env: OneShotDesignEnv) -> None:
    env.reset()
    env.step(np.array([1, 1, 2]))

    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(np.array([1, 1, 2]))
