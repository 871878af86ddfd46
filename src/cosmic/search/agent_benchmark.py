"""How agents compare: the same budgets, the same seeds, the same scenario."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.errors import SpecError
from cosmic.evaluation.evaluator import PointEvaluator
from cosmic.search.agent import Agent, make_agent
from cosmic.search.study import BATCH, Study
from cosmic.search.trial import WORST, Trial

Quartiles = tuple[float, float, float]
"""A lower quartile, a median and an upper quartile."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AgentRun:
    """One agent's search with one seed.

    Attributes:
        agent: Its name.
        seed: From which it drew.
        best_so_far: The best score of the first 1, 2, 3, ... trials.
        best: The best trial; None if none was feasible.
        seconds: How long all of it took.
        agent_seconds: How long the agent took of that, to ask and to be told.
    """

    agent: str
    seed: int
    best_so_far: npt.NDArray[np.float64]
    best: Trial | None
    seconds: float
    agent_seconds: float

    def trials_to(self, score: float) -> int | None:
        """How many trials it took to reach a score; None if it never did."""
        reached = self.best_so_far >= score
        return int(reached.argmax()) + 1 if reached.any() else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AgentRecord:
    """All runs of one agent.

    Attributes:
        agent: Its name.
        runs: One for each seed.
    """

    agent: str
    runs: tuple[AgentRun, ...]

    def scores(self) -> Quartiles:
        """Quartiles over seeds of the best score of a run."""
        return quartiles([run.best_so_far[-1] for run in self.runs])

    def trials_to(self, score: float) -> list[int | None]:
        """How many trials each run took to reach a score; None for never."""
        return [run.trials_to(score) for run in self.runs]

    def typical(self) -> AgentRun:
        """The run whose best score is the median, the lower one of two."""
        ranked = sorted(self.runs, key=lambda run: run.best_so_far[-1])
        return ranked[(len(ranked) - 1) // 2]


def run_agents(
    names: Sequence[str],
    space: DesignSpace,
    new_evaluator: Callable[[], PointEvaluator],
    *,
    trials: int,
    seeds: Sequence[int],
    progress: Callable[[str, int], Callable[[Study], None]] | None = None,
) -> tuple[AgentRecord, ...]:
    """Run every agent once with every seed, each time from nothing.

    Args:
        names: Names of agents, each with its default hyper-parameters.
        space: Where they look.
        new_evaluator: Makes an evaluator that remembers nothing.
        trials: The budget of each run.
        seeds: One run for each.
        progress: Given an agent and a seed, makes what a study calls after a batch.

    Raises:
        SpecError: If there are no agents, seeds or trials.
        UnknownNameError: If there is no agent of a name.
    """
    if not (names and seeds and trials > 0):
        raise SpecError("comparing agents takes an agent, a seed and a trial at least")
    for name in names:  # before the first one runs
        make_agent(name, space, seeds[0])
    return tuple(
        AgentRecord(
            agent=name,
            runs=tuple(
                _run(
                    name,
                    space,
                    new_evaluator(),
                    trials,
                    seed,
                    progress(name, seed) if progress else None,
                )
                for seed in seeds
            ),
        )
        for name in names
    )


def within(share: float, best: float) -> float:
    """The score that is worse than the best by a share of it.

    >>> within(0.01, 200.0)
    198.0
    """
    return best - share * abs(best)


def quartiles(values: Sequence[float]) -> Quartiles:
    """Lower quartile, median and upper quartile of values that may be infinite.

    They are values of the sequence, the lower one where two are as near.

    >>> quartiles([5.0, 1.0, 2.0, 3.0, 4.0])
    (2.0, 3.0, 4.0)
    """
    found = np.quantile(values, [0.25, 0.5, 0.75], method="lower")
    low, middle, high = found.tolist()
    return low, middle, high


def _run(
    name: str,
    space: DesignSpace,
    evaluator: PointEvaluator,
    trials: int,
    seed: int,
    progress: Callable[[Study], None] | None,
) -> AgentRun:
    agent = _Timed(make_agent(name, space, seed))
    study = Study(evaluator, progress=progress)
    start = perf_counter()
    study.run(agent, trials=trials, batch=BATCH)
    seconds = perf_counter() - start
    scores = np.full(trials, WORST)  # an agent may end early, its best then stays
    scores[: len(study)] = [trial.score for trial in study.trials]
    return AgentRun(
        agent=name,
        seed=seed,
        best_so_far=np.maximum.accumulate(scores),
        best=study.best() if study.feasible_count else None,
        seconds=seconds,
        agent_seconds=agent.seconds,
    )


class _Timed(Agent):
    """An agent, and how long it took."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.seconds = 0.0

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        start = perf_counter()
        points = self._agent.ask(count)
        self.seconds += perf_counter() - start
        return points

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        start = perf_counter()
        self._agent.tell(trials)
        self.seconds += perf_counter() - start
