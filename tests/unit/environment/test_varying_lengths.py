"""Designs whose vectors have a length that is chosen too."""

from pathlib import Path

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from cosmic.design.design_space import DesignSpace
from cosmic.environment.design_env import DesignEnv
from cosmic.environment.one_shot_env import OneShotDesignEnv
from cosmic.environment.reward import LogRatio
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import Objective, Term
from cosmic.io.specs import load_scenario

COST = Objective(name="cost", terms=(Term(("cost",)),))
EVALUATOR = FunctionEvaluator(
    lambda point: Evaluation({"cost": float(str(point["dimensions"]))}), COST
)
REWARD = LogRatio(objective=COST, reference=1.0)


@pytest.fixture
def varying(varying_folder: Path) -> DesignSpace:
    """The networks of eight devices, in one to three dimensions."""
    return load_scenario(varying_folder / "scenario.yaml").scope("network_only").space


# An environment without a registered name has no other render modes to try.
@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes")
def test_environments_keep_what_gymnasium_asks_for(varying: DesignSpace) -> None:
    check_env(DesignEnv(EVALUATOR, varying, REWARD))
    check_env(OneShotDesignEnv(EVALUATOR, varying, REWARD))


def test_masks_leave_one_choice_beyond_the_end(varying: DesignSpace) -> None:
    env = DesignEnv(EVALUATOR, varying, REWARD)
    rng = np.random.default_rng(0)
    lengths = set()
    for _ in range(40):
        _, info = env.reset()
        ended, left = False, {}
        while not ended:
            left[info["gene"]] = int(info["action_mask"].sum())
            action = rng.choice(np.flatnonzero(info["action_mask"]))
            _, _, ended, _, info = env.step(action)
        point = info["design_point"]
        lengths.add(point["dimensions"])
        assert point in varying
        for d in range(point["dimensions"], 3):
            assert left[f"topology[{d}]"] == left[f"bandwidth[{d}]"] == 1

    assert lengths == {1, 2, 3}


def test_any_action_is_projected_to_a_design_of_some_length(
    varying: DesignSpace,
) -> None:
    env = OneShotDesignEnv(EVALUATOR, varying, REWARD)
    env.action_space.seed(0)
    for _ in range(40):
        env.reset()
        *_, info = env.step(env.action_space.sample())

        assert info["design_point"] in varying
