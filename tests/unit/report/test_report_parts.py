"""What a report is put together from: packed columns, thinned points, charts."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.report.chart_axes import Axis
from cosmic.report.packing import Choices, Numbers, pack
from cosmic.report.page_parts import Chart
from cosmic.report.study_charts import (
    Cloud,
    Tornado,
    scatter_chart,
    share_chart,
    stacked_chart,
    tornado_chart,
)
from cosmic.report.thinning import thinned

NOTHING = np.array([], dtype=np.int64)


def test_columns_are_unpacked_from_where_the_head_says() -> None:
    packed = pack(
        [
            Choices(name="shape", texts=("Ring", "Switch"), numbers=(), codes=(1, 0)),
            Numbers(name="runtime", unit="s", values=(0.5, float("nan"))),
        ],
        {"sought": "runtime"},
        rows=2,
    )

    line, _, body = packed.partition(b"\n")
    head = json.loads(line)
    shape, runtime = head["columns"]
    assert (head["rows"], head["sought"]) == (2, "runtime")
    assert np.frombuffer(body, "u1", 2, shape["at"]).tolist() == [1, 0]
    found = np.frombuffer(body, "<f4", 2, runtime["at"])
    assert found[0] == 0.5
    assert np.isnan(found[1])
    assert runtime["scales"][1] == [1e-3, "ms"]


def test_more_than_a_byte_of_different_texts_takes_more_bytes() -> None:
    texts = [str(number) for number in range(300)]
    packed = pack(
        [Choices(name="a", texts=texts, numbers=(), codes=range(300))], {}, 300
    )

    line, _, body = packed.partition(b"\n")
    assert json.loads(line)["columns"][0]["type"] == "u4"
    assert np.frombuffer(body, "<u4").tolist() == list(range(300))


@given(
    points=st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1),
    most=st.integers(1, 20),
)
def test_no_more_are_drawn_than_asked(
    points: list[tuple[float, float]], most: int
) -> None:
    values = np.array(points)
    rows = thinned(values, most, NOTHING)

    assert 1 <= len(rows) <= most
    assert (np.diff(rows) > 0).all()


def test_a_lonely_point_stays_while_a_crowd_is_thinned() -> None:
    crowd = np.random.default_rng(0).normal(0, 0.01, (5000, 2))
    rows = thinned(np.concatenate([crowd, [[9.0, 9.0]]]), 100, np.array([7]))

    assert len(rows) <= 101
    assert {7, 5000} <= set(rows.tolist())


def test_few_points_are_all_drawn() -> None:
    assert thinned(np.zeros((5, 2)), 5, NOTHING).tolist() == [0, 1, 2, 3, 4]


SECONDS, TRIALS = Axis(name="time", unit="s"), Axis(name="trials", unit="")
POINTS = np.array([[1.0, 0.002], [1000.0, 0.004]])
CHARTS = [
    stacked_chart(
        "time", "", SECONDS, {"a<b>": {"compute": 2.0}, "b": {}}, ("end", 3.0)
    ),
    scatter_chart(
        "front",
        "",
        (TRIALS, SECONDS),
        [
            Cloud(name=look, points=POINTS, texts=("<i>x", "y"), look=look)
            for look in ("dots", "line", "steps", "star", "diamond")
        ],
    ),
    tornado_chart(
        "what", "", [Tornado(name="dp", times_worse=(0.9, 2), texts=("a", "b"))]
    ),
    share_chart("shares", "", [("dp", 0.5, 0.4, 0.7)]),
]


def colored(value: object) -> object:
    """The value with a color for each of the names that the page fills in."""
    match value:
        case str():
            return "#123456" if value.startswith("$") else value
        case dict():
            return {key: colored(inner) for key, inner in value.items()}
        case list() | tuple():
            return [colored(inner) for inner in value]
        case _:
            return value


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_plotly_knows_all_that_a_chart_says(chart: Chart) -> None:
    from plotly.graph_objects import Figure  # noqa: PLC0415 - slow to load

    Figure(colored(chart.spec))  # or says what it does not know


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_name_brings_no_markup_into_a_chart(chart: Chart) -> None:
    text = json.dumps(chart.spec, default=list)

    assert "a<b>" not in text
    assert "<i>" not in text


def test_bars_are_in_a_unit_that_fits_and_say_it() -> None:
    bars = {"best": {"compute": 0.004, "bubble": 0.001}}
    chart = stacked_chart("time", "", SECONDS, bars)
    layout = chart.spec["layout"]
    data = chart.spec["data"]

    assert isinstance(layout, dict)
    assert isinstance(data, list)
    assert layout["xaxis"]["title"]["text"] == "time [ms]"
    assert [bar["x"] for bar in data] == [[4.0], [1.0]]
    assert data[0]["customdata"] == ["best: 4 ms, 80.0 %"]
