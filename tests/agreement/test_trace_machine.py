"""A graph written out as traces runs as the event-driven simulator runs the graph."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.io.chakra_export import TraceExport
from cosmic.simulation.event_machine import play
from cosmic.simulation.trace_machine import run_traces
from cosmic.system.system import System
from cosmic.testing.strategies import graphs, placed_systems_of
from cosmic.trace.execution_graph import ExecutionGraph


def without_rings(drawn: ExecutionGraph) -> ExecutionGraph:
    """The graph without what no trace says: which groups are rings."""
    plain = tuple(replace(group, flat=False) for group in drawn.groups)
    return replace(drawn, groups=plain)


def in_one_piece(drawn: ExecutionGraph) -> bool:
    """Whether a stage holds one part of the model, and no more."""
    return drawn.chunks == 1


drawn_graphs = graphs().filter(in_one_piece).map(without_rings)


@given(
    drawn_graphs.flatmap(lambda made: st.tuples(st.just(made), placed_systems_of(made)))
)
@settings(max_examples=20)
def test_exported_graphs_end_when_the_graph_does(
    pair: tuple[ExecutionGraph, System],
) -> None:
    drawn, system = pair
    graph = replace(drawn, boundary_bytes=0.0)  # which share their links in a graph
    played = play(graph, system)
    export = TraceExport(graph, system)
    traces = sorted(export.traces(), key=lambda trace: trace.rank)
    run = run_traces(traces, export.groups, system)

    # Amounts are whole there, at least 1 a chunk, and links carry 1 byte a nanosecond.
    rounding = 1e-8 * sum(len(trace.nodes) for trace in traces) * system.policy.chunks
    for device in range(graph.devices):
        end = max(played.ends[place] for place in played.expansion.of_device(device))
        assert run.finish[device] == pytest.approx(end, rel=1e-6, abs=rounding)
