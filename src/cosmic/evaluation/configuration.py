"""What a design point denotes: a workload and the system that it runs on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from cosmic.collective.policy import (
    CollectivePolicy,
    MultiDimensional,
    SchedulingPolicy,
)
from cosmic.compute.cost_model import CostModel
from cosmic.compute.device import Device
from cosmic.design.parameter import PointValue
from cosmic.errors import ConsistencyError
from cosmic.network.dimension import Dimension, Shape, links_per_device
from cosmic.network.topology import Topology
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import Schedule
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute, SequenceMethod
from cosmic.workload.workload import Workload

Settings = Mapping[str, PointValue]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A workload on a system.

    Attributes:
        workload: Stack 1.
        system: Stacks 2 to 4.
    """

    workload: Workload
    system: System


def build_system(settings: Settings, cost_model: CostModel) -> System:
    """The system of some settings.

    Raises:
        SpecError: A value is out of its range.
        ConsistencyError: Values per dimension differ in length.
    """
    device = Device(
        peak_flops=_number(settings, "peak_flops"),
        memory_bandwidth=_number(settings, "memory_bandwidth"),
        memory_capacity=_number(settings, "memory_capacity"),
    )
    cluster = Cluster(device, build_topology(settings))
    return System(cluster, _policy(settings), cost_model)


def build_topology(settings: Settings) -> Topology:
    """The network of some settings; bandwidth is per device and spread over its links.

    Raises:
        SpecError: A value is out of its range.
        ConsistencyError: Values per dimension differ in length.
    """
    names = ("topology", "npus_count", "bandwidth", "latency")
    columns = [_vector(settings, name) for name in names]
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(
            f"{name} {len(column)}" for name, column in zip(names, columns, strict=True)
        )
        raise ConsistencyError(f"every dimension needs one value of each: {lengths}")
    return Topology(
        tuple(
            _dimension(str(shape), int(size), float(bandwidth), float(latency))
            for shape, size, bandwidth, latency in zip(*columns, strict=True)
        )
    )


def _dimension(shape: str, size: int, bandwidth: float, latency: float) -> Dimension:
    kind = Shape(shape)
    return Dimension(
        shape=kind,
        size=size,
        link_bandwidth=bandwidth / max(1, links_per_device(kind, size)),
        latency=latency,
    )


def build_workload(model: TransformerModel, batch: int, settings: Settings) -> Workload:
    """The workload of some settings; tp takes what the other degrees leave.

    Raises:
        SpecError: A value is out of its range.
        ConsistencyError: A degree does not divide what it splits.
    """
    return Workload(
        model=model,
        batch=batch,
        micro_batch=_integer(settings, "micro_batch"),
        parallelism=_parallelism(settings),
        recompute=Recompute(settings["recompute"]),
        fused_attention=bool(settings["fused_attention"]),
        schedule=Schedule(settings["schedule"]),
    )


def tensor_degree(settings: Settings) -> int:
    """The tensor degree: given, or the devices over the other degrees.

    Raises:
        ConsistencyError: The degrees do not multiply to the devices.
    """
    devices = math.prod(int(size) for size in _vector(settings, "npus_count"))
    others = [_integer(settings, name) for name in ("dp", "pp", "sp")]
    tensor = (
        _integer(settings, "tp") if "tp" in settings else devices // math.prod(others)
    )
    if tensor * math.prod(others) != devices:
        dp, pp, sp = others
        raise ConsistencyError(
            f"dp x pp x sp = {dp} x {pp} x {sp} = {math.prod(others)}"
            + (f", x tp = {tensor}" if "tp" in settings else "")
            + f", which does not make up {devices} devices"
        )
    return tensor


def _parallelism(settings: Settings) -> Parallelism:
    return Parallelism(
        tensor=tensor_degree(settings),
        sequence=_integer(settings, "sp"),
        data=_integer(settings, "dp"),
        pipeline=_integer(settings, "pp"),
        weight_sharding=_weight_sharding(settings),
        sequence_method=SequenceMethod(settings["sequence_method"]),
        tensor_sequence=bool(settings["tensor_sequence"]),
    )


def _weight_sharding(settings: Settings) -> int:
    if "weight_sharded" in settings:
        return 3 if settings["weight_sharded"] else 0
    return _integer(settings, "weight_sharding")


def _policy(settings: Settings) -> CollectivePolicy:
    def algorithms(kind: str) -> tuple[str, ...]:
        return tuple(str(name) for name in _vector(settings, f"{kind}_algorithm"))

    return CollectivePolicy(
        all_reduce=algorithms("all_reduce"),
        all_gather=algorithms("all_gather"),
        reduce_scatter=algorithms("reduce_scatter"),
        all_to_all=algorithms("all_to_all"),
        chunks=_integer(settings, "chunks"),
        scheduling=SchedulingPolicy(settings["scheduling_policy"]),
        multi_dimensional=MultiDimensional(settings["multi_dim_optimization"]),
        endpoint_delay=_number(settings, "endpoint_delay"),
    )


def _integer(settings: Settings, name: str) -> int:
    return int(cast(int, settings[name]))


def _number(settings: Settings, name: str) -> float:
    return float(cast(float, settings[name]))


def _vector(settings: Settings, name: str) -> tuple[bool | int | float | str, ...]:
    value = settings[name]
    return value if isinstance(value, tuple) else (value,)
