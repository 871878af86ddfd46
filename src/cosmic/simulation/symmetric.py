"""The symmetric simulator: one device a stage, equal layers once, then the schedule.

All devices of a stage do the same at the same time, so one of them is run, with its end
of the network. A micro-batch takes as long as any other of the same stage, so its
forward and its backward are run once, as is the last backward with its gradients; the
schedule puts them in order. Then each stage is run on from its last backward through
its update, which is where collectives and computation of two steps meet.

Where a stage holds several parts of the model, what it ends with begins at the last
backward of its last part, whose gradients travel while the others have their last
backwards. From there on stages are run together, part by part: what comes back for one
part is known when the stage behind has run it. Where gradients of weights are put off,
what a stage ends with begins at the last of these.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cosmic.simulation import kernels
from cosmic.simulation.collective_columns import collective_columns
from cosmic.simulation.columns import Collectives, Programs
from cosmic.simulation.communication import crossings
from cosmic.simulation.durations import Durations
from cosmic.simulation.endings import Endings
from cosmic.simulation.flat_graph import FlatGraph, flat_graph
from cosmic.simulation.pipeline_kernel import run_slots
from cosmic.simulation.result import Breakdown, SimulationResult
from cosmic.simulation.simulator import Simulator, check_fit
from cosmic.simulation.slot_columns import (
    FINISH,
    FORWARD,
    UPDATE,
    slot_columns,
)
from cosmic.simulation.step_columns import is_plain, step_columns
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SymmetricSimulator(Simulator):
    """Runs one representative device of each pipeline stage; the fast default."""

    @override
    def run(self, graph: ExecutionGraph, system: System) -> SimulationResult:
        check_fit(graph, system)
        times = _Times.of(graph, system)
        run = _Run(graph, system, flat_graph(graph), times)
        return run.plain() if is_plain(graph) else run.result()


@dataclass(frozen=True, slots=True, eq=False)
class _Times:
    """The durations of a graph on a system, as the kernels take them."""

    durations: Durations
    programs: Programs
    collectives: Collectives
    alone: Floats

    @classmethod
    def of(cls, graph: ExecutionGraph, system: System) -> "_Times":
        flat = flat_graph(graph)
        durations = Durations.of(graph, system)
        collectives = _collectives(graph, flat, durations, system)
        return cls(
            durations=durations,
            programs=_programs(flat, durations.computes),
            collectives=collectives,
            alone=kernels.alone(collectives),
        )


def _programs(flat: FlatGraph, computes: Floats) -> Programs:
    segments = np.zeros(flat.segments)
    np.add.at(segments, flat.segment_of, computes[flat.segment_node])
    return Programs(
        instructions=flat.instructions,
        blocks=flat.blocks,
        segment_seconds=segments,
        labels=flat.labels,
        lowest_layer=flat.lowest_layer,
        layers=flat.layers,
    )


def _collectives(
    graph: ExecutionGraph,
    flat: FlatGraph,
    durations: Durations,
    system: System,
) -> Collectives:
    names = [group.name for group in graph.groups]
    return collective_columns(
        durations.phases,
        (durations.phase_seconds, durations.link_seconds),
        [names.index(node.group) for node in flat.collectives],
        system,
    )._replace(groups=len(names))


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """One graph on one system."""

    graph: ExecutionGraph
    system: System
    flat: FlatGraph
    times: _Times

    def plain(self) -> SimulationResult:
        """A step by 1F1B or GPipe, all of it compiled."""
        durations = self.times.durations
        step, collectives = step_columns(self.graph), self.times.collectives
        makespan, parts = kernels.run_step(
            step,
            durations.computes,
            collectives,
            (durations.onward, durations.back),
            kernels.idle_networks(step, collectives),
        )
        names = [group.name for group in self.graph.groups]
        stages = [
            Breakdown(
                compute=compute,
                optimizer=optimizer,
                exposed=dict(zip(names, exposed, strict=True)),
                bubble=bubble,
            )
            for compute, optimizer, bubble, *exposed in parts.tolist()
        ]
        sent = [self._sent(stage) for stage in range(len(stages))]
        return SimulationResult(
            makespan=makespan, stages=tuple(stages), sent=tuple(sent)
        )

    def result(self) -> SimulationResult:
        flat, groups = self.flat, len(self.graph.groups)
        programs = flat.programs.shape[1]
        duration = np.zeros((len(flat.programs), programs))
        waits = np.zeros((len(flat.programs), programs, groups))
        known: dict[bytes, tuple[Floats, Floats]] = {}
        for kind in range(len(flat.programs)):
            for program in range(programs):
                if program in (UPDATE, FINISH) or not flat.programs[kind, program, 1]:
                    continue
                rows = flat.programs[kind, program].tobytes()
                if rows not in known:
                    known[rows] = self._programs(kind, (program,), (0.0,))
                ends, waited = known[rows]
                duration[kind, program] = ends[0]
                waits[kind, program] = waited[0]
        of_stage = duration[flat.stage_of]
        if self.graph.forward_only:
            return self._pass(of_stage[:, FORWARD], waits)
        return self._by_slots(of_stage, waits)

    def _pass(self, forward: Floats, waits: Floats) -> SimulationResult:
        """One forward pass, every stage and transfer working from one end to the other.

        The first micro-batch goes through all of them, and the slowest lets the others
        out behind it one by one.
        """
        onward = self.times.durations.onward
        through = float(forward.sum() + onward.sum())
        slowest = float(max(forward.max(), onward.max(initial=0.0)))
        makespan = through + (self.graph.micro_batches - 1) * slowest
        nothing = np.zeros(len(self.graph.groups))
        return self._result(makespan, waits, [nothing] * len(forward))

    def _by_slots(self, of_stage: Floats, waits: Floats) -> SimulationResult:
        """A step with several parts of the model, or gradients of weights put off."""
        graph, onward = self.graph, self.times.durations.onward
        stages, count = len(graph.stages), graph.micro_batches
        columns = slot_columns(graph.schedule, stages, count, graph.chunks)
        first_end, *state = run_slots(
            columns.order,
            np.take_along_axis(of_stage, columns.programs, 1),
            columns.ending,
            onward,
            self.times.durations.back,
            (stages * graph.chunks, count),
        )
        endings = Endings(graph, self.times.durations.back, self._of_stage)
        endings.run(*state)
        arrival = end = 0.0
        waited = []
        for stage in range(stages):
            release = (0.0, arrival)
            end, waits_there = endings.finish(stage, (FINISH, UPDATE), release)
            if stage < len(onward):
                arrival = end + onward[stage]
            waited.append(waits_there)
        before = endings.turns_before
        return self._result(float(end - first_end[-1]), waits, waited, before)

    def _of_stage(
        self, stage: int, programs: tuple[int, ...], release: tuple[float, ...]
    ) -> tuple[Floats, Floats]:
        return self._programs(int(self.flat.stage_of[stage]), programs, release)

    def _result(
        self,
        makespan: float,
        waits: Floats,
        updates: list[Floats],
        alone: tuple[int, ...] | None = None,
    ) -> SimulationResult:
        """What comes of it.

        Args:
            makespan: How long it takes.
            waits: Waiting of each program that is alone, by kind of stage.
            updates: Waiting of each stage in the others.
            alone: How often each program is alone; if not said, all but the last ones.
        """
        stages = [
            self._breakdown(int(kind), makespan, waits[kind], updates[stage], alone)
            for stage, kind in enumerate(self.flat.stage_of)
        ]
        sent = [self._sent(stage) for stage in range(len(stages))]
        return SimulationResult(
            makespan=makespan, stages=tuple(stages), sent=tuple(sent)
        )

    def _breakdown(
        self,
        kind: int,
        makespan: float,
        waits: Floats,
        update: Floats,
        alone: tuple[int, ...] | None,
    ) -> Breakdown:
        turns = self._turns()
        counts = turns @ self.flat.compute_counts[kind]
        seconds = counts * self.times.durations.computes
        optimizer = float(seconds[self.flat.is_optimizer].sum())
        compute = float(seconds[~self.flat.is_optimizer].sum())
        if alone is None:
            exposed = turns[:UPDATE] @ waits[:UPDATE] + update
        else:
            exposed = np.array(alone, dtype=np.float64) @ waits + update
        bubble = makespan - compute - optimizer - float(exposed.sum())
        names = [group.name for group in self.graph.groups]
        return Breakdown(
            compute=compute,
            optimizer=optimizer,
            exposed=dict(zip(names, exposed.tolist(), strict=True)),
            bubble=bubble,
        )

    def _sent(self, stage: int) -> tuple[float, ...]:
        """Bytes that a device of the stage sends in a step, by dimension."""
        topology = self.system.cluster.topology
        sent = [0.0] * len(topology.dimensions)
        counts = self._turns() @ self.flat.collective_counts[self.flat.stage_of[stage]]
        for count, row in zip(
            counts.tolist(), self.times.durations.routes, strict=True
        ):
            for route in row:
                for phase in route.phases:
                    sent[phase.dimension] += count * route.chunks * phase.sent
        for pair, parts in self._sends(stage):
            for span, _, _ in crossings(self.graph.pipeline, pair, self.system):
                amount = self.graph.micro_batches * self.graph.boundary_bytes
                sent[span.dimension] += parts * amount
        return tuple(sent)

    def _sends(self, stage: int) -> Iterator[tuple[tuple[int, int], int]]:
        """Between which stages a device sends, and for how many of its parts."""
        stages, chunks = len(self.graph.stages), self.graph.chunks
        onward = chunks - (stage == stages - 1)
        back = 0 if self.graph.forward_only else chunks - (stage == 0)
        if onward:
            yield (stage, (stage + 1) % stages), onward
        if back:
            yield ((stage - 1) % stages, stage), back

    def _turns(self) -> Floats:
        """How often each program runs in a step; the update stands for a forward."""
        return np.array(self.graph.turns, dtype=np.float64)

    def _programs(
        self, kind: int, programs: tuple[int, ...], release: tuple[float, ...]
    ) -> tuple[Floats, Floats]:
        """Ends and waits of some programs of a stage, from the compiled kernel."""
        ended: tuple[Floats, Floats] = kernels.run_programs(
            self.flat.programs[kind][list(programs)],
            np.array(release),
            self.times.programs,
            self.times.collectives,
            self.times.alone,
        )
        return ended
