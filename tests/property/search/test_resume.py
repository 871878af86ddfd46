"""A study that was cut off anywhere, or extended, ends as if it had not been."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cosmic.design.constraint import Expression
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.io.trial_log import TrialLog, read_trial_log
from cosmic.search.agent import AGENTS, make_agent
from cosmic.search.study import Study
from cosmic.search.trial import Trial

HEADER = {"agent": "any", "seed": 11, "batch": 8}
BATCH = 8
TRIALS = 61  # ends within a batch, and the generations end elsewhere again


@pytest.fixture(scope="module")
def space() -> DesignSpace:
    """Degrees of parallelism that multiply to at most 64."""
    degrees = tuple(
        Parameter(name=name, stack=Stack.WORKLOAD, choices=(1, 2, 4, 8, 16, 32, 64))
        for name in ("dp", "pp", "sp")
    )
    return DesignSpace(
        ParameterSet(
            name="degrees",
            parameters=degrees,
            constraints=(Expression("dp * pp * sp <= 64"),),
        )
    )


def evaluate(point: DesignPoint) -> Evaluation:
    """A runtime with many digits; a fifth of the points does not fit."""
    toss = int(point.digest, 16)
    if toss % 5 == 0:
        return Evaluation({"memory": 1e12 / 3}, (Violation("memory", "too large"),))
    return Evaluation({"runtime": toss / 3e18, "memory": toss / 7.0})


EVALUATOR = FunctionEvaluator(evaluate, OBJECTIVES["runtime"])


def run(
    space: DesignSpace, agent: str, path: Path, trials: int = TRIALS
) -> Sequence[Trial]:
    """The trials of a study, begun or resumed."""
    hyper = {"population": 10, "offspring": 12} if agent == "genetic" else {}
    open_log = TrialLog.resume if path.exists() else TrialLog.create
    with open_log(path, HEADER) as log:
        study = Study(EVALUATOR, log)
        study.run(make_agent(agent, space, 11, hyper), trials, BATCH)
    return study.trials


@pytest.mark.parametrize("agent", AGENTS.names())
def test_a_log_cut_at_any_line_resumes_to_the_same_trials(
    agent: str, space: DesignSpace, tmp_path: Path
) -> None:
    path = tmp_path / "whole.jsonl"
    whole = run(space, agent, path)
    lines = path.read_bytes().splitlines(keepends=True)

    assert len(lines) == 1 + TRIALS
    for count in range(1, len(lines) + 1):
        cut = tmp_path / "cut.jsonl"
        cut.write_bytes(b"".join(lines[:count]))
        assert run(space, agent, cut) == whole
        assert cut.read_bytes() == path.read_bytes()


def test_a_log_cut_within_a_line_resumes_without_that_line(
    space: DesignSpace, tmp_path: Path
) -> None:
    path = tmp_path / "whole.jsonl"
    whole = run(space, "genetic", path, trials=20)
    text = path.read_bytes()
    header_end = text.index(b"\n") + 1
    line_ends = {i + 1 for i, byte in enumerate(text) if byte == ord("\n")}

    for end in sorted({*range(header_end, len(text), 61)} - line_ends):
        cut = tmp_path / "cut.jsonl"
        cut.write_bytes(text[:end])
        assert run(space, "genetic", cut, 20) == whole
        assert cut.read_bytes() == text


@pytest.mark.parametrize("agent", AGENTS.names())
@pytest.mark.parametrize("first", [0, 1, 8, 30, 47, 61])
def test_a_study_that_is_extended_ends_as_one_of_the_larger_budget(
    agent: str, first: int, space: DesignSpace, tmp_path: Path
) -> None:
    path, other = tmp_path / "twice.jsonl", tmp_path / "once.jsonl"
    run(space, agent, path, first)
    twice = run(space, agent, path, 80)
    once = run(space, agent, other, 80)

    assert twice == once
    assert path.read_bytes() == other.read_bytes()


KILLED = """
import os, signal, sys
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.io.trial_log import TrialLog
from cosmic.search.agents.genetic import GeneticAlgorithm
from cosmic.search.study import Study

path, last = sys.argv[1], int(sys.argv[2])
x = Parameter(name="x", stack=Stack.NETWORK, choices=tuple(range(99)), dimensions=2)
space = DesignSpace(ParameterSet(name="plane", parameters=(x,)))
evaluated = 0

def evaluate(point):
    global evaluated
    evaluated += 1
    if evaluated == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return Evaluation({"runtime": 1 + sum(point["x"]) / 3})

open_log = TrialLog.resume if os.path.exists(path) else TrialLog.create
with open_log(path, {"seed": 0}) as log:
    Study(FunctionEvaluator(evaluate, OBJECTIVES["runtime"]), log).run(
        GeneticAlgorithm(space, 0, 20, offspring=20), trials=100, batch=10
    )
"""


def test_a_study_that_is_killed_twice_ends_as_one_that_is_not(tmp_path: Path) -> None:
    def study(name: str, last: int) -> int:
        command = [sys.executable, "-c", KILLED, str(tmp_path / name), str(last)]
        return subprocess.run(command, check=False, timeout=60).returncode

    assert study("cut", 37) == -signal.SIGKILL
    assert len(read_trial_log(tmp_path / "cut").trials) == 30
    assert study("cut", 45) == -signal.SIGKILL
    assert len(read_trial_log(tmp_path / "cut").trials) == 70
    assert study("cut", 1000) == study("whole", 1000) == 0
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()


def test_what_is_read_is_what_was_tried(space: DesignSpace, tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    trials = run(space, "random", path)
    records = read_trial_log(path).trials

    assert [DesignPoint(r.point) for r in records] == [t.point for t in trials]
    assert [r.evaluation for r in records] == [t.evaluation for t in trials]
    assert [r.score for r in records] == [t.score for t in trials]
