"""All simulators round all durations to one grid."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.communication import routes, transfer_time
from cosmic.simulation.durations import Durations
from cosmic.simulation.event_driven import EventDrivenSimulator
from cosmic.simulation.flat_graph import flat_graph
from cosmic.simulation.flat_routes import flat_phases
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.testing.strategies import graphs, systems_of
from cosmic.trace.execution_graph import (
    Block,
    ExecutionGraph,
    Group,
    Program,
    Stage,
)
from cosmic.trace.node import (
    CollectiveKind,
    CollectiveNode,
    ComputeNode,
    OperatorKind,
    Start,
    Token,
    Wait,
)

every_time_alike = settings(derandomize=True, max_examples=25)


@every_time_alike
@given(data=st.data())
def test_durations_are_those_of_the_parts_but_for_rounding(
    data: st.DataObject,
) -> None:
    graph = data.draw(graphs())
    system = data.draw(systems_of(graph))
    flat, durations = flat_graph(graph), Durations.of(graph, system)
    computes = system.cost_model.times(flat.computes, system.cluster.device)
    found = tuple(
        routes(node, graph.group(node.group), system) for node in flat.collectives
    )
    phases = [phase.timed for row in found for phase in flat_phases(row)]
    pairs = list(pairwise(range(len(graph.stages))))
    if graph.chunks > 1:
        pairs.append((len(graph.stages) - 1, 0))
    onward, back = (
        [
            transfer_time(graph.pipeline, pair, graph.boundary_bytes, system)
            for pair in way
        ]
        for way in (pairs, [(there, here) for here, there in pairs])
    )

    # no duration of this strategy's steps is above 100 s
    assert durations.computes == pytest.approx(computes, rel=0, abs=1e-9)
    assert durations.routes == found
    assert durations.phase_seconds == pytest.approx(
        [phase.seconds for phase in phases], rel=0, abs=1e-9
    )
    assert durations.link_seconds == pytest.approx(
        [phase.link_seconds for phase in phases], rel=0, abs=1e-9
    )
    assert np.all(durations.link_seconds <= durations.phase_seconds)
    assert durations.onward == pytest.approx(onward, rel=0, abs=1e-9)
    assert durations.back == pytest.approx(back, rel=0, abs=1e-9)


@every_time_alike
@given(data=st.data())
def test_every_duration_is_so_many_ticks_that_sums_are_exact(
    data: st.DataObject,
) -> None:
    graph = data.draw(graphs())
    system = data.draw(systems_of(graph))
    durations = Durations.of(graph, system)
    step = EventDrivenSimulator().run(graph, system).makespan

    found = durations.computes, durations.phase_seconds, durations.link_seconds
    every = np.concatenate([*found, durations.onward, durations.back])
    smallest = min((tick_of(x) for x in every.tolist() if x), default=1.0)

    assert step / smallest <= 2.0**53


def tick_of(duration: float) -> float:
    """The largest power of two that a float is a multiple of."""
    numerator, denominator = duration.as_integer_ratio()
    return (numerator & -numerator) / denominator


def test_two_of_everything_by_hand() -> None:
    work = ComputeNode(name="work", kind=OperatorKind.MATRIX, flops=3.0, nbytes=8.0)
    node = CollectiveNode(
        name="gather", kind=CollectiveKind.ALL_GATHER, group="data", nbytes=6.0
    )
    body = (work, Start(node, Token("home")), Wait(Token("home")))
    program: Program = (Block(name="block", instructions=body),)
    stage = Stage(
        forward=program, backward=program, last_backward=program, update=program
    )
    graph = ExecutionGraph(
        devices=4,
        groups=(Group(name="data", size=2, stride=1),),
        pipeline=Group(name="pipeline", size=2, stride=2),
        stages=(stage, stage),
        micro_batches=1,
        boundary_bytes=5.0,
    )
    two = Dimension(shape=Shape.SWITCH, size=2, link_bandwidth=1.0, latency=0.5)
    direct = ("direct", "direct")
    system = System(
        Cluster(
            Device(peak_flops=2.0, memory_bandwidth=4.0, memory_capacity=1.0),
            Topology((two, two)),
        ),
        CollectivePolicy(
            all_reduce=direct,
            all_gather=direct,
            reduce_scatter=direct,
            all_to_all=direct,
            chunks=3,
        ),
    )

    durations = Durations.of(graph, system)

    assert durations.computes.tolist() == [2.0]  # 8 B at 4 B/s, longer than 3 / 2
    assert durations.phase_seconds.tolist() == [2.0]  # 2 links, half of 6 / 3 B
    assert durations.link_seconds.tolist() == [1.0]
    assert durations.onward.tolist() == [6.0]  # 2 links, 5 B
    assert durations.back.tolist() == [6.0]
