"""A report as one HTML file that needs nothing else, not even a network.

Words and tables are plain HTML. Charts are drawn by Plotly, whose JavaScript is in the
file, as are all trials; both are compressed. The page forbids itself to load anything
and to run any script but its own, so that no text of a log can do harm.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from cosmic.report.jinja_extra import fill_in
from cosmic.report.page_parts import Block, Chart, Page, Picture, Table
from cosmic.report.plotly_extra import plotly_script

_COMMENTS = re.compile(r"/\*.*?\*/\n?", re.DOTALL)


def html_page(page: Page) -> str:
    """The whole file, equal for equal reports."""
    script = _text("page.js")
    blocks = [block for section in page.sections for block in section.blocks]
    charts = {chart.name: chart for chart in blocks if isinstance(chart, Chart)}
    return fill_in(
        _text("page.html.jinja"),
        page=page,
        kind_of=_kind_of,
        script=_Raw(script),
        script_hash=_hash(script),
        style=_Raw(_COMMENTS.sub("", _text("page.css"))),
        plotly=_Raw(_packed(plotly_script().encode("utf-8"))),
        trials=_Raw(_packed(page.trials) if page.trials else ""),
        specs=_Raw(_script_json({name: one.spec for name, one in charts.items()})),
    )


class _Raw(str):
    """Text that is safe as it stands: our own, or of an alphabet without `<`."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def _kind_of(block: Block) -> str:
    match block:
        case str():
            return "words"
        case Table():
            return "table"
        case Chart():
            return "chart"
        case Picture():
            return "picture"


def _text(name: str) -> str:
    return (files("cosmic.report") / "page" / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """What a content security policy calls the script."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _packed(content: bytes) -> str:
    squeezed = gzip.compress(content, compresslevel=6, mtime=0)
    return base64.b64encode(squeezed).decode("ascii")


def _script_json(value: object) -> str:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(_plain(value), allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _plain(value: object) -> object:
    """A value as JSON can hold it; numbers to seven digits, as no screen shows more."""
    match value:
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case str():
            return value
        case Sequence():
            return [_plain(inner) for inner in value]
        case float():
            return float(f"{value:.7g}") if abs(value) < float("inf") else None
        case _:
            return value
