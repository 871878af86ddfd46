import os
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.errors import SpecError, StudyError
from cosmic.evaluation.evaluator import Evaluator, PointEvaluator
from cosmic.evaluation.scenario import Scenario
from cosmic.search.agent import make_agent
from cosmic.search.study import Study
from cosmic.search.trial import Trial
from cosmic.workers.processes import ProcessWorkers

_FOREVER = """
import multiprocessing, sys
from cosmic.io.specs import load_scenario
from cosmic.workers.processes import ProcessWorkers

if __name__ == "__main__":
    scenario = load_scenario(sys.argv[1])
    with ProcessWorkers(scenario, 2) as workers:
        workers.evaluate([scenario.space.baseline] * 2)
        print(*[p.pid for p in multiprocessing.active_children()], flush=True)
        while True:
            workers.evaluate([scenario.space.baseline] * 2)
"""


def trials(scenario: Scenario, evaluator: PointEvaluator) -> tuple[Trial, ...]:
    study = Study(evaluator)
    study.run(make_agent("genetic", scenario.space, 3), trials=100, batch=7)
    return study.trials


def test_the_trials_do_not_depend_on_the_number_of_workers(scenario: Scenario) -> None:
    alone = trials(scenario, Evaluator(scenario))

    for count in (1, 3):
        with ProcessWorkers(scenario, count) as workers:
            assert workers.objective == scenario.objective
            assert trials(scenario, workers) == alone


def test_no_worker_is_refused(scenario: Scenario) -> None:
    with pytest.raises(SpecError, match="at least 1 worker, not 0"):
        ProcessWorkers(scenario, 0)


def test_a_killed_worker_ends_the_study_in_one_line(scenario: Scenario) -> None:
    points = scenario.space.points(scenario.space.sample(np.random.default_rng(0), 2))

    with ProcessWorkers(scenario, 1) as workers:
        workers.evaluate(points)
        [worker] = active_children()
        worker.kill()
        with pytest.raises(StudyError, match="worker process was ended from outside"):
            _evaluate_on(workers, points)


def test_workers_end_with_the_process_that_started_them(
    tiny_folder: Path, tmp_path: Path
) -> None:
    script = tmp_path / "forever.py"
    script.write_text(_FOREVER)
    command = [sys.executable, str(script), str(tiny_folder / "scenario.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()

    assert len(workers) == 2
    patience = time.monotonic() + 60
    while any(map(_runs, workers)) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not any(map(_runs, workers))


def _evaluate_on(workers: ProcessWorkers, points: Sequence[DesignPoint]) -> None:
    while True:
        workers.evaluate(points)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
