"""Standing: what many searches found, and how much better the widest scope is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from cosmic.design.parameter import PointValue
from cosmic.evaluation.objective import Direction, Objective

EXHAUSTIVE = "exhaustive"
"""The agent that tries every point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one search came to.

    Attributes:
        scenario: What was searched.
        objective: What was sought.
        scope: Which stacks.
        agent: Who searched: `exhaustive` where the budget covers every point.
        options: Its hyper-parameters that were given.
        seed: From which it drew.
        points: Feasible points of the scope, by rules and not by memory.
        trials: Designs tried.
        feasible: How many of them fit.
        value: What the objective compares, of the best; None if none fits.
        found_at: How many trials it took to find the best.
        design: The best; empty if none fits.
        metrics: Its metrics.
        seconds: How long the search took.
    """

    scenario: str
    objective: str
    scope: str
    agent: str
    options: Mapping[str, bool | int | float | str]
    seed: int
    points: int
    trials: int
    feasible: int
    value: float | None
    found_at: int | None
    design: Mapping[str, PointValue]
    metrics: Mapping[str, float]
    seconds: float

    @property
    def exhaustive(self) -> bool:
        """Whether every point was tried."""
        return self.agent == EXHAUSTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times better one scope is than another, over seeds.

    Attributes:
        scenario: What was searched.
        objective: What was sought.
        scope: The scope that is beaten.
        ratios: One for each seed, in the order of seeds.
        exhaustive: Whether every point of that scope was tried.
    """

    scenario: str
    objective: str
    scope: str
    ratios: tuple[float, ...]
    exhaustive: bool

    @property
    def median(self) -> float:
        """The middle one, or halfway between two."""
        return median(self.ratios)


def times_better(objective: Objective, old: float, new: float) -> float:
    """How many times better a new value of an objective is.

    >>> from cosmic.evaluation.objective import OBJECTIVES
    >>> times_better(OBJECTIVES["runtime"], 6.0, 2.0)
    3.0
    >>> times_better(OBJECTIVES["throughput"], 6.0, 2.0) < 1
    True
    """
    return new / old if objective.direction is Direction.MAXIMIZE else old / new


def ratios(
    outcomes: Sequence[Outcome], objectives: Mapping[str, Objective], full: str
) -> Iterator[Ratio]:
    """The full scope against every other one, seed by seed.

    A scope that was searched exhaustively has its true best, which stands for all
    seeds. Where one of the two has no design that fits there is no ratio.

    Args:
        outcomes: All of one agent.
        objectives: By name.
        full: Name of the widest scope.
    """
    by_place: dict[tuple[str, str], dict[str, list[Outcome]]] = {}
    for outcome in outcomes:
        scopes = by_place.setdefault((outcome.scenario, outcome.objective), {})
        scopes.setdefault(outcome.scope, []).append(outcome)
    for (scenario, objective), scopes in by_place.items():
        ours = {outcome.seed: outcome for outcome in scopes.get(full, ())}
        for scope, theirs in scopes.items():
            if scope == full:
                continue
            whole = [outcome for outcome in theirs if outcome.exhaustive]
            found = tuple(
                times_better(objectives[objective], old.value, new.value)
                for old, new in _pairs(whole or theirs, ours)
                if old.value is not None and new.value is not None
            )
            if found:
                yield Ratio(
                    scenario=scenario,
                    objective=objective,
                    scope=scope,
                    ratios=found,
                    exhaustive=bool(whole),
                )


def _pairs(
    theirs: Sequence[Outcome], ours: Mapping[int, Outcome]
) -> Iterator[tuple[Outcome, Outcome]]:
    """Outcomes with the same seed; an exhaustive one goes with each."""
    for outcome in theirs:
        if outcome.exhaustive:
            yield from ((outcome, ours[seed]) for seed in sorted(ours))
        elif outcome.seed in ours:
            yield outcome, ours[outcome.seed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How near agents come to the best design of a scope that was all tried.

    Attributes:
        scenario: What was searched.
        objective: What was sought.
        scope: Which stacks.
        points: How many designs there are.
        feasible: How many of them fit.
        best: What the objective compares, of the best of all.
        ratios: How many times worse what an agent found is, for each seed.
        found_at: After how many trials, for each seed.
    """

    scenario: str
    objective: str
    scope: str
    points: int
    feasible: int
    best: float
    ratios: tuple[float, ...]
    found_at: tuple[int, ...]


def reached(
    outcomes: Sequence[Outcome], objectives: Mapping[str, Objective]
) -> Iterator[Reached]:
    """What agents found beside the best of all, where all was tried."""
    for whole in outcomes:
        if not whole.exhaustive or whole.value is None:
            continue
        place = (whole.scenario, whole.objective, whole.scope)
        found = [
            (times_better(objectives[whole.objective], o.value, whole.value), o)
            for o in outcomes
            if (o.scenario, o.objective, o.scope) == place
            and not o.exhaustive
            and o.value is not None
        ]
        yield Reached(
            scenario=whole.scenario,
            objective=whole.objective,
            scope=whole.scope,
            points=whole.points,
            feasible=whole.feasible,
            best=whole.value,
            ratios=tuple(ratio for ratio, _ in found),
            found_at=tuple(o.found_at or 0 for _, o in found),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStanding:
    """How far an agent stays behind the best that any found, with the same budget.

    Attributes:
        agent: Its name.
        options: Its hyper-parameters that were given.
        ratios: How many times worse its best is than the best that any agent found
            there, over scenarios, objectives, scopes and seeds.
        lost: Searches that found no design that fits.
        seconds: How long a search took, the middle one.
    """

    agent: str
    options: Mapping[str, bool | int | float | str]
    ratios: tuple[float, ...]
    lost: int
    seconds: float

    @property
    def median(self) -> float:
        """The middle ratio, or halfway between two; infinite if all are lost."""
        return median(self.ratios) if self.ratios else float("inf")


def agent_standings(
    outcomes: Sequence[Outcome], objectives: Mapping[str, Objective]
) -> tuple[AgentStanding, ...]:
    """Agents with their hyper-parameters, the best first."""
    best = _best_known(outcomes, objectives)
    by_agent: dict[tuple[object, ...], list[Outcome]] = {}
    for outcome in outcomes:
        if not outcome.exhaustive:
            key = (outcome.agent, *outcome.options.items())
            by_agent.setdefault(key, []).append(outcome)
    found = []
    for mine in by_agent.values():
        ratios_here = tuple(
            times_better(objectives[o.objective], o.value, best[_place(o)])
            for o in mine
            if o.value is not None
        )
        found.append(
            AgentStanding(
                agent=mine[0].agent,
                options=mine[0].options,
                ratios=ratios_here,
                lost=len(mine) - len(ratios_here),
                seconds=median(outcome.seconds for outcome in mine),
            )
        )
    return tuple(sorted(found, key=lambda standing: standing.median))


def _place(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.scenario, outcome.objective, outcome.scope


def _best_known(
    outcomes: Sequence[Outcome], objectives: Mapping[str, Objective]
) -> dict[tuple[str, str, str], float]:
    best: dict[tuple[str, str, str], float] = {}
    for o in outcomes:
        if o.value is None:
            continue
        known = best.setdefault(_place(o), o.value)
        if times_better(objectives[o.objective], known, o.value) > 1:
            best[_place(o)] = o.value
    return best
