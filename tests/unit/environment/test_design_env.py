"""A design made gene by gene."""

import math

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from cosmic.design.design_space import DesignSpace
from cosmic.environment.design_env import DesignEnv
from cosmic.environment.reward import LogRatio
from cosmic.errors import SpecError
from cosmic.evaluation.evaluation import Violation
from cosmic.evaluation.evaluator import Evaluator, PointEvaluator
from cosmic.evaluation.scenario import Scenario


@pytest.fixture
def env(evaluator: PointEvaluator, space: DesignSpace) -> DesignEnv:
    return DesignEnv(evaluator, space)


# An environment without a registered name has no other render modes to try.
@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes")
def test_it_keeps_what_gymnasium_asks_for(env: DesignEnv, scenario: Scenario) -> None:
    check_env(env)
    check_env(DesignEnv(Evaluator(scenario), scenario.space))


def test_masks_lead_to_every_feasible_design_and_to_no_other(
    env: DesignEnv, space: DesignSpace
) -> None:
    found: set[tuple[int, ...]] = set()
    waiting: list[tuple[int, ...]] = [()]
    while waiting:
        prefix = waiting.pop()
        _, info = env.reset()
        ended = False
        for action in prefix:
            _, _, ended, _, info = env.step(np.int64(action))
        if ended:
            found.add(tuple(info["vector"].tolist()))
        else:
            allowed = np.flatnonzero(info["action_mask"]).tolist()
            waiting += [(*prefix, action) for action in allowed]

    assert found == {tuple(vector.tolist()) for vector in space.enumerate()}


def test_the_last_gene_earns_the_logarithm_of_the_gain(env: DesignEnv) -> None:
    """dp = 2, a ring and tp = 4 cost 8/4 = 2; the baseline's tp = 2 costs 4."""
    env.reset()
    steps = [env.step(np.int64(action)) for action in (1, 1, 2)]

    assert [reward for _, reward, _, _, _ in steps] == [
        0,
        0,
        pytest.approx(math.log(2)),
    ]
    assert [ended for _, _, ended, _, _ in steps] == [False, False, True]


def test_the_last_step_tells_all_about_the_design(
    env: DesignEnv, space: DesignSpace
) -> None:
    env.reset()
    info = [env.step(np.int64(action)) for action in (1, 1, 2)][-1][-1]

    point = space.point([1, 1, 2])
    assert info["metrics"] == {"cost": 2.0}
    assert info["violations"] == ()
    assert info["score"] == pytest.approx(1 / math.sqrt(2))  # 1/sqrt(1 + (2 - 1)^2)
    assert (info["design_point"], info["digest"]) == (point, point.digest)


def test_an_infeasible_design_earns_a_constant_and_its_reasons(env: DesignEnv) -> None:
    env.reset()
    _, reward, ended, _, info = [env.step(np.int64(a)) for a in (3, 0, 0)][-1]

    assert (reward, ended) == (-10.0, True)
    assert info["violations"] == (Violation("memory", "dp = 8 does not fit"),)
    assert info["score"] == -math.inf


def test_an_observation_shows_the_gene_to_choose_and_the_choices(
    env: DesignEnv,
) -> None:
    first, _ = env.reset()
    second = env.step(np.int64(1))[0]

    # three genes; dp of 4 choices, topology of 3, tp of 4
    assert first.tolist() == [1, 0, 0, *[0, 0, 0, 0], *[0, 0, 0], *[0, 0, 0, 0]]
    assert second.tolist() == [0, 1, 0, *[0, 1, 0, 0], *[0, 0, 0], *[0, 0, 0, 0]]
    assert first.dtype == np.float32


def test_masks_end_in_zeros_where_a_gene_has_few_choices(env: DesignEnv) -> None:
    env.reset()
    info = env.step(np.int64(1))[-1]

    assert info["gene"] == "topology"
    assert info["action_mask"].tolist() == [1, 1, 1, 0]
    assert env.action_masks().tolist() == [True, True, True, False]


def test_an_action_outside_the_mask_is_the_nearest_inside_and_counted(
    env: DesignEnv,
) -> None:
    """tp must be 8 / dp: index 2 where 0 was asked for; there is no topology[3]."""
    env.reset()
    info = [env.step(np.int64(action)) for action in (1, 3, 0)][-1][-1]

    assert info["vector"].tolist() == [1, 2, 2]
    assert info["corrected"] == 2


def test_of_two_allowed_actions_equally_near_the_lower_is_taken(
    evaluator: PointEvaluator, space: DesignSpace
) -> None:
    env = DesignEnv(evaluator, space.restrict("tp", (1, 4)))  # dp = 8 or 2
    env.reset()
    env.step(np.int64(2))
    env.step(np.int64(0))
    info = env.step(np.int64(0))[-1]

    assert info["vector"].tolist()[0] == 1


def test_any_random_actions_end_at_a_point_of_the_space(
    env: DesignEnv, space: DesignSpace
) -> None:
    env.action_space.seed(0)
    for _ in range(50):
        env.reset()
        info = [env.step(env.action_space.sample()) for _ in space.genes][-1][-1]
        assert info["design_point"] in space


def test_a_masked_sample_is_never_corrected(env: DesignEnv) -> None:
    env.action_space.seed(0)
    _, info = env.reset()
    for _ in range(3):
        info = env.step(env.action_space.sample(info["action_mask"]))[-1]

    assert info["corrected"] == 0


def test_after_the_last_gene_there_is_nothing_to_choose(env: DesignEnv) -> None:
    env.reset()
    info = [env.step(np.int64(action)) for action in (1, 1, 2)][-1][-1]

    assert info["gene"] == ""
    assert info["action_mask"].tolist() == [1, 0, 0, 0]
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(np.int64(0))


def test_a_space_without_a_baseline_takes_a_reward(
    evaluator: PointEvaluator, space: DesignSpace
) -> None:
    bare = DesignSpace(space.parameter_set)

    with pytest.raises(SpecError, match="no baseline"):
        DesignEnv(evaluator, bare)
    env = DesignEnv(
        evaluator, bare, LogRatio(objective=evaluator.objective, reference=1)
    )
    env.reset()
    rewards = [env.step(np.int64(action))[1] for action in (0, 1, 3)]
    assert rewards[-1] == 0  # tp = 8 on a ring costs 8/8 = 1
