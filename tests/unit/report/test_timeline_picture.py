"""The picture of a step: areas are time, and the text is a plain SVG element."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cosmic.report.timeline_bars as bars
from cosmic.report.timeline_bars import IDLE, Panel, groups_of, panels
from cosmic.report.timeline_picture import timeline_svg
from cosmic.simulation.timeline import Timeline, timeline
from cosmic.testing.pass_strategies import passes
from cosmic.testing.strategies import graphs, systems_for, systems_of, workloads
from cosmic.workload.lowering import lower

every_time_alike = settings(
    derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def times(panel: Panel, row: str) -> dict[str, float]:
    """Time of a row by what it goes to: the areas of its bars."""
    sums: dict[str, float] = {}
    for bar in panel.rows[row]:
        for name, share in bar.shares.items():
            sums[name] = sums.get(name, 0.0) + share * bar.seconds
    return sums


def check(found: Timeline) -> None:
    whole, *inside = panels(found)
    groups = groups_of(found)

    for number, stage in enumerate(found.stages):
        sums = times(whole, f"stage {number}")
        waits: dict[str, float] = {}
        for run in stage.runs:
            for wait in run.inside.waits:
                group = wait.node.group
                waits[group] = waits.get(group, 0.0) + wait.seconds
        idle = sum(idle.seconds for idle in stage.idle)
        assert sums.pop(IDLE, 0.0) == pytest.approx(idle, abs=1e-9 * found.end)
        waited = {name: sums.pop(name) for name in groups if name in sums}
        assert waited == pytest.approx(waits, abs=1e-9 * found.end)
        work = sum(o.seconds for r in stage.runs for o in r.inside.operations)
        assert sum(sums.values()) == pytest.approx(work, abs=1e-9 * found.end)
    for panel in (whole, *inside):
        for row in panel.rows.values():
            for bar in row:
                assert panel.start <= bar.start
                ends = panel.start + panel.seconds
                assert bar.start + bar.seconds <= ends * (1 + 1e-9)
                assert not bar.shares or sum(bar.shares.values()) <= 1 + 1e-9


@settings(every_time_alike, max_examples=15)
@given(data=st.data())
def test_areas_are_the_time_that_goes_there(data: st.DataObject) -> None:
    workload = data.draw(st.one_of(workloads(), passes()))

    check(timeline(lower(workload), data.draw(systems_for(workload))))


@settings(every_time_alike, max_examples=8)
@given(data=st.data())
def test_so_they_are_in_graphs_that_no_transformer_has(data: st.DataObject) -> None:
    graph = data.draw(graphs())

    check(timeline(graph, data.draw(systems_of(graph))))


def test_they_still_are_where_a_bar_is_a_stretch_of_time(
    small_step: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """7 bars are too many, so the 12 and 14.5 ms of the rows are cut into stretches."""
    monkeypatch.setattr(bars, "_MOST_BARS", 2)
    monkeypatch.setattr(bars, "_STRETCHES", 5)

    check(small_step)
    whole, *_ = panels(small_step)
    lengths = [bar.seconds for bar in whole.rows["stage 1"]]
    assert lengths == pytest.approx([14.5e-3 / 5] * 5)
    first = whole.rows["stage 1"][0]  # 0 to 2.9 ms, of which 2.5 to 2.9 are at work
    assert sum(first.shares.values()) == pytest.approx(0.4 / 2.9)


def test_of_many_stages_some_are_shown(
    small_step: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bars, "_MOST_ROWS", 1)
    stages = (small_step.stages[0], *small_step.stages)

    whole, *_ = panels(replace(small_step, stages=stages))

    assert whole.title == "the step, 2 of its 3 stages"
    assert list(whole.rows) == ["stage 0", "stage 2"]


@settings(every_time_alike, max_examples=3)
@given(data=st.data())
def test_anything_can_be_drawn(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    found = timeline(graph, data.draw(systems_of(graph)))

    ET.fromstring(timeline_svg(found))


def test_one_timeline_makes_one_text(small_step: Timeline) -> None:
    text = timeline_svg(small_step, "a step")

    assert text == timeline_svg(small_step, "a step")
    assert text.startswith("<svg")
    assert "<script" not in text
    assert "<dc:date" not in text


def test_it_says_what_it_shows(small_step: Timeline) -> None:
    root = ET.fromstring(timeline_svg(small_step, "<b>1 & 2</b> for $1 or $2"))
    texts = {e.text for e in root.iter("{http://www.w3.org/2000/svg}text")}

    assert "<b>1 & 2</b> for $1 or $2" in texts
    assert {"stage 0", "stage 1", "the step [ms]", "pair"} <= texts
    assert {"forward", "backward", "idle: waiting for a stage"} <= texts
    assert {"pair communicates", "waiting for pair"} <= texts


def test_inside_a_layer_operators_and_waits_are_shown(small_step: Timeline) -> None:
    """Of the stage that waits least: both wait 4 ms, so the first one."""
    _, forward, backward, end = panels(small_step)

    assert forward.title == "inside: forward of layer 0 on stage 0"
    assert [bar.label for bar in forward.rows["compute"]] == ["work", "wait: pair"]
    assert [bar.label for bar in forward.rows["pair"]] == ["gather"]
    assert backward.rows.keys() == {"compute"}
    assert (end.start, end.seconds) == pytest.approx((9e-3, 3e-3))
