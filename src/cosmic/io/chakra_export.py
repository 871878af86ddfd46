"""An execution graph as Chakra traces: one file a device, `PREFIX.<device>.et`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from cosmic.io.chakra_stage import StageTrace, compute_amounts, stage_trace
from cosmic.io.chakra_writer import encoded, write_messages
from cosmic.simulation.expansion import stage_of
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.trace.rank_trace import RankTrace


class TraceExport:
    """Writes a graph out, one device at a time.

    Args:
        graph: What is written.
        system: What it runs on: this says how long a computation takes, and into how
            many chunks a collective is cut.

    Attributes:
        groups: Every group of more than one device, by a name that counts from 1.
    """

    def __init__(self, graph: ExecutionGraph, system: System) -> None:
        self._graph, self._system = graph, system
        self._names: dict[tuple[int, ...], str] = {}
        for group in graph.groups:
            for device in range(graph.devices) if group.size > 1 else ():
                members = group.members(device)
                self._names.setdefault(members, str(len(self._names) + 1))
        self.groups = {name: members for members, name in self._names.items()}

    def traces(self) -> Iterator[RankTrace]:
        """What each device runs, stage by stage."""
        for _, traces in self._by_stage():
            yield from traces

    def write(self, prefix: Path) -> Iterator[int]:
        """Write `PREFIX.<device>.et` for each device; gives the nodes of each file.

        What the devices of a stage have in common is put into bytes once.

        Raises:
            OSError: A file cannot be written.
        """
        for stage, traces in self._by_stage():
            shared: list[bytes] = []
            for trace in traces:
                shared = shared or list(encoded(trace, range(len(trace.nodes))))
                own = np.flatnonzero((stage.axis >= 0) | (stage.ahead != 0)).tolist()
                for row, message in zip(own, encoded(trace, own), strict=True):
                    shared[row] = message
                write_messages(shared, Path(f"{prefix}.{trace.rank}.et"))
                yield len(shared)

    def _by_stage(self) -> Iterator[tuple[StageTrace, Iterator[RankTrace]]]:
        amounts = compute_amounts(self._graph, self._system)
        devices = range(self._graph.devices)
        for number in range(len(self._graph.stages)):
            stage = stage_trace(self._graph, number, amounts, self._system)
            of_stage = [d for d in devices if stage_of(self._graph, d) == number]
            yield stage, (self._of_device(stage, device) for device in of_stage)

    def _of_device(self, stage: StageTrace, device: int) -> RankTrace:
        """The stage's nodes with the groups and peers of one device."""
        nodes = stage.trace.nodes.copy()
        groups = [group.members(device) for group in self._graph.groups]
        names = tuple(dict.fromkeys(self._names[g] for g in groups if len(g) > 1))
        for axis, members in enumerate(groups):
            if len(members) > 1:
                nodes["group"][stage.axis == axis] = names.index(self._names[members])
        stages = self._graph.pipeline.members(device)
        here = stage_of(self._graph, device)
        for ahead in (-1, 1):
            peer = stages[(here + ahead) % len(stages)]
            nodes["peer"][stage.ahead == ahead] = peer
        return replace(stage.trace, rank=device, nodes=nodes, groups=names)
