"""Which system of ours a measurement was taken on, told from its hardware."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cosmic.collective.protocol import Protocol
from cosmic.design.parameter import PointValue
from cosmic.errors import SpecError
from cosmic.evaluation.configuration import build_topology
from cosmic.evaluation.setting import DEFAULTS
from cosmic.io.libraries import LinkedLibrary
from cosmic.io.systems import load_system, load_system_library
from cosmic.network.dimension import Dimension
from cosmic.network.wiring import Shape, links_per_device
from cosmic.validation.measurement import Hardware, Setup
from cosmic.validation.network_cards import device_bandwidth

PRESETS: Sequence[tuple[str, str, str]] = (
    # the device, its machine or network, the system
    (r"pairwise", r"", "azure-nc-a100-v4"),
    (r"A100(?!.*PCIe)", r"EFA|p4d", "aws-p4de"),
    (r"A100(?!.*PCIe)", r"Jean Zay", "jean-zay-a100"),
    (r"A100(?!.*PCIe)", r"", "dgx-a100-superpod"),
    (r"\bH100(?!.*PCIe)", r"EFA|p5\b", "aws-p5"),
    (r"\bH100(?!.*PCIe)", r"a3-high", "gcp-a3-high"),
    (r"\bH100(?!.*PCIe)", r"a3-mega", "gcp-a3-mega"),
    (r"\bH100(?!.*PCIe)", r"", "dgx-h100-superpod"),
    (r"\bH200", r"EFA|p5en", "aws-p5en"),
    (r"\bH200", r"", "dgx-h200-superpod"),
    (r"\bH800", r"", "h800-nodes"),
    (r"\bGH200", r"", "alps-gh200"),
    (r"\bGB200", r"", "gb200-nvl72"),
    (r"\bGB300", r"", "gb300-nvl72"),
    (r"\bB300", r"", "dgx-b300-superpod"),
    (r"\bB200", r"EFA|p6-", "aws-p6-b200"),
    (r"\bB200", r"", "dgx-b200-superpod"),
    (r"V100", r"DGX-2|NVSwitch", "dgx-2"),
    (r"V100", r"EFA|p3dn", "aws-p3dn"),
    (r"V100", r"", "dgx-1-v100"),
    (r"L40S|PCIe Gen4", r"", "l40s-nodes"),
    (r"MI300X", r"", "mi300x-nodes"),
)
_NETWORK = "network"  # the kind of link between nodes
RACKS = ("gb200-nvl72", "gb300-nvl72")
"""Systems whose nodes share one NVLink domain."""


class NotEvaluatedError(SpecError):
    """Why a measurement cannot be compared with a prediction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A system of ours, as large as a measurement needs it.

    Attributes:
        preset: The system's name.
        settings: Those of the system, with `npus_count` and `bandwidth` for the size.
        linked: Its communication library; None if it has none.
        sizes: Devices of the system in each dimension.
        extents: Those of the measured group.
    """

    preset: str
    settings: Mapping[str, PointValue]
    linked: LinkedLibrary | None
    sizes: tuple[int, ...]
    extents: tuple[int, ...]

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """Those of its library."""
        return self.linked.protocols if self.linked else ()

    @property
    def ranks(self) -> int:
        """Devices that take part."""
        return math.prod(self.extents)


def machine_of(setup: Setup) -> Machine:
    """The system that something was measured on.

    A node is filled innermost dimension first. A source that does not say how many
    devices took part is taken to mean whole nodes, or the whole preset.

    Raises:
        NotEvaluatedError: No preset describes it, or not at this size.
        SpecError: The system that the row names cannot be read.
    """
    hardware = setup.hardware
    preset = hardware.system or preset_of(hardware)
    settings, linked = load_system(preset), load_system_library(preset)
    whole = build_topology({**DEFAULTS, **settings}).dimensions
    extents = _extents(setup, preset, whole, linked)
    bandwidth = [bandwidth_of(*pair) for pair in zip(whole, extents, strict=True)]
    said = device_bandwidth(hardware.nic, math.prod(d.size for d in whole[:-1]))
    if said is not None and len(whole) > 1:
        bandwidth[-1] = said
    sizes = tuple(
        extent if _idle_apart(dimension) else dimension.size
        for dimension, extent in zip(whole, extents, strict=True)
    )
    return Machine(
        preset=preset,
        settings={**settings, "npus_count": sizes, "bandwidth": tuple(bandwidth)},
        linked=linked,
        sizes=sizes,
        extents=extents,
    )


def preset_of(hardware: Hardware) -> str:
    """The system preset that describes some hardware.

    Raises:
        NotEvaluatedError: There is none.
    """
    place = f"{hardware.case} {hardware.nic}"
    for gpu, where, preset in PRESETS:
        if re.search(gpu, hardware.gpu, re.I) and re.search(where, place, re.I):
            return preset
    if not hardware.gpu:
        raise NotEvaluatedError("it does not say on what device")
    raise NotEvaluatedError(f"no preset describes the device {hardware.gpu!r}")


def _extents(
    setup: Setup,
    preset: str,
    whole: Sequence[Dimension],
    linked: LinkedLibrary | None,
) -> tuple[int, ...]:
    """Devices of the group in each dimension."""
    networked = linked is not None and linked.links[-1] == _NETWORK
    inner = [d.size for d in (whole[:-1] if networked else whole)]
    node = math.prod(inner)
    devices = node * whole[-1].size if networked else node
    ranks = setup.ranks or (node * setup.nodes if setup.nodes else devices)
    nodes = setup.nodes or math.ceil(ranks / node)
    if preset in RACKS:
        nodes = math.ceil(ranks / node)
    if ranks % nodes or (nodes > 1 and not networked):
        raise NotEvaluatedError(
            f"system {preset} cannot spread {ranks} devices over {nodes} nodes"
        )
    inside = _filled(ranks // nodes, inner)
    if inside is None:
        sizes = " x ".join(str(size) for size in inner)
        raise NotEvaluatedError(
            f"{ranks // nodes} devices do not fit a node of {sizes} in system {preset}"
        )
    return (*inside, nodes) if networked else inside


def _filled(devices: int, sizes: Sequence[int]) -> tuple[int, ...] | None:
    """Devices in each dimension, the innermost ones full; None if there is no way."""
    extents = []
    for size in sizes:
        extent = min(size, devices)
        if devices % extent:
            return None
        extents.append(extent)
        devices //= extent
    return tuple(extents) if devices == 1 else None


def _idle_apart(dimension: Dimension) -> bool:
    """Whether devices that take no part can be left out.

    Their ports and direct links lie idle; on a ring, the way leads through them.
    """
    return dimension.shape in (Shape.SWITCH, Shape.FULLY_CONNECTED)


def bandwidth_of(dimension: Dimension, extent: int) -> float:
    """What one device can send to those that take part."""
    if not _idle_apart(dimension):
        return dimension.bandwidth
    return dimension.link_bandwidth * max(1, links_per_device(dimension.shape, extent))
