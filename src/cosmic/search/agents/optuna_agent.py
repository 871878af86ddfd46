"""Agents whose proposals are those of Optuna's samplers."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from cosmic.design.design_space import DesignSpace
from cosmic.design.moves import IndexVector, Target
from cosmic.errors import SpecError
from cosmic.evaluation.objective import Objective, objective_named
from cosmic.search.agents.asked import check_at_least
from cosmic.search.agents.optuna_extra import optuna
from cosmic.search.agents.projected import Found, ProjectedAgent
from cosmic.search.trial import Trial, score_of


class OptunaAgent(ProjectedAgent):
    """A study of Optuna in memory, whose parameters are the genes.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        sampler: What proposes.
        opening: Points of the first generation.
        generation: Points of each further one.
        scores: How many scores a trial has.
    """

    def __init__(
        self,
        space: DesignSpace,
        seed: int,
        *,
        sampler: "optuna.samplers.BaseSampler",
        opening: int,
        generation: int,
        scores: int = 1,
    ) -> None:
        super().__init__(space, seed, opening, generation)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(
            sampler=sampler, directions=["maximize"] * scores
        )
        self._distributions = {
            str(gene): _distribution(space, gene) for gene in self.searched.tolist()
        }
        self._proposed: list[optuna.trial.Trial] = []

    @abstractmethod
    def scores(self, trial: Trial) -> list[float]:
        """What the sampler is told of a trial, each higher the better."""

    @override
    def propose(self, count: int) -> Sequence[Target]:
        self._proposed = [self._study.ask(self._distributions) for _ in range(count)]
        return [self._target(trial.params) for trial in self._proposed]

    @override
    def learn(self, found: Sequence[Found]) -> None:
        for one in found:
            if one.proposal is None:
                self._add(one)
            elif one.trial is None or one.vector is None:
                failed = optuna.trial.TrialState.FAIL
                self._study.tell(self._proposed[one.proposal], state=failed)
            else:
                scores = self.scores(one.trial)
                self._study.tell(self._proposed[one.proposal], scores)

    def _add(self, one: Found) -> None:
        """A trial that the sampler did not propose joins those that it did."""
        if one.trial is None or one.vector is None:
            return
        self._study.enqueue_trial(self._params(one.vector))
        trial = self._study.ask(self._distributions)
        self._join_generation(trial.number)
        self._study.tell(trial, self.scores(one.trial))

    def _join_generation(self, number: int) -> None:
        """Have a sampler that breeds count the trial among its youngest."""
        sampler = self._study.sampler
        if isinstance(sampler, optuna.samplers.BaseGASampler):
            trial = self._study.get_trials(deepcopy=False)[number]
            sampler.get_trial_generation(self._study, trial)

    def _params(self, vector: IndexVector) -> dict[str, int]:
        return {name: int(vector[int(name)]) for name in self._distributions}

    def _target(self, params: dict[str, int]) -> Target:
        target = np.zeros(len(self.space.genes))
        for name, choice in params.items():
            target[int(name)] = choice
        return target


class TreeParzen(OptunaAgent):
    """Looks where good trials are dense and bad ones are not.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        opening: Random points at first.
        generation: Points proposed at once.
        candidates: Points drawn for each proposal, of which the best is taken.

    Raises:
        SpecError: If a hyper-parameter is out of its range.

    Reference:
        J. Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011;
        Optuna's `TPESampler`, multivariate.
    """

    def __init__(
        self,
        space: DesignSpace,
        seed: int = 0,
        *,
        opening: int = 32,
        generation: int = 8,
        candidates: int = 24,
    ) -> None:
        check_at_least(1, candidates, "candidates")
        sampler = optuna.samplers.TPESampler(
            seed=_seed(seed),
            multivariate=True,
            n_startup_trials=1,
            n_ei_candidates=candidates,
        )
        super().__init__(
            space, seed, sampler=sampler, opening=opening, generation=generation
        )

    @override
    def scores(self, trial: Trial) -> list[float]:
        return [trial.score]


class NonDominatedSorting(OptunaAgent):
    """NSGA-II: keeps the trials that no other one beats in everything, and breeds them.

    Args:
        space: Where to look.
        seed: From which all random numbers are drawn.
        population: Points of a generation.
        objectives: Names of built-in objectives, separated by commas; the study's own
            objective alone, if left out.

    Raises:
        SpecError: If a hyper-parameter is out of its range, or a trial lacks a metric
            that an objective reads.
        UnknownNameError: If there is no such objective.

    Reference:
        K. Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II",
        IEEE Transactions on Evolutionary Computation 6(2), 2002; Optuna's
        `NSGAIISampler`.
    """

    def __init__(
        self,
        space: DesignSpace,
        seed: int = 0,
        *,
        population: int = 32,
        objectives: str = "",
    ) -> None:
        check_at_least(2, population, "population")
        self._objectives = _objectives(objectives)
        sampler = optuna.samplers.NSGAIISampler(
            population_size=population, seed=_seed(seed)
        )
        super().__init__(
            space,
            seed,
            sampler=sampler,
            opening=population,
            generation=population,
            scores=max(1, len(self._objectives)),
        )

    @override
    def scores(self, trial: Trial) -> list[float]:
        if not self._objectives:
            return [trial.score]
        return [score_of(trial.evaluation, sought) for sought in self._objectives]


def _objectives(names: str) -> tuple[Objective, ...]:
    return tuple(objective_named(name.strip()) for name in names.split(",") if name)


def _seed(seed: int) -> int:
    if seed < 0:
        raise SpecError(f"a seed must not be negative, but is {seed}")
    return seed % 2**32


def _distribution(
    space: DesignSpace, gene: int
) -> "optuna.distributions.BaseDistribution":
    radix = int(space.radices[gene])
    if space.gene_table[gene].ordinal:
        return optuna.distributions.IntDistribution(0, radix - 1)
    return optuna.distributions.CategoricalDistribution(range(radix))
