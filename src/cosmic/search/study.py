"""Study: asks an agent, evaluates, records and tells; the one object with state.

A study is resumed by replay. The agent is made anew from its seed and asked in the
same way; a point whose trial is in the log is told with the recorded evaluation,
and the first point that is not there is evaluated again. So a study that was cut
off anywhere goes on as if it had not been.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from cosmic.design.design_point import DesignPoint
from cosmic.errors import SpecError, StudyError
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import PointEvaluator
from cosmic.evaluation.objective import Objective, objective_named
from cosmic.search.agent import Agent
from cosmic.search.trial import RecordedTrial, Trial, TrialSink, score_of

BATCH = 32  # points asked for at a time, unless told otherwise


class Study:
    """All trials of one agent on one evaluator.

    Args:
        evaluator: Evaluates points, and says what is sought.
        log: Where trials are recorded; those it holds already are not evaluated
            again.
        progress: Called with the study after each batch.
    """

    def __init__(
        self,
        evaluator: PointEvaluator,
        log: TrialSink | None = None,
        progress: Callable[["Study"], None] | None = None,
    ) -> None:
        self._evaluator = evaluator
        self._log = log
        self._progress = progress
        self._trials: list[Trial] = []
        self._told = 0  # how many of them the agent knows
        self._best: Trial | None = None
        self._feasible_count = 0
        self._agent: Agent | None = None
        self._asked: Sequence[DesignPoint] = ()  # the batch that is not yet told

    def run(self, agent: Agent, trials: int = 1000, batch: int = BATCH) -> None:
        """Look at points until the study has `trials` trials, or the agent no more.

        The agent is asked for whole batches and told whole batches, wherever the
        budget ends: what it asked for beyond is looked at first when the study is
        run again with a larger one. So two runs, to 100 trials and then to 200,
        give the same trials as one.

        Interrupting a run loses the batch that is being evaluated and nothing else:
        what was evaluated before is in the log.

        Args:
            agent: Chooses the points; the same one in every run of a study.
            trials: How many trials the study has at the end, those of earlier runs
                included.
            batch: How many points are asked for and evaluated at a time.

        Raises:
            SpecError: If the batch is empty, or the agent another one than before.
            StudyError: If the log cannot be written, or the agent asks for other
                points than those it holds.
        """
        if batch < 1:
            raise SpecError(f"a batch must hold at least 1 point, not {batch}")
        if self._agent is not None and self._agent is not agent:
            raise SpecError("a study keeps to one agent; make a new one for another")
        self._agent = agent
        try:
            while len(self._trials) < trials and self._ask(agent, batch):
                self._look(trials - len(self._trials))
                self._tell(agent)
                if self._progress is not None:
                    self._progress(self)
        except KeyboardInterrupt:
            self._write(self._trials[self._told :])
            raise

    @property
    def objective(self) -> Objective:
        """What is sought."""
        return self._evaluator.objective

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Every trial so far, in order."""
        return tuple(self._trials)

    def __len__(self) -> int:
        return len(self._trials)

    @property
    def feasible_count(self) -> int:
        """How many trials were of feasible points."""
        return self._feasible_count

    @property
    def infeasible_count(self) -> int:
        """How many trials were of points against which something stands."""
        return len(self._trials) - self._feasible_count

    def best(self, objective: Objective | str | None = None) -> Trial:
        """The best feasible trial; among equals, the first.

        Args:
            objective: What is sought, if not what the study sought; an objective or
                the name of a built-in one. The trial given back has its score;
                trials without a metric that it reads are passed over.

        Raises:
            StudyError: If no trial is feasible, naming what stands against most.
            UnknownNameError: If no objective has that name.
            SpecError: If the objective reads a metric that no trial has.
        """
        if objective is None and self._best is not None:
            return self._best
        ranked = self.top(1, objective)
        if not ranked:
            raise StudyError(self._why_none_is_feasible())
        return ranked[0]

    def top(
        self, count: int, objective: Objective | str | None = None
    ) -> tuple[Trial, ...]:
        """The best feasible trials of different points, best first.

        Args:
            count: How many at most.
            objective: As in `best`.

        Raises:
            UnknownNameError: If no objective has that name.
            SpecError: If the objective reads a metric that no trial has.
        """
        trials = self._rescored(objective)
        first = {t.point.digest: t for t in reversed(trials) if t.feasible}
        ranked = sorted(first.values(), key=lambda t: (-t.score, t.number))
        return tuple(ranked[: max(count, 0)])

    def _ask(self, agent: Agent, batch: int) -> bool:
        """Have a batch at hand, asking if need be; whether there is one."""
        if not self._asked:
            self._asked = tuple(agent.ask(batch))
        if not self._asked and self._log is not None:
            self._check_all_replayed(self._log)
        return bool(self._asked)

    def _look(self, budget: int) -> None:
        """Try what is left of the batch: from the record, or else by evaluating."""
        tried = len(self._trials) - self._told
        points = self._asked[tried:][:budget]
        known = self._replay(points)
        unknown = points[len(known) :]
        found = self._evaluator.evaluate(unknown) if unknown else ()
        scored = known + [(e, score_of(e, self.objective)) for e in found]
        start = len(self._trials)
        self._keep(
            [
                Trial(number=start + i, point=point, evaluation=evaluation, score=score)
                for i, (point, (evaluation, score)) in enumerate(
                    zip(points, scored, strict=True)
                )
            ]
        )

    def _replay(self, points: Sequence[DesignPoint]) -> list[tuple[Evaluation, float]]:
        """What the log holds of the first of these points.

        The recorded score is kept, for another machine might round it otherwise.
        """
        if self._log is None:
            return []
        start = len(self._trials)
        records = self._log.recorded[start : start + len(points)]
        for record, point in zip(records, points, strict=False):
            _check_same(record, point, self._log.name)
        return [(record.evaluation, record.score) for record in records]

    def _keep(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            if trial.feasible:
                self._feasible_count += 1
                if self._best is None or trial.score > self._best.score:
                    self._best = trial
        self._trials.extend(trials)
        self._write(trials)

    def _write(self, trials: Sequence[Trial]) -> None:
        if self._log is not None:
            self._log.write(trials)

    def _tell(self, agent: Agent) -> None:
        """Tell the batch, once all of it has been tried."""
        if len(self._trials) - self._told == len(self._asked):
            batch = self._trials[self._told :]
            self._told, self._asked = len(self._trials), ()
            agent.tell(batch)

    def _rescored(self, objective: Objective | str | None) -> Sequence[Trial]:
        if objective is None:
            return self._trials
        if isinstance(objective, str):
            objective = objective_named(objective)
        feasible = [trial for trial in self._trials if trial.feasible]
        needed = set(objective.metrics)
        able = [t for t in feasible if needed <= t.evaluation.metrics.keys()]
        return [
            replace(trial, score=score_of(trial.evaluation, objective))
            for trial in able or feasible
        ]

    def _why_none_is_feasible(self) -> str:
        if not self._trials:
            return "the study has no trials yet"
        breaches = {
            (trial.number, violation.constraint): violation.message
            for trial in self._trials
            for violation in trial.evaluation.violations
        }
        [(name, count)] = Counter(name for _, name in breaches).most_common(1)
        example = next(m for (_, broken), m in breaches.items() if broken == name)
        return (
            f"none of the {len(self._trials)} trials is feasible; "
            f"{count} of them break {name!r}, such as: {example}"
        )

    def _check_all_replayed(self, log: TrialSink) -> None:
        if len(log.recorded) > len(self._trials):
            raise StudyError(
                f"{log.name}: the agent ended after {len(self._trials)} trials, but "
                f"the log holds {len(log.recorded)}; {_ANOTHER}"
            )


_ANOTHER = (
    "it was written by another version or for another space; "
    "start a new log, this one is unchanged"
)


def _check_same(record: RecordedTrial, point: DesignPoint, log: str) -> None:
    if record.digest != point.digest:
        raise StudyError(
            f"{log}: trial {record.number} is of point {record.digest}, but the agent "
            f"now asks for {point.digest}; {_ANOTHER}"
        )
