"""The one line that a person reads about a mistake in a file.

The line says which file, what is wrong, and where: `cluster.yaml: expected int, got
'8' @ $.size`. The place is a path from the root `$` of the document.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cosmic.errors import SpecError

Place = Sequence[str | int]
"""Keys and positions that lead from the root of a document to a value."""

_LONGEST_VALUE = 60  # characters of a value that are repeated
_LONGEST_MESSAGE = 400
_PLAIN_KEY = re.compile(r"[\w-]{1,60}")


def spec_error(file_name: str, message: str, place: Place = ()) -> SpecError:
    """Make the error for one mistake in a file.

    >>> print(spec_error("cluster.yaml", "expected int, got '8'", ("size",)))
    cluster.yaml: expected int, got '8' @ $.size
    """
    line = " ".join(message.split())
    if len(line) > _LONGEST_MESSAGE:
        line = line[:_LONGEST_MESSAGE] + " ..."
    return SpecError(f"{file_name}: {line} @ {show_place(place)}")


@contextmanager
def located(file_name: str, place: Place = ()) -> Iterator[None]:
    """Say in which file, and where, a value stands that turns out to be wrong.

    For what a file says in a right form, and an object then refuses.

    Raises:
        SpecError: With file and place, for any `SpecError` from within.
    """
    try:
        yield
    except SpecError as error:
        raise spec_error(file_name, str(error), place) from error


def show_place(place: Place) -> str:
    """Give a place as people write it.

    >>> show_place(("network", "dimensions", 2, "size"))
    '$.network.dimensions[2].size'
    """
    return "$" + "".join(_step(part) for part in place)


def show_value(value: object) -> str:
    """Give a value of a document as an error message repeats it.

    >>> show_value("8"), show_value(True), show_value(None), show_value([1, 2])
    ("'8'", 'true', 'nothing', 'a list')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            text = repr(value)
            short = len(text) <= _LONGEST_VALUE
            return text if short else text[:_LONGEST_VALUE] + "..."


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN_KEY.fullmatch(part) else f"[{show_value(part)}]"
