"""One search of a comparison: run, recorded in a folder, and never run twice."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

from cosmic.cli.study_log import header_of
from cosmic.errors import StudyError
from cosmic.evaluation.evaluator import Evaluator, PointEvaluator
from cosmic.evaluation.objective import objective_named
from cosmic.evaluation.published import PublishedEvaluator, as_published
from cosmic.evaluation.scenario import Scenario
from cosmic.io.comparisons import Comparison, Options
from cosmic.io.specs import StudyPlan, load_scenario
from cosmic.io.trial_log import TrialLog
from cosmic.io.trial_record import decode, encode
from cosmic.search.agent import make_agent
from cosmic.search.standing import EXHAUSTIVE, Outcome
from cosmic.search.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search of a comparison.

    Attributes:
        comparison: Its name.
        place: Where relative paths of scenarios begin.
        scenario: What is searched.
        objective: What is sought.
        scope: Which stacks.
        agent: Who searches.
        options: Its hyper-parameters that are given.
        seed: From which it draws.
        trials: Designs that it may try.
        batch: Designs asked for at a time.
        published: Whether everything is as the authors of the paper had it.
        folder: Where it is recorded; None if it is not.
    """

    comparison: str
    place: Path
    scenario: str
    objective: str
    scope: str
    agent: str
    options: Options
    seed: int
    trials: int
    batch: int
    published: bool
    folder: Path | None

    @property
    def path(self) -> Path | None:
        """Where its trials are recorded."""
        if self.folder is None:
            return None
        options = "".join(f"-{value}" for _, value in self.options)
        name = Path(self.scenario).stem
        return self.folder / (
            f"{name}-{self.objective}-{self.scope}-{self.agent}{options}"
            f"-seed{self.seed}.jsonl"
        )


def searches_of(
    comparison: Comparison, folder: Path | None, *, published: bool
) -> Iterator[Search]:
    """Every search of a comparison; small spaces are also tried whole."""
    for name in comparison.scenarios:
        for objective in comparison.objectives:
            for scope in comparison.scopes:
                whole = whole_of(name, comparison.folder, objective, published)
                small = whole.scope(scope).space.count <= comparison.trials
                every: list[tuple[str, Options, int]]
                every = [(EXHAUSTIVE, (), 0)] if small else []
                every += [
                    (agent, options, seed)
                    for agent, options in comparison.agents
                    for seed in comparison.seeds
                ]
                for agent, options, seed in every:
                    yield Search(
                        comparison=comparison.name,
                        place=comparison.folder,
                        scenario=name,
                        objective=objective,
                        scope=scope,
                        agent=agent,
                        options=options,
                        seed=seed,
                        trials=comparison.trials,
                        batch=comparison.batch,
                        published=published,
                        folder=folder,
                    )


def run_search(search: Search) -> Outcome:
    """What a search comes to; a recorded one is not run again.

    Raises:
        StudyError: Its record is of another search, or cannot be written.
        SpecError: It says what cannot be right.
    """
    plan = _plan(search)
    header = decode(encode({**header_of(plan), "published": search.published}))
    known = _known(search, header)
    return known or _run(search, plan, header)


def _run(search: Search, plan: StudyPlan, header: Mapping[str, Any]) -> Outcome:
    space = plan.scenario.space
    agent = make_agent(search.agent, space, search.seed, dict(search.options))
    budget = search.trials
    if search.agent == EXHAUSTIVE:
        budget = min(budget, space.count)
    key = (search.scenario, search.place, search.objective, search.published)
    evaluator = evaluator_of(*key)
    path = search.path
    start = perf_counter()
    if path is None:
        study = Study(evaluator)
        study.run(agent, trials=budget, batch=search.batch)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = TrialLog.resume if path.exists() else TrialLog.create
        with opened(path, header) as log:
            study = Study(evaluator, log)
            study.run(agent, trials=budget, batch=search.batch)
    best = next(iter(study.top(1)), None)
    objective = plan.scenario.objective
    outcome = Outcome(
        scenario=Path(search.scenario).stem,
        objective=search.objective,
        scope=search.scope,
        agent=search.agent,
        options=dict(search.options),
        seed=search.seed,
        points=space.count,
        trials=len(study),
        feasible=study.feasible_count,
        value=None if best is None else objective.value(best.evaluation.metrics),
        found_at=None if best is None else best.number + 1,
        design={} if best is None else dict(best.point),
        metrics={} if best is None else dict(best.evaluation.metrics),
        seconds=perf_counter() - start,
    )
    if path is not None:
        record = encode({"header": header, "outcome": asdict(outcome)})
        _outcome_path(path).write_bytes(record)
    return outcome


def _known(search: Search, header: Mapping[str, Any]) -> Outcome | None:
    """The recorded outcome, if the search has ended."""
    if search.path is None or not _outcome_path(search.path).exists():
        return None
    path = _outcome_path(search.path)
    found = decode(path.read_bytes())
    if not isinstance(found, dict) or found.get("header") != header:
        raise StudyError(
            f"{path}: is of another search, or another version of cosmic; give "
            f"another folder by --to"
        )
    outcome: Any = found["outcome"]
    design = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in outcome["design"].items()
    }
    return Outcome(**{**outcome, "design": design})


def _outcome_path(path: Path) -> Path:
    return path.with_suffix(".outcome.json")


def _plan(search: Search) -> StudyPlan:
    whole = whole_of(search.scenario, search.place, search.objective, search.published)
    return StudyPlan(
        name=search.comparison,
        whole=whole,
        scenario=whole.scope(search.scope),
        scope=search.scope,
        agent=search.agent,
        options=dict(search.options),
        trials=search.trials,
        seed=search.seed,
        batch=search.batch,
    )


@lru_cache(maxsize=4)
def whole_of(name: str, place: Path, objective: str, published: bool) -> Scenario:
    """A scenario that seeks an objective, as the authors had it if so wished."""
    scenario = load_scenario(name, place)
    if published:
        scenario = as_published(scenario)
    return scenario.seeking(objective_named(objective))


@lru_cache(maxsize=1)  # what a scenario's designs share is kept, a scenario at a time
def evaluator_of(
    name: str,
    place: Path,
    objective: str,
    published: bool,
) -> PointEvaluator:
    """The evaluator of a scenario that seeks an objective."""
    if not published:
        return Evaluator(whole_of(name, place, objective, published))
    return PublishedEvaluator(whole_of(name, place, objective, published=False))
