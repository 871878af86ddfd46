"""A picture of one step: every stage from start to end, and what is inside.

A bar is a turn of a stage, as wide as it takes time, and cut from bottom to top into
shares of what that time goes to: so areas are time, however many micro-batches there
are. Where these are too many to be told apart, a bar is a stretch of time instead. The
panels below look inside, at one layer each way and at the end of the step.

Colors are those of Okabe and Ito, and some of Tol, which people with any color vision
tell apart; waiting is hatched besides.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from io import StringIO
from math import ceil
from pathlib import Path
from textwrap import fill

from cosmic.errors import CosmicError
from cosmic.report.timeline_bars import (
    BACKWARD,
    FORWARD,
    IDLE,
    OPTIMIZER,
    RECOMPUTED,
    WEIGHTS,
    Bar,
    Panel,
    groups_of,
    panels,
)
from cosmic.simulation.timeline import Timeline
from cosmic.units import Seconds

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, PathPatch
    from matplotlib.path import Path as Outline
except ImportError as error:
    raise CosmicError(
        "pictures need Matplotlib: pip install 'matplotlib>=3.9', or install cosmic "
        "with its extra, cosmic[plot]"
    ) from error

_COLORS = {
    FORWARD: "#56B4E9",
    BACKWARD: "#0072B2",
    WEIGHTS: "#009E73",
    RECOMPUTED: "#F0E442",
    OPTIMIZER: "#D55E00",
    IDLE: "#FFFFFF",
}
_GROUPS = ("#E69F00", "#CC79A7", "#882255", "#999933", "#44AA99", "#555555", "#AA4499")
_DARK = ("#0072B2", "#009E73", "#D55E00", "#882255", "#555555", "#AA4499")
_WIDTH, _ROW, _LINE = 6.2, 0.31, 0.19  # inches: the picture, a row, a line of text
_AROUND, _TICKS = 0.58, 0.28  # inches: all around a panel's rows, and below them
_COLUMNS = 3  # of the legend
_LETTER, _MARGIN = 0.0115, 0.002  # of a panel's width
_GAP = 0.16  # between two rows, of their height
_THIN = 1 / 400  # of a panel: communication is drawn no thinner
_MOST_EDGED = 80  # bars of a row, beyond which they have no edges
_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def timeline_svg(timeline: Timeline, title: str = "") -> str:
    """A timeline as an SVG element, without a prolog, to be put into a page.

    The same timeline makes the same text, byte by byte.

    Args:
        timeline: Of one step.
        title: What stands above.
    """
    with _style():
        figure = _figure(timeline, title)
        text = StringIO()
        named = {"Title": title} if title else {}
        figure.savefig(text, format="svg", metadata={"Date": None, **named})
    _, tag, drawn = text.getvalue().partition("<svg")
    return f'{tag} style="max-width: 100%; height: auto"{drawn}'


def write_timeline_svg(timeline: Timeline, path: str, title: str = "") -> None:
    """Write a picture of a timeline to a file, as `timeline_svg` draws it.

    Raises:
        OSError: The file cannot be written.
    """
    prolog = '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n'
    Path(path).write_text(prolog + timeline_svg(timeline, title), encoding="utf-8")


def _style() -> AbstractContextManager[None]:
    """How Matplotlib writes: text as text, the same every time."""
    return mpl.rc_context(
        {
            "svg.hashsalt": "cosmic",
            "svg.fonttype": "none",
            "text.parse_math": False,
            "font.family": "sans-serif",
            "font.size": 9,
            "hatch.linewidth": 0.5,
            "hatch.color": "#666666",
        }
    )


def _figure(timeline: Timeline, title: str) -> Figure:
    shown = list(panels(timeline))
    colors = _COLORS | {
        group: _GROUPS[place % len(_GROUPS)]
        for place, group in enumerate(groups_of(timeline))
    }
    entries = list(_legend(shown, colors))
    title = fill(title, 64)
    tail = _LINE * (ceil(len(entries) / _COLUMNS) + 1)
    head = _LINE * (title.count("\n") + 1) if title else 0.0
    heights = [_AROUND + _ROW * len(panel.rows) for panel in shown]
    whole = head + sum(heights) + tail
    figure = Figure(figsize=(_WIDTH, whole))
    left = max(len(row) for panel in shown for row in panel.rows) * 0.075 + 0.15
    top = whole - head
    for panel, height in zip(shown, heights, strict=True):
        below, rows = top - height + _TICKS, height - _AROUND
        width = _WIDTH - left - 0.2
        place = left / _WIDTH, below / whole, width / _WIDTH, rows / whole
        _draw(panel, figure.add_axes(place), colors)
        top -= height
    if title:
        figure.suptitle(title, fontsize=10, y=1 - 0.05 / whole, va="top")
    figure.legend(
        handles=entries,
        loc="lower center",
        bbox_to_anchor=(0.5, 0),
        ncols=_COLUMNS,
        fontsize=8.5,
        frameon=False,
        handlelength=1.4,
    )
    return figure


def _legend(shown: Sequence[Panel], colors: dict[str, str]) -> Iterator[Patch]:
    """What is shown, in the order of the colors; waiting is hatched."""
    found = {
        (name, row == name)
        for panel in shown
        for row, bars in panel.rows.items()
        for bar in bars
        for name in bar.shares
    }
    for name, color in colors.items():
        if (name, True) in found:
            yield _patch(f"{name} communicates", color, hatched=False)
        if (name, False) in found:
            label = _LABELS.get(
                name, name if name in _COLORS else f"waiting for {name}"
            )
            hatched = name == IDLE or name not in _COLORS
            yield _patch(label, color, hatched=hatched)


_LABELS = {IDLE: "idle: waiting for a stage"}


def _patch(label: str, color: str, *, hatched: bool) -> Patch:
    patch = Patch(facecolor=color, label=label, linewidth=0.4, edgecolor="#FFFFFF")
    _hatch(patch, hatched=hatched)
    return patch


def _hatch(patch: Patch, *, hatched: bool) -> None:
    """Mark waiting, also for those who do not see colors."""
    if hatched:
        patch.set_hatch("//////")
        patch.set_edgecolor("#666666")


def _draw(panel: Panel, axes: Axes, colors: dict[str, str]) -> None:
    unit, size = _unit(panel.seconds)
    for place, (row, bars) in enumerate(panel.rows.items()):
        edge = 0.3 if len(bars) <= _MOST_EDGED and row not in colors else 0.0
        for name, color in colors.items():
            corners = list(_corners(bars, name, (place, panel, size)))
            if corners:
                outline = Outline.make_compound_path(*corners)
                patch = PathPatch(
                    outline, facecolor=color, edgecolor="#FFFFFF", linewidth=edge
                )
                waits = name not in _COLORS and name != row
                _hatch(patch, hatched=name == IDLE or waits)
                axes.add_patch(patch)
        for bar in _labeled(bars, panel):
            _label(bar, axes, (place, panel, size), colors)
    axes.set_xlim(0, panel.seconds / size or 1.0)
    axes.set_ylim(len(panel.rows) - _GAP / 2, -_GAP / 2)
    axes.set_yticks([place + 0.5 - _GAP / 2 for place in range(len(panel.rows))])
    axes.set_yticklabels(list(panel.rows))
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    title = f"{panel.title} [{unit}]"
    axes.set_title(title, fontsize=9, loc="left", fontweight="bold")


def _unit(seconds: Seconds) -> tuple[str, Seconds]:
    """The largest unit of which there are two."""
    return next((u for u in _UNITS if seconds >= 2 * u[1]), _UNITS[-1])


_Where = tuple[int, Panel, Seconds]
"""A row by its place, in which panel, and the unit of time there."""


def _corners(bars: Iterable[Bar], name: str, where: _Where) -> Iterator[Outline]:
    """Rectangles of one color, at their place among the shares of their bars."""
    place, panel, size = where
    thin = _THIN if name not in _COLORS else 0.0
    for bar in bars:
        if name in bar.shares:
            seconds = max(bar.seconds, panel.seconds * thin)
            left = (bar.start - panel.start) / size
            right = (bar.start + seconds - panel.start) / size
            bottom, top = _band(bar, name, place)
            corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
            yield Outline([*corners, corners[0]], closed=True)


def _band(bar: Bar, name: str, place: int) -> tuple[float, float]:
    """From where to where a share of a bar goes, upwards from the foot of its row."""
    names = list(bar.shares)
    below = sum(bar.shares[other] for other in names[: names.index(name)])
    height = 1 - _GAP
    return (
        place + height * (1 - below),
        place + height * (1 - below - bar.shares[name]),
    )


def _labeled(bars: Sequence[Bar], panel: Panel) -> Iterator[Bar]:
    """Those with room for their label; of counted ones, if all of a kind have it."""

    def short(bar: Bar) -> bool:
        needed = len(bar.label) * _LETTER + _MARGIN
        return not bar.shares or needed > bar.seconds / panel.seconds

    tight = {_widest(bar) for bar in bars if bar.label.isdigit() and short(bar)}
    for bar in bars:
        counted = bar.label.isdigit() and _widest(bar) in tight
        if bar.label and not counted and not short(bar):
            yield bar


def _widest(bar: Bar) -> str:
    return max(bar.shares, key=lambda name: bar.shares[name], default="")


def _label(bar: Bar, axes: Axes, where: _Where, colors: dict[str, str]) -> None:
    """Write into a bar, on its largest share."""
    (place, panel, size), widest = where, _widest(bar)
    axes.text(
        (bar.start + bar.seconds / 2 - panel.start) / size,
        sum(_band(bar, widest, place)) / 2,
        bar.label,
        ha="center",
        va="center_baseline",
        fontsize=7,
        color="white" if colors[widest] in _DARK else "black",
    )
