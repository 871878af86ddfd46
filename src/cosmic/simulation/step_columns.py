"""A training step as columns of numbers: what the compiled step needs of a graph."""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from cosmic.simulation.flat_graph import COMPUTE, FlatGraph, flat_graph
from cosmic.simulation.schedule import warm_up
from cosmic.simulation.slot_columns import FINISH, FORWARD, UPDATE
from cosmic.trace.execution_graph import ExecutionGraph, Schedule

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class StepColumns(NamedTuple):
    """What a graph says of one step of the plain schedules, 1F1B and GPipe.

    Attributes:
        instructions: As in `FlatGraph`.
        blocks: As in `FlatGraph`.
        segment_node: As in `FlatGraph`.
        segment_of: As in `FlatGraph`.
        segments: As in `FlatGraph`.
        labels: As in `FlatGraph`.
        lowest_layer: As in `FlatGraph`.
        layers: As in `FlatGraph`.
        programs: First block and blocks of each program, shape (kinds, programs, 2).
        like: The first program that is the same, as kind x programs + program, shape
            (kinds, programs); -1 for one that does not run by itself.
        update_head: Blocks of the update before those that are a whole forward, shape
            (kinds,); all of them where it has none.
        stage_of: The kind of each stage, shape (stages,).
        warm_up: Forward slots of each stage before it alternates, shape (stages,).
        micro_batches: How many.
        boundary_bytes: What stages hand on.
        turns: How often each program runs in a step.
        computes: How often a step runs each compute node, shape (kinds, computes).
        most_computes: The same for a bound on the step, with one more forward.
        most_collectives: The same for collectives, shape (kinds, collectives).
        is_optimizer: Which compute nodes are the optimizer's.
        nbytes: Bytes of each collective.
        group_of: Group of each collective, by number.
        groups: How many groups there are.
    """

    instructions: Ints
    blocks: Ints
    segment_node: Ints
    segment_of: Ints
    segments: int
    labels: int
    lowest_layer: int
    layers: int
    programs: Ints
    like: Ints
    update_head: Ints
    stage_of: Ints
    warm_up: Ints
    micro_batches: int
    boundary_bytes: float
    turns: Floats
    computes: Floats
    most_computes: Floats
    most_collectives: Floats
    is_optimizer: NDArray[np.bool_]
    nbytes: Floats
    group_of: Ints
    groups: int


_KEPT: "WeakKeyDictionary[ExecutionGraph, StepColumns]" = WeakKeyDictionary()


def is_plain(graph: ExecutionGraph) -> bool:
    """Whether the compiled step knows the graph's schedule."""
    plain = graph.schedule is not Schedule.ZB_H1 and graph.chunks == 1
    return plain and not graph.forward_only


def step_columns(graph: ExecutionGraph) -> StepColumns:
    """The columns of a graph whose schedule is plain, made once."""
    if graph not in _KEPT:
        _KEPT[graph] = _columns(graph, flat_graph(graph))
    return _KEPT[graph]


def _columns(graph: ExecutionGraph, flat: FlatGraph) -> StepColumns:
    names = [group.name for group in graph.groups]
    stages, count = len(graph.stages), graph.micro_batches
    turns = np.array(graph.turns, dtype=np.float64)
    most = np.array([count + 1, count, *graph.turns[2:]], dtype=np.float64)
    ahead = [warm_up(graph.schedule, stages, s, count) for s in range(stages)]
    return StepColumns(
        instructions=flat.instructions,
        blocks=flat.blocks,
        segment_node=flat.segment_node,
        segment_of=flat.segment_of,
        segments=flat.segments,
        labels=flat.labels,
        lowest_layer=flat.lowest_layer,
        layers=flat.layers,
        programs=flat.programs,
        like=_like(flat.programs),
        update_head=np.array([_update_head(flat, rows) for rows in flat.programs]),
        stage_of=flat.stage_of,
        warm_up=np.array(ahead),
        micro_batches=count,
        boundary_bytes=float(graph.boundary_bytes),
        turns=turns,
        computes=_in_a_step(turns, flat.compute_counts),
        most_computes=_in_a_step(most, flat.compute_counts),
        most_collectives=_in_a_step(most, flat.collective_counts),
        is_optimizer=flat.is_optimizer,
        nbytes=np.array([node.nbytes for node in flat.collectives], np.float64),
        group_of=np.array([names.index(n.group) for n in flat.collectives], np.int64),
        groups=len(names),
    )


def _in_a_step(turns: Floats, counts: Floats) -> Floats:
    """How often a step runs what its programs run so often, by kind of stage."""
    found: Floats = np.tensordot(counts, turns, axes=(1, 0))
    return found


def _like(programs: Ints) -> Ints:
    known: dict[bytes, int] = {}
    kinds, count, _ = programs.shape
    like = np.full((kinds, count), -1)
    for kind in range(kinds):
        for program in range(count):
            rows = programs[kind, program]
            if program in (UPDATE, FINISH) or not rows[1]:
                continue
            like[kind, program] = known.setdefault(
                rows.tobytes(), kind * count + program
            )
    return like


def _update_head(flat: FlatGraph, programs: Ints) -> int:
    """How many blocks of an update come before its forward."""
    update, forward = (_content(flat, programs[p]) for p in (UPDATE, FORWARD))
    head = len(update) - len(forward)
    return head if head >= 0 and update[head:] == forward else len(update)


def _content(flat: FlatGraph, program: Ints) -> list[tuple[object, ...]]:
    """What the blocks of a program do, to be compared."""
    first, count = program
    members: dict[int, list[int]] = {}
    for node, segment in zip(
        flat.segment_node.tolist(), flat.segment_of.tolist(), strict=True
    ):
        members.setdefault(segment, []).append(node)
    found: list[tuple[object, ...]] = []
    for start, length, *shape in flat.blocks[first : first + count].tolist():
        rows = flat.instructions[start : start + length].tolist()
        nodes = [tuple(members[row[1]]) if row[0] == COMPUTE else () for row in rows]
        does = [(row[0], *row[2:]) if row[0] == COMPUTE else tuple(row) for row in rows]
        found.append((tuple(shape), tuple(does), tuple(nodes)))
    return found
