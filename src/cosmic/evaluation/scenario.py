"""What is held fixed while searching, and what a design point denotes within it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cosmic.collective.protocol import Protocol
from cosmic.compute.cost_model import CostModel, Roofline
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.errors import ConsistencyError, SpecError, UnknownNameError
from cosmic.evaluation.configuration import (
    Configuration,
    build_system,
    build_workload,
)
from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.network_cost import PAPER_PRICES, NetworkPrices
from cosmic.evaluation.objective import Objective
from cosmic.evaluation.priced_space import priced_space
from cosmic.evaluation.setting import DEFAULTS, FOLLOWING, SETTINGS
from cosmic.evaluation.system_cost import DevicePrices
from cosmic.workload.inference import Inference, Task
from cosmic.workload.model import TransformerModel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    """A model, a batch and a machine, and what may be chosen about them.

    Attributes:
        name: For people and logs.
        model: What is trained.
        batch: Sequences in a step.
        settings: A value for every setting that a parameter does not choose.
        space: What may be chosen; its baseline is the design to beat.
        objective: What is sought.
        scopes: Names for sets of stacks that are searched together.
        prices: What networks cost.
        cost_model: How long operators take.
        protocols: How the machine's communication library sends, innermost dimension
            first.
        asked: What is asked of the model; None for training.
        device_prices: What devices cost to buy; None if nobody says.
    """

    name: str
    model: TransformerModel
    batch: int
    settings: Mapping[str, PointValue]
    space: DesignSpace
    objective: Objective
    scopes: Mapping[str, tuple[Stack, ...]]
    prices: NetworkPrices = PAPER_PRICES
    cost_model: CostModel = Roofline()
    protocols: tuple[Protocol, ...] = ()
    asked: Inference | None = None
    device_prices: DevicePrices | None = None

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise SpecError(f"batch must be at least 1, not {self.batch}")
        for parameter in self.space.parameter_set.parameters:
            check_parameter(parameter)
        check_dimensions(self.space.parameter_set.parameters, self._lengths())
        for name in self.settings:
            if name not in SETTINGS:
                raise UnknownNameError("setting", name, SETTINGS)
        self._check_metrics()

    def _check_metrics(self) -> None:
        """What is sought or bounded can be told of this task."""
        if "system_cost" in self.counted and self.device_prices is None:
            raise ConsistencyError(
                "nothing says what devices cost, so system_cost is not known: give "
                "the scenario device_prices"
            )
        for name in self.counted:
            if name in METRICS and METRICS[name].of_experts and not self.model.experts:
                raise ConsistencyError(
                    f"{name} is told of models with experts, and this has none"
                )
            tasks = METRICS[name].tasks if name in METRICS else frozenset(Task)
            if self.task not in tasks:
                words = " or ".join(task.value for task in Task if task in tasks)
                raise ConsistencyError(
                    f"{name} is told of the task {words}, and this is {self.task.value}"
                )

    @property
    def counted(self) -> tuple[str, ...]:
        """Names of the metrics that are sought or bounded, each once."""
        bounded = [limit.metric for limit in self.space.parameter_set.limits]
        return tuple(dict.fromkeys((*self.objective.metrics, *bounded)))

    @property
    def needs_network_price(self) -> bool:
        """Whether a network without a price is no answer."""
        return not {"network_cost", "system_cost"}.isdisjoint(self.counted)

    @property
    def task(self) -> Task:
        """What is done."""
        return Task.TRAIN if self.asked is None else self.asked.task

    def _lengths(self) -> dict[str, int]:
        """For how many dimensions there is what is held."""
        held = self.settings.items()
        lengths = {name: len(value) for name, value in held if isinstance(value, tuple)}
        return lengths | {f"protocol {p.name!r}": p.dimensions for p in self.protocols}

    @property
    def baseline(self) -> DesignPoint:
        """The design that the scenario describes before anything is searched.

        Raises:
            SpecError: The scenario has none.
        """
        if self.space.baseline is None:
            raise SpecError(f"scenario {self.name!r} has no baseline")
        return self.space.baseline

    def configure(self, point: Mapping[str, PointValue]) -> Configuration:
        """The workload and the system that a point denotes.

        Args:
            point: A value for each parameter.

        Raises:
            SpecError: A value is out of its range.
            ConsistencyError: The values do not fit together.
        """
        settings = {**self.settings, **point}
        said = settings.keys() | DEFAULTS.keys() | FOLLOWING
        missing = [name for name in SETTINGS if name not in said]
        if missing:
            raise ConsistencyError(
                f"nothing says what {', '.join(missing)} should be: give the scenario "
                f"a system with it, or search it"
            )
        workload = build_workload(self.model, self.batch, settings, self.asked)
        system = build_system(settings, self.cost_model, self.protocols)
        price = settings.get("device_price")
        return Configuration(
            workload, system, None if price is None else float(str(price))
        )

    def on(self, *stacks: Stack) -> "Scenario":
        """The scenario with only these stacks searched.

        Raises:
            ConsistencyError: No point is feasible.
        """
        return replace(self, space=self.space.on(*stacks))

    def scope(self, name: str) -> "Scenario":
        """The scenario with only the stacks of a named scope searched.

        Raises:
            UnknownNameError: There is no such scope.
            ConsistencyError: No point is feasible.
        """
        if name not in self.scopes:
            raise UnknownNameError("scope", name, self.scopes)
        return self.on(*self.scopes[name])

    def seeking(self, objective: Objective) -> "Scenario":
        """The scenario with another objective.

        Where the network's price is sought or bounded, shapes that have none are not
        searched.

        Raises:
            ConsistencyError: No network that may be chosen has a price.
        """
        sought = replace(self, objective=objective)
        if not sought.needs_network_price:
            return sought
        return replace(sought, space=priced_space(self.space, self.prices))


def check_parameter(parameter: Parameter) -> None:
    """Check that a scenario knows what a parameter means.

    Raises:
        UnknownNameError: It does not.
        SpecError: It belongs to another stack, or is a vector where it should be none.
    """
    if parameter.name not in SETTINGS:
        raise UnknownNameError("parameter", parameter.name, SETTINGS)
    setting = SETTINGS[parameter.name]
    if parameter.stack is not setting.stack:
        raise SpecError(
            f"parameter {parameter.name!r} belongs to the {setting.stack.value} stack, "
            f"not to {parameter.stack.value}"
        )
    if setting.per_dimension != (parameter.length is not None):
        needs = "one value for each dimension" if setting.per_dimension else "one value"
        raise SpecError(f"parameter {parameter.name!r} has {needs}")
    for choice in parameter.choices:
        if setting.allowed and choice not in setting.allowed:
            allowed = ", ".join(str(value) for value in setting.allowed)
            raise SpecError(
                f"parameter {parameter.name!r} cannot be {choice!r}; allowed: {allowed}"
            )


def check_dimensions(
    parameters: Iterable[Parameter], lengths: Mapping[str, int]
) -> None:
    """Check that all that goes by dimension goes along with their number.

    Where `dimensions` is a parameter, vectors have that length, and what is held is
    there for the longest of them. Where it is none, nothing is to be checked.

    Args:
        parameters: What may be chosen.
        lengths: What is held for each dimension, and for how many of them.

    Raises:
        SpecError: A vector has another length.
        ConsistencyError: Something is held for too few dimensions.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    if "dimensions" not in by_name:
        return
    for parameter in by_name.values():
        if parameter.length is not None and parameter.dimensions != "dimensions":
            raise SpecError(
                f"parameter {parameter.name!r} must be as long as the parameter "
                f"'dimensions' says, not {parameter.dimensions}"
            )
    most = max(int(choice) for choice in by_name["dimensions"].choices)
    for name, length in lengths.items():
        if length < most:
            raise ConsistencyError(
                f"dimensions may be {most}, but {name} is held for {length}: search "
                f"{name} too, or begin with a system of {most} dimensions"
            )
