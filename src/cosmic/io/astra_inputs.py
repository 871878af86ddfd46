"""A system as ASTRA-sim's input files, and what of it these cannot say.

Bandwidths are those of one link, in units of 2**30 bytes a second, latencies are
nanoseconds, peaks are units of 1e12 operations and memory bandwidths of 1e9 bytes a
second, as ASTRA-sim reads them. Dimensions of one device are left out, and dimensions
stand in the order in which device ids count through them.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from cosmic.collective.policy import MultiDimensional
from cosmic.errors import ConsistencyError
from cosmic.network.wiring import Shape
from cosmic.system.system import System
from cosmic.trace.node import CollectiveKind

SHAPES = {
    Shape.RING: "Ring",
    Shape.FULLY_CONNECTED: "FullyConnected",
    Shape.SWITCH: "Switch",
    Shape.MESH: "Ring",
    Shape.HYPERCUBE: "FullyConnected",
}
"""The network that stands for each shape; the last two stand for something else."""

ALGORITHMS = {
    "ring": "ring",
    "direct": "direct",
    "halvingDoubling": "halvingDoubling",
    "doubleBinaryTree": "doubleBinaryTree",
    "bidirectionalRing": "ring",
    "inNetwork": "direct",
    "nvls": "direct",
}
"""The algorithm that stands for each; the last three stand for something else."""

_IMPLEMENTATIONS = {
    CollectiveKind.ALL_REDUCE: "all-reduce-implementation",
    CollectiveKind.ALL_GATHER: "all-gather-implementation",
    CollectiveKind.REDUCE_SCATTER: "reduce-scatter-implementation",
    CollectiveKind.ALL_TO_ALL: "all-to-all-implementation",
}


def write_inputs(
    system: System, groups: Mapping[str, tuple[int, ...]], folder: Path
) -> None:
    """Write what ASTRA-sim takes beside traces into a folder.

    These are `network.yml`, `system.json`, `comm_group.json` and `memory.json`.

    Raises:
        ConsistencyError: An algorithm is none of those that come with this package.
        OSError: A file cannot be written.
    """
    documents = {
        "system.json": system_document(system),
        "comm_group.json": {name: list(members) for name, members in groups.items()},
        "memory.json": {"memory-type": "NO_MEMORY_EXPANSION"},
    }
    for name, document in documents.items():
        text = json.dumps(document, indent=None if name == "comm_group.json" else 2)
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
    (folder / "network.yml").write_text(network_text(system), encoding="utf-8")


def network_text(system: System) -> str:
    """The network file."""
    dimensions = [
        system.cluster.topology.dimensions[d] for d in dimension_order(system)
    ]
    columns: dict[str, list[object]] = {
        "topology": [SHAPES[dimension.shape] for dimension in dimensions],
        "npus_count": [dimension.size for dimension in dimensions],
        "bandwidth": [dimension.link_bandwidth / 2**30 for dimension in dimensions],
        "latency": [_decimal(dimension.latency * 1e9) for dimension in dimensions],
    }
    units = {
        "bandwidth": "  # of a link, in 2**30 B/s",
        "latency": "  # of a link, in ns",
    }
    lines = [
        f"{name}: [ {', '.join(map(str, column))} ]{units.get(name, '')}\n"
        for name, column in columns.items()
    ]
    return "".join(lines)


def system_document(system: System) -> dict[str, object]:
    """The system file.

    Raises:
        ConsistencyError: An algorithm is none of those that come with this package.
    """
    policy, device = system.policy, system.cluster.device
    baseline = policy.multi_dimensional is MultiDimensional.BASELINE
    return {
        "scheduling-policy": policy.scheduling.value,
        "endpoint-delay": max(1, round(policy.endpoint_delay * 1e9)),
        "active-chunks-per-dimension": 1,
        "preferred-dataset-splits": policy.chunks,
        **{
            key: _implementation(system, kind) for kind, key in _IMPLEMENTATIONS.items()
        },
        "collective-optimization": "baseline" if baseline else "localBWAware",
        "local-mem-bw": _decimal(device.memory_bandwidth / 1e9),
        "boost-mode": 0,
        "roofline-enabled": 1,
        "peak-perf": _decimal(device.peak_flops / 1e12),
    }


def dimension_order(system: System) -> list[int]:
    """The dimensions of more than one device, as device ids count through them."""
    topology = system.cluster.topology
    order = system.placement.order(topology)
    return [d for d in order if topology.dimensions[d].size > 1]


def _implementation(system: System, kind: CollectiveKind) -> list[str]:
    names = [system.policy.algorithm(kind, d) for d in dimension_order(system)]
    return [_algorithm(name) for name in names]


def _algorithm(name: str) -> str:
    if re.fullmatch(r"direct\d+", name):
        return name
    if name not in ALGORITHMS:
        raise ConsistencyError(
            f"ASTRA-sim has nothing like the collective algorithm {name!r}"
        )
    return ALGORITHMS[name]


def _decimal(value: float) -> float:
    """A number without what scaling it added behind its fifteenth digit."""
    return float(f"{value:.15g}")
