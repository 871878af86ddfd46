"""Nodes of all ranks as the compiled loop takes them, checked one by one.

What ASTRA-sim would crash on, or leave undefined, when it comes to a node is refused
here before anything runs, with the rank and the node's id.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosmic.errors import TraceError
from cosmic.simulation.astra_sim.inputs import Inputs, MemoryKind
from cosmic.simulation.astra_sim.kernel import (
    COLLECTIVE,
    COMMUNICATING,
    COMMUNICATION,
    COMPUTE,
    COMPUTING,
    CPU,
    DELAY,
    MEMORY,
    N_ACTION,
    N_RANK,
    N_RESOURCE,
    N_STATISTIC,
    N_WAITING,
    N_X,
    N_Y,
    N_Z,
    NODE,
    RECEIVE,
    SEND,
    SKIP,
    UNLIMITED,
    Ints,
)
from cosmic.simulation.astra_sim.network_input import Congestion, Joint
from cosmic.trace.rank_trace import CommType, NodeKind, Present, RankTrace

Mask = NDArray[np.bool_]

_LATEST = 2**53  # ns
_TAGS = 500_000_000


class NodeTable:
    """The nodes of all ranks, rank by rank, being turned into rows of the table.

    Attributes:
        inputs: All that the run is given beside traces.
        traces: One a rank.
        nodes: The nodes of all traces, dtype `cosmic.trace.rank_trace.NODE`.
        begins: The first row of each rank.
        rows: Nodes as the kernel names their fields, shape (nodes, `NODE`); ranks are
            numbers, plans and groups are not filled in.
    """

    def __init__(self, traces: Sequence[RankTrace], inputs: Inputs) -> None:
        self.traces, self.inputs = tuple(traces), inputs
        counts = np.array([len(trace.nodes) for trace in traces], np.int64)
        for trace in traces:
            if not len(trace.nodes):
                raise TraceError(
                    f"rank {trace.rank}: the trace has no node: ASTRA-sim aborts"
                )
        self.nodes = np.concatenate([trace.nodes for trace in traces])
        self.begins: Ints = np.cumsum(counts) - counts
        self._bits = np.left_shift(1, self.nodes["kind"], dtype=np.int64)
        self._gpu = ~self.nodes["is_cpu"]
        self.rows: Ints = np.zeros((len(self.nodes), NODE), np.int64)
        self.rows[:, N_RANK] = np.repeat(np.arange(len(traces)), counts)
        self._fill()

    def of(self, *kinds: NodeKind) -> Mask:
        """Which nodes are of some kinds."""
        wanted: Mask = self._bits & sum(1 << kind for kind in kinds) != 0
        return wanted

    def name(self, row: int) -> str:
        """The rank and the id of a node, as error messages name it."""
        return f"rank {self.rows[row, N_RANK]}, node {self.nodes['id'][row]}"

    def refuse(self, wrong: Mask, why: str) -> None:
        """Raise for the first node that is wrong.

        Raises:
            TraceError: There is one.
        """
        if wrong.any():
            raise TraceError(f"{self.name(int(wrong.argmax()))}: {why}")

    def by_rank(self, values: Ints | Mask) -> Ints:
        """Sum values of nodes over those of each rank."""
        return np.add.reduceat(values.astype(np.int64), self.begins)

    def run_time(self) -> Ints:
        """Run times that ASTRA-sim takes off each rank's for exposed communication."""
        counted = self._gpu
        if not self.inputs.system.replay_only:
            counted = counted & self.of(NodeKind.COMPUTE)
        return self.by_rank(np.where(counted, self.rows[:, N_X], 0))

    def compute_time(self) -> Ints:
        """Time that each rank's compute nodes take, of which one runs at a time."""
        computing = self.rows[:, N_STATISTIC] == COMPUTING
        return self.by_rank(np.where(computing, self.rows[:, N_X], 0))

    def _fill(self) -> None:
        rows = self.rows
        self.refuse(self.of(NodeKind.METADATA), "ASTRA-sim aborts on METADATA nodes")
        counts = [np.diff(trace.offsets) for trace in self.traces]
        rows[:, N_WAITING] = np.concatenate(counts)
        self._take_resources()
        self._replay()
        if not self.inputs.system.replay_only:
            rows[self.of(NodeKind.INVALID), N_ACTION] = SKIP
            self._compute()
            self._access_memory()
            self._communicate()

    def _take_resources(self) -> None:
        rows, computes = self.rows, self.of(NodeKind.COMPUTE)
        rows[:, N_RESOURCE] = COMMUNICATION
        rows[self.of(NodeKind.RECEIVE), N_RESOURCE] = UNLIMITED
        rows[computes, N_RESOURCE] = COMPUTE
        rows[~self._gpu, N_RESOURCE] = CPU
        rows[computes & self._gpu, N_STATISTIC] = COMPUTING
        rows[self._communicates(), N_STATISTIC] = COMMUNICATING

    def _communicates(self) -> Mask:
        return self.of(NodeKind.SEND, NodeKind.RECEIVE, NodeKind.COLLECTIVE)

    def _replay(self) -> None:
        micros = self.nodes["duration_micros"]
        self.refuse(micros > _LATEST // 1000, "its duration is out of range")
        self.rows[:, N_ACTION] = DELAY
        self.rows[:, N_X] = np.where(micros == 0, 1, micros * 1000)

    def _compute(self) -> None:
        """Compute nodes by the roofline, max(ops/peak, bytes/bandwidth) as rounded."""
        system = self.inputs.system
        nodes = self.of(NodeKind.COMPUTE) & self._gpu
        if not system.roofline or not nodes.any():
            return
        self._need(nodes, Present.NUM_OPS, "num_ops")
        self._need(nodes, Present.TENSOR_SIZE, "tensor_size")
        ops = self.nodes["num_ops"].astype(np.float64)
        size = self.nodes["tensor_size"].astype(np.float64)
        bandwidth = system.local_memory_bandwidth * 1e9
        with np.errstate(all="ignore"):
            speed = np.minimum(bandwidth * (ops / size), system.peak * 1e12)
            nanoseconds = ops / speed * 1e9
        timed = nodes & (size > 0)
        self.refuse(
            timed & ~(nanoseconds <= _LATEST),
            "the roofline gives it no time: num_ops, peak-perf or local-mem-bw is 0",
        )
        self.rows[timed, N_X] = nanoseconds[timed].astype(np.int64)
        self.rows[nodes & ~timed, N_ACTION] = SKIP
        self.rows[nodes & ~timed, N_X] = 0

    def _access_memory(self) -> None:
        memory = self.inputs.memory
        nodes = self.of(NodeKind.MEMORY_LOAD, NodeKind.MEMORY_STORE)
        if not nodes.any():
            return
        if memory.kind is MemoryKind.NONE:
            self.refuse(nodes, "accesses remote memory, but there is none")
        if memory.kind is MemoryKind.PER_NODE:
            self.refuse(nodes, "PER_NODE_MEMORY_EXPANSION is undefined in ASTRA-sim")
        if memory.kind is MemoryKind.POOL:
            self.rows[nodes, N_ACTION] = MEMORY
        self._need(nodes, Present.TENSOR_SIZE, "tensor_size")
        if memory.bandwidth == 0:
            self.refuse(
                nodes, "remote-mem-bw is 0 or not given: undefined in ASTRA-sim"
            )
        size = self.nodes["tensor_size"].astype(np.float64)
        duration = memory.latency + (size / memory.bandwidth).astype(np.int64)
        self.refuse(nodes & (duration > _LATEST), "its access takes too long")
        self.rows[nodes, N_X] = duration[nodes]

    def _communicate(self) -> None:
        both, collectives = self._communicates(), self.of(NodeKind.COLLECTIVE)
        kinds = self.nodes["comm_type"]
        self.refuse(both & ~self._gpu, "communicates as a CPU operator")
        self._need(collectives, Present.COMM_TYPE, "comm_type")
        self._need(both, Present.COMM_SIZE, "comm_size")
        known = np.isin(kinds, [int(kind) for kind in _SIMULATED])
        self.refuse(collectives & ~known, "ASTRA-sim has no such kind of collective")
        split = collectives & (kinds != int(CommType.BROADCAST))
        self.rows[split, N_ACTION] = COLLECTIVE
        messages = both & ~collectives
        if messages.any():
            self._exchange(messages)

    def _exchange(self, messages: Mask) -> None:
        network, nodes, rows = self.inputs.network, self.nodes, self.rows
        self._need(messages, Present.PEER, "comm_src or comm_dst")
        self._need(messages, Present.TAG, "comm_tag")
        outside = (nodes["peer"] < 0) | (nodes["peer"] >= network.ranks)
        self.refuse(messages & outside, "its other end is not a rank of the network")
        self.refuse(messages & (nodes["comm_size"] == 0), "its message is empty")
        sends = self.of(NodeKind.SEND)
        if network.congestion is Congestion.UNAWARE or (
            network.dimensions[0].joint is not Joint.SWITCH
        ):
            self.refuse(sends & (nodes["peer"] == rows[:, N_RANK]), "sends to itself")
        signed = (nodes["tag"] + 2**31) % 2**32 - 2**31  # a C int
        tags = np.where(signed < 0, -(-signed % _TAGS), signed % _TAGS)
        self.refuse(messages & (tags < 0), "its tag is negative as a 32-bit integer")
        rows[messages, N_X] = nodes["comm_size"][messages]
        rows[messages, N_Y] = nodes["peer"][messages]
        rows[messages, N_Z] = tags[messages]
        rows[messages, N_ACTION] = np.where(sends, SEND, RECEIVE)[messages]

    def _need(self, nodes: Mask, attribute: Present, name: str) -> None:
        absent = (self.nodes["present"] & int(attribute)) == 0
        self.refuse(nodes & absent, f"{name} is missing")


_SIMULATED = (
    CommType.ALL_REDUCE,
    CommType.ALL_GATHER,
    CommType.BROADCAST,
    CommType.ALL_TO_ALL,
    CommType.REDUCE_SCATTER,
)
