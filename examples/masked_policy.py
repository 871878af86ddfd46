"""A policy learns to design: MaskablePPO on the parallelism of GPT-3 13B.

    pip install 'sb3-contrib>=2.6'
    python examples/masked_policy.py

Masks keep it inside the constraints, so that it only has to learn what is good. A
reward of 0 is as good as the scenario's baseline, 0.69 is twice as good.
"""

from collections.abc import Callable

import numpy as np
from sb3_contrib import MaskablePPO

from cosmic.environment.design_env import DesignEnv
from cosmic.evaluation.evaluator import Evaluator
from cosmic.io.specs import load_scenario

Chooser = Callable[[np.ndarray, np.ndarray], int]  # from an observation and a mask


def mean_reward(env: DesignEnv, choose: Chooser, episodes: int = 200) -> float:
    """What designs are worth on average when `choose` makes every choice."""
    rewards = []
    for _ in range(episodes):
        seen, _ = env.reset()
        ended = False
        while not ended:
            action = choose(seen, env.action_masks())
            seen, reward, ended, _, _ = env.step(np.int64(action))
        rewards.append(reward)
    return float(np.mean(rewards))


def compare(steps: int = 8192, seed: int = 0) -> tuple[float, float]:
    """The mean rewards of random masked choices and of a policy after some steps."""
    scenario = load_scenario("gpt3-13b-512-devices-v1").scope("workload_only")
    env = DesignEnv(Evaluator(scenario), scenario.space)
    rng = np.random.default_rng(seed)
    at_random = mean_reward(env, lambda _, mask: rng.choice(np.flatnonzero(mask)))

    policy = MaskablePPO("MlpPolicy", env, seed=seed, n_steps=512, device="cpu")
    policy.learn(steps)
    learned = mean_reward(
        env, lambda seen, mask: int(policy.predict(seen, action_masks=mask)[0])
    )
    return at_random, learned


if __name__ == "__main__":
    at_random, learned = compare()
    print(f"mean reward: {at_random:.2f} at random, {learned:.2f} learned")
