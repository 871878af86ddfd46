"""`cosmic bench agents`: which agent finds good designs soonest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.cli.fitting import check_some_design_fits
from cosmic.cli.progress import TrialProgress, Watcher
from cosmic.cli.references import find_plan, sought
from cosmic.cli.wording import count_text, objective_value, value_of_objective
from cosmic.errors import SpecError, StudyError
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.scenario import Scenario
from cosmic.search.agent import AGENTS
from cosmic.search.agent_benchmark import (
    AgentRecord,
    AgentRun,
    quartiles,
    run_agents,
    within,
)

_CLOSE = 0.01  # within this share of the best, a search is as good as done
_EXHAUSTIVE = "exhaustive"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRequest:
    """What `cosmic bench agents` is asked for.

    Attributes:
        reference: A scenario, or a study of one.
        agents: Names, separated by commas; all, if empty.
        scope: Name of the stacks that are searched.
        objective: What is sought.
        trials: Budget of each run.
        seeds: How many.
        exhaust: How many designs are all tried, to know the best.
        plot: Where to draw a picture.
        as_json: Whether to print JSON.
    """

    reference: str
    agents: str
    scope: str | None
    objective: str | None
    trials: int
    seeds: int
    exhaust: int
    plot: str
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Bench:
    """What was found: agents best first, and the best design known."""

    scenario: Scenario
    records: tuple[AgentRecord, ...]
    optimum: AgentRun | None  # where every design was tried
    best: AgentRun

    @property
    def close(self) -> float:
        """The score from which on a search is as good as done."""
        return within(_CLOSE, float(self.best.best_so_far[-1]))


def bench_agents(request: BenchRequest) -> None:
    """Run the agents and print how they compare.

    Raises:
        SpecError: Something in the request cannot be right.
        StudyError: No agent found a design that fits.
    """
    if request.plot:
        from cosmic.report.figures import check_picture  # noqa: PLC0415 - an extra

        check_picture(request.plot)
    found = _found(request)
    if request.plot:
        from cosmic.report.search_figures import agents_figure  # noqa: PLC0415

        lines = {
            record.agent: np.array([_values(found, run) for run in record.runs])
            for record in found.records
        }
        objective = found.scenario.objective
        agents_figure(found.scenario.name, objective.about, lines, request.plot)
    if request.as_json:
        write_json(_document(request, found))
    else:
        _show(request, found)


def _found(request: BenchRequest) -> _Bench:
    scenario = _scenario(request)
    check_some_design_fits(scenario)
    with patience(remark):
        Evaluator(scenario).inspect(scenario.baseline)

    def new_evaluator() -> Evaluator:
        return Evaluator(scenario)

    space = scenario.space
    with TrialProgress() as progress:

        def watch(name: str, seed: int) -> Watcher:
            return progress.watch(f"{name}, seed {seed}", request.trials)

        records = run_agents(
            _names(request.agents),
            space,
            new_evaluator,
            trials=request.trials,
            seeds=range(request.seeds),
            progress=watch,
        )
        optimum = None
        if space.count <= request.exhaust:
            [record] = run_agents(
                [_EXHAUSTIVE], space, new_evaluator, trials=space.count, seeds=[0]
            )
            [optimum] = record.runs
    runs = [run for record in records for run in record.runs]
    best = optimum or max(runs, key=lambda run: run.best_so_far[-1])
    if best.best is None:
        raise StudyError("no agent found a design that fits; try more --trials")
    ranked = sorted(records, key=lambda record: -record.scores()[1])
    return _Bench(scenario=scenario, records=tuple(ranked), optimum=optimum, best=best)


def _scenario(request: BenchRequest) -> Scenario:
    plan = find_plan(request.reference)
    whole = sought(plan.whole, request.objective)
    scope = plan.scope if request.scope is None else request.scope
    return whole.scope(scope) if scope else whole


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if len(set(names)) < len(names):
        raise SpecError(f"--agents {text}: names an agent twice")
    return names or [name for name in AGENTS.names() if name != _EXHAUSTIVE]


def _show(request: BenchRequest, found: _Bench) -> None:
    scenario, best = found.scenario, found.best.best
    assert best is not None
    objective = scenario.objective
    known = "of all designs" if found.optimum else "known"
    say(
        f"{scenario.name}: {count_text(scenario.space.count)} designs, "
        f"{request.trials:,} trials each, {request.seeds} seeds; the best {known} has "
        f"{value_of_objective(objective, best.evaluation.metrics)} ({objective.about})"
    )
    rows = [_row(found, record) for record in found.records]
    columns = ["agent", "median", "quartiles", "off the best", "within 1 %"]
    columns += ["trials to 1 %", "s/1,000 trials", "agent alone"]
    show_table("Best value that each agent found", columns, rows)


def _row(found: _Bench, record: AgentRecord) -> tuple[str, ...]:
    objective = found.scenario.objective
    low, middle, high = (_value(found, score, record) for score in record.scores())
    reached = [number for number in record.trials_to(found.close) if number is not None]
    seconds, own = _seconds(record)
    best = found.best.best
    assert best is not None
    value = objective_value(objective, best.evaluation.metrics)
    off = "-" if middle is None or not value else f"{abs(middle / value - 1):.1%}"
    return (
        record.agent,
        _number(middle),
        f"{_number(low)} .. {_number(high)}",
        off,
        f"{len(reached)} of {len(record.runs)}",
        _trials_to(record, found.close),
        f"{seconds:.2f}",
        f"{own:.2f}",
    )


def _value(found: _Bench, score: float, record: AgentRecord) -> float | None:
    """The objective's value of the run that has a score."""
    for run in record.runs:
        if run.best_so_far[-1] == score and run.best is not None:
            return objective_value(
                found.scenario.objective, run.best.evaluation.metrics
            )
    return None


def _values(found: _Bench, run: AgentRun) -> Sequence[float]:
    """Scores over the best one known, so that 1 is as good."""
    best = float(found.best.best_so_far[-1])
    scores = np.where(np.isfinite(run.best_so_far), run.best_so_far, np.nan)
    ratios: Sequence[float] = (scores / best).tolist()
    return ratios


def _trials_to(record: AgentRecord, score: float) -> str:
    """Median and quartiles over seeds; more than the budget where it was not enough."""
    budget = len(record.runs[0].best_so_far)
    numbers = [number or budget + 1 for number in record.trials_to(score)]
    low, middle, high = (
        f"> {budget:,}" if number > budget else f"{number:,.0f}"
        for number in quartiles(numbers)
    )
    return f"{middle} ({low} .. {high})"


def _seconds(record: AgentRecord) -> tuple[float, float]:
    """Seconds for 1,000 trials, in all and of the agent alone."""
    thousands = len(record.runs[0].best_so_far) / 1000
    return (
        median(run.seconds for run in record.runs) / thousands,
        median(run.agent_seconds for run in record.runs) / thousands,
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _document(request: BenchRequest, found: _Bench) -> Mapping[str, object]:
    best = found.best.best
    assert best is not None
    return {
        "scenario": found.scenario.name,
        "scope": request.scope,
        "objective": found.scenario.objective.name,
        "points": found.scenario.space.count,
        "trials": request.trials,
        "seeds": request.seeds,
        "best_known": {
            "exhaustive": found.optimum is not None,
            "score": best.score,
            "value": objective_value(found.scenario.objective, best.evaluation.metrics),
            "design": best.point,
        },
        "agents": [
            {
                "agent": record.agent,
                "score_quartiles": record.scores(),
                "trials_to_1_percent": record.trials_to(found.close),
                "best_scores": [float(run.best_so_far[-1]) for run in record.runs],
                "seconds_per_1000_trials": _seconds(record)[0],
                "agent_seconds_per_1000_trials": _seconds(record)[1],
            }
            for record in found.records
        ],
    }
