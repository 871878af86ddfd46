"""The timeline of a step says what the simulators say, and keeps the laws of time.

Times lie on the grid of the simulators, on which sums are exact; the tolerance is that
of the promise, not of need.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosmic.simulation.device_run import Inside
from cosmic.simulation.event_driven import EventDrivenSimulator
from cosmic.simulation.event_machine import play
from cosmic.simulation.expansion import Direction
from cosmic.simulation.result import SimulationResult
from cosmic.simulation.simulator import Simulator
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.simulation.timeline import StageTimeline, Timeline, Work, timeline
from cosmic.system.system import System
from cosmic.testing.pass_strategies import passes
from cosmic.testing.strategies import (
    graphs,
    placed_systems_of,
    systems_for,
    systems_of,
    workloads,
)
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.trace.node import OperatorKind
from cosmic.workload.lowering import lower

SHARE = 1e-9

every_time_alike = settings(
    derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def insides(found: Timeline, stage: StageTimeline) -> Iterator[Inside]:
    """What counts as the step: all but a training step's first forward."""
    first = 0 if found.graph.forward_only else 1
    return (run.inside for run in stage.runs[first:])


def parts(found: Timeline, stage: StageTimeline) -> dict[str, float]:
    sums = {f"exposed {group.name}": 0.0 for group in found.graph.groups}
    sums |= {"compute": 0.0, "optimizer": 0.0}
    for inside in insides(found, stage):
        for operation in inside.operations:
            optimizes = operation.node.kind is OperatorKind.OPTIMIZER
            sums["optimizer" if optimizes else "compute"] += operation.seconds
        for wait in inside.waits:
            sums[f"exposed {wait.node.group}"] += wait.seconds
    return sums | {"bubble": sum(idle.seconds for idle in stage.idle)}


def assert_as_simulated(found: Timeline, result: SimulationResult) -> None:
    tolerance = SHARE * result.makespan
    assert found.makespan == pytest.approx(result.makespan, rel=SHARE, abs=0)
    last = max(run.end for stage in found.stages for run in stage.runs)
    assert last == found.end
    assert last - found.start == pytest.approx(result.makespan, rel=SHARE, abs=0)
    for stage, breakdown in zip(found.stages, result.stages, strict=True):
        expected = {
            "compute": breakdown.compute,
            "optimizer": breakdown.optimizer,
            "bubble": breakdown.bubble,
            **{f"exposed {name}": time for name, time in breakdown.exposed.items()},
        }
        assert parts(found, stage) == pytest.approx(expected, rel=0, abs=tolerance)


def apart(intervals: Iterable[Sequence[float]]) -> bool:
    """Whether intervals, in their order, lie one after the other."""
    return all(
        start + seconds <= following
        for (start, seconds), (following, _) in pairwise(intervals)
    )


def assert_lawful(found: Timeline) -> None:
    for number, stage in enumerate(found.stages):
        assert apart((run.start, run.inside.seconds) for run in stage.runs)
        assert all(idle.seconds > 0 for idle in stage.idle)
        assert_in_order(stage, found.graph.chunks)
        assert_received(found, number)
        for run in stage.runs:
            assert_inside_lawful(run.inside)
        links: dict[int, list[tuple[float, float]]] = {}
        for run in stage.runs:
            for sending in run.inside.sendings:
                use = run.start + sending.start, sending.seconds
                links.setdefault(sending.dimension, []).append(use)
        assert all(apart(sorted(uses)) for uses in links.values())


def assert_in_order(stage: StageTimeline, parts: int) -> None:
    """Every part takes its micro-batches one by one, each backward behind its own."""
    for part in range(parts):
        ends: dict[tuple[Work, int], float] = {}
        for work in (Work.FORWARD, Work.BACKWARD, Work.WEIGHTS):
            runs = [r for r in stage.runs if r.work is work and r.part == part]
            assert [run.micro_batch for run in runs] == list(range(len(runs)))
            ends |= {(work, run.micro_batch): run.end for run in runs}
        for run in stage.runs:
            if run.part == part and run.work is Work.BACKWARD:
                assert ends[Work.FORWARD, run.micro_batch] <= run.start
            if run.part == part and run.work is Work.WEIGHTS:
                assert ends[Work.BACKWARD, run.micro_batch] <= run.start


def assert_received(found: Timeline, number: int) -> None:
    """A message leaves behind its run and comes before the run that waits for it."""
    stage = found.stages[number]
    for message in stage.messages:
        assert stage.runs[message.sender].end <= message.start
        if message.receiver is not None:
            run = found.stages[message.to].runs[message.receiver]
            assert message.start + message.seconds <= run.start
    for direction in Direction:
        assert apart(
            (m.start, m.seconds) for m in stage.messages if m.direction is direction
        )


def assert_inside_lawful(inside: Inside) -> None:
    """Operators and waits fill a run without a gap, and so do its blocks."""
    stream = sorted(
        (start, start + seconds)
        for _, start, seconds in chain(inside.operations, inside.waits)
        if seconds
    )
    assert [start for start, _ in stream[1:]] == [end for _, end in stream[:-1]]
    assert sum(end - start for start, end in stream) == inside.seconds
    spans = inside.spans
    assert apart((span.start, span.seconds) for span in spans)
    assert sum(span.seconds for span in spans) == inside.seconds
    for exchange in inside.exchanges:
        assert exchange.issued <= exchange.start
        assert exchange.exposed >= 0
        waited = exchange.start - exchange.issued + exchange.seconds
        assert exchange.exposed <= waited
    for sending in inside.sendings:
        assert 0 <= sending.busy <= sending.seconds


def check(graph: ExecutionGraph, system: System, simulator: Simulator) -> None:
    found = timeline(graph, system)

    assert_as_simulated(found, simulator.run(graph, system))
    assert_lawful(found)


@settings(every_time_alike, max_examples=40)
@given(data=st.data())
def test_it_agrees_with_the_symmetric_simulator(data: st.DataObject) -> None:
    workload = data.draw(workloads())

    check(lower(workload), data.draw(systems_for(workload)), SymmetricSimulator())


@settings(every_time_alike, max_examples=20)
@given(data=st.data())
def test_it_agrees_with_the_event_driven_simulator(data: st.DataObject) -> None:
    workload = data.draw(workloads(8))

    check(lower(workload), data.draw(systems_for(workload)), EventDrivenSimulator())


@settings(every_time_alike, max_examples=20)
@given(data=st.data())
def test_it_agrees_on_passes_of_inference(data: st.DataObject) -> None:
    workload = data.draw(passes())

    check(lower(workload), data.draw(systems_for(workload)), SymmetricSimulator())


@settings(every_time_alike, max_examples=60)
@given(data=st.data())
def test_it_agrees_on_graphs_that_no_transformer_has(data: st.DataObject) -> None:
    graph = data.draw(graphs())

    check(graph, data.draw(systems_of(graph)), SymmetricSimulator())


@settings(every_time_alike, max_examples=20)
@given(data=st.data())
def test_it_agrees_on_any_placement_and_on_flat_rings(data: st.DataObject) -> None:
    graph = data.draw(graphs())

    check(graph, data.draw(placed_systems_of(graph)), EventDrivenSimulator())


@settings(every_time_alike, max_examples=20)
@given(data=st.data())
def test_links_send_what_the_event_driven_simulator_sends(data: st.DataObject) -> None:
    """For collectives of the step; messages to other stages are told apart."""
    workload = data.draw(workloads(8))
    graph, system = lower(workload), data.draw(systems_for(workload))

    found, played = timeline(graph, system), play(graph, system)

    for number, stage in enumerate(found.stages):
        sent = played.sent[graph.pipeline.offset(number)]
        sums = [0.0] * len(sent)
        for inside in insides(found, stage):
            for sending in inside.sendings:
                sums[sending.dimension] += sending.sent
        assert sums == pytest.approx(sent, rel=SHARE, abs=0)
