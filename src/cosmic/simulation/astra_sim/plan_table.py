"""Plans and groups of all collectives of a run, each distinct one once."""

import re
from collections.abc import Iterator
from dataclasses import astuple

import numpy as np

from cosmic.errors import SpecError, TraceError
from cosmic.simulation.astra_sim.collective_plan import (
    KINDS,
    LogicalRing,
    PlannedPhase,
    check_trees,
    chunks_of,
    group_ring,
    logical_rings,
    plan_phases,
)
from cosmic.simulation.astra_sim.inputs import Inputs
from cosmic.simulation.astra_sim.kernel import (
    COLLECTIVE,
    MEMBER,
    N_ACTION,
    N_RANK,
    N_X,
    N_Y,
    N_Z,
    PHASE,
    PLAN,
    TREE,
    Ints,
)
from cosmic.simulation.astra_sim.memory import Memory
from cosmic.simulation.astra_sim.node_table import NodeTable
from cosmic.trace.rank_trace import CommType, NodeKind

_NUMBER = re.compile(r"\s*\+?(\d{1,9})")
_IMPLIED = (1 << 4) - 1  # ASTRA-sim takes four dimensions where a node names none
_FIELDS = 12  # of a phase as it is planned, before those that say where things stand
_STREAMS = 1_000_000  # of a group, before those of the next number begin


class PlanTable:
    """Gives each collective node its plan and its group."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._rings = {
            kind: logical_rings(kind, inputs)
            for kind in KINDS
            if inputs.system.implementations.get(kind)
        }
        self._plans: dict[tuple[int, int, int, tuple[int, int]], int] = {}
        self._planned: list[tuple[int, int, tuple[PlannedPhase, ...]]] = []
        self._group_starts: dict[int, int] = {}
        self._members: list[tuple[int, int]] = []

    def assign(self, nodes: NodeTable) -> None:
        """Fill in plan, group and place of all collectives.

        Args:
            nodes: Those of all ranks, whose rows are changed.

        Raises:
            TraceError: ASTRA-sim would not get through one of them.
        """
        table = nodes.rows
        which = np.flatnonzero(table[:, N_ACTION] == COLLECTIVE)
        keys = self._keys(nodes)[which]
        distinct, first, place = np.unique(
            keys, axis=0, return_index=True, return_inverse=True
        )
        plans = []
        for key, example in zip(distinct.tolist(), which[first].tolist(), strict=True):
            try:
                plans.append(self._plan(key[0], key[1], (key[2], key[3]), key[4]))
            except SpecError as error:
                raise TraceError(f"{nodes.name(example)}: {error}") from error
        table[which, N_X] = np.array(plans, np.int64)[place.reshape(-1)]
        table[which, N_Y] = -1
        self._join(table, which[keys[:, 4] > 0], keys[keys[:, 4] > 0, 4])

    def _join(self, table: Ints, which: Ints, groups: Ints) -> None:
        """Fill in group and place of the collectives that name a group."""
        count = len(self._inputs.groups) and max(self._inputs.groups) + 1
        pairs, place = np.unique(
            table[which, N_RANK] * count + groups, return_inverse=True
        )
        places = {
            group: {rank: i for i, rank in enumerate(self._inputs.groups[group])}
            for group in np.unique(groups).tolist()
        }
        found = [
            (self._group_start(pair % count), places[pair % count][pair // count])
            for pair in pairs.tolist()
        ]
        rows = np.array(found, np.int64).reshape(-1, 2)[place.reshape(-1)]
        table[which[:, None], [N_Y, N_Z]] = rows

    def put(self, memory: Memory, nodes: Ints) -> None:
        """Put plans and groups into a memory, and let rows of nodes name them there."""
        phases = [phase for _, _, planned in self._planned for phase in planned]
        halving = [row for phase in phases for row in (*phase.halving, (0, 0))]
        at = memory.put(np.array(halving, np.int64).reshape(-1, 2))
        table: list[tuple[int, ...]] = []
        for _, _, planned in self._planned:
            for phase, trees, tree in _with_trees(planned):
                table.append((*astuple(phase)[:_FIELDS], at, trees, tree))
                at += 2 * (len(phase.halving) + 1)
        begin = memory.put(np.array(table, np.int64).reshape(-1, PHASE))
        plans = []
        for kind, chunks, planned in self._planned:
            end = begin + len(planned) * PHASE
            plans.append((begin, end, chunks, kind))
            begin = end
        first_plan = memory.put(np.array(plans, np.int64).reshape(-1, PLAN))
        first_member = memory.put(np.array(self._members, np.int64).reshape(-1, MEMBER))
        which = nodes[:, N_ACTION] == COLLECTIVE
        nodes[which, N_X] = first_plan + nodes[which, N_X] * PLAN
        group = nodes[which, N_Y]
        nodes[which, N_Y] = np.where(group < 0, 0, first_member + group * MEMBER)

    @property
    def most_chunks(self) -> int:
        """Chunks of the collective that has most of them."""
        return max((chunks for _, chunks, _ in self._planned), default=0)

    @property
    def widest_window(self) -> int:
        """Packets that a chunk makes at once, at most."""
        phases = (phase for _, _, planned in self._planned for phase in planned)
        return max((phase.window for phase in phases), default=1)

    def _keys(self, nodes: NodeTable) -> Ints:
        """What tells collectives apart: one row a node."""
        columns = ("comm_type", "comm_size", "involved_dim", "involved_count")
        keys = [nodes.nodes[name].astype(np.int64) for name in columns]
        return np.stack([*keys, self._group_numbers(nodes)], axis=1)

    def _group_numbers(self, nodes: NodeTable) -> Ints:
        """The number of each node's group; 0 is all ranks.

        Raises:
            TraceError: A collective names a group that is not there.
        """
        counts = [len(trace.groups) for trace in nodes.traces]
        own = np.cumsum(counts) - counts
        named = nodes.nodes["group"] >= 0
        index = np.where(named, nodes.nodes["group"] + own[nodes.rows[:, N_RANK]], -1)
        read = [_number(name) for trace in nodes.traces for name in trace.groups]
        numbers = np.array([*read, 0])[index]  # of no group the last
        collectives = nodes.of(NodeKind.COLLECTIVE)
        if self._inputs.system.replay_only or not collectives.any():
            return numbers
        nodes.refuse(collectives & (numbers < 0), "its group is not a number")
        split = nodes.rows[:, N_ACTION] == COLLECTIVE
        for number in np.unique(numbers[collectives & (numbers > 0)]).tolist():
            here = collectives & (numbers == number)
            if number not in self._inputs.groups:
                nodes.refuse(here, f"group {number} is not in the group file")
            members = np.isin(nodes.rows[:, N_RANK], self._inputs.groups[number])
            nodes.refuse(here & split & ~members, f"the rank is not in group {number}")
        return numbers

    def _plan(
        self, kind: int, nbytes: int, involved: tuple[int, int], group: int
    ) -> int:
        """The plan of a collective."""
        members = len(self._inputs.groups[group]) if group else 0
        whole = members == self._inputs.network.ranks
        part = 0 if whole else members
        key = (kind, nbytes, part, (-1, 0) if group else involved)
        if key not in self._plans:
            rings = self._rings_of(CommType(kind), involved, group, part)
            if not rings:
                raise SpecError("it has no other rank to talk to: ASTRA-sim hangs")
            if not self._inputs.system.scheduled:
                raise SpecError(
                    "scheduling-policy is not given: ASTRA-sim reads what happens to "
                    "stand in memory"
                )
            count, chunk = chunks_of(CommType(kind), nbytes, self._inputs)
            phases = plan_phases(CommType(kind), chunk, rings, self._inputs)
            self._plans[key] = len(self._planned)
            self._planned.append((KINDS.index(CommType(kind)), count, phases))
        return self._plans[key]

    def _rings_of(
        self, kind: CommType, involved: tuple[int, int], group: int, part: int
    ) -> tuple[LogicalRing, ...]:
        if part:
            return (group_ring(kind, part, self._inputs),) if part > 1 else ()
        rings = self._rings.get(kind) or logical_rings(kind, self._inputs)
        if not group:
            rings = self._involved(rings, involved)
        check_trees(rings, len(self._rings[kind]) - 1, self._inputs)
        return rings

    def _involved(
        self, rings: tuple[LogicalRing, ...], involved: tuple[int, int]
    ) -> tuple[LogicalRing, ...]:
        """The rings that a node's mask, of so many dimensions, takes."""
        mask, count = (_IMPLIED, 4) if involved[0] < 0 else involved
        if count < len(rings):
            raise SpecError(
                f"involved_dim names {count} dimensions of {len(rings)}: ASTRA-sim "
                "reads what happens to stand in memory"
            )
        return tuple(ring for ring in rings if mask >> ring.dimension & 1)

    def _group_start(self, group: int) -> int:
        if group not in self._group_starts:
            self._group_starts[group] = len(self._members)
            self._members.extend(
                (rank, group * _STREAMS) for rank in self._inputs.groups[group]
            )
        return self._group_starts[group]


def _number(name: str) -> int:
    """The number of a group by its name, 0 for all ranks, -1 if it has none."""
    if name in ("", "0"):
        return 0
    found = _NUMBER.match(name)
    return int(found[1]) if found is not None else -1


def _with_trees(
    phases: tuple[PlannedPhase, ...],
) -> Iterator[tuple[PlannedPhase, int, int]]:
    """Phases, how many trees of their dimension a chunk takes, and which this is."""
    dimensions = [p.dimension for p in phases if p.algorithm == TREE]
    for i, phase in enumerate(phases):
        before = sum(
            p.dimension == phase.dimension and p.algorithm == TREE for p in phases[:i]
        )
        yield phase, dimensions.count(phase.dimension), before
