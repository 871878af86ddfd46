"""Agent: whoever chooses where to look next, and the table of the built-in ones."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.errors import SpecError, UnknownNameError
from cosmic.registry import Registry
from cosmic.search.trial import Trial

HyperParameter = bool | int | float | str


class Agent(Protocol):
    """Chooses where to look next. Sees points and trials, never a simulator.

    An agent asks for feasible points only, and draws every random number from the
    seed that it was made with: one seed, one sequence of points. It may be told
    trials that it did not ask for, and trials that are all infeasible.
    """

    def ask(self, count: int) -> Sequence[DesignPoint]:
        """Choose `count` points to try, or fewer; none at all ends the study."""
        ...

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn from trials, which may be ones that the agent did not ask for."""
        ...


class AgentFactory(Protocol):
    """Makes an agent of a space and a seed.

    Further arguments are the hyper-parameters of the agent; each has a default. One
    that has an attribute `learns` that is false makes agents that learn nothing: what
    they ask for does not depend on what they are told.
    """

    def __call__(self, space: DesignSpace, seed: int = 0) -> Agent:
        """Make an agent that has not asked yet."""
        ...


AGENTS: Registry[AgentFactory] = Registry(
    "agent",
    {
        "annealing": "cosmic.search.agents.annealing:SimulatedAnnealing",
        "ant_colony": "cosmic.search.agents.ant_colony:AntColony",
        "bayesian": "cosmic.search.agents.bayesian:BayesianOptimization",
        "cma_es": "cosmic.search.agents.cma_es:CovarianceAdaptation",
        "exhaustive": "cosmic.search.agents.exhaustive:Exhaustive",
        "genetic": "cosmic.search.agents.genetic:GeneticAlgorithm",
        "nsga2": "cosmic.search.agents.optuna_agent:NonDominatedSorting",
        "policy_gradient": "cosmic.search.agents.policy_gradient:PolicyGradient",
        "random": "cosmic.search.agents.random_search:RandomSearch",
        "tpe": "cosmic.search.agents.optuna_agent:TreeParzen",
    },
    "cosmic.agents",
)


def hyper_parameters(name: str) -> dict[str, HyperParameter]:
    """The hyper-parameters of an agent, each with its default.

    >>> hyper_parameters("random")
    {}

    Raises:
        UnknownNameError: If no agent has that name.
    """
    arguments = inspect.signature(AGENTS.get(name)).parameters.values()
    return {
        a.name: a.default
        for a in arguments
        if a.name not in ("space", "seed") and a.kind is not a.VAR_KEYWORD
    }


def learns(name: str) -> bool:
    """Whether what an agent asks for depends on the trials that it is told.

    >>> learns("random"), learns("genetic")
    (False, True)

    Raises:
        UnknownNameError: If no agent has that name.
    """
    return bool(getattr(AGENTS.get(name), "learns", True))


def make_agent(
    name: str,
    space: DesignSpace,
    seed: int = 0,
    values: Mapping[str, HyperParameter] | None = None,
) -> Agent:
    """Make an agent by name, with some of its hyper-parameters set.

    Args:
        name: A name in `AGENTS`.
        space: Where the agent may look.
        seed: From which all its random numbers are drawn.
        values: Hyper-parameters that differ from their defaults.

    Raises:
        UnknownNameError: If no agent, or no hyper-parameter of it, has that name.
        SpecError: If a hyper-parameter cannot have that value.
    """
    known = hyper_parameters(name)
    given = dict(values or {})
    for key, value in given.items():
        if key not in known:
            raise UnknownNameError(f"hyper-parameter of agent {name!r}", key, known)
        _check_type(f"{key} of agent {name!r}", value, known[key])
    factory: Callable[..., Agent] = AGENTS.get(name)  # the names are checked above
    return factory(space, seed, **given)


def _check_type(what: str, value: HyperParameter, default: HyperParameter) -> None:
    """Refuse a value of another type than the default; an integer is a number too."""
    wanted = (int, float) if type(default) is float else (type(default),)
    if type(value) not in wanted:
        raise SpecError(f"{what} must be {wanted[-1].__name__}, not {value!r}")
