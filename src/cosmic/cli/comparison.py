"""Comparison: searches of several scopes on equal budgets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from cosmic.cli.progress import Watcher
from cosmic.cli.wording import gain
from cosmic.errors import SpecError
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.scenario import Scenario
from cosmic.search.agent import HyperParameter, make_agent
from cosmic.search.study import BATCH, Study
from cosmic.search.trial import Trial

EXHAUSTIVE = "exhaustive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Who searches, and with what budget.

    Attributes:
        agent: Its name.
        options: Its hyper-parameters that differ from their defaults.
        trials: Designs that each search may try.
        seeds: Every search is run once for each.
    """

    agent: str
    options: Mapping[str, HyperParameter]
    trials: int
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search of one scope.

    Attributes:
        scope: Its name.
        seed: From which its agent drew.
        agent: Who searched: the contest's, or `exhaustive` where the budget covers
            every point.
        points: Feasible points of the scope.
        trials: Designs tried.
        feasible: How many of them fit.
        best: The best of them; None if none fits.
    """

    scope: str
    seed: int
    agent: str
    points: int
    trials: int
    feasible: int
    best: Trial | None

    @property
    def score(self) -> float:
        """How good its best design is, higher is better."""
        return self.best.score if self.best else float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Searches of several scopes.

    Attributes:
        scenario: What was searched.
        baseline: Metrics of its baseline.
        full: Name of the scope that holds the others.
        searches: By scope, one for each seed.
    """

    scenario: Scenario
    baseline: Mapping[str, float]
    full: str
    searches: Mapping[str, tuple[Search, ...]]

    def typical(self, scope: str) -> Search:
        """The search of a scope whose outcome is the median over seeds."""
        searches = self.searches[scope]
        middle = median_low(search.score for search in searches)
        return next(search for search in searches if search.score == middle)

    @property
    def closest(self) -> Search | None:
        """The best search of any other scope; None if none has an answer."""
        others = [self.typical(scope) for scope in self.searches if scope != self.full]
        best = max(others, key=lambda search: search.score)
        return None if best.best is None else best

    def times_better(self, search: Search) -> float | None:
        """How many times better than the baseline; None if there is no answer."""
        if search.best is None:
            return None
        metrics = search.best.evaluation.metrics
        return gain(self.scenario.objective, self.baseline, metrics)

    def lead(self, scope: str) -> float | None:
        """How many times better the full scope is than another one."""
        ours, theirs = self.typical(self.full).best, self.typical(scope).best
        if ours is None or theirs is None:
            return None
        pair = theirs.evaluation.metrics, ours.evaluation.metrics
        return gain(self.scenario.objective, *pair)


def run_contest(
    scenario: Scenario,
    contest: Contest,
    evaluator: Evaluator,
    watch: Callable[[str, int], Watcher],
) -> Comparison:
    """Search every scope of a scenario.

    Args:
        scenario: What is searched; its widest scope is held against the others.
        contest: Who searches.
        evaluator: Of that scenario; shared by all searches.
        watch: Begins to show the progress of a search, of a name and a budget.

    Raises:
        SpecError: The scenario has fewer than two scopes.
    """
    scopes = sorted(scenario.scopes, key=lambda name: len(scenario.scopes[name]))
    if len(scopes) < 2:
        raise SpecError(
            f"{scenario.name}: its parameter set names fewer than two scopes to compare"
        )
    baseline = evaluator.inspect(scenario.baseline).evaluation.metrics
    return Comparison(
        scenario=scenario,
        baseline=baseline,
        full=scopes[-1],
        searches={
            scope: _searches(scenario, scope, contest, evaluator, watch)
            for scope in scopes
        },
    )


def _searches(
    scenario: Scenario,
    scope: str,
    contest: Contest,
    evaluator: Evaluator,
    watch: Callable[[str, int], Watcher],
) -> tuple[Search, ...]:
    space = scenario.scope(scope).space
    small = space.count <= contest.trials
    seeds: Sequence[int] = contest.seeds[:1] if small else contest.seeds
    searches = []
    for seed in seeds:
        name = EXHAUSTIVE if small else contest.agent
        options = {} if small else contest.options
        budget = min(space.count, contest.trials)
        label = scope if len(seeds) == 1 else f"{scope}, seed {seed}"
        study = Study(evaluator, progress=watch(label, budget))
        study.run(make_agent(name, space, seed, options), trials=budget, batch=BATCH)
        found = Search(
            scope=scope,
            seed=seed,
            agent=name,
            points=space.count,
            trials=len(study),
            feasible=study.feasible_count,
            best=next(iter(study.top(1)), None),
        )
        searches.append(found)
    return tuple(searches)
