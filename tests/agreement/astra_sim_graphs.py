"""Small traces of many ranks, written by hand or drawn at random."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from cosmic.simulation.astra_sim.inputs import Inputs
from cosmic.simulation.astra_sim.network_input import (
    Congestion,
    Joint,
    NetworkDimension,
    NetworkInput,
)
from cosmic.simulation.astra_sim.system_input import (
    Algorithm,
    Implementation,
    Optimization,
    SystemInput,
    parse_implementation,
)
from cosmic.trace.rank_trace import (
    CommType,
    NodeKind,
    Present,
    RankTrace,
    blank_nodes,
    rank_trace,
)

Node = Mapping[str, Any]

KINDS = {
    "invalid": NodeKind.INVALID,
    "metadata": NodeKind.METADATA,
    "mem_load": NodeKind.MEMORY_LOAD,
    "mem_store": NodeKind.MEMORY_STORE,
    "comp": NodeKind.COMPUTE,
    "send": NodeKind.SEND,
    "recv": NodeKind.RECEIVE,
    "coll": NodeKind.COLLECTIVE,
}
_COLUMNS = {
    "num_ops": ("num_ops", Present.NUM_OPS),
    "tensor_size": ("tensor_size", Present.TENSOR_SIZE),
    "comm_type": ("comm_type", Present.COMM_TYPE),
    "comm_size": ("comm_size", Present.COMM_SIZE),
    "comm_dst": ("peer", Present.PEER),
    "comm_src": ("peer", Present.PEER),
    "comm_tag": ("tag", Present.TAG),
    "is_cpu_op": ("is_cpu", Present(0)),
    "duration_micros": ("duration_micros", Present(0)),
}


def trace_of(rank: int, nodes: Sequence[Node]) -> RankTrace:
    """The trace of a rank whose nodes are given as Chakra names their attributes."""
    rows = blank_nodes(len(nodes))
    groups: list[str] = []
    offsets, dependencies = [0], list[int]()
    for row, node in zip(rows, nodes, strict=True):
        row["id"], row["kind"] = node["id"], KINDS[str(node["type"])]
        for name, (column, flag) in _COLUMNS.items():
            if name in node:
                row[column] = node[name]
                row["present"] |= int(flag)
        if "involved_dim" in node:
            dims = [bool(d) for d in node["involved_dim"]]
            row["involved_dim"] = sum(d << i for i, d in enumerate(dims))
            row["involved_count"] = len(dims)
        if "pg_name" in node:
            groups.append(str(node["pg_name"]))
            row["group"] = len(groups) - 1
        for kind in ("data_deps", "ctrl_deps"):
            dependencies.extend(node.get(kind, ()))
        offsets.append(len(dependencies))
    return rank_trace(
        rank,
        rows,
        np.array(offsets, np.int64),
        np.array(dependencies, np.uint64),
        tuple(groups),
    )


def traces_of(nodes: Sequence[Sequence[Node]]) -> list[RankTrace]:
    """The traces of all ranks."""
    return [trace_of(rank, own) for rank, own in enumerate(nodes)]


@dataclass(frozen=True)
class Case:
    """A run: what it is given, and what its ranks do."""

    inputs: Inputs
    nodes: list[list[dict[str, Any]]]


_ALGORITHMS = ("ring", "ring", "direct", "direct1", "direct2", "halvingDoubling")
_SPLIT = (
    CommType.ALL_REDUCE,
    CommType.ALL_GATHER,
    CommType.REDUCE_SCATTER,
    CommType.ALL_TO_ALL,
)


@st.composite
def _implementations(
    draw: st.DrawFn, kind: CommType, sizes: tuple[int, ...]
) -> tuple[Implementation, ...]:
    """One entry a dimension, such that none of them hangs or crashes."""
    found = []
    for size in sizes:
        names = list(_ALGORITHMS)
        if kind is CommType.ALL_TO_ALL or size & (size - 1):
            names.remove("halvingDoubling")
        if not size & (size - 1):
            names.append("doubleBinaryTree")
        found.append(parse_implementation(draw(st.sampled_from(names))))
    if draw(st.integers(0, 9)) == 0:
        return (parse_implementation(draw(st.sampled_from(["oneRing", "oneDirect"]))),)
    return tuple(found)


@st.composite
def _systems(draw: st.DrawFn, sizes: tuple[int, ...]) -> SystemInput:
    return SystemInput(
        implementations={kind: draw(_implementations(kind, sizes)) for kind in _SPLIT},
        optimization=draw(st.sampled_from(Optimization)),
        scheduled=True,
        splits=draw(st.sampled_from([1, 2, 3, 5])),
        active_chunks=draw(st.sampled_from([1, 1, 2, 4])),
        endpoint_delay=draw(st.sampled_from([1, 10, 100])),
        local_memory_bandwidth=draw(st.sampled_from([1600.0, 25.0, 0.7])),
        roofline=draw(st.booleans()),
        peak=draw(st.sampled_from([0.1, 1.0])),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Sound runs of up to 16 ranks, some of which stop before all is done."""
    congestion = draw(st.sampled_from(Congestion))
    one = congestion is Congestion.AWARE
    sizes = draw(
        st.lists(st.sampled_from([2, 3, 4]), min_size=1, max_size=1 if one else 2)
    )
    joints = list(Joint)
    dimensions = tuple(
        NetworkDimension(
            joint=draw(st.sampled_from(joints[1:] if one and size == 2 else joints)),
            size=size,
            bandwidth=draw(st.sampled_from([1.0, 50.5, 375.0])),
            latency=draw(st.sampled_from([1.7, 500.0, 936.25])),
        )
        for size in sizes
    )
    network = NetworkInput(dimensions=dimensions, congestion=congestion)
    groups = draw(_groups(network.ranks))
    system = draw(_systems(tuple(sizes)))
    if any(
        entries[0].algorithm is Algorithm.DOUBLE_BINARY_TREE and len(entries) == 1
        for entries in system.implementations.values()
    ) or any(len(members) & (len(members) - 1) for members in groups.values()):
        groups = {}  # such groups are refused
    inputs = Inputs(
        network=network,
        system=system,
        groups=groups,
        queues=draw(st.sampled_from([1, 1, 2, 3])),
        rendezvous=draw(st.integers(0, 4)) == 0,
    )
    return Case(inputs, draw(_graphs(inputs)))


@st.composite
def _groups(draw: st.DrawFn, ranks: int) -> dict[int, tuple[int, ...]]:
    """Ranks shared out among groups of two and more, and one group of them all."""
    order = draw(st.permutations(range(ranks)))
    half = ranks // 2
    if half < 2:
        return {7: tuple(order)}
    return {1: tuple(order[:half]), 501: tuple(order[half:]), 7: tuple(order)}


@st.composite
def _graphs(draw: st.DrawFn, inputs: Inputs) -> list[list[dict[str, Any]]]:
    """What all ranks do, in an order that each may see in its own way."""
    nodes: list[list[dict[str, Any]]] = [[] for _ in range(inputs.network.ranks)]
    turns = st.one_of(_computing(inputs), _meeting(inputs), _sending(inputs))
    turns = st.one_of(turns, _gathering(inputs)) if inputs.groups else turns
    for turn in draw(st.lists(turns, min_size=1, max_size=5)):
        for rank, node in turn:
            _add(nodes[rank], node, draw)
    for own in nodes:
        if not own:
            _add(own, draw(_computes()), draw)
    return nodes


def _add(own: list[dict[str, Any]], node: dict[str, Any], draw: st.DrawFn) -> None:
    """Let a node depend on some of the last ones."""
    waits = [earlier["id"] for earlier in own[-3:] if draw(st.booleans())]
    own.append({"id": 2 * len(own) + 1, "data_deps": waits} | node)


Turn = list[tuple[int, dict[str, Any]]]


@st.composite
def _computing(draw: st.DrawFn, inputs: Inputs) -> Turn:
    return [(rank, draw(_computes())) for rank in range(inputs.network.ranks)]


@st.composite
def _meeting(draw: st.DrawFn, inputs: Inputs) -> Turn:
    node = draw(_collectives())
    return [(rank, node) for rank in range(inputs.network.ranks)]


@st.composite
def _gathering(draw: st.DrawFn, inputs: Inputs) -> Turn:
    group = draw(st.sampled_from(sorted(inputs.groups)))
    node = draw(_collectives()) | {"pg_name": str(group)}
    return [(rank, node) for rank in inputs.groups[group]]


@st.composite
def _sending(draw: st.DrawFn, inputs: Inputs) -> Turn:
    source, target = draw(st.permutations(range(inputs.network.ranks)))[:2]
    size = draw(st.sampled_from([1000, 65536]))
    message = {"comm_size": size, "comm_tag": draw(st.integers(0, 1))}
    return [
        (source, {"type": "send", "comm_dst": target} | message),
        (target, {"type": "recv", "comm_src": source} | message),
    ]


@st.composite
def _computes(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "type": "comp",
        "num_ops": draw(st.sampled_from([10**6, 10**7])),
        "tensor_size": draw(st.sampled_from([0, 1000, 10**6])),
        "duration_micros": draw(st.integers(1, 3)),
    }


@st.composite
def _collectives(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "type": "coll",
        "comm_type": int(draw(st.sampled_from((*_SPLIT, CommType.BROADCAST)))),
        "comm_size": draw(st.sampled_from([1000, 4099, 65536])),
        "duration_micros": 4,
    }
