"""A design runs alike here and, written out, by the semantics of ASTRA-sim.

Where the two mean the same: one collective after another, ring algorithms, groups that
are a whole dimension or all devices, or lie on links of their own. Amounts are powers
of two on links, memories and cores whose speeds are powers of two a nanosecond, so that
all times are whole nanoseconds and nothing is rounded down.
"""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import yaml

from cosmic.collective.policy import (
    CollectivePolicy,
    MultiDimensional,
    SchedulingPolicy,
)
from cosmic.compute.device import Device
from cosmic.io.astra_inputs import network_text, system_document
from cosmic.io.astra_sim import network_of, system_of
from cosmic.io.chakra_export import TraceExport
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.astra_sim.engine import run_traces
from cosmic.simulation.astra_sim.inputs import Inputs
from cosmic.simulation.astra_sim.network_input import Congestion
from cosmic.simulation.event_machine import play
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.trace.rank_trace import NodeKind
from cosmic.workload.lowering import lower
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.parallelism import Parallelism, SequenceMethod
from cosmic.workload.workload import Workload

SWITCH = Dimension(shape=Shape.SWITCH, size=8, link_bandwidth=64e9, latency=500e-9)
RING = Dimension(shape=Shape.RING, size=8, link_bandwidth=128e9, latency=200e-9)
FULL = Dimension(
    shape=Shape.FULLY_CONNECTED, size=8, link_bandwidth=32e9, latency=100e-9
)
TWO = (replace(RING, size=4), replace(SWITCH, size=2))
MODEL = TransformerModel(
    layers=2,
    hidden=2048,
    heads=16,
    key_value_heads=16,
    head_dim=128,
    feed_forward=8192,
    feed_forward_kind=FeedForward.GELU,
    sequence=1024,
    vocabulary=0,
)


def system(
    dimensions: tuple[Dimension, ...],
    chunks: int = 2,
    multi_dimensional: MultiDimensional = MultiDimensional.BASELINE,
    endpoint_delay: float = 10e-9,
) -> System:
    rings = ("ring",) * len(dimensions)
    policy = CollectivePolicy(
        all_reduce=rings,
        all_gather=rings,
        reduce_scatter=rings,
        all_to_all=rings,
        chunks=chunks,
        scheduling=SchedulingPolicy.FIFO,
        multi_dimensional=multi_dimensional,
        endpoint_delay=endpoint_delay,
    )
    device = Device(
        peak_flops=2**17 * 1e9, memory_bandwidth=2**9 * 1e9, memory_capacity=1e12
    )
    return System(Cluster(device, Topology(dimensions)), policy)


@dataclass(frozen=True)
class Ends:
    """When each device ends, in nanoseconds, here and there."""

    here: list[float]
    there: list[float]


def ends(graph: ExecutionGraph, machine: System) -> Ends:
    played = play(graph, machine)
    devices = range(graph.devices)
    export = TraceExport(graph, machine)
    inputs = Inputs(
        network=network_of(
            yaml.safe_load(network_text(machine)), Congestion.UNAWARE, "network"
        ),
        system=system_of(json.loads(json.dumps(system_document(machine))), "system"),
        groups={int(name): members for name, members in export.groups.items()},
    )
    traces = sorted(export.traces(), key=lambda trace: trace.rank)
    of_device = [played.expansion.of_device(device) for device in devices]
    return Ends(
        [1e9 * max(played.ends[place] for place in places) for places in of_device],
        run_traces(traces, inputs).finish.tolist(),
    )


def step(split: Parallelism, batch: int = 16) -> ExecutionGraph:
    return lower(Workload(model=MODEL, batch=batch, micro_batch=1, parallelism=split))


@pytest.mark.parametrize("dimension", [SWITCH, RING, FULL], ids=lambda d: d.shape.value)
@pytest.mark.parametrize("tensor_sequence", [False, True])
def test_tensor_parallel_steps_end_at_the_same_nanosecond(
    dimension: Dimension, tensor_sequence: bool
) -> None:
    split = Parallelism(tensor=8, tensor_sequence=tensor_sequence)
    found = ends(step(split), system((dimension,)))

    assert found.here == pytest.approx(found.there, abs=1e-3)  # sums of whole ns


@pytest.mark.parametrize("chunks", [1, 2, 4])
@pytest.mark.parametrize(
    "multi_dimensional", [MultiDimensional.BASELINE, MultiDimensional.LOCAL_BW_AWARE]
)
def test_chunks_pass_two_dimensions_alike(
    chunks: int, multi_dimensional: MultiDimensional
) -> None:
    machine = system(TWO, chunks, multi_dimensional)
    found = ends(step(Parallelism(tensor=8)), machine)

    assert found.here == pytest.approx(found.there, abs=1e-3)


def test_a_pipeline_hands_on_alike() -> None:
    machine = system((replace(SWITCH, size=2),), endpoint_delay=0.0)
    found = ends(step(Parallelism(pipeline=2), batch=4), machine)

    assert found.here == pytest.approx(found.there, abs=1e-3)


@pytest.mark.parametrize("dimension", [SWITCH, FULL], ids=lambda d: d.shape.value)
@pytest.mark.parametrize(
    "split",
    [
        Parallelism(data=8),
        Parallelism(data=8, weight_sharding=1),
        Parallelism(data=8, weight_sharding=3),
        Parallelism(sequence=8),
        Parallelism(tensor=4, data=2),
        Parallelism(tensor=2, sequence=2, data=2),
        Parallelism(data=8, weight_sharding=1, gradient_overlap=False),
        Parallelism(tensor=8, tensor_sequence=True, tensor_overlap=True),
    ],
    ids=[
        *("data", "sharded-1", "sharded-3", "sequence", "two-axes", "three-axes"),
        *("in-between", "tensor-overlap"),
    ],
)
def test_what_is_not_whole_is_rounded_down_there(
    dimension: Dimension, split: Parallelism
) -> None:
    """Of every operator, message and sum of a chunk, less than a nanosecond."""
    graph, machine = step(split), system((dimension,))
    found = ends(graph, machine)
    [trace, *_] = TraceExport(graph, machine).traces()
    kinds = trace.nodes["kind"]
    collectives = int((kinds == NodeKind.COLLECTIVE).sum())
    # A chunk has at most 14 messages and adds 7 times, each time 3 terms; bytes that
    # are no multiple of chunks and devices cost less than another 1 ns a message.
    terms = int((kinds == NodeKind.COMPUTE).sum()) + collectives * 2 * (2 * 14 + 7 * 3)
    late = np.array(found.here) - found.there

    assert (late > -1).all()
    assert (late < terms).all()
    assert (late / found.there < 1e-5).all()


def test_keys_and_values_go_round_alike() -> None:
    """Messages of the gradients, 8/7 of a slice, are no whole bytes there."""
    split = Parallelism(sequence=8, sequence_method=SequenceMethod.RING)
    found = ends(step(split), system((SWITCH,)))

    assert found.here == pytest.approx(found.there, rel=2e-5)
