"""What makes ASTRA-sim's times of an exported design differ from ours.

Each sentence is about the design at hand: what cannot be written in ASTRA-sim's files,
and where the two count in different ways.
"""

from collections.abc import Iterator

from cosmic.collective.policy import MultiDimensional, SchedulingPolicy
from cosmic.io.astra_inputs import ALGORITHMS, SHAPES, dimension_order
from cosmic.network.dimension import Dimension
from cosmic.network.wiring import Shape
from cosmic.system.device_order import Placement
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.trace.node import CollectiveKind

_LOCAL_DELAY = 10e-9  # what ASTRA-sim takes for the endpoint delay of a group


def differences(graph: ExecutionGraph, system: System) -> tuple[str, ...]:
    """One sentence for each thing in which ASTRA-sim differs for a design."""
    return (
        *_always(graph),
        *_of_network(system),
        *_of_algorithms(system),
        *_of_policy(system),
        *_of_groups(graph, system),
    )


def _always(graph: ExecutionGraph) -> Iterator[str]:
    yield (
        "The traces begin with the first forward, which a step as cosmic counts it "
        "leaves out, and end with the update and the forward after it: a step is the "
        "finish time of the last stage less the end of its first forward."
    )
    yield (
        "A device of ASTRA-sim has one collective or send under way at a time, and the "
        "one with the lowest node id goes first; here collectives overlap in different "
        "dimensions, and sends go beside them."
    )
    yield "Times are whole nanoseconds there, each rounded down; here they are not."
    if graph.pipeline.size > 1:
        yield (
            "A send takes no endpoint delay there, and crosses only the first "
            "dimension in which its ends differ."
        )


def _of_network(system: System) -> Iterator[str]:
    topology = system.cluster.topology
    for index in dimension_order(system):
        dimension = topology.dimensions[index]
        shape = dimension.shape.value
        if SHAPES[dimension.shape] != shape:
            yield (
                f"Dimension {index} is a {shape}; ASTRA-sim has none, and a "
                f"{SHAPES[dimension.shape]} with the same links stands for it."
            )
        if dimension.oversubscription != 1 or dimension.asymmetry != 1:
            yield (
                f"Dimension {index} is oversubscribed or asymmetric; ASTRA-sim gives "
                "every link its full bandwidth both ways."
            )
        names = {system.policy.algorithm(kind, index) for kind in CollectiveKind}
        for name in sorted(names):
            if _contends(dimension, name):
                yield (
                    f"In dimension {index} {name} sends several messages over a link "
                    "at once; ASTRA-sim's congestion-unaware network gives each the "
                    "whole link."
                )
    if system.placement is not Placement.INNER_FIRST:
        yield (
            f"Device ids count through the dimensions {system.placement.value}; they "
            "stand in that order in the network file, and collectives take them so."
        )


def _contends(dimension: Dimension, algorithm: str) -> bool:
    """Whether messages of one step share a link."""
    if not algorithm.startswith("direct") or algorithm == "direct1":
        return False
    return dimension.size > 2 and dimension.shape is not Shape.FULLY_CONNECTED


def _of_algorithms(system: System) -> Iterator[str]:
    seen = {
        system.policy.algorithm(kind, index)
        for kind in CollectiveKind
        for index in dimension_order(system)
    }
    for name in sorted(seen):
        stands = ALGORITHMS.get(name, name)
        if stands != name:
            yield f"ASTRA-sim has no {name}; {stands} stands for it."
    if "doubleBinaryTree" in seen:
        yield (
            "doubleBinaryTree carries out a whole all-reduce there, whatever was asked "
            "for, and needs a power of two of devices."
        )
    if "halvingDoubling" in seen:
        yield (
            "halvingDoubling needs a power of two of devices there, has no all-to-all, "
            "and does not charge the last sum of a reduce-scatter."
        )


def _of_policy(system: System) -> Iterator[str]:
    policy = system.policy
    if policy.multi_dimensional is MultiDimensional.THEMIS:
        yield "ASTRA-sim has no way to Themis; localBWAware stands for it."
    if policy.scheduling is SchedulingPolicy.LIFO:
        yield "LIFO changes nothing there: no collectives wait for each other."
    if policy.active_chunks > 1:
        yield (
            "Chunks that a dimension serves at once each get its whole bandwidth "
            "there, so one at a time is written."
        )
    if policy.protocols:
        yield "Protocols, with their launch and step delays, are left out."
    delay = policy.endpoint_delay * 1e9
    if round(delay) != delay or delay < 1:
        yield (
            f"The endpoint delay of {delay:g} ns is written as "
            f"{max(1, round(delay))} ns: ASTRA-sim takes whole ones, and stops at 0."
        )


def _of_groups(graph: ExecutionGraph, system: System) -> Iterator[str]:
    if any(group.flat and group.size == graph.devices for group in graph.groups):
        yield "The ring of keys and values is a plain all-gather there."
    smaller = [g.name for g in graph.groups if 1 < g.size < graph.devices]
    if not smaller:
        return
    several = len(dimension_order(system)) > 1
    forced = ", ring is its algorithm whatever is configured" if several else ""
    yield (
        f"A group of some devices ({', '.join(smaller)}) is one flat ring there"
        f"{forced}, and its messages cross only the first dimension in which their "
        "ends differ."
    )
    if system.policy.endpoint_delay != _LOCAL_DELAY:
        yield "In such a group the endpoint delay is 10 ns, whatever is configured."
