"""What a design point denotes: a workload and the system that it runs on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar, cast

from cosmic.collective.policy import (
    CollectivePolicy,
    MultiDimensional,
    SchedulingPolicy,
)
from cosmic.collective.protocol import Protocol
from cosmic.compute.cost_model import CostModel
from cosmic.compute.device import Device
from cosmic.design.parameter import PointValue, Value
from cosmic.errors import ConsistencyError, SpecError, UnknownNameError
from cosmic.evaluation.setting import AXIS_ORDERS, DEFAULTS
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape, links_per_device
from cosmic.system.cluster import Cluster
from cosmic.system.device_order import Placement
from cosmic.system.system import System
from cosmic.trace.execution_graph import Schedule
from cosmic.trace.precision import Precision
from cosmic.units import DollarsPerSecond
from cosmic.workload.inference import Inference
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import (
    Axis,
    Parallelism,
    Recompute,
    SequenceMethod,
)
from cosmic.workload.stage_layers import shared_out
from cosmic.workload.workload import Workload

Settings = Mapping[str, PointValue]
E = TypeVar("E", bound=Enum)

NETWORK = (
    "topology",
    "npus_count",
    "bandwidth",
    "latency",
    "oversubscription",
    "asymmetry",
)
"""Settings that have a value for each dimension, in the order of `build_dimension`."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A workload on a system.

    Attributes:
        workload: Stack 1.
        system: Stacks 2 to 4.
        device_price: Of one device for a second; None if nobody says.
    """

    workload: Workload
    system: System
    device_price: DollarsPerSecond | None = None


def build_system(
    settings: Settings, cost_model: CostModel, protocols: Sequence[Protocol] = ()
) -> System:
    """The system of some settings.

    Args:
        settings: What can be searched or held.
        cost_model: How long operators take.
        protocols: Ways to send, for at least as many dimensions as there are.

    Raises:
        SpecError: A value is out of its range.
        ConsistencyError: Values per dimension differ in length.
    """
    cluster = Cluster(build_device(settings), build_topology(settings))
    policy = replace(_policy(settings), protocols=_innermost(protocols, cluster))
    return System(
        cluster,
        policy,
        cost_model,
        placement=_member(Placement, settings, "placement"),
        flat_rings=bool(_value(settings, "flat_rings")),
    )


def build_device(settings: Settings) -> Device:
    """The device of some settings.

    Raises:
        SpecError: A value is out of its range.
    """
    return Device(
        peak_flops=_number(settings, "peak_flops"),
        memory_bandwidth=_number(settings, "memory_bandwidth"),
        memory_capacity=_number(settings, "memory_capacity"),
        **_further_peaks(settings),
    )


def _further_peaks(settings: Settings) -> dict[str, float]:
    """The peaks in formats of other than two bytes that somebody says."""
    names = ("peak_fp8", "peak_tf32", "peak_fp32")
    return {name: _number(settings, name) for name in names if name in settings}


def _innermost(protocols: Sequence[Protocol], cluster: Cluster) -> tuple[Protocol, ...]:
    """The protocols on the dimensions that there are."""
    dimensions = len(cluster.topology.dimensions)
    for protocol in protocols:
        if protocol.dimensions < dimensions:
            raise ConsistencyError(
                f"protocol {protocol.name!r} speaks of {protocol.dimensions} dimensions"
                f", but the network has {dimensions}"
            )
    return tuple(protocol.innermost(dimensions) for protocol in protocols)


def build_topology(settings: Settings) -> Topology:
    """The network of some settings; bandwidth is per device and spread over its links.

    Raises:
        SpecError: A value is out of its range.
        ConsistencyError: Values per dimension differ in length.
    """
    columns = [values_by_dimension(settings, name) for name in NETWORK]
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(
            f"{name} {len(column)}"
            for name, column in zip(NETWORK, columns, strict=True)
        )
        raise ConsistencyError(f"every dimension needs one value of each: {lengths}")
    rows = enumerate(zip(*columns, strict=True))
    return Topology(tuple(build_dimension(index, *row) for index, row in rows))


def values_by_dimension(settings: Settings, name: str) -> tuple[Value, ...]:
    """The values of a setting that has one for each dimension, innermost first.

    A single value is that of every dimension, be it said or the default. Where
    `dimensions` is said, the first values count, if there are more.

    Raises:
        ConsistencyError: There are fewer values than `dimensions` says.

    >>> settings = {"dimensions": 2, "latency": (1e-7, 2e-7, 1e-6), "npus_count": 8}
    >>> values_by_dimension(settings, "latency")
    (1e-07, 2e-07)
    >>> values_by_dimension(settings, "npus_count")
    (8, 8)
    """
    value = _value(settings, name)
    dimensions = settings.get("dimensions")
    if not isinstance(value, tuple):
        return (value,) * _dimensions(settings)
    if not isinstance(dimensions, int):
        return value
    if len(value) < dimensions:
        raise ConsistencyError(
            f"{name} has {len(value)} values, but the network has {dimensions} "
            f"dimensions; give one for each"
        )
    return value[:dimensions]


def _dimensions(settings: Settings) -> int:
    said, sizes = settings.get("dimensions"), settings["npus_count"]
    if isinstance(said, int):
        return said
    return len(sizes) if isinstance(sizes, tuple) else 1


def build_dimension(
    index: int, shape: Value, size: Value, *numbers: Value
) -> Dimension:
    """One dimension of the network.

    Args:
        index: Its place, for messages.
        shape: How its devices are joined.
        size: How many they are.
        numbers: Bandwidth of a device, latency, oversubscription and asymmetry.

    Raises:
        SpecError: A value is out of its range.
    """
    devices = int(size)
    bandwidth, latency, oversubscription, asymmetry = map(float, numbers)
    try:
        kind = _member(Shape, {"topology": shape}, "topology")
        return Dimension(
            shape=kind,
            size=devices,
            link_bandwidth=bandwidth / max(1, links_per_device(kind, devices)),
            latency=latency,
            oversubscription=oversubscription,
            asymmetry=asymmetry,
        )
    except SpecError as error:
        raise SpecError(f"dimension {index}: {error}") from error


def build_workload(
    model: TransformerModel,
    batch: int,
    settings: Settings,
    asked: Inference | None = None,
) -> Workload:
    """The workload of some settings; tp takes what the other degrees leave.

    Args:
        model: What is trained or asked.
        batch: Sequences in a step, or answered together.
        settings: How.
        asked: What is asked; None for training.

    Raises:
        SpecError: A value is out of its range.
        ConsistencyError: A degree does not divide what it splits, or a setting is not
            for this task.
    """
    if asked is None:
        micro_batch = _integer(settings, "micro_batch")
    else:
        micro_batch = _micro_batch(batch, settings)
    split = _parallelism(settings)
    ends = (_integer(settings, f"{end}_stage_layers") for end in ("first", "last"))
    return Workload(
        model=model,
        batch=batch,
        micro_batch=micro_batch,
        inference=_stored(asked, settings),
        parallelism=split,
        stage_layers=shared_out(model.layers, split, *ends),
        recompute=_member(Recompute, settings, "recompute"),
        recompute_layers=_integer(settings, "recompute_layers"),
        fused_attention=bool(_value(settings, "fused_attention")),
        schedule=_member(Schedule, settings, "schedule"),
        precision=_member(Precision, settings, "precision"),
        gradient_precision=_gradient_precision(settings),
        dropout=bool(_value(settings, "dropout")),
        logit_bytes=_integer(settings, "logit_bytes"),
    )


def _gradient_precision(settings: Settings) -> Precision | None:
    if _value(settings, "gradient_precision") == "auto":
        return None
    return _member(Precision, settings, "gradient_precision")


def _micro_batch(batch: int, settings: Settings) -> int:
    """Sequences of a replica that go through the pipeline together in inference."""
    if _integer(settings, "micro_batch") != 1:
        raise ConsistencyError(
            "micro_batch is for training; inference goes by micro_batches, the parts "
            "of a replica's batch"
        )
    replicas = _integer(settings, "dp")
    if batch % replicas:
        raise ConsistencyError(f"batch over data: {replicas} does not divide {batch}")
    own, parts = batch // replicas, _integer(settings, "micro_batches")
    if parts == 0:
        stages = _integer(settings, "pp")
        parts = next(n for n in range(min(stages, own), 0, -1) if own % n == 0)
    if own % parts:
        raise ConsistencyError(
            f"batch over data x micro_batches: {parts} does not divide {own}"
        )
    return own // parts


_OF_INFERENCE = ("micro_batches", "weight_bits", "cache_bits")
_OF_TRAINING = (
    "gradient_precision",
    "gradient_overlap",
    "prefetch",
    "dropout",
    "logit_bytes",
    "virtual_stages",
)


def _stored(asked: Inference | None, settings: Settings) -> Inference | None:
    """What is asked, with the formats of weights and cache."""
    for name in _OF_INFERENCE if asked is None else _OF_TRAINING:
        if _value(settings, name) != DEFAULTS[name]:
            kinds = ("inference", "training")
            this, other = kinds if asked is not None else kinds[::-1]
            raise ConsistencyError(f"{name} is for {other}, and this is {this}")
    if asked is None:
        return None
    return replace(
        asked,
        weight_bits=_integer(settings, "weight_bits"),
        cache_bits=_integer(settings, "cache_bits"),
    )


def tensor_degree(settings: Settings) -> int:
    """The tensor degree: given, or the devices over the other degrees.

    Raises:
        ConsistencyError: The degrees do not multiply to the devices.
    """
    sizes = values_by_dimension(settings, "npus_count")
    devices = math.prod(int(size) for size in sizes)
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
        sequence_method=_member(SequenceMethod, settings, "sequence_method"),
        tensor_sequence=bool(_value(settings, "tensor_sequence")),
        axis_order=_axis_order(str(_value(settings, "axis_order"))),
        sharding_group=_integer(settings, "sharding_group"),
        gradient_overlap=bool(_value(settings, "gradient_overlap")),
        prefetch=_integer(settings, "prefetch"),
        tensor_overlap=bool(_value(settings, "tensor_overlap")),
        virtual_stages=_integer(settings, "virtual_stages"),
        expert=_integer(settings, "ep"),
    )


def _axis_order(words: str) -> tuple[Axis, ...]:
    if words not in AXIS_ORDERS:
        raise UnknownNameError("order of axes", words, AXIS_ORDERS)
    return tuple(map(Axis, words.split("-")))


def _weight_sharding(settings: Settings) -> int:
    if "weight_sharded" in settings:
        return 3 if settings["weight_sharded"] else 0
    return _integer(settings, "weight_sharding")


def _policy(settings: Settings) -> CollectivePolicy:
    def algorithms(kind: str) -> tuple[str, ...]:
        names = values_by_dimension(settings, f"{kind}_algorithm")
        return tuple(str(name) for name in names)

    return CollectivePolicy(
        all_reduce=algorithms("all_reduce"),
        all_gather=algorithms("all_gather"),
        reduce_scatter=algorithms("reduce_scatter"),
        all_to_all=algorithms("all_to_all"),
        chunks=_integer(settings, "chunks"),
        scheduling=_member(SchedulingPolicy, settings, "scheduling_policy"),
        multi_dimensional=_member(MultiDimensional, settings, "multi_dim_optimization"),
        active_chunks=_integer(settings, "active_chunks"),
        endpoint_delay=_number(settings, "endpoint_delay"),
    )


def _integer(settings: Settings, name: str) -> int:
    return int(cast(int, _value(settings, name)))


def _number(settings: Settings, name: str) -> float:
    return float(cast(float, _value(settings, name)))


def _member(kind: type[E], settings: Settings, name: str) -> E:
    """What is said, or else the default, as a member of an enum."""
    value = _value(settings, name)
    try:
        return kind(value)
    except ValueError:
        known = [str(member.value) for member in kind]
        raise UnknownNameError(name, str(value), known) from None


def _value(settings: Settings, name: str) -> PointValue:
    """What is said, or else the default."""
    return settings[name] if name in settings else DEFAULTS[name]
