"""Traces from elsewhere on our systems: times by hand, and what does not fit."""

from typing import Any

import numpy as np
import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError, TraceError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.trace_machine import TraceRun, run_traces
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.rank_trace import (
    CommType,
    NodeKind,
    Present,
    RankTrace,
    blank_nodes,
    rank_trace,
)

# One switch of 1 GB/s a link and 1 us a hop; 1 TFLOP/s, 1 GB/s of memory.
LINK, HOP = 1e9, 1e-6
GROUPS = {"1": (0, 1), "2": (2, 3), "3": (1, 2)}


def system(devices: int = 4) -> System:
    dimension = Dimension(
        shape=Shape.SWITCH, size=devices, link_bandwidth=LINK, latency=HOP
    )
    device = Device(peak_flops=1e12, memory_bandwidth=1e9, memory_capacity=1e12)
    names = ("ring",)
    policy = CollectivePolicy(
        all_reduce=names, all_gather=names, reduce_scatter=names, all_to_all=names
    )
    return System(Cluster(device, Topology((dimension,))), policy)


def node(kind: NodeKind, *after: int, **columns: Any) -> dict[str, Any]:
    return {"kind": kind, "after": after, **columns}


def compute(*after: int, num_ops: int = 10**6, **columns: Any) -> dict[str, Any]:
    """A microsecond of arithmetic."""
    present = int(Present.NUM_OPS)
    return node(NodeKind.COMPUTE, *after, num_ops=num_ops, present=present, **columns)


def collective(
    *after: int, kind: CommType = CommType.ALL_REDUCE, size: int = 1000, group: int = -1
) -> dict[str, Any]:
    present = int(Present.COMM_TYPE | Present.COMM_SIZE)
    return node(
        NodeKind.COLLECTIVE,
        *after,
        comm_type=kind,
        comm_size=size,
        group=group,
        present=present,
    )


def message(kind: NodeKind, peer: int, *after: int, tag: int = 0) -> dict[str, Any]:
    present = int(Present.PEER | Present.COMM_SIZE)
    return node(kind, *after, peer=peer, comm_size=1000, tag=tag, present=present)


def traced(rank: int, *rows: dict[str, Any], groups: tuple[str, ...] = ()) -> RankTrace:
    """A trace of nodes with ids from 0, each with what it waits for."""
    nodes = blank_nodes(len(rows))
    nodes["id"] = np.arange(len(rows))
    for made, row in zip(nodes, rows, strict=True):
        for name, value in row.items():
            if name != "after":
                made[name] = value
    after = [row["after"] for row in rows]
    offsets = np.cumsum([0, *map(len, after)])
    before = np.array([other for each in after for other in each], np.uint64)
    return rank_trace(rank, nodes, offsets, before, groups)


def ran(*ranks: tuple[dict[str, Any], ...], groups: tuple[str, ...] = ()) -> TraceRun:
    traces = [traced(r, *rows, groups=groups) for r, rows in enumerate(ranks)]
    return run_traces(traces, GROUPS, system())


def microseconds(run: TraceRun, rank: int = 0) -> list[float]:
    return [round(float(end) * 1e6, 6) for end in run.ends[rank]]


NOTHING: tuple[dict[str, Any], ...] = ()


def test_a_rank_computes_one_node_at_a_time_the_lowest_id_first() -> None:
    run = ran((compute(), compute(2), compute(), compute()), *[NOTHING] * 3)

    # Nodes 0, 2 and 3 are ready; when 2 has ended, node 1 is, and goes before 3.
    assert microseconds(run) == [1, 3, 2, 4]
    assert run.compute[0] == pytest.approx(4e-6)
    assert run.finish == pytest.approx((4e-6, 0, 0, 0))


def test_what_a_node_says_counts_before_what_it_recorded() -> None:
    rows = (
        compute(duration_micros=9),
        node(NodeKind.COMPUTE, 0, duration_micros=9),
        node(
            NodeKind.MEMORY_LOAD, 1, tensor_size=2000, present=int(Present.TENSOR_SIZE)
        ),
        compute(2, is_cpu=True, duration_micros=5),
        node(NodeKind.METADATA, 3),
    )

    # 1 us of arithmetic, 9 recorded, 2 of memory, 5 of the CPU, nothing.
    assert microseconds(ran(rows, *[NOTHING] * 3)) == [1, 10, 12, 17, 17]


def test_the_cpu_works_beside_the_device() -> None:
    rows = (compute(), compute(is_cpu=True, duration_micros=3), compute())

    assert microseconds(ran(rows, *[NOTHING] * 3)) == [1, 3, 2]


def test_a_collective_begins_when_all_have_come() -> None:
    late = (compute(num_ops=5 * 10**6), collective(0))
    run = ran((collective(),), (collective(),), (collective(),), late)

    # From 5 us: 6 messages of 250 B, 2 hops each, and 3 sums of 250 B of 3 terms.
    expected = 5 + 6 * (0.25 + 2) + 3 * 3 * 0.25
    assert microseconds(run, 0) == [expected]
    assert microseconds(run, 3) == [5, expected]
    assert run.sent == ((1500.0,),) * 4


def test_an_all_gather_counts_what_each_brings() -> None:
    rows = (collective(kind=CommType.ALL_GATHER, size=250),)
    run = ran(*[rows] * 4)

    assert microseconds(run) == [3 * (0.25 + 2)]


def test_collectives_of_different_groups_do_not_wait_for_each_other() -> None:
    first = (collective(group=0),)
    last = (compute(), collective(0, group=0))
    run = run_traces(
        [
            *(traced(rank, *first, groups=("1",)) for rank in (0, 1)),
            *(traced(rank, *last, groups=("2",)) for rank in (2, 3)),
        ],
        GROUPS,
        system(),
    )
    each = 2 * (0.5 + 2) + 3 * 0.5  # 2 messages of 500 B, one sum

    assert microseconds(run, 0) == [each]
    assert microseconds(run, 3) == [1, 1 + each]


def test_a_message_travels_beside_all_else() -> None:
    run = ran(
        (compute(), message(NodeKind.SEND, 2, 0), compute(0)),
        NOTHING,
        (message(NodeKind.RECEIVE, 0), compute(0)),
        NOTHING,
    )

    assert microseconds(run, 0) == [1, 1 + 1 + 2, 2]  # 1 kB, 2 hops
    assert microseconds(run, 2) == [4, 5]


def test_a_receive_that_comes_late_ends_at_once() -> None:
    run = ran(
        (message(NodeKind.SEND, 1),),
        (compute(num_ops=9 * 10**6), message(NodeKind.RECEIVE, 0, 0)),
        NOTHING,
        NOTHING,
    )

    assert microseconds(run, 1) == [9, 9]


def test_collectives_in_involved_dimensions_leave_the_others_out() -> None:
    """None of the one dimension there is: nobody to talk to, so no time."""
    alone = collective() | {"involved_dim": 0, "involved_count": 1}

    assert microseconds(ran(*[(alone,)] * 4)) == [0]


@pytest.mark.parametrize(
    ("ranks", "words"),
    [
        (
            [(message(NodeKind.SEND, 1, tag=7),), (), (), ()],
            "rank 0, node 0: sends to rank 1 1,000 bytes, tag 7, which that rank",
        ),
        (
            [
                (message(NodeKind.SEND, 1),),
                (message(NodeKind.RECEIVE, 0, tag=1),),
                (),
                (),
            ],
            "rank 0, node 0: sends to rank 1",
        ),
        (
            [(), (message(NodeKind.RECEIVE, 0),), (), ()],
            "rank 1, node 0: receives from rank 0",
        ),
        ([(message(NodeKind.SEND, 4),), (), (), ()], "there is no rank 4; there are 4"),
        (
            [(node(NodeKind.SEND),), (), (), ()],
            "a message without its peer or comm_size",
        ),
        (
            [(collective(),), (), (), ()],
            "node 0: rank 1 takes no part in this all_reduce",
        ),
        (
            [*[(collective(),)] * 3, (collective(size=9),)],
            "rank 3, node 0: all_reduce of 9 bytes, where rank 0 has all_reduce of 1",
        ),
        (
            [*[(collective(),)] * 3, (collective(), collective(0))],
            "rank 3, node 1: rank 0 takes no part in this collective",
        ),
        ([(collective(kind=CommType.GATHER),)] * 4, "GATHER is not simulated"),
        ([(node(NodeKind.COLLECTIVE),)] * 4, "a collective without comm_type or comm_"),
        ([(collective(group=3),)] * 4, "no group is named '9'; known: 1, 2, 3"),
        ([(collective(group=1),)] * 4, "rank 0 is not in group '2'"),
        (
            [
                (message(NodeKind.RECEIVE, 1), message(NodeKind.SEND, 1, 0)),
                (message(NodeKind.RECEIVE, 0), message(NodeKind.SEND, 0, 0)),
                (),
                (),
            ],
            "rank 0, node 0: ranks wait for each other here",
        ),
    ],
)
def test_ranks_that_do_not_fit_are_refused(
    ranks: list[tuple[dict[str, Any], ...]], words: str
) -> None:
    with pytest.raises(TraceError) as caught:
        ran(*ranks, groups=("1", "2", "3", "9"))

    assert words in str(caught.value)


def test_a_group_that_does_not_lie_evenly_is_refused() -> None:
    rows = (collective(group=2),)
    with pytest.raises(ConsistencyError, match="group '3': ranks 1, 2 are not of even"):
        ran(NOTHING, rows, rows, NOTHING, groups=("1", "2", "3"))


def test_each_device_runs_one_trace() -> None:
    with pytest.raises(
        ConsistencyError, match="4 devices run one trace each, and there are 1"
    ):
        run_traces([traced(0)], {}, system())


def test_more_nodes_than_can_be_played_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cosmic.simulation.trace_machine.MOST_NODES", 3)

    with pytest.raises(TraceError, match="4 nodes; at most 3 are played"):
        ran(*[(compute(),)] * 4)
