"""What a study came to, read with DuckDB and without."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.errors import SpecError, StudyError, UnknownNameError
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.io import study_summary
from cosmic.io.line_index import LineIndex
from cosmic.io.looks import Looks, ReadLooks
from cosmic.io.study_summary import open_looks, summarize_study
from cosmic.io.trial_log import TrialLog
from cosmic.search.agent import Agent
from cosmic.search.study import Study
from cosmic.search.trial import Trial

HEADER = {"study": "small", "objective": "runtime"}


def read(path: Path) -> Looks:
    """As where DuckDB is missing."""
    return ReadLooks(LineIndex.of(path))


READERS = [open_looks, read]


class Script(Agent):
    """Asks for points with these values of x."""

    def __init__(self, values: Sequence[int]) -> None:
        self._values = list(values)

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        values, self._values = self._values[:count], self._values[count:]
        return [DesignPoint({"x": x, "pair": (x, -x)}) for x in values]

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        pass


def evaluate(point: DesignPoint) -> Evaluation:
    """Odd ones are priced; every third does not fit, every sixth in two ways."""
    x = point["x"]
    assert isinstance(x, int)
    small, heavy = Violation("size", f"{x} is small"), Violation("weight", "heavy")
    if x % 3 == 0:
        return Evaluation({"memory": 1.5}, (small, heavy) if x % 6 == 0 else (small,))
    metrics = {"runtime": math.inf if x == 11 else (x % 7) / 3}
    return Evaluation({**metrics, "network_cost": 100.0 / x} if x % 2 else metrics)


def studied(path: Path, values: Sequence[int]) -> Study:
    """A study of points with these values of x, with its log."""
    path.unlink(missing_ok=True)
    with TrialLog.create(path, HEADER) as log:
        study = Study(FunctionEvaluator(evaluate, OBJECTIVES["runtime"]), log)
        study.run(Script(values), trials=len(values), batch=4)
    return study


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("objective", [None, "perf_per_cost"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(values=st.lists(st.integers(1, 20), max_size=25))
def test_the_log_says_what_the_study_said(
    tmp_path: Path,
    reader: Callable[[Path], Looks],
    objective: str | None,
    values: list[int],
) -> None:
    path = tmp_path / "log.jsonl"
    study = studied(path, values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_summary, "open_looks", reader)
        try:
            ranked = study.top(5, objective)
        except SpecError as error:  # none has a price
            with pytest.raises(SpecError, match=str(error)):
                summarize_study(path, objective)
            return
        summary = summarize_study(path, objective)

    assert summary.top == tuple(trial.number for trial in ranked)
    for trial in ranked:
        leader = summary.leaders[trial.number]
        assert (leader.digest, leader.score) == (trial.point.digest, trial.score)
        assert leader.evaluation == trial.evaluation
        assert leader.point == dict(trial.point)
    assert summary.trials == len(study)
    assert summary.feasible == study.feasible_count
    if ranked:
        assert summary.milestones[-1].best == ranked[0].number
    small = sum(x % 3 == 0 for x in values)
    heavy = sum(x % 6 == 0 for x in values)
    found = {b.constraint: b.trials for b in summary.breaches}
    assert found == {k: n for k, n in (("size", small), ("weight", heavy)) if n}
    if small:
        first = next(x for x in values if x % 3 == 0)
        assert summary.breaches[0].example == f"{first} is small"


@pytest.mark.parametrize("reader", READERS)
def test_a_log_in_use_is_summarized_up_to_its_last_whole_line(
    tmp_path: Path, reader: Callable[[Path], Looks], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if a batch is written while the summary is made."""
    path = tmp_path / "log.jsonl"
    studied(path, range(1, 9))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:6]) + lines[6][:30])

    def write_on(path: Path) -> Looks:
        found = reader(path)
        path.write_bytes(b"".join(lines))
        return found

    monkeypatch.setattr(study_summary, "open_looks", write_on)
    summary = summarize_study(path)

    assert (summary.trials, summary.feasible, summary.unfinished) == (5, 4, 30)
    assert [m.trials for m in summary.milestones] == [1, 5]


@pytest.mark.parametrize("reader", READERS)
def test_a_damaged_log_is_refused_with_the_line(
    tmp_path: Path, reader: Callable[[Path], Looks], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.jsonl"
    studied(path, range(1, 9))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"{}\n", *lines[4:]]))
    monkeypatch.setattr(study_summary, "open_looks", reader)

    with pytest.raises(StudyError, match=r"log.jsonl:4: the line is not a trial"):
        summarize_study(path)


def test_an_objective_must_be_known(tmp_path: Path) -> None:
    studied(tmp_path / "log.jsonl", [1])

    with pytest.raises(UnknownNameError, match="did you mean 'runtime'"):
        summarize_study(tmp_path / "log.jsonl", "runtme")


def test_what_is_no_log_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no such file"):
        summarize_study(tmp_path / "log.jsonl")
    with pytest.raises(StudyError, match="is not a file"):
        summarize_study(tmp_path)


def test_a_study_without_trials_has_a_summary(tmp_path: Path) -> None:
    studied(tmp_path / "log.jsonl", [])
    summary = summarize_study(tmp_path / "log.jsonl")

    assert (summary.trials, summary.feasible, summary.milestones) == (0, 0, ())
