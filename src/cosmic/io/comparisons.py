"""Comparisons of many searches: what their files ask for, one search at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from cosmic.errors import SpecError, UnknownNameError
from cosmic.evaluation.objective import objective_named
from cosmic.evaluation.scenario import Scenario
from cosmic.io.presets import PresetKind
from cosmic.io.spec_error import located
from cosmic.io.spec_files import read_spec
from cosmic.io.specs import load_scenario
from cosmic.io.study_schemas import AgentGridSpec, ComparisonSpec
from cosmic.search.agent import AGENTS, HyperParameter, hyper_parameters

Options = tuple[tuple[str, HyperParameter], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Searches of every scenario, objective, scope, agent and seed.

    Attributes:
        name: The preset's or the file's.
        folder: Where relative paths of scenarios begin.
        scenarios: What is searched.
        objectives: What is sought.
        scopes: Which stacks, the widest last.
        agents: Who searches: names with hyper-parameters.
        trials: Designs that each search may try.
        seeds: From which the agents draw.
        batch: Designs asked for at a time.
    """

    name: str
    folder: Path
    scenarios: tuple[str, ...]
    objectives: tuple[str, ...]
    scopes: tuple[str, ...]
    agents: tuple[tuple[str, Options], ...]
    trials: int
    seeds: tuple[int, ...]
    batch: int

    def only(self, words: Sequence[str]) -> "Comparison":
        """Those scenarios whose name begins with, or has, one of the words.

        Raises:
            SpecError: None has.
        """
        left = tuple(name for name in self.scenarios if any(w in name for w in words))
        if not left:
            raise SpecError(
                f"no scenario of {self.name} is of {', '.join(words)}; there are "
                f"{', '.join(self.scenarios)}"
            )
        return replace(self, scenarios=left)

    def scenario(self, name: str) -> Scenario:
        """One of its scenarios.

        Raises:
            SpecError: It cannot be read or says what cannot be right.
        """
        return load_scenario(name, self.folder)


def load_comparison(
    reference: str | Path, folder: Path | None = None, *, quick: bool = False
) -> Comparison:
    """The comparison of a preset or a file.

    Args:
        reference: Name of a preset, or path of a YAML file.
        folder: Where relative paths begin; the working folder, if left out.
        quick: Whether to give what its file leaves of it for a trial.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path, spec = read_spec(PresetKind.COMPARISON, reference, folder)
    assert isinstance(spec, ComparisonSpec)
    with located(path.name, ("agents",)):
        agents = tuple(each for agent in spec.agents for each in _agents(agent))
    with located(path.name, ("objectives",)):
        for name in spec.objectives:
            objective_named(name)
    whole = Comparison(
        name=path.stem,
        folder=path.parent,
        scenarios=tuple(dict.fromkeys(spec.scenarios)),
        objectives=tuple(dict.fromkeys(spec.objectives)),
        scopes=tuple(dict.fromkeys(spec.scopes)),
        agents=agents,
        trials=spec.trials,
        seeds=tuple(dict.fromkeys(spec.seeds)),
        batch=spec.batch,
    )
    return _quick(whole, spec, path.name) if quick else whole


def check_comparison(path: Path) -> Comparison:
    """Read a comparison with every scenario that it names, and look for its scopes.

    Raises:
        SpecError: Something in it cannot be right.
    """
    found = load_comparison(path)
    with located(path.name, ("scenarios",)):
        for name in found.scenarios:
            scenario = found.scenario(name)
            for scope in found.scopes:
                if scope not in scenario.scopes:
                    raise UnknownNameError("scope", scope, scenario.scopes)
    return found


def _quick(whole: Comparison, spec: ComparisonSpec, file: str) -> Comparison:
    if spec.quick is None:
        raise SpecError(f"{file}: does not say what is left of it when it is quick")
    with located(file, ("quick", "scenarios")):
        for name in spec.quick.scenarios:
            if name not in whole.scenarios:
                raise UnknownNameError("scenario", name, whole.scenarios)
    return replace(
        whole,
        scenarios=tuple(spec.quick.scenarios),
        trials=spec.quick.trials,
        seeds=tuple(spec.quick.seeds),
    )


def _agents(spec: AgentGridSpec) -> Iterator[tuple[str, Options]]:
    """An agent with every combination of its options."""
    AGENTS.get(spec.name)
    known = hyper_parameters(spec.name)
    for name in spec.options:
        if name not in known:
            raise UnknownNameError(f"option of agent {spec.name!r}", name, known)
    values = [v if isinstance(v, list) else [v] for v in spec.options.values()]
    for combination in product(*values):
        yield spec.name, tuple(zip(spec.options, combination, strict=True))
