"""System and device files to the settings of a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import prod
from pathlib import Path

from cosmic.collective.algorithm import make_algorithm
from cosmic.compute.device import Device
from cosmic.design.parameter import PointValue, Value
from cosmic.errors import ConsistencyError, SpecError
from cosmic.evaluation.configuration import build_topology, values_by_dimension
from cosmic.evaluation.setting import DEFAULTS, MAX_DIMENSIONS
from cosmic.io.libraries import LinkedLibrary, system_library
from cosmic.io.presets import PresetKind
from cosmic.io.schemas import CollectiveSpec, DeviceSpec, DimensionSpec, SystemSpec
from cosmic.io.spec_error import located
from cosmic.io.spec_files import given_values, read_spec
from cosmic.network.wiring import Shape, links_per_device

_ALGORITHMS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")


def load_system(
    reference: str | Path, folder: Path | None = None
) -> dict[str, PointValue]:
    """The settings of a machine: network, device and collectives, by name.

    A torus becomes as many rings as it has sizes. All its links are alike, so that a
    bandwidth of all its links together is divided among them equally.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path, spec = read_spec(PresetKind.SYSTEM, reference, folder)
    assert isinstance(spec, SystemSpec)
    settings: dict[str, PointValue] = dict(_network(path, spec.dimensions))
    settings |= _device(path, spec.device)
    settings |= _collective(path, spec.collective, spec.dimensions)
    with located(path.name, ("dimensions",)):
        build_topology(settings)
    return settings


def resized(settings: Mapping[str, PointValue], devices: int) -> dict[str, PointValue]:
    """A machine with another number of devices: its outermost dimension changes.

    What one device can send, and all else, stays as it is.

    Raises:
        ConsistencyError: The inner dimensions, such as nodes, are not filled.

    >>> resized({"npus_count": (8, 16)}, 512)["npus_count"]
    (8, 64)
    """
    *inner, _ = values_by_dimension(settings, "npus_count")
    node = prod(map(int, inner))
    if devices % node:
        raise ConsistencyError(
            f"the system has {node} devices inside its outermost dimension, so that "
            f"there are {node}, {2 * node}, ... devices, not {devices}"
        )
    return {**settings, "npus_count": (*inner, devices // node)}


def load_system_library(
    reference: str | Path, folder: Path | None = None
) -> LinkedLibrary | None:
    """The communication library of a machine; None if it names none.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path, spec = read_spec(PresetKind.SYSTEM, reference, folder)
    assert isinstance(spec, SystemSpec)
    return system_library(path, spec)


def load_device(
    reference: str | Path, folder: Path | None = None
) -> dict[str, PointValue]:
    """The settings of an accelerator, by name.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path, spec = read_spec(PresetKind.DEVICE, reference, folder)
    assert isinstance(spec, DeviceSpec)
    with located(path.name):
        return _device_settings(spec)


def _network(path: Path, dimensions: Sequence[DimensionSpec]) -> dict[str, PointValue]:
    columns: dict[str, list[Value]] = {
        name: [] for name in ("topology", "npus_count", "bandwidth", "latency")
    }
    for index, dimension in enumerate(dimensions):
        with located(path.name, ("dimensions", index)):
            bandwidths = _device_bandwidths(dimension)
        columns["topology"] += [dimension.shape] * len(dimension.sizes)
        columns["npus_count"] += dimension.sizes
        columns["bandwidth"] += bandwidths
        columns["latency"] += [dimension.latency] * len(dimension.sizes)
    count = len(columns["topology"])
    if count > MAX_DIMENSIONS:
        with located(path.name, ("dimensions",)):
            raise SpecError(
                f"a network has at most {MAX_DIMENSIONS} dimensions, not {count}; "
                f"each size of a torus is one"
            )
    for name in ("oversubscription", "asymmetry"):
        if any(getattr(dimension, name) is not None for dimension in dimensions):
            columns[name] = _numbers(dimensions, name)
    return {name: tuple(values) for name, values in columns.items()}


def _numbers(dimensions: Sequence[DimensionSpec], name: str) -> list[Value]:
    """A plain number of each dimension, where at least one says what it is."""
    return [
        getattr(dimension, name) or float(str(DEFAULTS[name]))
        for dimension in dimensions
        for _ in dimension.sizes
    ]


def _device_bandwidths(dimension: DimensionSpec) -> list[float]:
    """What a device can send, in the dimension or in each ring of a torus."""
    shape, sizes = Shape(dimension.shape), dimension.sizes
    links = [links_per_device(shape, size) for size in sizes]
    match dimension.bandwidth, dimension.link_bandwidth:
        case float() as bandwidth, None if len(sizes) == 1:
            return [bandwidth]
        case float() as bandwidth, None:
            return [bandwidth * max(1, n) / max(1, sum(links)) for n in links]
        case None, float() as link:
            return [link * max(1, n) for n in links]
        case _:
            raise SpecError(
                "give bandwidth (of a device's links together) or link_bandwidth, "
                "one of the two"
            )


def _device(path: Path, device: str | DeviceSpec) -> dict[str, PointValue]:
    with located(path.name, ("device",)):
        if isinstance(device, str):
            return load_device(device, path.parent)
        return _device_settings(device)


def _device_settings(spec: DeviceSpec) -> dict[str, PointValue]:
    device = Device(
        peak_flops=spec.peak_flops,
        memory_bandwidth=spec.memory_bandwidth,
        memory_capacity=spec.memory_capacity,
        peak_fp8=spec.peak_fp8,
        peak_tf32=spec.peak_tf32,
        peak_fp32=spec.peak_fp32,
    )
    return {name: value for name, value in asdict(device).items() if value is not None}


def _collective(
    path: Path, spec: CollectiveSpec, dimensions: Sequence[DimensionSpec]
) -> dict[str, PointValue]:
    given = given_values(spec)
    given.pop("library", None)
    given.pop("algorithms", None)
    for kind in _ALGORITHMS:
        name = f"{kind}_algorithm"
        with located(path.name, ("collective",)):
            names = getattr(spec, name) or spec.algorithms
            if names is None:
                raise SpecError(f"give algorithms for all kinds, or {name}")
            given[name] = _by_dimension(name, names, dimensions)
    return given


def _by_dimension(
    name: str, algorithms: Sequence[str], dimensions: Sequence[DimensionSpec]
) -> tuple[str, ...]:
    """The algorithm of every dimension, a torus having one for all its rings."""
    if len(algorithms) != len(dimensions):
        torus = "; a torus counts as one" if any(d.torus for d in dimensions) else ""
        raise SpecError(
            f"{name}: {len(algorithms)} algorithms for {len(dimensions)} dimensions"
            f"{torus}"
        )
    for algorithm in algorithms:
        make_algorithm(algorithm)
    return tuple(
        algorithm
        for algorithm, dimension in zip(algorithms, dimensions, strict=True)
        for _ in dimension.sizes
    )
