"""Many designs side by side."""

from collections.abc import Sequence

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.environment.design_env import DesignEnv
from cosmic.environment.design_vector_env import DesignVectorEnv
from cosmic.environment.judge import Info
from cosmic.errors import SpecError
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import PointEvaluator
from cosmic.evaluation.objective import Objective

COUNT = 5


class Counting:
    """An evaluator that keeps the size of every batch."""

    def __init__(self, inner: PointEvaluator) -> None:
        self._inner = inner
        self.batches: list[int] = []

    @property
    def objective(self) -> Objective:
        return self._inner.objective

    def evaluate(self, points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
        self.batches.append(len(points))
        return self._inner.evaluate(points)


def plain(info: Info) -> Info:
    """An info with lists for its arrays, so that it can be compared."""
    return {
        key: plain(value) if isinstance(value, dict) else np.asarray(value).tolist()
        for key, value in info.items()
    }


def test_it_gives_what_single_environments_give(
    evaluator: PointEvaluator, space: DesignSpace
) -> None:
    many = DesignVectorEnv(evaluator, space, COUNT)
    single = SyncVectorEnv([lambda: DesignEnv(evaluator, space)] * COUNT)
    many.action_space.seed(0)
    shown, info = many.reset(seed=0)
    expected, expected_info = single.reset(seed=0)

    assert many.metadata["autoreset_mode"] is single.metadata["autoreset_mode"]
    assert many.observation_space == single.observation_space
    assert many.action_space == single.action_space
    for _ in range(20):
        assert shown.tolist() == expected.tolist()
        assert shown in many.observation_space
        assert plain(info) == plain(expected_info)
        actions = many.action_space.sample()
        shown, *ends, info = many.step(actions)
        expected, *expected_ends, expected_info = single.step(actions)
        assert [e.tolist() for e in ends] == [e.tolist() for e in expected_ends]
        assert [e.dtype for e in ends] == [e.dtype for e in expected_ends]


def test_an_episode_of_all_designs_is_one_batch(
    evaluator: PointEvaluator, space: DesignSpace
) -> None:
    counting = Counting(evaluator)
    env = DesignVectorEnv(counting, space, COUNT)
    env.reset()
    for _ in range(8):  # two episodes of three genes, and the reset after each
        env.step(np.zeros(COUNT, dtype=np.int64))

    assert counting.batches == [1, COUNT, COUNT]  # the baseline comes first


def test_masked_actions_are_never_corrected(
    evaluator: PointEvaluator, space: DesignSpace
) -> None:
    env = DesignVectorEnv(evaluator, space, COUNT)
    rng = np.random.default_rng(0)
    env.reset()
    for _ in range(3):
        masks = env.action_masks()
        assert masks.shape == (COUNT, 4)
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        info = env.step(actions)[-1]

    assert info["corrected"].tolist() == [0] * COUNT
    assert all(point in space for point in info["design_point"])


def test_the_step_after_the_last_begins_anew(
    evaluator: PointEvaluator, space: DesignSpace
) -> None:
    env = DesignVectorEnv(evaluator, space, COUNT)
    first, _ = env.reset()
    for _ in range(3):
        ended = env.step(np.ones(COUNT, dtype=np.int64))[2]
    again, rewards, over, _, _ = env.step(np.ones(COUNT, dtype=np.int64))

    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert ended.all()
    assert not over.any()
    assert again.tolist() == first.tolist()
    assert rewards.tolist() == [0] * COUNT


def test_designs_in_lockstep_are_reset_together(
    evaluator: PointEvaluator, space: DesignSpace
) -> None:
    env = DesignVectorEnv(evaluator, space, COUNT)

    with pytest.raises(SpecError, match="reset_mask: these designs run in lockstep"):
        env.reset(options={"reset_mask": np.ones(COUNT, dtype=np.bool_)})


def test_there_is_at_least_one_design(
    evaluator: PointEvaluator, space: DesignSpace
) -> None:
    with pytest.raises(SpecError, match="num_envs must be at least 1, not 0"):
        DesignVectorEnv(evaluator, space, 0)
