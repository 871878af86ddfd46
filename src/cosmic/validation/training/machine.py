"""The machine of a training run: a system preset, as large as the run needs it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cosmic.collective.protocol import Protocol
from cosmic.design.parameter import PointValue
from cosmic.evaluation.configuration import build_topology
from cosmic.evaluation.setting import DEFAULTS
from cosmic.io.systems import load_system, load_system_library
from cosmic.units import GB, TB
from cosmic.validation.machines import (
    RACKS,
    NotEvaluatedError,
    bandwidth_of,
    preset_of,
)
from cosmic.validation.measurement import Hardware
from cosmic.validation.network_cards import device_bandwidth
from cosmic.validation.training.row import Machine

_CAPACITY = re.compile(r"(\d+)\s*GB(?!/s)")
_MEMORY = re.compile(r"([\d.]+)\s*TB/s")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMachine:
    """A system of ours, as large as a run needs it.

    Attributes:
        preset: The system's name.
        settings: Those of the system, with the run's sizes and bandwidths.
        protocols: Of its communication library.
        node: Devices that share the fastest links.
        assumed: What the source does not say.
    """

    preset: str
    settings: Mapping[str, PointValue]
    protocols: tuple[Protocol, ...]
    node: int
    assumed: tuple[str, ...]


def machine_for(said: Machine, devices: int) -> RunMachine:
    """The system that a run was on: whole nodes, or a part of one.

    Nodes of a rack share its links: the largest part of a rack that divides the run.
    Memory size and bandwidth that stand in the device's name hold.

    Raises:
        NotEvaluatedError: No preset describes it, or not at this size.
        SpecError: The system that the row names cannot be read.
    """
    preset = said.system or preset_of(
        Hardware(gpu=said.gpu, nic=said.nic, case=said.place)
    )
    settings, linked = load_system(preset), load_system_library(preset)
    whole = build_topology({**DEFAULTS, **settings}).dimensions
    if len(whole) != 2:
        raise NotEvaluatedError(f"system {preset} is not made of nodes")
    node = _node(said, devices, preset, whole[0].size)
    assumed = []
    network = device_bandwidth(said.nic, said.node or whole[0].size)
    if network is None:
        network = whole[1].bandwidth
        if devices > node:
            assumed.append(f"network of {preset}")
    bandwidth = bandwidth_of(whole[0], node), network
    return RunMachine(
        preset=preset,
        settings={
            **settings,
            "npus_count": (node, devices // node),
            "bandwidth": bandwidth,
            **_memory(said.gpu),
        },
        protocols=linked.protocols if linked else (),
        node=node,
        assumed=tuple(assumed),
    )


def _node(said: Machine, devices: int, preset: str, size: int) -> int:
    """Devices that share the fastest links, in this run."""
    if preset in RACKS:
        return max(n for n in range(1, size + 1) if devices % n == 0)
    node = min(said.node or size, devices)
    if node > size:
        raise NotEvaluatedError(f"system {preset} has no nodes of {node}")
    if devices % node:
        raise NotEvaluatedError(f"{devices} devices do not fill nodes of {node}")
    return node


def _memory(gpu: str) -> dict[str, PointValue]:
    """Memory that the device's name tells."""
    found: dict[str, PointValue] = {}
    if capacity := _CAPACITY.search(gpu):
        found["memory_capacity"] = float(capacity[1]) * GB
    if bandwidth := _MEMORY.search(gpu):
        found["memory_bandwidth"] = float(bandwidth[1]) * TB
    return found
