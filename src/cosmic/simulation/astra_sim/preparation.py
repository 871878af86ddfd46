"""The memory of a run, ready to begin."""

import numpy as np

from cosmic.errors import ConsistencyError
from cosmic.simulation.astra_sim import kernel
from cosmic.simulation.astra_sim.inputs import Inputs
from cosmic.simulation.astra_sim.kernel import Ints
from cosmic.simulation.astra_sim.memory import Memory, floats
from cosmic.simulation.astra_sim.network_input import Congestion, Joint, NetworkInput
from cosmic.simulation.astra_sim.node_table import Mask, NodeTable
from cosmic.simulation.astra_sim.plan_table import PlanTable
from cosmic.trace.rank_trace import NodeKind

_JOINTS = {
    Joint.RING: kernel.RING_JOINT,
    Joint.FULLY_CONNECTED: kernel.FULLY_JOINT,
    Joint.SWITCH: kernel.SWITCH_JOINT,
}
_MIXED = (NodeKind.INVALID, NodeKind.MEMORY_LOAD, NodeKind.MEMORY_STORE)
_CHAINS = 1 << 12
_MOST_STREAMS = 20_000_000  # at once, 3 GB


def prepare(nodes: NodeTable) -> Ints:
    """Make the memory of a run.

    Args:
        nodes: Those of all ranks; their plans and groups are filled in.

    Raises:
        TraceError: ASTRA-sim would not get through one of the nodes.
        ConsistencyError: The system does not fit the network, or splits collectives
            into more chunks than memory may hold.
    """
    inputs = nodes.inputs
    plans = PlanTable(inputs)
    plans.assign(nodes)
    if plans.most_chunks * inputs.network.ranks > _MOST_STREAMS:
        raise ConsistencyError(
            f"{plans.most_chunks} chunks on each of {inputs.network.ranks} ranks are "
            "too many"
        )
    table = np.concatenate([nodes.rows, _sentinel()])
    memory = Memory()
    scalars = _options(inputs)
    plans.put(memory, table)
    margin = _margin(nodes, plans)
    scalars |= _place_network(memory, table, inputs)
    scalars |= _place_ranks(memory, table, nodes)
    scalars |= {
        kernel.MARGIN: margin,
        kernel.CHAINS: memory.put(np.zeros(_CHAINS, np.int64)),
        kernel.CHAIN_COUNT: _CHAINS,
        kernel.TIMES: memory.put(np.zeros(2 * margin, np.int64)),
        kernel.TIMES_COUNT: margin,
    }
    run = memory.join(scalars, 2 * margin)
    floats(run)[kernel.RATE] = inputs.system.local_memory_bandwidth * 1e9
    return run


def _options(inputs: Inputs) -> dict[int, int]:
    return {
        kernel.LANES: inputs.queues,
        kernel.CONCURRENT: -(-inputs.system.active_chunks // inputs.queues),
        kernel.AWARE: int(inputs.network.congestion is Congestion.AWARE),
        kernel.RENDEZVOUS: int(inputs.rendezvous),
    }


def _place_network(memory: Memory, table: Ints, inputs: Inputs) -> dict[int, int]:
    """Put dimensions and queues in, and let nodes that access memory name theirs."""
    network = inputs.network
    dimensions = np.zeros((len(network.dimensions), kernel.DIMENSION), np.int64)
    for row, dimension in zip(dimensions, network.dimensions, strict=True):
        row[kernel.D_SIZE] = dimension.size
        row[kernel.D_JOINT] = _JOINTS[dimension.joint]
        floats(row)[kernel.D_LATENCY] = dimension.latency
        floats(row)[kernel.D_BANDWIDTH] = dimension.bytes_per_nanosecond
    lanes = network.ranks * len(dimensions) * inputs.queues
    links, memories = _links(network), 1
    queues = memory.put(np.zeros((lanes + links + memories, kernel.QUEUE), np.int64))
    link_queues = queues + lanes * kernel.QUEUE
    accesses = table[:, kernel.N_ACTION] == kernel.MEMORY
    table[accesses, kernel.N_Y] = link_queues + links * kernel.QUEUE
    return {
        kernel.DIMENSIONS: memory.put(dimensions),
        kernel.DIMENSION_COUNT: len(dimensions),
        kernel.LANE_QUEUES: queues,
        kernel.LINK_QUEUES: link_queues,
    }


def _place_ranks(memory: Memory, table: Ints, nodes: NodeTable) -> dict[int, int]:
    """Put ranks, nodes and what follows them in, and let them name each other."""
    dimensions = len(nodes.inputs.network.dimensions)
    width = kernel.R_TURNS + dimensions * kernel.TURNS
    ranks = np.zeros((len(nodes.traces), width), np.int64)
    ranks[:, kernel.R_NUMBER] = np.arange(len(ranks))
    ranks[:, kernel.R_LEFT] = [len(trace.nodes) for trace in nodes.traces]
    ranks[:, kernel.R_MIXED] = nodes.by_rank(_mixed(nodes)) > 0
    ranks[:, kernel.R_FINISH] = -1
    first_node = memory.put(table)
    heaps = _fill_heaps(ranks, table[:-1], first_node)
    ranks[:, kernel.R_HEAP : kernel.R_READY] += memory.put(heaps)
    starts, followers = _followers(nodes)
    begin = memory.put(first_node + followers * kernel.NODE)
    table[:, kernel.N_FOLLOWERS] = begin + starts
    first_rank = memory.put(ranks)
    table[:, kernel.N_RANK] = first_rank + table[:, kernel.N_RANK] * width
    return {
        kernel.RANKS: first_rank,
        kernel.RANK_COUNT: len(ranks),
        kernel.NODES: first_node,
        kernel.NODE_COUNT: len(table) - 1,
    }


def _mixed(nodes: NodeTable) -> Mask:
    """Which nodes ASTRA-sim's statistics refuse."""
    cpu = nodes.of(NodeKind.COMPUTE) & nodes.nodes["is_cpu"]
    mixed: Mask = nodes.of(*_MIXED) | cpu
    return mixed


def _fill_heaps(ranks: Ints, table: Ints, first_node: int) -> Ints:
    """Heaps of nodes that may be issued: room for all, filled with those that may now.

    Where each heap begins among them all, and its size, are written into `ranks`.
    """
    heap = table[:, kernel.N_RANK] * 4 + table[:, kernel.N_RESOURCE]
    room = np.bincount(heap, minlength=4 * len(ranks))
    start = np.cumsum(room) - room
    free = np.flatnonzero(table[:, kernel.N_WAITING] == 0)
    free = free[np.argsort(heap[free], kind="stable")]  # ascending in each heap
    size = np.bincount(heap[free], minlength=4 * len(ranks))
    heaps = np.zeros(len(table), np.int64)
    before = np.cumsum(size) - size
    places = np.arange(len(free)) + np.repeat(start - before, size)
    heaps[places] = first_node + free * kernel.NODE
    ranks[:, kernel.R_HEAP : kernel.R_READY] = start.reshape(-1, 4)
    ranks[:, kernel.R_READY : kernel.R_TURNS] = size.reshape(-1, 4)
    return heaps


def _followers(nodes: NodeTable) -> tuple[Ints, Ints]:
    """Who waits for each node: where its followers begin, and all followers."""
    waits = np.concatenate(
        [
            begin + trace.dependencies
            for begin, trace in zip(nodes.begins, nodes.traces, strict=True)
        ]
    )
    rows = np.repeat(np.arange(len(nodes.rows)), nodes.rows[:, kernel.N_WAITING])
    counts = np.bincount(waits, minlength=len(nodes.rows))
    starts = np.concatenate([[0], np.cumsum(counts)])
    return starts, rows[np.argsort(waits, kind="stable")]


def _margin(nodes: NodeTable, plans: PlanTable) -> int:
    """More places than the records of one step can take.

    A step ends at most two nodes, on two ranks, each of which may then issue all its
    receives, begin a collective and have some chunks make their first packets.
    """
    receives = int(nodes.by_rank(nodes.of(NodeKind.RECEIVE)).max())
    at_once = nodes.inputs.system.active_chunks + nodes.inputs.queues
    packets = (min(plans.most_chunks, at_once) + 2) * plans.widest_window
    each = 2 * kernel.MESSAGE + 3 * kernel.QUEUE + 3 * kernel.ITEM
    streams = plans.most_chunks * (kernel.STREAM + kernel.ITEM)
    return int(2 * (streams + 2 * each * (receives + packets + 16)))


def _links(network: NetworkInput) -> int:
    """Links of a congestion-aware network, one for each direction."""
    if network.congestion is Congestion.UNAWARE:
        return 0
    if network.dimensions[0].joint is Joint.FULLY_CONNECTED:
        return network.ranks**2
    return 2 * network.ranks


def _sentinel() -> Ints:
    """A row after the last node, which ends its followers."""
    return np.zeros((1, kernel.NODE), np.int64)
