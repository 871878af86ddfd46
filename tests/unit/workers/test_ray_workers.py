import sys

import pytest

from cosmic.errors import CosmicError, StudyError
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.scenario import Scenario
from cosmic.search.agent import make_agent
from cosmic.search.study import Study
from cosmic.workers.ray_workers import RayWorkers


def test_without_ray_one_line_says_how_to_get_it(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(CosmicError, match=r"^this needs Ray: pip install[^\n]*$"):
        RayWorkers(scenario)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of Ray, not ours
def test_the_trials_are_those_of_one_process(scenario: Scenario) -> None:
    pytest.importorskip("ray", reason="needs the extra cosmic[ray]")
    alone = Study(Evaluator(scenario))

    alone.run(make_agent("genetic", scenario.space, 3), trials=100)
    with RayWorkers(scenario, "local", workers=2) as workers:
        spread = Study(workers)
        spread.run(make_agent("genetic", scenario.space, 3), trials=100)

    assert spread.trials == alone.trials


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_that_does_not_answer_is_one_line(scenario: Scenario) -> None:
    pytest.importorskip("ray", reason="needs the extra cosmic[ray]")

    with pytest.raises(StudyError, match=r"no Ray cluster answers at '127\.0\.0\.1:1'"):
        RayWorkers(scenario, "127.0.0.1:1")
