"""What design points are made of, each part built when it is first met, and kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cosmic.compute.device import Device
from cosmic.design.parameter import Stack
from cosmic.errors import ConsistencyError
from cosmic.evaluation.configuration import (
    NETWORK,
    Settings,
    build_device,
    build_dimension,
    build_workload,
    values_by_dimension,
)
from cosmic.evaluation.network_cost import block_cost
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.setting import SETTINGS
from cosmic.network.dimension import Dimension
from cosmic.simulation.flat_graph import flat_graph
from cosmic.simulation.step_timer import StepTimer
from cosmic.trace.execution_graph import ExecutionGraph, total_flops
from cosmic.units import Bytes, BytesPerSecond, Dollars, Flops, Seconds
from cosmic.workload.lowering import lower
from cosmic.workload.memory import MemoryFootprint, memory_footprint
from cosmic.workload.workload import Workload

_GRAPHS_KEPT = 4096
_LINKS_KEPT = 65536
_OF_DEVICE = (
    "peak_flops",
    "memory_bandwidth",
    "memory_capacity",
    "peak_fp8",
    "peak_tf32",
    "peak_fp32",
)
_OF_SPLIT = tuple(
    name
    for name, setting in SETTINGS.items()
    if setting.stack is Stack.WORKLOAD and name != "placement"
)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A workload, and what is known of it on any machine.

    Attributes:
        workload: What is computed, and how it is split.
        memory: Bytes that the fullest device holds.
        tokens: Of one step.
        model_flops: Operations that the model needs in a step.
        computes: Duration of each compute node of its graph, by device.
    """

    workload: Workload
    memory: Bytes
    tokens: int
    model_flops: Flops
    computes: dict[Device, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """What is known of a dimension of the network.

    Attributes:
        dimension: What it was built from.
        size: Devices along it.
        wiring: The timer's number of its wiring.
        link_bandwidth: Of one link.
        latency: Of one link.
        bandwidth: What one device can send into it.
        block: Price of one instance; None where it has none.
    """

    dimension: Dimension
    size: int
    wiring: int
    link_bandwidth: BytesPerSecond
    latency: Seconds
    bandwidth: BytesPerSecond
    block: Dollars | None


class KnownParts:
    """The parts of a scenario's points.

    Args:
        scenario: What points mean.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.timer = StepTimer()
        self.held = dict(scenario.settings)
        searched = {p.name for p in scenario.space.parameter_set.parameters}
        self._of_split = tuple(name for name in _OF_SPLIT if name in searched)
        self._of_device = tuple(name for name in _OF_DEVICE if name in searched)
        self._footprints: dict[Workload, MemoryFootprint] = {}
        self._graphs: dict[Workload, tuple[ExecutionGraph, Flops]] = {}
        self._splits: dict[tuple[object, ...], Split] = {}
        self._of_workload: dict[Workload, Split] = {}
        self._links: dict[tuple[object, ...], Link] = {}
        self._devices: dict[tuple[object, ...], Device] = {}

    def footprint(self, workload: Workload) -> MemoryFootprint:
        """What a workload's devices hold."""
        if workload not in self._footprints:
            self._footprints[workload] = memory_footprint(workload)
        return self._footprints[workload]

    def graph(self, workload: Workload) -> tuple[ExecutionGraph, Flops]:
        """The workload's graph and what all devices compute; the latest are kept."""
        if workload not in self._graphs:
            if len(self._graphs) >= _GRAPHS_KEPT:
                self._graphs.pop(next(iter(self._graphs)))
            graph = lower(workload)
            self._graphs[workload] = graph, total_flops(graph)
        return self._graphs[workload]

    def split(self, settings: Settings, devices: int) -> Split:
        """The workload of some settings, on so many devices.

        Raises:
            SpecError: A value is out of its range, or values do not fit together.
        """
        key = devices, *[settings.get(name) for name in self._of_split]
        if key not in self._splits:
            scenario = self.scenario
            workload = build_workload(scenario.model, scenario.batch, settings)
            if workload not in self._of_workload:
                self._of_workload[workload] = Split(
                    workload=workload,
                    memory=self.footprint(workload).total,
                    tokens=workload.batch * workload.model.sequence,
                    model_flops=workload.model_flops,
                )
            self._splits[key] = self._of_workload[workload]
        return self._splits[key]

    def device(self, settings: Settings) -> Device:
        """The device of some settings.

        Raises:
            SpecError: A value is out of its range.
        """
        key = tuple([settings.get(name) for name in self._of_device])
        if key not in self._devices:
            self._devices[key] = build_device(settings)
        return self._devices[key]

    def computes(self, split: Split, device: Device) -> NDArray[np.float64]:
        """How long each compute node of a workload takes on a device."""
        if device not in split.computes:
            nodes = flat_graph(self.graph(split.workload)[0]).computes
            times = self.scenario.cost_model.times(nodes, device)
            split.computes[device] = times
        return split.computes[device]

    def links(self, settings: Settings) -> Sequence[Link]:
        """The dimensions of the network of some settings, innermost first.

        Raises:
            SpecError: A value is out of its range.
            ValueError: Values per dimension differ in length.
        """
        columns = [values_by_dimension(settings, name) for name in NETWORK]
        count = len(columns[0])
        rows = zip(range(count), *columns, strict=True)
        return [self._link(count, row) for row in rows]

    def _link(self, count: int, row: tuple[object, ...]) -> Link:
        key = count, *row
        found = self._links.get(key)
        if found is None:
            if len(self._links) >= _LINKS_KEPT:
                self._links.clear()
            found = self._links[key] = self._build_link(count, *row)  # type: ignore[arg-type]
        return found

    def _build_link(self, count: int, index: int, *row: object) -> Link:
        dimension = build_dimension(index, *row)  # type: ignore[arg-type]
        try:
            level = self.scenario.prices.level(index, count)
            block = block_cost(index, dimension, level)
        except ConsistencyError:
            block = None
        if dimension.size == 1:
            block = 0.0
        return Link(
            dimension=dimension,
            size=dimension.size,
            wiring=self.timer.number(dimension.wiring),
            link_bandwidth=dimension.link_bandwidth,
            latency=dimension.latency,
            bandwidth=dimension.bandwidth,
            block=block,
        )
