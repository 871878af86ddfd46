"""What goes to the screen: tables and JSON to stdout, the rest to stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_WIDTH_OF_FILES = 110  # characters, where stdout is no terminal


def stdout() -> Console:
    """The screen, or as wide as a file is read with ease."""
    width = None if sys.stdout.isatty() else _WIDTH_OF_FILES
    return Console(width=width, highlight=False, markup=False, soft_wrap=False)


def stderr() -> Console:
    """Where progress and remarks go, so that stdout holds the answer alone."""
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def say(line: str = "") -> None:
    """Print a line of the answer, wrapped between words."""
    _show(Text(line))


def remark(line: str) -> None:
    """Print a line that is not part of the answer."""
    stderr().print(Text(line))


def write_json(document: Mapping[str, object]) -> None:
    """Print the answer as one JSON document; what is not finite becomes null."""
    sys.stdout.write(json.dumps(_plain(document), indent=2, allow_nan=False) + "\n")


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    words: Sequence[int] = (0,),
) -> None:
    """Print a table.

    Args:
        title: The line above it.
        columns: Their heads.
        rows: Texts, one for each column.
        words: Columns of words, which stand to the left; numbers stand to the right.
    """
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for index, head in enumerate(columns):
        side: JustifyMethod = "left" if index in words else "right"
        table.add_column(head, justify=side, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    say()
    _show(Text(title, style="bold"))
    _show(Padding(table, (0, 0, 0, 2), expand=False))


def show_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names with what they stand for, in two columns."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for name, value in pairs:
        grid.add_row(Text(name, style="bold"), Text(value))
    _show(grid)


def _show(what: RenderableType) -> None:
    """Print something without the blanks that fill up its lines."""
    console = stdout()
    with console.capture() as captured:
        console.print(what)
    lines = captured.get().splitlines()
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in lines))


def _plain(value: object) -> object:
    """A value as JSON can hold it."""
    match value:
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case str():
            return value
        case Sequence():
            return [_plain(inner) for inner in value]
        case float():
            return value if abs(value) < float("inf") else None
        case _:
            return value
