"""A graph as Chakra traces: what runs, what it waits for, how much it moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from typing_extensions import override

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.cost_model import CostModel, Roofline
from cosmic.compute.device import Device
from cosmic.io.chakra import rank_files, read_rank_trace
from cosmic.io.chakra_export import TraceExport
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.testing.strategies import graphs, systems_of
from cosmic.trace.execution_graph import Block, ExecutionGraph, Group, Program, Stage
from cosmic.trace.node import (
    CollectiveKind,
    CollectiveNode,
    ComputeNode,
    Instruction,
    OperatorKind,
    Start,
    Token,
    Wait,
)
from cosmic.trace.rank_trace import CommType, NodeKind, RankTrace


def compute(name: str, flops: float = 1e6, nbytes: float = 1e3) -> ComputeNode:
    return ComputeNode(name=name, kind=OperatorKind.MATRIX, flops=flops, nbytes=nbytes)


def start(kind: CollectiveKind, group: str, nbytes: float) -> Start:
    node = CollectiveNode(name=kind.value, kind=kind, group=group, nbytes=nbytes)
    return Start(node, Token("it"))


def system(
    devices: int, cost_model: CostModel | None = None, chunks: int = 1
) -> System:
    dimension = Dimension(
        shape=Shape.SWITCH, size=devices, link_bandwidth=1e9, latency=1e-6
    )
    device = Device(peak_flops=1e12, memory_bandwidth=1e9, memory_capacity=1e12)
    names = ("ring",)
    policy = CollectivePolicy(
        all_reduce=names,
        all_gather=names,
        reduce_scatter=names,
        all_to_all=names,
        chunks=chunks,
    )
    cluster = Cluster(device, Topology((dimension,)))
    return System(cluster, policy, cost_model or Roofline())


def graph(
    *instructions: Instruction, groups: tuple[Group, ...] = (), pipeline: int = 1
) -> ExecutionGraph:
    """Devices that run instructions in the update, and one computation before."""
    program: Program = (Block(name="it", instructions=instructions),)
    before: Program = (Block(name="before", instructions=(compute("before"),)),)
    devices = pipeline * max((group.reach for group in groups), default=1)
    stage = Stage(forward=before, backward=before, last_backward=before, update=program)
    return ExecutionGraph(
        devices=devices,
        groups=groups,
        pipeline=Group(name="pipeline", size=pipeline, stride=devices // pipeline),
        stages=(stage,) * pipeline,
        micro_batches=1,
        boundary_bytes=64.0,
    )


def waits(trace: RankTrace) -> dict[str, list[str]]:
    """What each node waits for, by name."""
    spans = zip(trace.offsets, trace.offsets[1:], strict=False)
    return {
        name: [trace.names[row] for row in trace.dependencies[a:b].tolist()]
        for name, (a, b) in zip(trace.names, spans, strict=True)
    }


ALL = Group(name="all", size=4, stride=1)


def test_what_waits_for_a_collective_depends_on_it() -> None:
    made = graph(
        compute("a"),
        start(CollectiveKind.ALL_REDUCE, "all", 1e3),
        compute("b"),
        Wait(Token("it")),
        compute("c"),
        groups=(ALL,),
    )
    [trace, *_] = TraceExport(made, system(4)).traces()

    found = waits(trace)
    assert found["all_reduce"] == ["a"]
    assert found["b"] == ["a"]  # beside the collective
    assert found["c"] == ["b", "all_reduce"]


@pytest.mark.parametrize(
    ("kind", "comm_type", "size"),
    [
        (CollectiveKind.ALL_REDUCE, CommType.ALL_REDUCE, 4096),
        (CollectiveKind.REDUCE_SCATTER, CommType.REDUCE_SCATTER, 4096),
        (CollectiveKind.ALL_TO_ALL, CommType.ALL_TO_ALL, 4096),
        (CollectiveKind.ALL_GATHER, CommType.ALL_GATHER, 1024),  # a quarter: its shard
    ],
)
def test_a_collective_counts_what_chakra_counts(
    kind: CollectiveKind, comm_type: CommType, size: int
) -> None:
    made = graph(start(kind, "all", 4096.0), Wait(Token("it")), groups=(ALL,))
    [trace, *_] = TraceExport(made, system(4)).traces()
    node = trace.nodes[trace.nodes["kind"] == NodeKind.COLLECTIVE][0]

    assert (node["comm_type"], node["comm_size"]) == (comm_type, size)


def test_bytes_are_a_multiple_of_the_chunks() -> None:
    made = graph(
        start(CollectiveKind.ALL_REDUCE, "all", 1000.0),
        Wait(Token("it")),
        groups=(ALL,),
    )
    [trace, *_] = TraceExport(made, system(4, chunks=3)).traces()

    assert trace.nodes["comm_size"].max() == 999  # 3 x 333


def test_what_takes_no_time_is_left_out() -> None:
    alone = Group(name="alone", size=1, stride=1)
    made = graph(
        compute("a"),
        start(CollectiveKind.ALL_REDUCE, "alone", 1e3),
        compute("nothing", 0.0, 0.0),
        Wait(Token("it")),
        compute("b"),
        groups=(alone,),
    )
    [trace] = TraceExport(made, system(2)).traces()

    assert trace.names == ("before", "before", "a", "b")
    assert waits(trace)["b"] == ["a"]


def test_operations_and_bytes_are_the_nodes_own_and_never_zero() -> None:
    made = graph(compute("bytes", 0.0, 7e3), compute("operations", 5e6, 0.0))
    [trace] = TraceExport(made, system(2)).traces()
    amounts = trace.nodes[["num_ops", "tensor_size"]][2:].tolist()

    assert amounts == [(1, 7000), (5_000_000, 1)]


@dataclass(frozen=True)
class Slow(CostModel):
    """Every operator takes a millisecond."""

    @override
    def times(
        self, nodes: Sequence[ComputeNode], device: Device
    ) -> NDArray[np.float64]:
        return np.full(len(nodes), 1e-3)


def test_another_cost_model_is_written_as_operations_at_the_peak() -> None:
    made = graph(compute("it"))
    [trace] = TraceExport(made, system(2, Slow())).traces()

    assert trace.nodes["num_ops"].tolist() == [10**9] * 3  # 1 ms at 1e12 a second
    assert trace.nodes["tensor_size"].tolist() == [1] * 3


def test_stages_send_and_receive_under_one_tag() -> None:
    first, last = TraceExport(graph(compute("it"), pipeline=2), system(2)).traces()
    messages = {
        trace.rank: trace.nodes[["kind", "peer", "tag", "comm_size"]][
            trace.nodes["kind"] != NodeKind.COMPUTE
        ].tolist()
        for trace in (first, last)
    }

    # Forward of micro-batch 0, its backward, and the forward of the update.
    assert messages[0] == [(5, 1, 0, 64), (6, 1, 1, 64), (5, 1, 2, 64)]
    assert messages[1] == [(6, 0, 0, 64), (5, 0, 1, 64), (6, 0, 2, 64)]


def test_a_device_names_the_groups_that_it_is_in() -> None:
    pairs = Group(name="pairs", size=2, stride=2)
    made = graph(
        start(CollectiveKind.ALL_REDUCE, "pairs", 1e3),
        Wait(Token("it")),
        groups=(pairs, ALL),
    )
    export = TraceExport(made, system(4))

    assert export.groups == {"1": (0, 2), "2": (1, 3), "3": (0, 1, 2, 3)}
    used = {
        t.rank: {t.groups[g] for g in t.nodes["group"] if g >= 0}
        for t in export.traces()
    }
    assert used == {0: {"1"}, 1: {"2"}, 2: {"1"}, 3: {"2"}}


@given(graphs().flatmap(lambda made: st.tuples(st.just(made), systems_of(made))))
@settings(max_examples=20)
def test_what_is_written_is_what_each_device_runs(
    tmp_path_factory: pytest.TempPathFactory, pair: tuple[ExecutionGraph, System]
) -> None:
    made, machine = pair
    export = TraceExport(made, machine)
    prefix = tmp_path_factory.mktemp("export") / "trace"

    written = list(export.write(prefix))
    traces = {trace.rank: trace for trace in export.traces()}

    assert len(written) == len(rank_files(prefix)) == made.devices
    for rank, path in enumerate(rank_files(prefix)):
        back = read_rank_trace(path, rank, names=True)
        trace = traces[rank]
        assert back.names == trace.names
        assert back.dependencies.tolist() == trace.dependencies.tolist()
        for name in back.nodes.dtype.names or ():
            if name != "group":  # counted in the order of use, in a file
                assert back.nodes[name].tolist() == trace.nodes[name].tolist()
        for node, other in zip(back.nodes, trace.nodes, strict=True):
            assert _group(back, node["group"]) == _group(trace, other["group"])


def _group(trace: RankTrace, place: int) -> str | None:
    return None if place < 0 else trace.groups[place]
