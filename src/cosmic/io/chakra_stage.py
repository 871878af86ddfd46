"""What the devices of a pipeline stage run in a step, as the nodes of a Chakra trace.

They run the same, so it is written down once; only their groups and peers differ. What
a program waits for becomes a dependency, so that there are no nodes but computations,
collectives, sends and receives. Amounts are whole numbers, and at least 1: ASTRA-sim
divides by both operations and bytes. What takes no time, such as a collective of one
device, is left out, and what waits for it waits for what it waited for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from cosmic.simulation.expansion import Direction, Turn, programs_in_order, receiver
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph, compute_nodes, turns
from cosmic.trace.node import (
    CollectiveKind,
    CollectiveNode,
    ComputeNode,
    Instruction,
    Start,
    Wait,
)
from cosmic.trace.rank_trace import (
    CommType,
    Ints,
    NodeKind,
    Present,
    RankTrace,
    blank_nodes,
)

_COMM_TYPES = {
    CollectiveKind.ALL_REDUCE: CommType.ALL_REDUCE,
    CollectiveKind.ALL_GATHER: CommType.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER: CommType.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL: CommType.ALL_TO_ALL,
    CollectiveKind.BROADCAST: CommType.BROADCAST,
}
Amounts = Mapping[ComputeNode, tuple[int, int]]
"""Operations and bytes of each computation that takes time."""

_Columns = dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class StageTrace:
    """The nodes of any device of a stage.

    Attributes:
        trace: The nodes, without groups and peers.
        axis: Which of the graph's groups each node communicates in, or -1.
        ahead: How many stages ahead the peer of each node is, or 0.
    """

    trace: RankTrace
    axis: Ints
    ahead: Ints


def compute_amounts(graph: ExecutionGraph, system: System) -> Amounts:
    """Operations and bytes of each computation, such that a roofline gives its time.

    A roofline takes the longer of both, at the device's peak and memory bandwidth.
    These are the node's own if the system takes that time for it; otherwise as many
    operations as the device would do in the time that the system does take.
    """
    nodes = list(
        {
            node: None
            for stage in graph.stages
            for program in stage.programs
            for node, _ in compute_nodes(program)
        }
    )
    device = system.cluster.device
    found: dict[ComputeNode, tuple[int, int]] = {}
    seconds = system.cost_model.times(nodes, device).tolist()
    for node, time in zip(nodes, seconds, strict=True):
        flops, nbytes = node.flops, node.nbytes
        roofline = max(flops / device.peak_flops, nbytes / device.memory_bandwidth)
        if abs(time - roofline) > 1e-12 * roofline:
            flops, nbytes = time * device.peak_flops, 0.0
        if time > 0:
            found[node] = max(1, round(flops)), max(1, round(nbytes))
    return found


def stage_trace(
    graph: ExecutionGraph, stage: int, amounts: Amounts, system: System
) -> StageTrace:
    """The nodes of any device of a stage.

    Args:
        graph: What is written.
        stage: The place of the stage in the pipeline.
        amounts: What `compute_amounts` gives.
        system: Says into how many chunks a collective is cut: its bytes are a multiple.
    """
    return _Script(graph, stage, amounts, system.policy.chunks).written()


class _Script:
    """Writes down what any device of a stage does in a step."""

    def __init__(
        self, graph: ExecutionGraph, stage: int, amounts: Amounts, chunks: int
    ) -> None:
        self._graph, self._stage, self._amounts = graph, stage, amounts
        self._chunks, self._places = chunks, len(graph.stages) * graph.chunks
        self._axes = {group.name: place for place, group in enumerate(graph.groups)}
        self._columns: list[_Columns] = []
        self._names: list[str] = []
        self._after: list[tuple[int, ...]] = []
        self._stream: tuple[int, ...] = ()  # what comes next waits for
        self._tokens: dict[tuple[str, int], tuple[int, ...]] = {}
        self._sent: dict[Direction, tuple[int, ...]] = {}

    def written(self) -> StageTrace:
        """The nodes."""
        for turn in programs_in_order(self._graph, self._stage):
            if turn.direction is not None:
                self._receive(turn.direction, turn)
            for layer, instruction in turns(turn.program):
                self._instruction(layer, instruction)
            if turn.direction is not None:
                self._send(turn.direction, turn)
        nodes = blank_nodes(len(self._columns))
        for name in {name for columns in self._columns for name in columns}:
            if name in (nodes.dtype.names or ()):
                nodes[name] = [columns.get(name, 0) for columns in self._columns]
        nodes["id"] = np.arange(len(nodes))
        trace = RankTrace(
            rank=0,
            nodes=nodes,
            offsets=np.cumsum([0, *map(len, self._after)], dtype=np.int64),
            dependencies=np.array(
                [b for after in self._after for b in after], np.int64
            ),
            names=tuple(self._names),
        )
        return StageTrace(trace, self._column("axis", -1), self._column("ahead", 0))

    def _column(self, name: str, absent: int) -> Ints:
        return np.array([columns.get(name, absent) for columns in self._columns])

    def _instruction(self, layer: int, instruction: Instruction) -> None:
        match instruction:
            case ComputeNode() if instruction in self._amounts:
                self._compute(instruction)
            case ComputeNode():
                pass  # takes no time
            case Start(node, token):
                self._tokens[token.label, layer + token.offset] = self._start(node)
            case Wait(token):
                ended = self._tokens.pop((token.label, layer + token.offset))
                self._stream = (*self._stream, *ended)
            case _:
                assert_never(instruction)

    def _compute(self, node: ComputeNode) -> None:
        num_ops, tensor_size = self._amounts[node]
        present = int(Present.NUM_OPS | Present.TENSOR_SIZE)
        row = self._write(
            node.name,
            {
                "kind": NodeKind.COMPUTE,
                "present": present,
                "num_ops": num_ops,
                "tensor_size": tensor_size,
            },
        )
        self._stream = (row,)

    def _start(self, node: CollectiveNode) -> tuple[int, ...]:
        """Hand a collective over; gives what stands for its end."""
        group = self._graph.group(node.group)
        if group.size == 1:
            return ()
        nbytes = node.nbytes
        if node.kind is CollectiveKind.ALL_GATHER:
            nbytes /= group.size  # a trace counts what each device brings along
        row = self._write(
            node.name,
            {
                "kind": NodeKind.COLLECTIVE,
                "present": int(Present.COMM_TYPE | Present.COMM_SIZE),
                "comm_type": _COMM_TYPES[node.kind],
                "comm_size": self._chunks * max(1, round(nbytes / self._chunks)),
                "axis": self._axes[node.group],
            },
        )
        return (row,)

    def _receive(self, direction: Direction, turn: Turn) -> None:
        """What a program begins with, if it comes from another stage."""
        if not 0 <= turn.place - direction.value < self._places:
            return
        message = self._message(direction, turn.micro_batch, turn.place)
        columns = {"kind": NodeKind.RECEIVE, "ahead": -direction.value, **message}
        row = self._write(f"{direction.name.lower()} {turn.micro_batch}", columns, ())
        self._stream = (*self._stream, row)

    def _send(self, direction: Direction, turn: Turn) -> None:
        """After the program, and after what went the same way before."""
        to, micro_batch = receiver(self._graph, turn), turn.micro_batch
        if to is None:
            return
        message = self._message(direction, micro_batch, to)
        columns = {"kind": NodeKind.SEND, "ahead": direction.value, **message}
        after = (*self._stream, *self._sent.get(direction, ()))
        row = self._write(f"{direction.name.lower()} {micro_batch}", columns, after)
        self._sent[direction] = (row,)

    def _message(self, direction: Direction, micro_batch: int, to: int) -> _Columns:
        """One of its kind between any two devices, also where they have many parts."""
        part = to // len(self._graph.stages)
        number = part * (self._graph.micro_batches + 1) + micro_batch
        return {
            "present": int(Present.COMM_SIZE | Present.PEER | Present.TAG),
            "comm_size": max(1, round(self._graph.boundary_bytes)),
            "tag": 2 * number + (direction is Direction.BACKWARD),
        }

    def _write(
        self, name: str, columns: _Columns, after: Sequence[int] | None = None
    ) -> int:
        self._columns.append(columns)
        self._names.append(name)
        self._after.append(tuple(self._stream if after is None else after))
        return len(self._columns) - 1
