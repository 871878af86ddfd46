"""The trace of a step keeps the rules of the trace event format, as a reader sees it.

The rules are those of the Chromium project's "Trace Event Format": complete events of
a thread nest or lie apart, arrows begin and end in events, and names come as metadata.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cosmic.report.timeline as writer
from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.report.timeline import Detail, trace_document, write_trace
from cosmic.simulation.timeline import Timeline, Work, timeline
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.testing.strategies import graphs, systems_for, systems_of, workloads
from cosmic.workload.lowering import lower
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.workload import Workload

NANOSECOND = 1e-3  # in microseconds

Event = dict[str, Any]

every_time_alike = settings(
    derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def read(found: Timeline, detail: Detail) -> list[Event]:
    """The events as they come out of the file."""
    text = json.dumps(trace_document(found, detail), allow_nan=False)
    events: list[Event] = json.loads(text)["traceEvents"]
    return events


def threads(events: list[Event]) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {}
    for event in events:
        if event["ph"] == "X":
            found.setdefault(event["tid"], []).append(event)
    return found


def nanoseconds(microseconds: float) -> int:
    return round(microseconds * 1000)


def end(event: Event) -> int:
    return nanoseconds(event["ts"]) + nanoseconds(event["dur"])


def depths(events: list[Event]) -> Iterator[tuple[int, Event]]:
    """Events of a thread with how deep they lie, as a reader stacks them."""
    under: list[int] = []
    before = 0
    for event in events:
        start = nanoseconds(event["ts"])
        assert start >= before
        before = start
        while under and under[-1] <= start:
            under.pop()
        assert not under or end(event) <= under[-1], f"{event} reaches out"
        yield len(under), event
        under.append(end(event))


def assert_readable(found: Timeline, events: list[Event]) -> None:
    names: dict[str, set[int]] = {}
    processes: dict[int, int] = {}
    for event in events:
        assert event["ph"] in "MXsf"
        assert isinstance(event["name"], str)
        assert processes.setdefault(event["tid"], event["pid"]) == event["pid"]
        if event["ph"] == "M":
            which = event["pid" if event["name"].startswith("process") else "tid"]
            names.setdefault(event["name"], set()).add(which)
        else:
            assert event["ts"] >= 0
            assert event["ts"] == nanoseconds(event["ts"]) / 1000
    assert names["process_name"] == set(processes.values())
    assert names["thread_name"] == names["thread_sort_index"] == set(processes)
    assert len(names["process_name"]) == len(found.stages)
    assert_arrows(events)


def assert_arrows(events: list[Event]) -> None:
    """Each begins in a message and ends where the run begins that waits for it."""
    begins = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = {event["id"]: event for event in events if event["ph"] == "f"}
    starts = {(e["tid"], e["ts"]) for e in events if e["ph"] == "X"}
    assert begins.keys() == ends.keys()
    for number, arrow in begins.items():
        assert (arrow["tid"], arrow["ts"]) in starts
        assert (ends[number]["tid"], ends[number]["ts"]) in starts
        assert arrow["ts"] <= ends[number]["ts"]
        assert (arrow["name"], arrow["cat"]) == (
            ends[number]["name"],
            ends[number]["cat"],
        )


def assert_fills_the_step(found: Timeline, events: list[Event]) -> None:
    """Runs and idle stretches of each stage fill its step, and the last one ends it."""
    by_name = {
        event["tid"]: event["args"]["name"]
        for event in events
        if event["name"] == "thread_name"
    }
    streams = threads(events)
    for thread, stream in streams.items():
        if by_name[thread] != "compute":
            continue
        [step] = streams[thread - 1]  # the thread before
        assert step["dur"] == pytest.approx(found.makespan * 1e6, abs=NANOSECOND)
        top = [e for depth, e in depths(stream) if depth == 0]
        counted = [e for e in top if e["args"].get("belongs_to") is None]
        counted = [e for e in counted if e["cat"] != "layer"]  # of no length, at an end
        sums = sum(nanoseconds(e["dur"]) for e in counted)
        assert sums == nanoseconds(step["dur"])
    last = max(e["pid"] for e in events)
    ends = [end(e) for e in events if e["ph"] == "X" and e["pid"] == last]
    assert max(ends) == pytest.approx(found.end * 1e9, abs=1)


def check(found: Timeline, detail: Detail) -> None:
    events = read(found, detail)

    assert_readable(found, events)
    for stream in threads(events).values():
        assert list(depths(stream))
    assert_fills_the_step(found, events)


@settings(every_time_alike, max_examples=12)
@given(data=st.data(), detail=st.sampled_from(Detail))
def test_a_reader_finds_threads_that_nest(data: st.DataObject, detail: Detail) -> None:
    workload = data.draw(workloads())

    check(timeline(lower(workload), data.draw(systems_for(workload))), detail)


@settings(every_time_alike, max_examples=8)
@given(data=st.data(), detail=st.sampled_from(Detail))
def test_so_it_does_in_graphs_that_no_transformer_has(
    data: st.DataObject, detail: Detail
) -> None:
    graph = data.draw(graphs())

    check(timeline(graph, data.draw(systems_of(graph))), detail)


def test_a_small_step_by_hand(small_step: Timeline) -> None:
    """F takes 2 ms, B 1 ms and a message 0.5 ms.

    Stage 0: F0 0-2, F1 2-4. Stage 1: F0 2.5-4.5, B0 4.5-5.5, F1 5.5-7.5, B1 7.5-8.5.
    Stage 0 again: B0 6-7, B1 9-10, update 10-12; stage 1's: 12.5-14.5. The step of
    stage 1 is counted from 4.5 on: 10 ms, that of stage 0 from 2 on, to 12.
    """
    events = [e for e in read(small_step, Detail.OPERATORS) if e["ph"] == "X"]

    def runs(stage: int) -> list[tuple[str, float, float]]:
        kinds = ("forward", "backward", "update", "idle")
        return [
            (e["cat"], e["ts"] / 1e3, (e["ts"] + e["dur"]) / 1e3)
            for e in events
            if e["pid"] == stage + 1 and e["cat"] in kinds
        ]

    assert runs(0) == [
        ("forward", 0, 2),
        ("forward", 2, 4),
        ("idle", 4, 6),
        ("backward", 6, 7),
        ("idle", 7, 9),
        ("backward", 9, 10),
        ("update", 10, 12),
    ]
    assert runs(1) == [
        ("forward", 2.5, 4.5),
        ("backward", 4.5, 5.5),
        ("forward", 5.5, 7.5),
        ("backward", 7.5, 8.5),
        ("idle", 8.5, 12.5),
        ("update", 12.5, 14.5),
    ]
    steps = [(e["ts"], e["dur"]) for e in events if e["cat"] == "step"]
    assert steps == [(2e3, 10e3), (4.5e3, 10e3)]


def test_what_an_event_tells(small_step: Timeline) -> None:
    events = read(small_step, Detail.OPERATORS)
    forward = next(e for e in events if e["name"] == "forward 1")
    work = next(e for e in events if e["name"] == "work")
    gather = next(e for e in events if e["name"] == "gather" and e["cat"] == "pair")
    message = next(e for e in events if e["name"] == "activations of 0")

    assert forward["args"] == {
        "micro_batch": 1,
        "flops": 1e9,
        "bytes": 0.0,
        "compute_seconds": pytest.approx(1e-3),
        "exposed_seconds": {"pair": pytest.approx(1e-3)},
    }
    assert work["args"]["flops"] == 1e9
    assert work["dur"] == 1e3
    assert gather["args"] == {
        "collective": "all_gather",
        "group": "pair, 2 devices",
        "algorithm": "ring",
        "bytes": 2e6,
        "queued_seconds": 0.0,
        "exposed_seconds": pytest.approx(1e-3),
        "exposure": "exposed",
    }
    assert message["args"] == {"to": "stage 1", "bytes": 0.5e6, "micro_batch": 0}
    assert message["dur"] == 500


def test_beyond_some_number_of_events_one_run_of_each_kind_has_its_inside(
    small_step: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_EVENTS", 10)
    document = trace_document(small_step, Detail.LAYERS)
    events: list[Event] = json.loads(json.dumps(document))["traceEvents"]

    layers = [e for e in events if e["ph"] == "X" and e["cat"] == "layer"]
    assert len(layers) == 2 * 2  # one forward and one backward of each stage
    again = [e for e in events if e["name"] == "forward 1"]
    assert {e["args"]["inside"] for e in again} == {"as in forward 0"}
    assert document["otherData"]["every_run_has_its_inside"] is False  # type: ignore[index]


def test_steps_alone_have_no_inside(small_step: Timeline) -> None:
    events = read(small_step, Detail.STEPS)

    kinds = {e["cat"] for e in events if e["ph"] == "X"}
    assert kinds == {"step", "idle", "send", "forward", "backward", "update"}


def test_the_file_is_the_document(small_step: Timeline, tmp_path: Path) -> None:
    document = trace_document(small_step, about={"scenario": "small"})
    path = tmp_path / "step.json"

    write_trace(document, str(path))

    written = json.loads(path.read_text(encoding="utf-8"))
    assert written == document
    assert written["displayTimeUnit"] == "ms"
    assert written["otherData"]["scenario"] == "small"
    assert written["otherData"]["makespan_seconds"] == pytest.approx(10e-3)


def test_runs_are_of_all_kinds(small_step: Timeline) -> None:
    works = {run.work for stage in small_step.stages for run in stage.runs}

    assert works == {Work.FORWARD, Work.BACKWARD, Work.UPDATE}


def test_parts_of_the_model_are_told_apart() -> None:
    """Two stages with two parts each, as interleaved 1F1B has them."""
    split = Parallelism(pipeline=2, virtual_stages=2)
    model = TransformerModel(
        layers=4,
        hidden=64,
        heads=1,
        key_value_heads=1,
        head_dim=64,
        feed_forward=128,
        sequence=16,
        vocabulary=0,
    )
    workload = Workload(model=model, batch=2, parallelism=split)
    dimension = Dimension(shape=Shape.RING, size=2, link_bandwidth=1e9, latency=0.0)
    device = Device(peak_flops=1e12, memory_bandwidth=1e12, memory_capacity=1e12)
    ring = ("ring",)
    policy = CollectivePolicy(
        all_reduce=ring, all_gather=ring, reduce_scatter=ring, all_to_all=ring
    )
    system = System(Cluster(device, Topology((dimension,))), policy)

    events = read(timeline(lower(workload), system), Detail.STEPS)

    names = [e["name"] for e in events if e["pid"] == 1 and e.get("cat") == "forward"]
    assert names == [
        "forward 0, part 0",
        "forward 1, part 0",
        "forward 0, part 1",
        "forward 1, part 1",
    ]
    parts = [e["args"]["part"] for e in events if e.get("cat") == "backward"]
    assert sorted(parts) == [0, 0, 0, 0, 1, 1, 1, 1]
