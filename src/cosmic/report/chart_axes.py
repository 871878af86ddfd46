"""Axes of charts: their names, units, scales and marks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosmic.units import format_quantity, parse

_MILLION = 1e6
_TICKS = 4  # at least, on an axis
_STEPS = ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7), (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9))
_WIDE = 3.0  # a ratio from which an axis is better logarithmic


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis shows.

    Attributes:
        name: In words.
        unit: SI; empty for a plain number.
    """

    name: str
    unit: str


def plain(text: str) -> str:
    """Text in which Plotly finds no markup.

    >>> plain("a<b> & c")
    'a&lt;b&gt; &amp; c'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fitting_unit(unit: str, largest: float) -> tuple[float, str]:
    """The size and the name of the unit in which a number reads well.

    >>> fitting_unit("s", 0.05), fitting_unit("USD", 12.0), fitting_unit("", 3.0)
    ((0.001, 'ms'), (1.0, 'USD'), (1.0, ''))
    """
    if unit == "USD" and largest >= _MILLION:
        return _MILLION, "million USD"
    if unit in ("", "1/s", "USD"):
        return 1.0, unit
    name = format_quantity(largest, unit).rpartition(" ")[2]
    return parse(f"1 {name}", unit), name


def titled(name: str, unit: str) -> dict[str, object]:
    """An axis with its name and unit."""
    text = f"{plain(name)} [{unit}]" if unit else plain(name)
    return {"title": {"text": text, "standoff": 10}}


def scaled(values: npt.NDArray[np.float64]) -> dict[str, object]:
    """An axis, logarithmic where values differ much, with ticks at round numbers."""
    low, high = float(values.min()), float(values.max())
    if low <= 0 or high / low <= _WIDE:
        return {}
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks: list[float] = []
    for steps in _STEPS:
        ticks = [step * 10.0**power for power in range(first, last) for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= _TICKS:
            break
    margin = 0.04 * math.log10(high / low)
    return {
        "type": "log",
        "range": [math.log10(low) - margin, math.log10(high) + margin],
        "tickvals": ticks,
        "ticktext": [f"{t:,.10g}" if t < 1e6 else f"{t:.0e}" for t in ticks],
    }


def rows_axis(count: int) -> dict[str, object]:
    """An axis of rows, the first one on top."""
    return {"visible": False, "range": [count - 0.5, -0.75]}


def row_heads(texts: Sequence[str], half: float) -> list[dict[str, object]]:
    """What stands above each row, at the left, however narrow the page is.

    Args:
        texts: For each row.
        half: How far what is drawn reaches from the middle of its row, in rows.
    """
    return [
        {
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "y": place - half,
            "yanchor": "bottom",
            "text": text,
            "bgcolor": "$panel",
            "borderpad": 0,
            "showarrow": False,
            "align": "left",
        }
        for place, text in enumerate(texts)
    ]


def upright(x: float, color: str) -> dict[str, object]:
    """A line across the chart."""
    line = {"color": color, "width": 1.5}
    ends = {"x0": x, "x1": x, "y0": 0, "y1": 1}
    return {"type": "line", "yref": "paper", "line": line, **ends}
