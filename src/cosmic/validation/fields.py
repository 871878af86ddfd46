"""Reading the fields of a table's row, each of the kind that it should be.

A field that is missing or null was not said: these give None or a default for it. A
field of another kind raises a `SpecError` that names it.
"""

from collections.abc import Mapping, Sequence

from cosmic.errors import SpecError

Row = Mapping[str, object]


def text(row: Row, key: str, default: str | None = None) -> str:
    """A text; if there is none, the default, unless that is None too."""
    value = row.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise SpecError(f"{key} must be text, got {shown(value)}")
    return value


def texts(row: Row, key: str) -> tuple[str, ...]:
    """A list of texts; empty if there is none."""
    value = row.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise SpecError(f"{key} must be a list of texts, got {shown(value)}")
    return tuple(value)


def number(row: Row, key: str) -> float | None:
    """A finite number from 0 on."""
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"{key} must be a number, got {shown(value)}")
    if not 0 <= value < float("inf"):
        raise SpecError(f"{key} must be finite and not negative, got {value}")
    return float(value)


def scaled(row: Row, key: str, unit: float) -> float | None:
    """A positive number of some unit, in SI."""
    value = number(row, key)
    if value is not None and value <= 0:
        raise SpecError(f"{key} must be positive, not {value}")
    return None if value is None else value * unit


def count(row: Row, key: str) -> int | None:
    """A whole number from 1 on."""
    value = number(row, key)
    if value is None:
        return None
    if value < 1 or value != int(value):
        raise SpecError(f"{key} must be a whole number from 1 on, got {value:g}")
    return int(value)


def counts(row: Row, key: str) -> tuple[int, ...]:
    """A list of whole numbers from 1 on; empty if there is none."""
    value = row.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise SpecError(f"{key} must be a list of whole numbers, got {shown(value)}")
    each = [count({key: inner}, key) for inner in value]
    return tuple(inner for inner in each if inner is not None)


def flag(row: Row, key: str) -> bool | None:
    """True or false."""
    value = row.get(key)
    if value is not None and not isinstance(value, bool):
        raise SpecError(f"{key} must be true or false, got {shown(value)}")
    return value


def mapping(row: Row, key: str) -> Row:
    """An object; empty if there is none."""
    value = row.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SpecError(f"{key} must be an object, got {shown(value)}")
    return value


def words(row: Row, key: str) -> str:
    """A text, or an object of texts as `key=value` words; empty if there is none."""
    value = row.get(key)
    if isinstance(value, Mapping):
        return " ".join(f"{name}={inner}" for name, inner in value.items())
    return text(row, key, default="")


def shown(value: object) -> str:
    """A value for a message, cut off where it is long."""
    return "nothing" if value is None else repr(value)[:60]


def first(values: Sequence[float | None]) -> float | None:
    """The first that was said."""
    return next((value for value in values if value is not None), None)
