"""Studied: a study from its log, and what its scenario tells of the best design."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cosmic.cli.references import find_scenario
from cosmic.cli.simulated import WHOLE
from cosmic.cli.study_log import scenario_digest
from cosmic.cli.wording import Values, gain, objective_value
from cosmic.errors import CosmicError, SpecError, StudyError
from cosmic.evaluation.evaluator import Evaluator, Inspection
from cosmic.evaluation.objective import OBJECTIVES, Objective, objective_named
from cosmic.evaluation.scenario import Scenario
from cosmic.io.presets import PresetKind, preset_names
from cosmic.io.recorded_study import RecordedStudy
from cosmic.search.trial import WORST, RecordedTrial
from cosmic.search.understanding import (
    Alternative,
    Change,
    Importance,
    ablation_path,
    alternatives,
    importances,
)
from cosmic.simulation.timeline import Timeline, timeline
from cosmic.workload.inference import Task
from cosmic.workload.lowering import lower

_WEIGHED = 2000  # trials from which importances are taken: more say little more


@dataclass(frozen=True)
class Studied:
    """A study and what is known about it.

    Attributes:
        recorded: What the log holds.
        log: Its name.
        scenario: With its scope and objective; None where it is not at hand.
        why_none: What stands against having it, a sentence; empty where it is there.
    """

    recorded: RecordedStudy
    log: str
    scenario: Scenario | None
    why_none: str

    @property
    def header(self) -> Mapping[str, object]:
        """All that the trials depend on."""
        return self.recorded.header

    @property
    def trials(self) -> Sequence[RecordedTrial]:
        """All of them, in order."""
        return self.recorded.trials

    @cached_property
    def feasible(self) -> tuple[RecordedTrial, ...]:
        """Those against which nothing stands."""
        return tuple(trial for trial in self.trials if trial.evaluation.feasible)

    @cached_property
    def best(self) -> RecordedTrial | None:
        """The best of them, the first among equals."""
        ranked = (trial for trial in self.feasible if trial.score > WORST)
        return max(ranked, key=lambda t: (t.score, -t.number), default=None)

    @property
    def objective(self) -> Objective | None:
        """What was sought; None where it is not known."""
        if self.scenario is not None:
            return self.scenario.objective
        return OBJECTIVES.get(str(self.header.get("objective")))

    def value(self, metrics: Mapping[str, float]) -> float | None:
        """The number that is compared; None where it is not known."""
        return objective_value(self.objective, metrics) if self.objective else None

    def worth(self, trial: RecordedTrial) -> float | None:
        """How good a trial is: times better than the baseline, or what is compared.

        None where that is not a finite number.
        """
        metrics = trial.evaluation.metrics
        found: float | None = trial.score
        if self.objective is not None:
            start = self.start
            found = (
                gain(self.objective, start, metrics) if start else self.value(metrics)
            )
        return found if found is not None and math.isfinite(found) else None

    @property
    def worth_name(self) -> str:
        """What that is, in short."""
        if self.objective is None:
            return "score"
        return "times better" if self.start else self.objective.name

    @cached_property
    def baseline(self) -> Inspection | None:
        """The scenario's own design; None where it cannot be looked at."""
        if self.scenario is None or self.scenario.space.baseline is None:
            return None
        found = Evaluator(self.scenario).inspect(self.scenario.baseline)
        return found if self.value(found.evaluation.metrics) is not None else None

    @property
    def whole(self) -> str:
        """What was timed, in a word."""
        return WHOLE[self.scenario.task] if self.scenario else "step"

    @property
    def start(self) -> Mapping[str, float]:
        """Metrics of the baseline; none where it cannot be looked at."""
        return self.baseline.evaluation.metrics if self.baseline else {}

    @cached_property
    def inspected(self) -> Inspection | None:
        """The best design, looked at again; None without a scenario."""
        if self.scenario is None or self.best is None:
            return None
        return Evaluator(self.scenario).inspect(self.best.point)

    @cached_property
    def timeline(self) -> Timeline | None:
        """One step of the best design; None without a scenario, or for inference."""
        found = self.inspected
        if found is None or found.configuration is None:
            return None
        workload, system = found.configuration.workload, found.configuration.system
        if workload.task is not Task.TRAIN:
            return None
        try:
            return timeline(lower(workload), system)
        except SpecError:  # such as a trace that only the simulator of the study plays
            return None

    def values(self, point: Values) -> Values:
        """A design with all that follows from it."""
        if self.scenario is None:
            return point
        return self.scenario.space.parameter_set.values(point)

    @cached_property
    def others(self) -> tuple[Alternative, ...]:
        """The designs one change away from the best; none without a scenario.

        Raises:
            StudyError: The best design is not in the space of the scenario.
        """
        if self.scenario is None or self.best is None:
            return ()
        space = self.scenario.space
        try:
            return alternatives(Evaluator(self.scenario), space, self.best.point)
        except SpecError as error:
            raise StudyError(
                f"{self.log}: its best design is not in the space: {error}"
            ) from error

    @cached_property
    def path(self) -> tuple[Change, ...]:
        """The way from the baseline to the best design, the most useful change first.

        Nothing without a scenario.
        """
        scenario = self.scenario
        if scenario is None or self.best is None or not self.start:
            return ()
        ends = scenario.baseline, self.best.point
        return ablation_path(Evaluator(scenario), scenario.space, *ends)

    @cached_property
    def shares(self) -> tuple[Importance, ...]:
        """How much of the differences between trials goes with each parameter."""
        names = dict.fromkeys(name for t in self.feasible[:1] for name in t.point)
        step = max(1, len(self.feasible) // _WEIGHED)
        found = importances(self.feasible[::step], list(names))
        return tuple(one for one in found if one.share > 0)


def studied(recorded: RecordedStudy, log: str, reference: str | None) -> Studied:
    """A study with its scenario, as far as that is at hand.

    Args:
        recorded: What the log holds.
        log: Its name.
        reference: The scenario; the preset of the name in the log, if None. Where
            there is no such preset, the study goes without.

    Raises:
        StudyError: The scenario that was given is another one.
        SpecError: It cannot be read.
    """
    if reference is not None:
        return Studied(recorded, log, _scenario(recorded, log, reference), "")
    try:
        return Studied(recorded, log, _scenario(recorded, log, None), "")
    except CosmicError as error:
        return Studied(recorded, log, None, str(error))


def mapping(header: Mapping[str, object], key: str) -> Mapping[str, object]:
    """What a header holds under a key, which a stranger's header may lack."""
    found = header.get(key)
    return found if isinstance(found, dict) else {}


def improvements(trials: Sequence[RecordedTrial]) -> Iterator[RecordedTrial]:
    """Each trial that was better than all before it."""
    best = WORST
    for trial in trials:
        if trial.evaluation.feasible and trial.score > best:
            best = trial.score
            yield trial


def _scenario(study: RecordedStudy, log: str, reference: str | None) -> Scenario:
    said = mapping(study.header, "scenario")
    name = str(said.get("name", "?"))
    presets = [preset for kind in PresetKind for preset in preset_names(kind)]
    if reference is None and name not in presets:
        raise StudyError(
            f"its scenario {name!r:.80} is no preset; give the file with --scenario"
        )
    whole = find_scenario(reference or name)
    if scenario_digest(whole) != said.get("digest"):
        raise StudyError(
            f"{log}: was written for another version of scenario {name!r:.80}; give "
            f"the file that it was written for with --scenario"
        )
    whole = whole.seeking(objective_named(str(study.header.get("objective"))))
    scope = str(study.header.get("scope") or "")
    return whole.scope(scope) if scope else whole
