"""The studies of design questions: they load, run, and keep a few laws."""

import numpy as np
import pytest

from cosmic.evaluation.evaluator import Evaluator
from cosmic.io.specs import load_scenario, load_study
from cosmic.search.agent import make_agent
from cosmic.search.study import Study

BATCHES = (1024, 2048, 4096, 8192, 16384)
STUDIES = (
    *(f"batch-{batch}-v1" for batch in BATCHES),
    "bandwidth-worth-buying-v1",
    "chat-v1",
    "compute-v1",
    "four-models-v1",
    "memory-limit-v1",
    "network-budget-v1",
    "question-answering-v1",
    "time-per-token-v1",
)


@pytest.mark.parametrize("name", STUDIES)
def test_a_short_search_finds_an_answer(name: str) -> None:
    plan = load_study(name)
    agent = make_agent(plan.agent, plan.scenario.space, plan.seed, plan.options)
    study = Study(Evaluator(plan.scenario))
    study.run(agent, trials=20, batch=20)

    assert study.best().evaluation.feasible


def test_a_step_takes_as_long_as_its_batch_is_large() -> None:
    """But for the filling of the pipeline and what is exchanged once a step."""
    times = []
    for batch in BATCHES:
        scenario = load_study(f"batch-{batch}-v1").whole
        [evaluation] = Evaluator(scenario).evaluate([scenario.baseline])
        times.append(evaluation.metrics["runtime"])
    slope = (times[-1] - times[0]) / (BATCHES[-1] - BATCHES[0])

    for batch, time in zip(BATCHES, times, strict=True):
        assert time == pytest.approx(times[0] + slope * (batch - BATCHES[0]), rel=1e-6)
    assert 0 < times[0] - slope * BATCHES[0] < 0.05 * times[0]


def test_limits_hold_of_what_is_found() -> None:
    for name, metric, most in (
        ("network-budget-v1", "network_cost", 2e6),
        ("memory-limit-v1", "memory", 16e9),
        ("time-per-token-v1", "tpot", 0.02),
    ):
        plan = load_study(name)
        evaluator = Evaluator(plan.scenario)
        vectors = plan.scenario.space.sample(np.random.default_rng(2), 40)
        found = evaluator.evaluate([plan.scenario.space.point(v) for v in vectors])
        values = [e.metrics[metric] for e in found if e.feasible]
        assert values
        assert max(values) <= most


def test_a_cluster_may_have_fewer_devices_than_its_system() -> None:
    space = load_scenario("gpt3-13b-memory-limit-v1").space
    sizes = set()
    for vector in space.sample(np.random.default_rng(0), 60):
        count = 1
        for size in space.point(vector)["npus_count"]:  # type: ignore[union-attr]
            count *= int(size)
        sizes.add(count)

    assert max(sizes) <= 1024
    assert len(sizes) > 3
