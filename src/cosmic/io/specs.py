"""Spec files and presets to the objects that they describe."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cosmic.collective.algorithm import ALGORITHMS
from cosmic.compute.cost_model import COST_MODELS, CostModel
from cosmic.compute.device import Device
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import PointValue, Stack
from cosmic.errors import SpecError
from cosmic.evaluation.configuration import build_topology, tensor_degree
from cosmic.evaluation.network_cost import PAPER_PRICES, LevelPrices, NetworkPrices
from cosmic.evaluation.objective import objective_named
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.setting import DEFAULTS
from cosmic.io.parameter_sets import build_parameter_set
from cosmic.io.presets import PresetKind, find_spec_file
from cosmic.io.schemas import (
    CollectiveSpec,
    DeviceSpec,
    DimensionSpec,
    ModelSpec,
    ParameterSetSpec,
    ScenarioSpec,
    StudySpec,
    SystemSpec,
)
from cosmic.io.spec_error import located, show_value, spec_error
from cosmic.io.spec_models import SpecModel, validate
from cosmic.io.yaml_reader import read_yaml
from cosmic.network.dimension import Shape, links_per_device
from cosmic.search.agent import HyperParameter
from cosmic.workload.model import FeedForward, TransformerModel

_SCHEMAS: Mapping[PresetKind, type[SpecModel]] = {
    PresetKind.MODEL: ModelSpec,
    PresetKind.DEVICE: DeviceSpec,
    PresetKind.SYSTEM: SystemSpec,
    PresetKind.PARAMETER_SET: ParameterSetSpec,
    PresetKind.SCENARIO: ScenarioSpec,
    PresetKind.STUDY: StudySpec,
}
_ALGORITHMS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")


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
    path, spec = _read(PresetKind.SCENARIO, reference, folder)
    assert isinstance(spec, ScenarioSpec)
    return _scenario(path, spec)


def load_study(reference: str | Path, folder: Path | None = None) -> StudyPlan:
    """The study of a preset or a file, ready to run.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path, spec = _read(PresetKind.STUDY, reference, folder)
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


def load_model(reference: str | Path, folder: Path | None = None) -> TransformerModel:
    """The model of a preset or a file.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path, spec = _read(PresetKind.MODEL, reference, folder)
    assert isinstance(spec, ModelSpec)
    with located(path.name):
        return TransformerModel(
            layers=spec.layers,
            hidden=spec.hidden,
            heads=spec.heads,
            key_value_heads=spec.key_value_heads or spec.heads,
            head_dim=spec.head_dim or _head_dim(spec),
            feed_forward=spec.feed_forward,
            feed_forward_kind=FeedForward(spec.feed_forward_kind),
            sequence=spec.sequence,
            vocabulary=spec.vocabulary,
            tied_embeddings=spec.tied_embeddings,
            learned_positions=spec.learned_positions,
        )


def load_system(
    reference: str | Path, folder: Path | None = None
) -> dict[str, PointValue]:
    """The settings of a machine: network, device and collectives, by name.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path, spec = _read(PresetKind.SYSTEM, reference, folder)
    assert isinstance(spec, SystemSpec)
    settings: dict[str, PointValue] = dict(_network(path, spec.dimensions))
    settings |= _device(path, spec.device)
    settings |= _collective(path, spec.collective, len(spec.dimensions))
    with located(path.name, ("dimensions",)):
        build_topology(settings)
    return settings


def check_spec(reference: str | Path, folder: Path | None = None) -> str:
    """Read a spec of any kind with all that it refers to, and say what kind it is.

    Raises:
        SpecError: Something in it cannot be right.
    """
    path = (folder or Path()) / reference
    kind = spec_kind(path)
    match kind:
        case PresetKind.SCENARIO:
            load_scenario(path)
        case PresetKind.STUDY:
            load_study(path)
        case PresetKind.MODEL:
            load_model(path)
        case PresetKind.SYSTEM:
            load_system(path)
        case PresetKind.DEVICE:
            _load_device(path, None)
        case _:
            _read(kind, path, None)
    return kind.noun


def spec_kind(path: Path) -> PresetKind:
    """What a file says that it describes.

    Raises:
        SpecError: It cannot be read, or does not say.
    """
    document = read_yaml(path)
    kinds = {kind.noun.replace(" ", "_"): kind for kind in PresetKind}
    given = document.get("kind") if isinstance(document, dict) else None
    if not isinstance(given, str) or given not in kinds:
        allowed = ", ".join(sorted(kinds))
        message = f"kind says what the file is: {allowed}; got {show_value(given)}"
        raise spec_error(path.name, message, ("kind",))
    return kinds[given]


def _read(
    kind: PresetKind, reference: str | Path, folder: Path | None
) -> tuple[Path, SpecModel]:
    path = find_spec_file(kind, str(reference), folder or Path())
    return path, validate(_SCHEMAS[kind], read_yaml(path), path.name)


def _scenario(path: Path, spec: ScenarioSpec) -> Scenario:
    with located(path.name, ("model",)):
        model = load_model(spec.model, path.parent)
    with located(path.name, ("system",)):
        settings = load_system(spec.system, path.parent)
    settings |= _given(spec.workload)
    if {"weight_sharding", "weight_sharded"} <= settings.keys():
        with located(path.name, ("workload",)):
            raise SpecError("give weight_sharding or weight_sharded, not both")
    with located(path.name, ("objective",)):
        objective = objective_named(spec.objective)
    with located(path.name, ("parameter_set",)):
        found = _read(PresetKind.PARAMETER_SET, spec.parameter_set, path.parent)
    set_path, set_spec = found
    assert isinstance(set_spec, ParameterSetSpec)
    dimensions = len(_vector(settings["npus_count"]))
    complete = {**DEFAULTS, **settings}
    chosen = set_spec.parameters.keys() | set_spec.derived.keys()
    held = {name: value for name, value in complete.items() if name not in chosen}
    constants = {**held, **_constants(model, spec.batch, settings)}
    parameter_set = build_parameter_set(set_path, set_spec, dimensions, constants)
    with located(path.name, ("workload",)):
        complete.setdefault("tp", tensor_degree(complete))
        names = [parameter.name for parameter in parameter_set.parameters]
        missing = [name for name in names if name not in complete]
        if missing:
            raise SpecError(f"the baseline does not say what {missing[0]} is")
    with located(path.name, ("parameter_set",)):
        space = DesignSpace(parameter_set, {name: complete[name] for name in names})
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
    )
    with located(path.name, ("objective",)):
        return scenario.seeking(objective)


def _constants(
    model: TransformerModel, batch: int, settings: Mapping[str, PointValue]
) -> dict[str, int]:
    """Names that the formulas of a parameter set may use."""
    npus = 1
    for size in _vector(settings["npus_count"]):
        npus *= int(size)
    return {
        "npus": npus,
        "batch": batch,
        "layers": model.layers,
        "hidden": model.hidden,
        "heads": model.heads,
        "key_value_heads": model.key_value_heads,
        "feed_forward": model.feed_forward,
        "sequence": model.sequence,
        "vocabulary": model.vocabulary,
    }


def _head_dim(spec: ModelSpec) -> int:
    if spec.hidden % spec.heads:
        raise SpecError(
            f"{spec.heads} heads do not divide hidden = {spec.hidden}; give head_dim"
        )
    return spec.hidden // spec.heads


def _network(
    path: Path, dimensions: tuple[DimensionSpec, ...]
) -> dict[str, PointValue]:
    bandwidth = []
    for index, dimension in enumerate(dimensions):
        with located(path.name, ("dimensions", index)):
            bandwidth.append(_device_bandwidth(dimension))
    return {
        "topology": tuple(d.topology for d in dimensions),
        "npus_count": tuple(d.npus_count for d in dimensions),
        "bandwidth": tuple(bandwidth),
        "latency": tuple(d.latency for d in dimensions),
    }


def _device_bandwidth(dimension: DimensionSpec) -> float:
    match dimension.bandwidth, dimension.link_bandwidth:
        case float() as bandwidth, None:
            return bandwidth
        case None, float() as link:
            return link * links_per_device(
                Shape(dimension.topology), dimension.npus_count
            )
        case _:
            raise SpecError(
                "give bandwidth (of a device's links together) or link_bandwidth, "
                "one of the two"
            )


def _device(path: Path, device: str | DeviceSpec) -> dict[str, PointValue]:
    with located(path.name, ("device",)):
        if isinstance(device, str):
            return _load_device(device, path.parent)
        return _device_settings(device)


def _load_device(reference: str | Path, folder: Path | None) -> dict[str, PointValue]:
    path, spec = _read(PresetKind.DEVICE, reference, folder)
    assert isinstance(spec, DeviceSpec)
    with located(path.name):
        return _device_settings(spec)


def _device_settings(spec: DeviceSpec) -> dict[str, PointValue]:
    device = Device(
        peak_flops=spec.peak_flops,
        memory_bandwidth=spec.memory_bandwidth,
        memory_capacity=spec.memory_capacity,
    )
    return asdict(device)


def _collective(
    path: Path, spec: CollectiveSpec, dimensions: int
) -> dict[str, PointValue]:
    given = _given(spec)
    common = given.pop("algorithms", None)
    for kind in _ALGORITHMS:
        name = f"{kind}_algorithm"
        with located(path.name, ("collective",)):
            names = given.get(name, common)
            if names is None:
                raise SpecError(f"give algorithms for all kinds, or {name}")
            count = len(_vector(names))
            if count != dimensions:
                raise SpecError(
                    f"{name}: {count} algorithms for {dimensions} dimensions"
                )
            for algorithm in _vector(names):
                ALGORITHMS.get(str(algorithm))
        given[name] = names
    return given


def _given(spec: SpecModel) -> dict[str, PointValue]:
    """What a file says, without what it leaves out."""
    values = spec.model_dump(exclude_none=True)
    return {name: value for name, value in values.items() if name != "kind"}


def _cost_model(path: Path, spec: ScenarioSpec) -> CostModel:
    with located(path.name, ("cost_model",)):
        return COST_MODELS.get(spec.cost_model)()


def _prices(spec: ScenarioSpec) -> NetworkPrices:
    if spec.network_prices is None:
        return PAPER_PRICES
    return NetworkPrices(
        tuple(LevelPrices(**level.model_dump()) for level in spec.network_prices)
    )


def _vector(value: PointValue) -> tuple[bool | int | float | str, ...]:
    return value if isinstance(value, tuple) else (value,)
