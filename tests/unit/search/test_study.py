"""Study: the loop, its budget, its answers and its record."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.errors import SpecError, StudyError, UnknownNameError
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import Direction, Objective, Term
from cosmic.search.agent import Agent
from cosmic.search.agents.genetic import GeneticAlgorithm
from cosmic.search.agents.random_search import RandomSearch
from cosmic.search.study import Study
from cosmic.search.trial import RecordedTrial, Trial, TrialSink

GAIN = Objective(name="gain", terms=(Term(("x",)),), direction=Direction.MAXIMIZE)


@dataclass
class Script(Agent):
    """Asks for points with these values of x, and remembers how it was told."""

    values: list[int]
    told: list[list[int]] = field(default_factory=list)

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        values, self.values = self.values[:count], self.values[count:]
        return [DesignPoint({"x": x}) for x in values]

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        self.told.append([trial.number for trial in trials])


@dataclass
class Memory(TrialSink):
    """A log in memory, of which the first writes may be interrupted."""

    name: str = "memory"
    recorded: Sequence[RecordedTrial] = ()
    interruptions: int = 0
    trials: list[Trial] = field(default_factory=list)

    @override
    def write(self, trials: Sequence[Trial]) -> None:
        if self.interruptions > 0:
            self.interruptions -= 1
            raise KeyboardInterrupt
        have = len(self.recorded) + len(self.trials)
        self.trials += [trial for trial in trials if trial.number >= have]


def evaluate(point: DesignPoint) -> Evaluation:
    """Gain x and cost 10 - x; an x above 5 fits neither rack nor budget."""
    match point["x"]:
        case int(x) if x <= 5:
            return Evaluation({"x": x, "runtime": 10.0 - x})
        case x:
            messages = Violation("rack", f"{x} above 5"), Violation("budget", "spent")
            return Evaluation({}, messages)


TOY = FunctionEvaluator(evaluate, GAIN)


def record(trials: Sequence[Trial]) -> tuple[RecordedTrial, ...]:
    """Trials as a log gives them back."""
    return tuple(
        RecordedTrial(
            number=trial.number,
            digest=trial.point.digest,
            point=dict(trial.point),
            evaluation=trial.evaluation,
            score=trial.score,
        )
        for trial in trials
    )


def test_trials_are_numbered_and_scored_in_the_order_asked() -> None:
    study = Study(TOY)
    study.run(Script([3, 7, 4]), trials=10, batch=2)

    assert [(t.number, t.point["x"], t.score) for t in study.trials] == [
        (0, 3, 3.0),
        (1, 7, float("-inf")),
        (2, 4, 4.0),
    ]


def test_a_study_ends_when_the_budget_is_spent() -> None:
    study = Study(TOY)
    study.run(Script(list(range(100))), trials=10, batch=4)

    assert len(study) == 10


def test_a_study_ends_when_the_agent_asks_for_nothing() -> None:
    study = Study(TOY)
    study.run(Script([1, 2]), trials=10, batch=4)

    assert len(study) == 2


def test_feasible_and_infeasible_trials_are_counted() -> None:
    study = Study(TOY)
    study.run(Script([1, 6, 7, 2, 8]))

    assert (study.feasible_count, study.infeasible_count) == (2, 3)


def test_the_best_is_the_first_of_the_highest_score() -> None:
    study = Study(TOY)
    study.run(Script([1, 4, 9, 4, 2]))

    assert study.best().number == 1


def test_the_best_may_be_asked_for_by_another_objective() -> None:
    study = Study(TOY)
    study.run(Script([4, 1, 2, 9]))

    assert study.best("runtime").point["x"] == 4
    slowest = Objective(
        name="slow", terms=(Term(("runtime",)),), direction=Direction.MAXIMIZE
    )
    assert (study.best(slowest).number, study.best(slowest).score) == (1, 9.0)


def test_an_unknown_objective_is_met_with_a_near_name() -> None:
    study = Study(TOY)
    study.run(Script([1]))

    with pytest.raises(UnknownNameError, match="did you mean 'runtime'"):
        study.best("run_time")


def test_an_objective_of_metrics_that_were_not_recorded_is_refused() -> None:
    study = Study(TOY)
    study.run(Script([1]))

    with pytest.raises(
        SpecError, match="'throughput' reads metric 'tokens_per_second'"
    ):
        study.best("throughput")


def test_a_trial_without_the_metric_that_is_asked_for_is_passed_over() -> None:
    def judge(point: DesignPoint) -> Evaluation:
        metrics: dict[str, float] = {"x": 1.0, "runtime": 10.0}
        return Evaluation(metrics if point["x"] != 1 else {"x": 9.0})

    study = Study(FunctionEvaluator(judge, GAIN))
    study.run(Script([1, 2, 3]))

    assert study.best().number == 0
    assert [trial.number for trial in study.top(3, "runtime")] == [1, 2]


def test_the_top_holds_different_feasible_points_best_first() -> None:
    study = Study(TOY)
    study.run(Script([1, 4, 4, 9, 5, 2]))

    assert [trial.point["x"] for trial in study.top(3)] == [5, 4, 2]
    assert [trial.number for trial in study.top(2)] == [4, 1]
    assert study.top(0) == ()


def test_without_a_feasible_trial_the_commonest_violation_is_named() -> None:
    def judge(point: DesignPoint) -> Evaluation:
        x = point["x"]
        names = ["memory"] if x == 1 else ["budget", "memory", "budget"]
        return Evaluation(
            {}, tuple(Violation(name, f"{name} of {x}") for name in names)
        )

    study = Study(FunctionEvaluator(judge, GAIN))
    study.run(Script([2, 1, 3]))

    message = (
        "none of the 3 trials is feasible; "
        "3 of them break 'memory', such as: memory of 2"
    )
    with pytest.raises(StudyError, match=message):
        study.best()


def test_a_study_without_trials_has_no_best() -> None:
    with pytest.raises(StudyError, match="the study has no trials yet"):
        Study(TOY).best()


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(SpecError, match="a batch must hold at least 1 point, not 0"):
        Study(TOY).run(Script([1]), batch=0)


def test_a_study_keeps_to_one_agent() -> None:
    study = Study(TOY)
    study.run(Script([1]))

    with pytest.raises(SpecError, match="a study keeps to one agent"):
        study.run(Script([2]))


def test_progress_is_told_after_each_batch() -> None:
    seen: list[int] = []
    study = Study(TOY, progress=lambda study: seen.append(len(study)))
    study.run(Script(list(range(5))), trials=10, batch=2)

    assert seen == [2, 4, 5]


def test_a_batch_that_the_budget_cuts_is_told_whole_when_the_study_goes_on() -> None:
    agent = Script(list(range(12)))
    study = Study(TOY)
    study.run(agent, trials=6, batch=4)
    assert agent.told == [[0, 1, 2, 3]]

    study.run(agent, trials=12, batch=4)
    assert agent.told == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


@pytest.mark.parametrize("first", [1, 31, 32, 33, 100])
def test_two_runs_give_the_trials_of_one(
    space: DesignSpace, evaluator: FunctionEvaluator, first: int
) -> None:
    twice, once = Study(evaluator), Study(evaluator)
    agent = GeneticAlgorithm(space, seed=1, offspring=20)
    twice.run(agent, trials=first, batch=16)
    twice.run(agent, trials=200, batch=16)
    once.run(GeneticAlgorithm(space, seed=1, offspring=20), trials=200, batch=16)

    assert twice.trials == once.trials


def test_recorded_trials_are_not_evaluated_again() -> None:
    first = Study(TOY)
    first.run(Script([1, 2, 9, 4]), trials=3, batch=2)
    evaluated: list[DesignPoint] = []

    def spy(point: DesignPoint) -> Evaluation:
        evaluated.append(point)
        return evaluate(point)

    log = Memory(recorded=record(first.trials))
    agent = Script([1, 2, 9, 4, 5])
    study = Study(FunctionEvaluator(spy, GAIN), log)
    study.run(agent, trials=5, batch=2)

    assert [point["x"] for point in evaluated] == [4, 5]
    assert [trial.number for trial in log.trials] == [3, 4]
    assert agent.told == [[0, 1], [2, 3], [4]]
    assert study.trials[:3] == first.trials


def test_a_log_may_hold_more_trials_than_are_asked_for() -> None:
    first = Study(TOY)
    first.run(Script([1, 2, 3]))
    study = Study(TOY, Memory(recorded=record(first.trials)))
    study.run(Script([1, 2, 3]), trials=2)

    assert study.trials == first.trials[:2]


def test_a_log_of_other_points_is_refused() -> None:
    first = Study(TOY)
    first.run(Script([1, 2, 3]))
    study = Study(TOY, Memory(recorded=record(first.trials)))

    message = (
        r"memory: trial 1 is of point [0-9a-f]+, but the agent now asks for "
        r"[0-9a-f]+; it was written by another version or for another space"
    )
    with pytest.raises(StudyError, match=message):
        study.run(Script([1, 5, 3]))


def test_a_log_that_goes_on_after_the_agent_ended_is_refused() -> None:
    first = Study(TOY)
    first.run(Script([1, 2, 3]))
    study = Study(TOY, Memory(recorded=record(first.trials)))

    message = "memory: the agent ended after 2 trials, but the log holds 3"
    with pytest.raises(StudyError, match=message):
        study.run(Script([1, 2]))


def test_an_interrupted_run_has_recorded_what_was_evaluated(
    space: DesignSpace, evaluator: FunctionEvaluator
) -> None:
    def interrupt(study: Study) -> None:
        if len(study) >= 40:
            raise KeyboardInterrupt

    log = Memory()
    study = Study(evaluator, log, interrupt)
    with pytest.raises(KeyboardInterrupt):
        study.run(RandomSearch(space, seed=1), trials=100, batch=10)

    assert len(log.trials) == 40


def test_an_interrupted_write_is_done_again_before_the_study_stops() -> None:
    log = Memory(interruptions=1)
    with pytest.raises(KeyboardInterrupt):
        Study(TOY, log).run(Script([1, 2, 3]), batch=2)

    assert [trial.number for trial in log.trials] == [0, 1]
