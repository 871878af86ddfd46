"""ASTRA-sim's input files: network, system, communicator groups, remote memory.

They are read as ASTRA-sim reads them: what it takes without a word is taken, such as
keys that it does not know, and what it would crash on is one line of error.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from cosmic.errors import SpecError, UnknownNameError, suggest
from cosmic.io.spec_error import located, show_value, spec_error
from cosmic.io.yaml_reader import Document, read_yaml
from cosmic.simulation.astra_sim.inputs import MemoryInput, MemoryKind
from cosmic.simulation.astra_sim.network_input import (
    Congestion,
    Joint,
    NetworkDimension,
    NetworkInput,
)
from cosmic.simulation.astra_sim.system_input import (
    Implementation,
    Optimization,
    SystemInput,
    parse_implementation,
)
from cosmic.trace.rank_trace import CommType

_MAX_BYTES = 100_000_000
_POLICIES = ("LIFO", "FIFO", "EXPLICIT")
_IMPLEMENTATIONS = {
    "all-reduce-implementation": CommType.ALL_REDUCE,
    "reduce-scatter-implementation": CommType.REDUCE_SCATTER,
    "all-gather-implementation": CommType.ALL_GATHER,
    "all-to-all-implementation": CommType.ALL_TO_ALL,
}
_CUSTOM = (
    *(f"{name}-custom" for name in _IMPLEMENTATIONS),
    "per-node-custom-implementation",
)
_SYSTEM_KEYS = {
    *_IMPLEMENTATIONS,
    "scheduling-policy",
    "collective-optimization",
    "local-reduction-delay",
    "active-chunks-per-dimension",
    "endpoint-delay",
    "model-shared-bus",
    "preferred-dataset-splits",
    "peak-perf",
    "local-mem-bw",
    "roofline-enabled",
    "trace-enabled",
    "replay-only",
    "track-local-mem",
    "local-mem-trace-filename",
    "boost-mode",
    *"LogG",
}
_T = TypeVar("_T")


def read_network(path: Path, congestion: Congestion) -> NetworkInput:
    """Read a network file, YAML.

    Raises:
        SpecError: It is no network, or one that the back end does not take.
    """
    return network_of(read_yaml(path), congestion, str(path))


def read_system(path: Path) -> tuple[SystemInput, tuple[str, ...]]:
    """Read a system file, JSON, and what there is to remark about it.

    Raises:
        SpecError: It is no system, or asks for what is not simulated here.
    """
    document = _mapping(_read_json(path), str(path))
    remarks = tuple(
        f"{path}: ASTRA-sim does not know {key!r}; {suggest(key, _SYSTEM_KEYS)}"
        for key in document
        if key not in _SYSTEM_KEYS and "did you" in suggest(key, _SYSTEM_KEYS)
    )
    return system_of(document, str(path)), remarks


def read_groups(path: Path) -> dict[int, tuple[int, ...]]:
    """Read a file of communicator groups, JSON: a number, and its ranks in order.

    Raises:
        SpecError: It is no such file.
    """
    return groups_of(_read_json(path), str(path))


def read_memory(path: Path) -> MemoryInput:
    """Read a remote memory file, JSON.

    Raises:
        SpecError: It is no such file.
    """
    return memory_of(_read_json(path), str(path))


def network_of(document: Document, congestion: Congestion, name: str) -> NetworkInput:
    """Take a network file apart; `name` leads the error's message.

    Raises:
        SpecError: It is no network, or one that the back end does not take.
    """
    content = _mapping(document, name)
    shapes = _list_of(content, "topology", name, _joint)
    columns = (
        _list_of(content, "npus_count", name, _integer_only),
        _list_of(content, "bandwidth", name, _real),
        _list_of(content, "latency", name, _real),
    )
    for key, column in zip(
        ("npus_count", "bandwidth", "latency"), columns, strict=True
    ):
        if len(column) != len(shapes):
            raise spec_error(
                name, f"{len(column)} values for {len(shapes)} dimensions", (key,)
            )
    dimensions = []
    for d, (shape, size, bandwidth, latency) in enumerate(
        zip(shapes, *columns, strict=True)
    ):
        with located(name, ("dimension", d)):
            dimensions.append(
                NetworkDimension(
                    joint=shape, size=size, bandwidth=bandwidth, latency=latency
                )
            )
    with located(name):
        return NetworkInput(dimensions=tuple(dimensions), congestion=congestion)


def system_of(document: Mapping[str, Document], name: str) -> SystemInput:
    """Take a system file apart; `name` leads the error's message.

    Raises:
        SpecError: It is no system, or asks for what is not simulated here.
    """
    _refuse_unsimulated(document, name)
    policy = _value(document, "scheduling-policy", name, _text, None)
    if policy is not None and policy not in _POLICIES:
        raise spec_error(
            name,
            str(UnknownNameError("policy", policy, _POLICIES)),
            _at("scheduling-policy"),
        )
    implementations = {
        kind: _list_of(document, key, name, _implementation)
        for key, kind in _IMPLEMENTATIONS.items()
        if key in document
    }
    values: dict[str, Any] = {
        field: _value(document, key, name, read, default)
        for field, (key, read, default) in _FIELDS.items()
    }
    with located(name):
        return SystemInput(
            implementations=implementations, scheduled=policy is not None, **values
        )


def groups_of(document: Document, name: str) -> dict[int, tuple[int, ...]]:
    """Take a group file apart; `name` leads the error's message.

    Raises:
        SpecError: It is no such file.
    """
    groups: dict[int, tuple[int, ...]] = {}
    content = _mapping(document, name)
    for key in content:
        if not key.strip().isdecimal() or int(key) < 1:
            raise spec_error(
                name, f"a group is a number from 1 on, not {show_value(key)}"
            )
        groups[int(key)] = _list_of(content, key, name, _integer)
    return groups


def memory_of(document: Document, name: str) -> MemoryInput:
    """Take a remote memory file apart; `name` leads the error's message.

    Raises:
        SpecError: It is no such file.
    """
    content = _mapping(document, name)
    kind = _value(content, "memory-type", name, _memory_kind, None)
    if kind is None:
        raise spec_error(name, "memory-type is not given: undefined in ASTRA-sim")
    with located(name):
        return MemoryInput(
            kind=kind,
            latency=_value(content, "remote-mem-latency", name, _integer, 0),
            bandwidth=_value(content, "remote-mem-bw", name, _integer, 0),
        )


def _read_json(path: Path) -> Document:
    try:
        content = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise spec_error(str(path), f"cannot be read: {reason.lower()}") from error
    if content is None:
        raise spec_error(str(path), f"larger than {_MAX_BYTES // 10**6} MB")
    try:
        document: Document = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise spec_error(str(path), f"not JSON: {error}") from error
    return document


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def _refuse_unsimulated(document: Mapping[str, Document], name: str) -> None:
    if _value(document, "model-shared-bus", name, _integer, 0) == 1:
        raise spec_error(
            name, "a shared bus is not simulated here", _at("model-shared-bus")
        )
    for key in _CUSTOM:
        if key in document:
            raise spec_error(
                name, "custom collectives are not simulated here", _at(key)
            )


def _mapping(document: Document, name: str) -> Mapping[str, Document]:
    if not isinstance(document, dict):
        raise spec_error(name, f"expected a mapping, got {show_value(document)}")
    return document


def _at(*place: str | int) -> tuple[str | int, ...]:
    return place


def _value(
    document: Mapping[str, Document],
    key: str,
    name: str,
    read: Callable[[Document], _T],
    default: _T,
) -> _T:
    if key not in document:
        return default
    with located(name, (key,)):
        return read(document[key])


def _list_of(
    document: Mapping[str, Document],
    key: str,
    name: str,
    read: Callable[[Document], _T],
) -> tuple[_T, ...]:
    values = document.get(key)
    if not isinstance(values, list):
        raise spec_error(name, f"expected a list, got {show_value(values)}", (key,))
    found = []
    for i, value in enumerate(values):
        with located(name, (key, i)):
            found.append(read(value))
    return tuple(found)


def _integer(value: Document) -> int:
    """A number, of which ASTRA-sim drops what follows the point."""
    if not isinstance(value, bool | int | float) or abs(value) >= 2**31:
        raise SpecError(f"expected a number, got {show_value(value)}")
    return int(value)


def _integer_only(value: Document) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
        raise SpecError(f"expected a whole number, got {show_value(value)}")
    return value


def _real(value: Document) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"expected a number, got {show_value(value)}")
    return float(value)


def _text(value: Document) -> str:
    if not isinstance(value, str):
        raise SpecError(f"expected text, got {show_value(value)}")
    return value


def _set(value: Document) -> bool:
    """Whether a switch is on: anything but the number 0, even `false`."""
    return isinstance(value, bool) or value != 0


def _joint(value: Document) -> Joint:
    text = _text(value)
    if text not in (known := [joint.value for joint in Joint]):
        raise UnknownNameError("topology", text, known)
    return Joint(text)


def _optimization(value: Document) -> Optimization | None:
    text = _text(value)
    if text not in (known := [kind.value for kind in Optimization]):
        raise UnknownNameError("collective optimization", text, known)
    return Optimization(text)


def _memory_kind(value: Document) -> MemoryKind | None:
    text = _text(value)
    if text not in (known := [kind.value for kind in MemoryKind]):
        raise UnknownNameError("memory type", text, known)
    return MemoryKind(text)


def _implementation(value: Document) -> Implementation:
    return parse_implementation(_text(value))


_FIELDS: dict[str, tuple[str, Callable[[Document], Any], Any]] = {
    "optimization": ("collective-optimization", _optimization, None),
    "splits": ("preferred-dataset-splits", _integer, None),
    "active_chunks": ("active-chunks-per-dimension", _integer, 1),
    "endpoint_delay": ("endpoint-delay", _integer, 10),
    "local_memory_bandwidth": ("local-mem-bw", _real, 0.0),
    "roofline": ("roofline-enabled", _set, False),
    "peak": ("peak-perf", _real, 0.0),
    "replay_only": ("replay-only", _set, False),
}
"""Fields of `SystemInput`: the key in the file, how it is read, and if it is absent."""
