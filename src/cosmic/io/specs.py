"""Spec files and presets to the objects that they describe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from cosmic.collective.protocol import Protocol
from cosmic.compute.cost_model import COST_MODELS, CostModel
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import PointValue, Stack, check_name
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import SpecError, UnknownNameError
from cosmic.evaluation.configuration import tensor_degree, values_by_dimension
from cosmic.evaluation.network_cost import PAPER_PRICES, LevelPrices, NetworkPrices
from cosmic.evaluation.objective import objective_named
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.setting import DEFAULTS, SETTINGS
from cosmic.evaluation.shared_scenario import Member, SharedScenario, share
from cosmic.evaluation.system_cost import DevicePrices
from cosmic.io.calibrations import CALIBRATED, calibrated_device, load_calibration
from cosmic.io.libraries import load_library
from cosmic.io.models import check_configuration, load_model
from cosmic.io.parameter_sets import build_parameter_set, limit
from cosmic.io.presets import PresetKind
from cosmic.io.schemas import ParameterSetSpec, ScenarioSpec
from cosmic.io.shared_schemas import SharedScenarioSpec
from cosmic.io.spec_error import located
from cosmic.io.spec_files import given_values, read_spec, scenario_kind, spec_kind
from cosmic.io.study_schemas import StudySpec
from cosmic.io.systems import (
    load_device,
    load_system,
    load_system_library,
    resized,
)
from cosmic.search.agent import HyperParameter
from cosmic.workload.inference import Inference, Task
from cosmic.workload.model import TransformerModel


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """What a study file asks for.

    Attributes:
        name: The preset's or the file's.
        whole: The scenario with all its parameters, seeking the objective.
        scenario: The same, narrowed to the scope.
        scope: The name of the scope; empty for everything.
        agent: Name of the agent.
        options: Its hyper-parameters that differ from their defaults.
        trials: How many trials.
        seed: From which the agent draws.
        batch: Points asked for at a time.
    """

    name: str
    whole: Scenario
    scenario: Scenario
    scope: str
    agent: str
    options: Mapping[str, HyperParameter]
    trials: int
    seed: int
    batch: int


def load_scenario(reference: str | Path, folder: Path | None = None) -> Scenario:
    """The scenario of a preset or a file.

    Args:
        reference: Name of a preset, or path of a YAML file.
        folder: Where relative paths begin; the working folder, if left out.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    kind = scenario_kind(str(reference), folder or Path())
    path, spec = read_spec(kind, reference, folder)
    if isinstance(spec, SharedScenarioSpec):
        return _shared(path, spec)
    assert isinstance(spec, ScenarioSpec)
    return _scenario(path, spec)


def _shared(path: Path, spec: SharedScenarioSpec) -> SharedScenario:
    for label in spec.weights:
        if label not in spec.members:
            with located(path.name, ("weights", label)):
                raise UnknownNameError("member", label, spec.members)
    members = []
    for label, reference in spec.members.items():
        with located(path.name, ("members", label)):
            check_name("member", label)
            scenario = load_scenario(reference, path.parent)
            if isinstance(scenario, SharedScenario):
                raise SpecError(f"{reference} has members itself; name them here")
        weight = spec.weights.get(label, 1.0)
        members.append(Member(label=label, scenario=scenario, weight=weight))
    with located(path.name, ("objective",)):
        objective = objective_named(spec.objective)
    with located(path.name, ("members",)):
        return share(path.stem, members, objective)


def load_study(reference: str | Path, folder: Path | None = None) -> StudyPlan:
    """The study of a preset or a file, ready to run.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path, spec = read_spec(PresetKind.STUDY, reference, folder)
    assert isinstance(spec, StudySpec)
    with located(path.name, ("scenario",)):
        whole = load_scenario(spec.scenario, path.parent)
    if spec.objective is not None:
        with located(path.name, ("objective",)):
            whole = whole.seeking(objective_named(spec.objective))
    scope = spec.scope or ""
    with located(path.name, ("scope",)):
        scenario = whole.scope(scope) if scope else whole
    return StudyPlan(
        name=path.stem,
        whole=whole,
        scenario=scenario,
        scope=scope,
        agent=spec.agent.name,
        options=spec.agent.options,
        trials=spec.trials,
        seed=spec.seed,
        batch=spec.batch,
    )


def check_spec(reference: str | Path, folder: Path | None = None) -> str:
    """Read a spec of any kind with all that it refers to, and say what kind it is.

    Raises:
        SpecError: Something in it cannot be right.
    """
    path = (folder or Path()) / reference
    if check_configuration(path):
        return "Hugging Face configuration"
    kind = spec_kind(path)
    if kind in _LOADERS:
        _LOADERS[kind](path)
    else:
        read_spec(kind, path, None)
    if kind is PresetKind.SYSTEM:
        load_system_library(path)
    return kind.noun


_LOADERS: Mapping[PresetKind, Callable[[Path], object]] = {
    PresetKind.SCENARIO: load_scenario,
    PresetKind.SHARED_SCENARIO: load_scenario,
    PresetKind.STUDY: load_study,
    PresetKind.MODEL: load_model,
    PresetKind.SYSTEM: load_system,
    PresetKind.LIBRARY: load_library,
    PresetKind.CALIBRATION: load_calibration,
    PresetKind.DEVICE: load_device,
}


def _scenario(path: Path, spec: ScenarioSpec) -> Scenario:
    with located(path.name, ("model",)):
        model = load_model(spec.model, path.parent, spec.sequence)
    settings, protocols = _system(path, spec)
    settings |= given_values(spec.workload)
    asked = _asked(path, spec)
    if {"weight_sharding", "weight_sharded"} <= settings.keys():
        with located(path.name, ("workload",)):
            raise SpecError("give weight_sharding or weight_sharded, not both")
    with located(path.name, ("objective",)):
        objective = objective_named(spec.objective)
    set_path, set_spec = _parameter_set(path, spec)
    complete = _complete(settings)
    chosen = set_spec.parameters.keys() | set_spec.derived.keys()
    held = {name: value for name, value in complete.items() if name not in chosen}
    constants = {**held, **_constants(model, spec.batch, settings), **_lengths(asked)}
    unsaid = {s.name for s in SETTINGS.values() if s.late} - settings.keys()
    dimensions = int(str(complete["dimensions"]))
    parameter_set = build_parameter_set(
        set_path, set_spec, dimensions, constants, unsaid
    )
    with located(path.name, ("workload",)):
        complete.setdefault("tp", tensor_degree(complete))
        names = [parameter.name for parameter in parameter_set.parameters]
        missing = [name for name in names if name not in complete]
        if missing:
            raise SpecError(f"the baseline does not say what {missing[0]} is")
    with located(path.name, ("parameter_set",)):
        space = DesignSpace(parameter_set, _baseline(parameter_set, complete))
    scenario = Scenario(
        name=path.stem,
        model=model,
        batch=spec.batch,
        settings={k: v for k, v in settings.items() if k not in names},
        space=space,
        objective=objective,
        scopes={
            name: tuple(Stack(stack) for stack in stacks)
            for name, stacks in set_spec.scopes.items()
        },
        prices=_prices(spec),
        cost_model=_cost_model(path, spec),
        protocols=protocols,
        asked=asked,
        device_prices=_device_prices(spec),
    )
    with located(path.name, ("objective",)):
        return scenario.seeking(objective)


def _asked(path: Path, spec: ScenarioSpec) -> Inference | None:
    """What a scenario asks of its model; None if it trains it."""
    task = Task(spec.task)
    needed = _NEEDED[task]
    with located(path.name):
        for name in ("prompt", "output", "context"):
            given = getattr(spec, name) is not None
            if given and name not in needed:
                raise SpecError(f"the task {task.value} has no {name}")
            if name in needed and not given:
                raise SpecError(f"the task {task.value} needs {name}, in tokens")
        if task is Task.TRAIN:
            return None
        return Inference(
            task=task,
            prompt=spec.prompt or spec.context or 1,
            output=spec.output or 1,
        )


_NEEDED: Mapping[Task, tuple[str, ...]] = {
    Task.TRAIN: (),
    Task.PREFILL: ("prompt",),
    Task.DECODE: ("context",),
    Task.SERVE: ("prompt", "output"),
}


def _lengths(asked: Inference | None) -> dict[str, int]:
    """Names that formulas may use of an inference."""
    return {} if asked is None else {"prompt": asked.prompt, "output": asked.output}


def _parameter_set(path: Path, spec: ScenarioSpec) -> tuple[Path, ParameterSetSpec]:
    """The file of the parameter set and what it says, with the scenario's limits."""
    with located(path.name, ("parameter_set",)):
        found = read_spec(PresetKind.PARAMETER_SET, spec.parameter_set, path.parent)
    set_path, set_spec = found
    assert isinstance(set_spec, ParameterSetSpec)
    for metric, most in spec.limits.items():
        with located(path.name, ("limits", metric)):
            limit(metric, most)
    both = {**set_spec.limits, **spec.limits}
    return set_path, set_spec.model_copy(update={"limits": both})


def _system(
    path: Path, spec: ScenarioSpec
) -> tuple[dict[str, PointValue], tuple[Protocol, ...]]:
    """The settings of a scenario's machine, and the protocols of its library."""
    with located(path.name, ("system",)):
        linked = load_system_library(spec.system, path.parent)
        settings = load_system(spec.system, path.parent)
    if spec.devices is not None:
        with located(path.name, ("devices",)):
            settings = resized(settings, spec.devices)
    if spec.device_price is not None:
        settings["device_price"] = spec.device_price
    return settings, linked.protocols if linked else ()


def _baseline(
    parameter_set: ParameterSet, settings: Mapping[str, PointValue]
) -> dict[str, PointValue]:
    """What a design space begins with, by the names of its parameters."""
    return {
        p.name: settings[p.name]
        if p.length is None
        else values_by_dimension(settings, p.name)
        for p in parameter_set.parameters
    }


def _complete(settings: Mapping[str, PointValue]) -> dict[str, PointValue]:
    """The settings of a baseline, with what nobody need say."""
    dimensions = len(values_by_dimension(settings, "npus_count"))
    return {**DEFAULTS, **settings, "dimensions": dimensions}


def _constants(
    model: TransformerModel, batch: int, settings: Mapping[str, PointValue]
) -> dict[str, int]:
    """Names that the formulas of a parameter set may use."""
    experts = model.experts
    of_experts = (
        {}
        if experts is None
        else {
            "experts": experts.experts,
            "expert_feed_forward": experts.feed_forward,
        }
    )
    return {
        **of_experts,
        "npus": prod(map(int, values_by_dimension(settings, "npus_count"))),
        "batch": batch,
        "layers": model.layers,
        "hidden": model.hidden,
        "heads": model.heads,
        "key_value_heads": model.key_value_heads,
        "feed_forward": model.feed_forward,
        "sequence": model.sequence,
        "vocabulary": model.vocabulary,
        **_expert_constants(model),
    }


def _expert_constants(model: TransformerModel) -> dict[str, int]:
    """Those of a model with a mixture of experts."""
    if model.experts is None:
        return {}
    mixture = model.experts
    return {"experts": mixture.experts, "expert_feed_forward": mixture.feed_forward}


def _cost_model(path: Path, spec: ScenarioSpec) -> CostModel:
    with located(path.name, ("cost_model",)):
        if spec.cost_model == CALIBRATED:
            return calibrated_device(
                spec.system, path.parent, sustained=spec.task == "train"
            )
        known = COST_MODELS.names()
        if spec.cost_model not in known:
            raise UnknownNameError("cost model", spec.cost_model, [CALIBRATED, *known])
        return COST_MODELS.get(spec.cost_model)()


def _prices(spec: ScenarioSpec) -> NetworkPrices:
    if spec.network_prices is None:
        return PAPER_PRICES
    return NetworkPrices(
        tuple(LevelPrices(**level.model_dump()) for level in spec.network_prices)
    )


def _device_prices(spec: ScenarioSpec) -> DevicePrices | None:
    given = spec.device_prices
    return None if given is None else DevicePrices(**given.model_dump())
