"""The traces of all ranks on a system as one program: nodes in a row, with durations.

Nodes are counted through all ranks, rank by rank, in the order of their ids.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosmic.simulation.chunk_servers import route_on_grid
from cosmic.simulation.clock import on_grid, tick
from cosmic.simulation.communication import TimedRoute, routes, transfer_time
from cosmic.simulation.trace_matching import Call, matched_calls, matched_messages
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveNode, ComputeNode, OperatorKind
from cosmic.trace.rank_trace import Ints, NodeKind, Present, RankTrace
from cosmic.units import Seconds

_MEMORY = (NodeKind.MEMORY_LOAD, NodeKind.MEMORY_STORE)
_AMOUNTS = int(Present.NUM_OPS | Present.TENSOR_SIZE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TraceProgram:
    """What is to be played.

    Attributes:
        first: Where each rank's nodes begin, and the number of all nodes.
        rank: The rank of each node.
        computes: Whether each node takes up the rank's compute stream.
        on_cpu: Whether each node takes up the rank's CPU stream.
        seconds: How long each node takes that is no collective.
        calls: All collectives.
        call: The collective of each node that is one.
        routes: The ways of the chunks of each collective; none if it takes no time.
        waits: For how many others each node waits.
        followers: The nodes that wait for each node.
    """

    first: list[int]
    rank: list[int]
    computes: list[bool]
    on_cpu: list[bool]
    seconds: list[Seconds]
    calls: list[Call]
    call: dict[int, int]
    routes: list[tuple[TimedRoute, ...]]
    waits: list[int]
    followers: list[list[int]]


def trace_program(
    traces: Sequence[RankTrace],
    groups: Mapping[str, Sequence[int]],
    system: System,
) -> TraceProgram:
    """Put traces together.

    Raises:
        TraceError: Nodes of different ranks do not fit.
        ConsistencyError: A group is not of even strides, or does not fit the network.
        SpecError: A collective algorithm does not exist for a group's size.
    """
    first = np.cumsum([0, *(len(trace.nodes) for trace in traces)]).tolist()
    nodes = np.concatenate([trace.nodes for trace in traces])
    calls = matched_calls(traces, groups, system)
    messages = [
        (first[rank] + row, first[peer] + other)
        for (rank, row), (peer, other) in matched_messages(traces)
    ]
    rank = np.repeat(np.arange(len(traces)), np.diff(first))
    kinds = nodes["kind"]
    moves = np.isin(kinds, [NodeKind.COMPUTE, *_MEMORY])
    seconds = np.zeros(len(nodes))
    seconds[moves] = _compute_times(nodes[moves], system)
    sends = kinds == NodeKind.SEND
    seconds[sends] = _transfer_times(rank[sends], nodes[sends], system)
    timed = _routes(calls, system)
    unit = tick(float(seconds.sum()) + sum(_serial(row) for row in timed))
    waits, followers = _links(traces, first, messages)
    return TraceProgram(
        first=first,
        rank=rank.tolist(),
        computes=(moves & ~nodes["is_cpu"]).tolist(),
        on_cpu=(moves & nodes["is_cpu"]).tolist(),
        seconds=on_grid(seconds, unit).tolist(),
        calls=calls,
        call={
            first[rank] + row: number
            for number, call in enumerate(calls)
            for rank, row in call.rows.items()
        },
        routes=[tuple(route_on_grid(route, unit) for route in row) for row in timed],
        waits=waits,
        followers=followers,
    )


def _compute_times(nodes: NDArray[np.void], system: System) -> NDArray[np.float64]:
    """What the cost model says of what nodes do; else what they recorded."""
    amounts = np.stack([nodes["num_ops"], nodes["tensor_size"]], axis=1)
    amounts[np.isin(nodes["kind"], _MEMORY), 0] = 0
    distinct, place = np.unique(amounts, axis=0, return_inverse=True)
    operators = [
        ComputeNode(name="", kind=OperatorKind.MATRIX, flops=float(f), nbytes=float(b))
        for f, b in distinct.tolist()
    ]
    times = system.cost_model.times(operators, system.cluster.device)[place]
    told = (nodes["present"] & _AMOUNTS > 0) & ~nodes["is_cpu"]
    return np.where(told, times, nodes["duration_micros"] * 1e-6)


def _transfer_times(
    ranks: Ints, nodes: NDArray[np.void], system: System
) -> NDArray[np.float64]:
    everyone = Group(name="all", size=system.cluster.devices, stride=1)
    messages = np.stack([ranks, nodes["peer"], nodes["comm_size"]], axis=1)
    distinct, place = np.unique(messages, axis=0, return_inverse=True)
    times = [
        transfer_time(everyone, (source, destination), float(size), system)
        for source, destination, size in distinct.tolist()
    ]
    return np.array(times)[place]


def _routes(calls: Sequence[Call], system: System) -> list[tuple[TimedRoute, ...]]:
    """Those of each collective; groups of one shape are alike."""
    known: dict[object, tuple[TimedRoute, ...]] = {}
    found = []
    for call in calls:
        key = call.kind, call.nbytes, call.group.parts
        if key not in known:
            node = CollectiveNode(
                name="", kind=call.kind, group=call.group.name, nbytes=call.nbytes
            )
            known[key] = routes(node, call.group, system)
        found.append(known[key])
    return found


def _serial(row: Sequence[TimedRoute]) -> Seconds:
    return sum(r.chunks * sum(phase.seconds for phase in r.phases) for r in row)


def _links(
    traces: Sequence[RankTrace],
    first: Sequence[int],
    messages: Sequence[tuple[int, int]],
) -> tuple[list[int], list[list[int]]]:
    """How many nodes each waits for, and who waits for it; receives wait for sends."""
    waits: list[int] = []
    followers: list[list[int]] = [[] for _ in range(first[-1])]
    for trace, start in zip(traces, first, strict=False):
        counts = np.diff(trace.offsets)
        waits += counts.tolist()
        rows = start + np.repeat(np.arange(len(counts)), counts)
        before = start + trace.dependencies
        for follower, place in zip(rows.tolist(), before.tolist(), strict=True):
            followers[place].append(follower)
    for send, receive in messages:
        waits[receive] += 1
        followers[send].append(receive)
    return waits, followers
