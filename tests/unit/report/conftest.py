"""What the tests of reports share: a step small enough to be reckoned by hand."""

from dataclasses import replace

import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.timeline import Timeline, timeline
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import Block, ExecutionGraph, Group, Stage
from cosmic.trace.node import (
    CollectiveKind,
    CollectiveNode,
    ComputeNode,
    OperatorKind,
    Start,
    Token,
    Wait,
)


@pytest.fixture
def small_step() -> Timeline:
    """Two stages of 1 ms of work each way, 1 ms of exposed exchange forward.

    Work: 1e9 FLOPs at 1 TFLOP/s. Exchange: 2 devices gather 2 MB, so that each sends
    1 MB at 1 GB/s. Messages: 0.5 MB at 1 GB/s, half a millisecond.
    """
    work = ComputeNode(name="work", kind=OperatorKind.MATRIX, flops=1e9, nbytes=0.0)
    gather = CollectiveNode(
        name="gather", kind=CollectiveKind.ALL_GATHER, group="pair", nbytes=2e6
    )
    token = Token("gather")
    layer = Block(name="layer", instructions=(work, Start(gather, token), Wait(token)))
    back = Block(name="layer", instructions=(replace(work, name="work backward"),))
    ahead, behind = (layer,), (back,)
    stage = Stage(forward=ahead, backward=behind, last_backward=behind, update=ahead)
    graph = ExecutionGraph(
        devices=4,
        groups=(Group(name="pair", size=2, stride=1),),
        pipeline=Group(name="pipeline", size=2, stride=2),
        stages=(stage, stage),
        micro_batches=2,
        boundary_bytes=0.5e6,
    )
    dimensions = tuple(
        Dimension(shape=Shape.SWITCH, size=2, link_bandwidth=1e9, latency=0.0)
        for _ in range(2)
    )
    rings = ("ring", "ring")
    policy = CollectivePolicy(
        all_reduce=rings, all_gather=rings, reduce_scatter=rings, all_to_all=rings
    )
    device = Device(peak_flops=1e12, memory_bandwidth=1e30, memory_capacity=1e12)
    return timeline(graph, System(Cluster(device, Topology(dimensions)), policy))
