"""Whether any workload of a search fits into memory, before anything is simulated."""

from collections.abc import Iterator, Mapping

from cosmic.cli.wording import split_text
from cosmic.design.parameter import PointValue, Stack
from cosmic.errors import ConsistencyError, SpecError
from cosmic.evaluation.scenario import Scenario
from cosmic.units import format_quantity
from cosmic.workload.memory import memory_footprint

_MOST = 20_000  # workloads to look at; a second or so


def check_some_design_fits(scenario: Scenario) -> None:
    """Refuse a search of which no design fits into memory.

    What a device must hold depends on the workload alone. Searches of very many
    workloads are not checked.

    Raises:
        ConsistencyError: None fits; says what the least is that one needs.
    """
    least: tuple[float, Mapping[str, PointValue]] | None = None
    count = 0
    for point in _workloads(scenario):
        try:
            configuration = scenario.configure(point)
        except SpecError:
            continue
        needed = memory_footprint(configuration.workload).total
        if needed <= _capacity(scenario, point):
            return
        count += 1
        if least is None or needed < least[0]:
            least = (needed, point)
    if least is not None:
        raise ConsistencyError(_none_fits(scenario, count, *least))


def _none_fits(
    scenario: Scenario, count: int, needed: float, point: Mapping[str, PointValue]
) -> str:
    capacity = _capacity(scenario, point)
    values = scenario.space.parameter_set.values(point)
    who = "the only workload" if count == 1 else f"any of the {count:,} workloads"
    return (
        f"{scenario.name}: no design fits into memory: a device has "
        f"{format_quantity(capacity, 'B')}, and the least that {who} of this search "
        f"needs is {format_quantity(needed, 'B')} ({split_text(values)})"
    )


def _workloads(scenario: Scenario) -> Iterator[Mapping[str, PointValue]]:
    """A point for each workload that is searched; none where there are too many."""
    searched = {name.partition("[")[0] for name in scenario.space.genes}
    parameters = scenario.space.parameter_set.on(Stack.WORKLOAD)
    if searched.isdisjoint(parameter.name for parameter in parameters):
        yield scenario.baseline
        return
    try:
        space = scenario.space.on(Stack.WORKLOAD)
    except ConsistencyError:
        return  # the baseline of the other stacks leaves none; they may leave some
    if space.count <= _MOST:
        yield from map(space.point, space.enumerate())


def _capacity(scenario: Scenario, point: Mapping[str, PointValue]) -> float:
    """The most memory that a device can have."""
    if "memory_capacity" not in point:
        return float(str(scenario.settings["memory_capacity"]))
    parameter = scenario.space.parameter_set.parameter("memory_capacity")
    if "memory_capacity" in scenario.space.genes:
        return max(float(choice) for choice in parameter.choices)
    return float(str(point["memory_capacity"]))
