"""An execution graph as columns of numbers, for the compiled kernels.

The columns hold what depends on the graph alone, and are kept as long as the graph is:
a search that moves the system never makes them twice.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from cosmic.trace.execution_graph import Block, ExecutionGraph, Program, Stage
from cosmic.trace.node import (
    CollectiveNode,
    ComputeNode,
    Instruction,
    OperatorKind,
    Start,
    Wait,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

COMPUTE, START, WAIT = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class FlatGraph:
    """The columns.

    Attributes:
        computes: Distinct compute nodes.
        collectives: Distinct collectives.
        instructions: One row for each instruction: what it does (COMPUTE, START,
            WAIT), its segment or collective, its token's label, its token's offset.
            Compute nodes in a row are one segment. Shape (instructions, 4).
        segment_node: Compute node of each member of a segment.
        segment_of: Segment of each member.
        segments: How many segments there are.
        blocks: One row for each block: first instruction, instructions, repeat, first
            layer, step. Shape (blocks, 5).
        programs: First block and blocks of each of a stage's programs, shape
            (distinct stages, programs, 2).
        stage_of: For each pipeline stage, which of the distinct stages it is.
        compute_counts: How often each program runs each compute node, shape
            (distinct stages, programs, computes).
        collective_counts: The same for collectives.
        is_optimizer: Which compute nodes are the optimizer's.
        labels: How many token labels there are.
        lowest_layer: The lowest layer that a token counts.
        layers: How many layers tokens count.
    """

    computes: tuple[ComputeNode, ...]
    collectives: tuple[CollectiveNode, ...]
    instructions: Ints
    segment_node: Ints
    segment_of: Ints
    segments: int
    blocks: Ints
    programs: Ints
    stage_of: Ints
    compute_counts: Floats
    collective_counts: Floats
    is_optimizer: NDArray[np.bool_]
    labels: int
    lowest_layer: int
    layers: int


_KEPT: "WeakKeyDictionary[ExecutionGraph, FlatGraph]" = WeakKeyDictionary()


def flat_graph(graph: ExecutionGraph) -> FlatGraph:
    """The columns of a graph, made once."""
    if graph not in _KEPT:
        _KEPT[graph] = _Builder().build(graph)
    return _KEPT[graph]


class _Builder:
    """Collects rows; lives for the length of one call."""

    def __init__(self) -> None:
        self.computes: dict[ComputeNode, int] = {}
        self.collectives: dict[CollectiveNode, int] = {}
        self.places: dict[int, int] = {}  # of nodes in these, by identity: no hashing
        self.labels: dict[str, int] = {}
        self.instructions: list[tuple[int, int, int, int]] = []
        self.members: list[tuple[int, int]] = []
        self.segments = 0
        self.blocks: list[tuple[int, int, int, int, int]] = []
        self.programs: dict[int, tuple[int, int]] = {}  # by identity, while we build

    def build(self, graph: ExecutionGraph) -> FlatGraph:
        stages = list(dict.fromkeys(graph.stages))
        programs = [[self._program(p) for p in stage.programs] for stage in stages]
        members = np.array(self.members, dtype=np.int64).reshape(-1, 2)
        lowest, layers = _layers(stages)
        return FlatGraph(
            computes=tuple(self.computes),
            collectives=tuple(self.collectives),
            instructions=np.array(self.instructions, dtype=np.int64).reshape(-1, 4),
            segment_node=members[:, 0].copy(),
            segment_of=members[:, 1].copy(),
            segments=self.segments,
            blocks=np.array(self.blocks, dtype=np.int64).reshape(-1, 5),
            programs=np.array(programs, dtype=np.int64),
            stage_of=np.array([stages.index(stage) for stage in graph.stages]),
            compute_counts=self._counts(stages, ComputeNode),
            collective_counts=self._counts(stages, CollectiveNode),
            is_optimizer=np.array(
                [node.kind is OperatorKind.OPTIMIZER for node in self.computes],
                dtype=np.bool_,
            ),
            labels=len(self.labels),
            lowest_layer=lowest,
            layers=layers,
        )

    def _program(self, program: Program) -> tuple[int, int]:
        """The rows of a program; one that serves twice has them once."""
        if id(program) not in self.programs:
            self.programs[id(program)] = self._rows(program)
        return self.programs[id(program)]

    def _rows(self, program: Program) -> tuple[int, int]:
        first = len(self.blocks)
        for block in program:
            start = len(self.instructions)
            self._instructions(block.instructions)
            count = len(self.instructions) - start
            shape = block.repeat, block.first, block.step
            self.blocks.append((start, count, *shape))
        return first, len(self.blocks) - first

    def _instructions(self, instructions: tuple[Instruction, ...]) -> None:
        in_segment = False
        for instruction in instructions:
            if isinstance(instruction, ComputeNode):
                if not in_segment:
                    self.instructions.append((COMPUTE, self.segments, 0, 0))
                    self.segments += 1
                in_segment = True
                self.members.append((self._place(instruction), self.segments - 1))
                continue
            in_segment = False
            self.instructions.append(self._communication(instruction))

    def _communication(self, instruction: Start | Wait) -> tuple[int, int, int, int]:
        token = instruction.token
        label = self.labels.setdefault(token.label, len(self.labels))
        if isinstance(instruction, Start):
            return START, self._place(instruction.node), label, token.offset
        return WAIT, 0, label, token.offset

    def _place(self, node: ComputeNode | CollectiveNode) -> int:
        """The column of a node, equal for equal ones."""
        found = self.places.get(id(node))
        if found is not None:
            return found
        if isinstance(node, ComputeNode):
            place = self.computes.setdefault(node, len(self.computes))
        else:
            place = self.collectives.setdefault(node, len(self.collectives))
        self.places[id(node)] = place
        return place

    def _counts(
        self, stages: list[Stage], kind: type[ComputeNode] | type[CollectiveNode]
    ) -> Floats:
        known = self.computes if kind is ComputeNode else self.collectives
        counts = np.zeros((len(stages), len(stages[0].programs), len(known)))
        done: dict[int, Floats] = {}  # by identity, as in `_program`
        for s, stage in enumerate(stages):
            for p, program in enumerate(stage.programs):
                if id(program) not in done:
                    done[id(program)] = self._counted(program, len(known), kind)
                counts[s, p] = done[id(program)]
        return counts

    def _counted(
        self,
        program: Program,
        nodes: int,
        kind: type[ComputeNode] | type[CollectiveNode],
    ) -> Floats:
        """How often a program runs each of the nodes of a kind."""
        counts = [0.0] * nodes
        for block in program:
            for i in block.instructions:
                node = i.node if isinstance(i, Start) else i
                if isinstance(node, kind):
                    counts[self._place(node)] += block.repeat
        return np.array(counts, dtype=np.float64)


def _layers(stages: list[Stage]) -> tuple[int, int]:
    """The lowest layer that any token counts, and how many layers there are."""
    blocks = [b for stage in stages for program in stage.programs for b in program]
    named = [layer for block in blocks for layer in _token_layers(block)]
    lowest = min(named, default=0)
    return lowest, max(named, default=0) - lowest + 1


def _token_layers(block: Block) -> list[int]:
    marks = [i for i in block.instructions if not isinstance(i, ComputeNode)]
    offsets = [mark.token.offset for mark in marks]
    ends = block.layers()[0], block.layers()[-1]
    return [end + offset for end in ends for offset in offsets]
