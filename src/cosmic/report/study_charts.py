"""Charts of a study, as Plotly draws them in a page.

Names that come from a study are put in as plain text: Plotly would else read signs such
as `<b>` in them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosmic.report.chart_axes import (
    Axis,
    fitting_unit,
    plain,
    row_heads,
    rows_axis,
    scaled,
    titled,
    upright,
)
from cosmic.report.page_parts import Chart
from cosmic.units import format_quantity

_COLORS = 8  # that the page has for parts
_HEAD, _FOOT, _ROW = 66, 52, 58  # pixels

Points = npt.NDArray[np.float64]
"""A row for each point, and two columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tornado:
    """What happens to a design if one parameter is chosen otherwise.

    Attributes:
        name: Of the parameter.
        times_worse: How many times worse each other choice is; below 1 if better.
        texts: What was chosen, for each.
    """

    name: str
    times_worse: tuple[float, ...]
    texts: tuple[str, ...]


def stacked_chart(
    name: str,
    about: str,
    axis: Axis,
    bars: Mapping[str, Mapping[str, float]],
    limit: tuple[str, float] | None = None,
) -> Chart:
    """Lying bars, each made of parts one after the other.

    Args:
        name: Of the chart.
        about: In words.
        axis: What the parts are of.
        bars: Name of each bar to its parts.
        limit: A line across, with what it says.
    """
    totals = {bar: sum(parts.values()) for bar, parts in bars.items()}
    largest = max([*totals.values(), limit[1] if limit else 0.0])
    size, unit = fitting_unit(axis.unit, largest)
    parts = list(dict.fromkeys(p for bar in bars.values() for p, n in bar.items() if n))
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": plain(part.replace("_", " ")),
            "y": list(range(len(bars))),
            "x": [bar.get(part, 0.0) / size for bar in bars.values()],
            "customdata": [
                f"{plain(bar)}: {format_quantity(found.get(part, 0.0), axis.unit)}, "
                f"{100 * found.get(part, 0.0) / (totals[bar] or 1):.1f} %"
                for bar, found in bars.items()
            ],
            "hovertemplate": "%{fullData.name}<br>%{customdata}<extra></extra>",
            "width": 0.5,
            "marker": {"color": f"$c{place % _COLORS}"},
        }
        for place, part in enumerate(parts)
    ]
    heads = {
        bar: f"<b>{plain(bar)}</b>  {format_quantity(totals[bar], axis.unit)}"
        for bar in bars
    }
    layout: dict[str, object] = {
        "barmode": "stack",
        "xaxis": titled(axis.name, unit) | {"range": [0, 1.04 * largest / size or 1]},
        "yaxis": rows_axis(len(bars)),
        "annotations": row_heads(list(heads.values()), 0.25),
        "margin": {"l": 10},
    }
    if limit:
        _add_limit(layout, limit[0], limit[1] / size)
    spec = {"data": data, "layout": layout}
    height = _HEAD + _FOOT + 20 + (_ROW + 14) * len(bars) + 12 * (len(parts) > 4)
    return Chart(name=name, about=about, spec=spec, height=height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Points of a scatter chart.

    Attributes:
        name: For the legend.
        points: Where they are, in SI units.
        texts: What each is.
        look: `dots`, `line`, `star` or `diamond`.
    """

    name: str
    points: Points
    texts: Sequence[str]
    look: str


def scatter_chart(
    name: str, about: str, axes: tuple[Axis, Axis], clouds: Sequence[Cloud]
) -> Chart:
    """Points by two quantities; axes are logarithmic where values differ much."""
    everything = np.concatenate([cloud.points for cloud in clouds])
    fitted = [
        fitting_unit(axis.unit, float(np.median(everything[:, column])))
        for column, axis in enumerate(axes)
    ]
    data = []
    for cloud in clouds:
        columns = [cloud.points[:, i] / fitted[i][0] for i in (0, 1)]
        hover = [
            _hover(text, axes, row)
            for text, row in zip(cloud.texts, cloud.points, strict=True)
        ]
        data.append(
            {
                "type": "scatter",
                "name": plain(cloud.name),
                "x": columns[0].tolist(),
                "y": columns[1].tolist(),
                "customdata": hover,
                "hovertemplate": "%{customdata}<extra></extra>",
                **_LOOKS[cloud.look],
            }
        )
    layout = {
        key: titled(axis.name, fitted[column][1])
        | scaled(everything[:, column] / fitted[column][0])
        for column, (key, axis) in enumerate(zip(("xaxis", "yaxis"), axes, strict=True))
    }
    spec = {"data": data, "layout": layout}
    return Chart(name=name, about=about, spec=spec, height=420)


def tornado_chart(name: str, about: str, rows: Sequence[Tornado]) -> Chart:
    """For each parameter how many times worse its other choices make a design.

    Args:
        name: Of the chart.
        about: In words.
        rows: The one that matters most first.
    """
    places = list(range(len(rows)))
    spans: dict[str, list[float | None]] = {"x": [], "y": []}
    for place, row in zip(places, rows, strict=True):
        spans["x"] += [min(1.0, *row.times_worse), max(1.0, *row.times_worse), None]
        spans["y"] += [place, place, None]
    line = {
        "type": "scatter",
        "mode": "lines",
        **spans,
        "line": {"color": "$dots", "width": 2},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": [times for row in rows for times in row.times_worse],
        "y": [place for place, row in enumerate(rows) for _ in row.times_worse],
        "customdata": [
            f"<b>{plain(text)}</b><br>{_times(times)}"
            for row in rows
            for text, times in zip(row.texts, row.times_worse, strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"color": "$accent", "size": 9},
        "showlegend": False,
    }
    all_times = np.array([1.0, *(t for row in rows for t in row.times_worse)])
    layout = {
        "xaxis": titled("times worse than the best design", "") | scaled(all_times),
        "yaxis": rows_axis(len(rows)),
        "annotations": row_heads([plain(row.name) for row in rows], 0.12),
        "shapes": [upright(1.0, "$best")],
        "margin": {"l": 10},
    }
    spec = {"data": [line, dots], "layout": layout}
    height = 30 + _FOOT + 42 * len(rows)
    return Chart(name=name, about=about, spec=spec, height=height)


def share_chart(
    name: str, about: str, rows: Sequence[tuple[str, float, float, float]]
) -> Chart:
    """Shares with the range in which they probably lie, as lying bars.

    Args:
        name: Of the chart.
        about: In words.
        rows: Each a name, its share of 1, and the ends of the range.
    """
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(rows))),
        "x": [100 * share for _, share, _, _ in rows],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [100 * max(0.0, high - share) for _, share, _, high in rows],
            "arrayminus": [100 * max(0.0, share - low) for _, share, low, _ in rows],
            "color": "$soft",
            "thickness": 1.5,
            "width": 4,
        },
        "customdata": [
            f"<b>{plain(row)}</b><br>{100 * share:.1f} %, "
            f"from {100 * low:.1f} to {100 * high:.1f} %"
            for row, share, low, high in rows
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
        "width": 0.34,
        "marker": {"color": "$c0"},
    }
    layout = {
        "xaxis": titled("share of the differences between trials", "%")
        | {"rangemode": "tozero"},
        "yaxis": rows_axis(len(rows)),
        "annotations": row_heads([plain(row[0]) for row in rows], 0.17),
        "margin": {"l": 10},
    }
    spec = {"data": [bars], "layout": layout}
    return Chart(name=name, about=about, spec=spec, height=30 + _FOOT + 42 * len(rows))


_LOOKS: Mapping[str, Mapping[str, object]] = {
    "dots": {
        "mode": "markers",
        "marker": {"color": "$dots", "size": 5, "opacity": 0.55},
    },
    "line": {
        "mode": "lines+markers",
        "line": {"color": "$accent", "width": 2, "shape": "hv"},
        "marker": {"color": "$accent", "size": 7},
    },
    "steps": {
        "mode": "lines+markers",
        "line": {"color": "$accent", "width": 2, "shape": "hv"},
        "marker": {"color": "$accent", "size": 5},
    },
    "star": {
        "mode": "markers",
        "marker": {
            "color": "$best",
            "size": 16,
            "symbol": "star",
            "line": {"color": "$panel", "width": 1},
        },
    },
    "diamond": {
        "mode": "markers",
        "marker": {
            "color": "$c4",
            "size": 13,
            "symbol": "diamond",
            "line": {"color": "$panel", "width": 1},
        },
    },
}


def _add_limit(layout: dict[str, object], text: str, x: float) -> None:
    label = {
        "x": x,
        "xanchor": "right",
        "yref": "paper",
        "y": 1,
        "yanchor": "top",
        "text": f"{plain(text)} ",
        "showarrow": False,
        "font": {"color": "$best"},
    }
    annotations = layout["annotations"]
    assert isinstance(annotations, list)
    annotations.append(label)
    layout["shapes"] = [upright(x, "$best")]


def _hover(text: str, axes: tuple[Axis, Axis], row: npt.NDArray[np.float64]) -> str:
    lines = [
        f"{plain(axis.name)}: {_number(float(value), axis.unit)}"
        for axis, value in zip(axes, row, strict=True)
    ]
    return "<br>".join([f"<b>{plain(text)}</b>", *lines])


def _number(value: float, unit: str) -> str:
    if unit in ("", "1/s"):
        return f"{value:,.4g} {unit}".rstrip()
    return format_quantity(value, unit)


def _times(times: float) -> str:
    if abs(times - 1) < 0.005:
        return "the same"
    return f"{times:.3g} times worse" if times > 1 else f"{1 / times:.3g} times better"
