"""Training steps of many designs at once: what does not change between them is kept.

A design is some numbers: where each of its collectives goes, as rows of one table that
all designs share, and how fast and how far apart its links are. What a collective costs
on a network depends on the links' speed only in the last step, so the table's rows hold
what is in front of it, which few designs bring anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from cosmic.collective.plan import only_phases
from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.errors import SpecError
from cosmic.network.topology import Topology
from cosmic.network.wiring import Wiring
from cosmic.simulation import kernels
from cosmic.simulation.columns import Designs, PhaseTable
from cosmic.simulation.communication import crossings, message_cost, phase_cost
from cosmic.simulation.flat_graph import flat_graph
from cosmic.simulation.simulator import check_fit
from cosmic.simulation.step_columns import step_columns
from cosmic.system.cluster import Cluster
from cosmic.system.device_order import Placement
from cosmic.system.placement import Span, spans
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.trace.node import CollectiveKind
from cosmic.units import BytesPerSecond

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Row = tuple[float, ...]
Names = tuple[tuple[str, ...], ...]
"""Algorithms by dimension, in the order of `_NAMED`."""

_NAMED = {
    CollectiveKind.ALL_REDUCE: 0,
    CollectiveKind.ALL_GATHER: 1,
    CollectiveKind.BROADCAST: 1,
    CollectiveKind.REDUCE_SCATTER: 2,
    CollectiveKind.ALL_TO_ALL: 3,
}
_NO_WAY = -1
_FIRST_ROWS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Where the collectives and the messages of a graph lie in networks of one size.

    Attributes:
        parts: Of each distinct collective: which of `Names` it goes by, its number
            among all that the timer knows, and the dimensions that it passes.
        part_of: Which of them each collective of the graph is.
        messages: Of each message between stages, first those to the next stage and
            then those back: its number, and the dimensions that it passes.
    """

    parts: tuple[tuple[int, int, tuple[int, ...]], ...]
    part_of: tuple[int, ...]
    messages: tuple[tuple[int, tuple[int, ...]], ...]


class Machine(NamedTuple):
    """One design's network and collectives, as far as a graph meets them.

    Attributes:
        ways: Way of each collective of the graph.
        messages: Way of each message between stages.
        bandwidth: Of one link of each dimension.
        latency: Of one link of each dimension.
        endpoint_delay: Time to take up a message.
        chunks: Equal parts of a collective.
        active_chunks: Chunks that a dimension serves at once.
        lifo: Whether the latest collective goes first.
    """

    ways: tuple[int, ...]
    messages: tuple[int, ...]
    bandwidth: tuple[float, ...]
    latency: tuple[float, ...]
    endpoint_delay: float
    chunks: int
    active_chunks: int
    lifo: bool


@dataclass(frozen=True, slots=True)
class _Collective:
    """A kind of collective, and where its group lies."""

    kind: CollectiveKind
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Message:
    """A message from one place to another in each span that it passes."""

    passed: tuple[tuple[Span, int, int], ...]


class StepTimer:
    """Times training steps; keeps the ways of collectives that it has met."""

    def __init__(self) -> None:
        self._table = _Table()
        self._numbers: dict[_Collective | _Message | Wiring, int] = {}
        self._numbered: list[_Collective | _Message | Wiring] = []
        self._ways: dict[tuple[object, ...], int] = {}

    def number(self, what: "_Collective | _Message | Wiring") -> int:
        """The number of a wiring, or of what lies in some; equal where they are."""
        if what not in self._numbers:
            self._numbers[what] = len(self._numbered)
            self._numbered.append(what)
        return self._numbers[what]

    def place(
        self, graph: ExecutionGraph, topology: Topology, placement: Placement
    ) -> Placed | None:
        """Where a graph's collectives lie in a network, and in all of its sizes.

        Args:
            graph: Of which one step is to be timed.
            topology: A network, of which only the sizes matter.
            placement: How device ids count through it, not by how fast links are.

        Returns:
            Nothing if a group is a flat ring, whose way depends on more than the shape.

        Raises:
            ConsistencyError: The graph does not fit the network, or a group does not
                factor over its dimensions.
        """
        system = _somehow(topology, placement)
        check_fit(graph, system)
        keys = [(node.kind, node.group) for node in flat_graph(graph).collectives]
        distinct = list(dict.fromkeys(keys))
        lying = {name: spans(graph.group(name), system) for _, name in distinct}
        if any(span.flat for row in lying.values() for span in row):
            return None
        onward = list(pairwise(range(len(graph.stages))))
        pairs = [*onward, *[(there, here) for here, there in onward]]
        messages = [tuple(crossings(graph.pipeline, pair, system)) for pair in pairs]
        if any(span.flat for row in messages for span, _, _ in row):
            return None
        return Placed(
            parts=tuple(
                (
                    _NAMED[kind],
                    self.number(_Collective(kind, lying[group])),
                    tuple(span.dimension for span in lying[group]),
                )
                for kind, group in distinct
            ),
            part_of=tuple(distinct.index(key) for key in keys),
            messages=tuple(
                (self.number(_Message(row)), tuple(s.dimension for s, _, _ in row))
                for row in messages
            ),
        )

    def ways(
        self,
        placed: Placed,
        names: Names,
        wirings: Sequence[int],
        *,
        hierarchical: bool,
    ) -> tuple[int, ...] | None:
        """The way of each collective with some algorithms.

        Args:
            placed: Where the collectives lie.
            names: Of the algorithms.
            wirings: The number of each dimension's wiring.
            hierarchical: Whether all-reduces shrink on their way out.

        Returns:
            Nothing if an algorithm does not exist for one of the collectives.
        """
        found, known = [], self._ways
        for row, number, dimensions in placed.parts:
            chosen = names[row]
            pairs = [(chosen[d], wirings[d]) for d in dimensions]
            key = (number, hierarchical, *pairs)
            way = known.get(key)
            if way is None:
                way = known[key] = self._way(number, pairs, hierarchical)
            if way == _NO_WAY:
                return None
            found.append(way)
        return tuple([found[part] for part in placed.part_of])

    def message_ways(self, placed: Placed, wirings: Sequence[int]) -> tuple[int, ...]:
        """The way of each message between stages.

        Args:
            placed: Where the stages lie.
            wirings: The number of each dimension's wiring.
        """
        found = []
        for number, dimensions in placed.messages:
            key = (number, *[wirings[d] for d in dimensions])
            way = self._ways.get(key)
            if way is None:
                way = self._ways[key] = self._message(number, key[1:])
            found.append(way)
        return tuple(found)

    def run(
        self,
        graph: ExecutionGraph,
        machines: Sequence[Machine],
        computes: Sequence[Floats],
        memory_bandwidths: Sequence[BytesPerSecond],
    ) -> tuple[Floats, Floats]:
        """Time a step of a graph on many machines.

        Args:
            graph: What is run.
            machines: On what.
            computes: Duration of each of the graph's compute nodes there.
            memory_bandwidths: Of a device there.

        Returns:
            What `kernels.run_steps` does.
        """
        designs = Designs(
            ways=np.array([m.ways for m in machines], np.int64),
            messages=np.array([m.messages for m in machines], np.int64),
            bandwidth=_padded([m.bandwidth for m in machines]),
            latency=_padded([m.latency for m in machines]),
            endpoint_delay=np.array([m.endpoint_delay for m in machines]),
            memory_bandwidth=np.array(memory_bandwidths),
            chunks=np.array([m.chunks for m in machines]),
            active_chunks=np.array([m.active_chunks for m in machines]),
            lifo=np.array([m.lifo for m in machines]),
            computes=np.array(computes),
        )
        found: tuple[Floats, Floats] = kernels.run_steps(
            step_columns(graph), self._table.columns, designs
        )
        return found

    def _way(
        self, number: int, passed: Sequence[tuple[str, int]], hierarchical: bool
    ) -> int:
        lying = cast(_Collective, self._numbered[number])
        along = tuple(
            (span.dimension, span.extent, name)
            for span, (name, _) in zip(lying.spans, passed, strict=True)
        )
        rows: list[Row] = []
        try:
            for phase in only_phases(lying.kind, along, hierarchical=hierarchical):
                wiring = cast(Wiring, self._numbered[passed[phase.span][1]])
                span = lying.spans[phase.span]
                cost = phase_cost(phase.algorithm, phase.kind, wiring, span)
                numbers = cost.steps, cost.hops, cost.load, cost.reduced
                rows.append((phase.dimension, phase.fraction, *numbers))
        except SpecError:
            return _NO_WAY
        return self._table.add(rows)

    def _message(self, number: int, wirings: Sequence[int]) -> int:
        message = cast(_Message, self._numbered[number])
        rows: list[Row] = []
        for (span, here, there), place in zip(message.passed, wirings, strict=True):
            wiring = cast(Wiring, self._numbered[place])
            hops, load = message_cost(wiring, span, here, there)
            rows.append((span.dimension, 1.0, 1, hops, load, 0.0))
        return self._table.add(rows)


def _padded(rows: Sequence[tuple[float, ...]]) -> Floats:
    """Rows by dimension, those of fewer dimensions with ones that nothing passes."""
    longest = max(map(len, rows))
    return np.array([(*row, *(1.0,) * (longest - len(row))) for row in rows])


def _somehow(topology: Topology, placement: Placement) -> System:
    """A system on a network, of which no more is asked than where groups lie."""
    names = ("ring",) * len(topology.dimensions)
    policy = CollectivePolicy(
        all_reduce=names, all_gather=names, reduce_scatter=names, all_to_all=names
    )
    device = Device(peak_flops=1.0, memory_bandwidth=1.0, memory_capacity=1.0)
    return System(Cluster(device, topology), policy, placement=placement)


class _Table:
    """Rows of a `PhaseTable`, of which there are more and more."""

    def __init__(self) -> None:
        self._known: dict[tuple[Row, ...], int] = {}
        self._rows = np.zeros((_FIRST_ROWS, 6))
        self._firsts: list[int] = []
        self._counts: list[int] = []
        self._columns: PhaseTable | None = None
        self._filled = 0

    def add(self, rows: Sequence[Row]) -> int:
        """The number of a way that has these rows."""
        key = tuple(rows)
        if key in self._known:
            return self._known[key]
        end = self._filled + len(rows)
        while end > len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        for at, row in enumerate(rows, self._filled):
            self._rows[at] = row
        self._firsts.append(self._filled)
        self._counts.append(len(rows))
        self._filled, self._columns = end, None
        self._known[key] = len(self._firsts) - 1
        return self._known[key]

    @property
    def columns(self) -> PhaseTable:
        """The table as it is now."""
        if self._columns is None:
            dimension, fraction, steps, hops, load, reduced = self._rows[
                : self._filled
            ].T.copy()
            self._columns = PhaseTable(
                first=np.array(self._firsts, np.int64),
                rows=np.array(self._counts, np.int64),
                dimension=dimension.astype(np.int64),
                fraction=fraction,
                steps=steps.astype(np.int64),
                hops=hops.astype(np.int64),
                load=load,
                reduced=reduced,
            )
        return self._columns
