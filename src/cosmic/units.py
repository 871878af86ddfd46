"""Units of every quantity: their marks in types, their constants, their text.

Inside the library a quantity is a plain float in SI units (GB is 1e9 bytes, GiB is
2**30). In files it is text with its unit, such as "187.5 GB/s"; `parse` is the only
place that multiplies, and `format_quantity` gives the text that people read.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from cosmic.errors import UnitError, UnknownNameError


@dataclass(frozen=True, slots=True)
class Unit:
    """The mark of a unit in an annotated type.

    Attributes:
        symbol: The SI unit that the number is in, such as "B/s".
    """

    symbol: str


Seconds = Annotated[float, Unit("s")]
Bytes = Annotated[float, Unit("B")]
BytesPerSecond = Annotated[float, Unit("B/s")]
Flops = Annotated[float, Unit("FLOP")]
FlopPerSecond = Annotated[float, Unit("FLOP/s")]
Dollars = Annotated[float, Unit("USD")]
DollarsPerSecond = Annotated[float, Unit("USD/s")]

KB, MB, GB, TB, PB = 1e3, 1e6, 1e9, 1e12, 1e15
KiB, MiB, GiB, TiB = 2.0**10, 2.0**20, 2.0**30, 2.0**40
NS, US, MS = 1e-9, 1e-6, 1e-3
GFLOPS, TFLOPS, PFLOPS = 1e9, 1e12, 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """How one unit is written: the table below has one row for each unit.

    Attributes:
        spellings: Every way to write it, with its size in the SI unit.
        advice: The spellings that an error message names.
        shown: The spellings that `format_quantity` picks from, largest first.
    """

    spellings: Mapping[str, Fraction]
    advice: str
    shown: tuple[str, ...]


_DECIMAL = {
    prefix: Fraction(10) ** power
    for prefix, power in {
        "": 0,
        "k": 3,
        "K": 3,
        "M": 6,
        "G": 9,
        "T": 12,
        "P": 15,
    }.items()
}
_BINARY = {"Ki": Fraction(2**10), "Mi": Fraction(2**20)} | {
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
}
_SMALL = {"": 0, "m": -3, "u": -6, "µ": -6, "μ": -6, "n": -9}  # both Unicode micros


def _spell(
    symbol: str, prefixes: Mapping[str, Fraction], size: Fraction = Fraction(1)
) -> dict[str, Fraction]:
    return {prefix + symbol: factor * size for prefix, factor in prefixes.items()}


_SCALES: Mapping[str, _Scale] = {
    "B": _Scale(
        spellings=_spell("B", _DECIMAL | _BINARY),
        advice="B, MB, GB or GiB",
        shown=("PB", "TB", "GB", "MB", "kB", "B"),
    ),
    "B/s": _Scale(
        spellings=_spell("B/s", _DECIMAL | _BINARY)
        | _spell("b/s", _DECIMAL, Fraction(1, 8)),
        advice="B/s, GB/s, TB/s or Gb/s",
        shown=("PB/s", "TB/s", "GB/s", "MB/s", "kB/s", "B/s"),
    ),
    "FLOP": _Scale(
        spellings=_spell("FLOP", _DECIMAL),
        advice="FLOP, GFLOP or TFLOP",
        shown=("PFLOP", "TFLOP", "GFLOP", "MFLOP", "kFLOP", "FLOP"),
    ),
    "FLOP/s": _Scale(
        spellings=_spell("FLOP/s", _DECIMAL) | _spell("FLOPS", _DECIMAL),
        advice="FLOP/s, GFLOP/s, TFLOP/s or PFLOP/s",
        shown=("PFLOP/s", "TFLOP/s", "GFLOP/s", "MFLOP/s", "kFLOP/s", "FLOP/s"),
    ),
    "s": _Scale(
        spellings=_spell(
            "s", {prefix: Fraction(10) ** power for prefix, power in _SMALL.items()}
        ),
        advice="s, ms, us or ns",
        shown=("s", "ms", "us", "ns"),
    ),
    "USD": _Scale(spellings=_spell("USD", {"": Fraction(1)}), advice="USD", shown=()),
    "USD/s": _Scale(
        spellings={"USD/s": Fraction(1), "USD/h": Fraction(1, 3600)},
        advice="USD/h or USD/s",
        shown=("USD/h",),
    ),
}

_LONGEST = 60  # characters; no quantity needs more, and messages stay one line
_QUANTITY = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>\S*)\s*",
    re.ASCII,
)


def parse(text: str, unit: str, *, minimum: float = -math.inf) -> float:
    """Read a quantity such as "187.5 GB/s".

    Args:
        text: A number and its unit, with or without a space between.
        unit: The SI unit that is asked for: B, B/s, FLOP, FLOP/s, s, USD or USD/s.
        minimum: The least value allowed, in that unit.

    Returns:
        The value in the SI unit, finite.

    Raises:
        UnitError: If the unit is missing or of another kind, or the value is not
            finite or below the minimum.
        UnknownNameError: If `unit` is none of the above.

    >>> parse("187.5 GB/s", "B/s")
    187500000000.0
    >>> parse("400 Gb/s", "B/s")
    50000000000.0
    """
    scale = _scale(unit)
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None or not match["unit"]:
        raise UnitError(f"write a quantity with its unit, such as '1 {unit}'")
    factor = scale.spellings.get(match["unit"])
    if factor is None:
        raise UnitError(f"{text!r} is not in {unit}; write {scale.advice}")
    value = float(match["number"]) * factor.numerator / factor.denominator
    if not math.isfinite(value):
        raise UnitError(f"{text!r} is too large")
    if value < minimum:
        raise UnitError(f"{text!r} is less than {format_quantity(minimum, unit)}")
    return value


def format_quantity(value: float, unit: str) -> str:
    """Give a quantity as people read it: three digits and a fitting prefix.

    Money is given in full, to the cent, and a number without a unit as it is.

    Args:
        value: The number, in the SI unit.
        unit: The SI unit, as `parse` takes it, or "" for a plain number.

    Raises:
        UnknownNameError: If the unit is not known.

    >>> format_quantity(24e9, "B"), format_quantity(0.01234, "s")
    ('24 GB', '12.3 ms')
    >>> format_quantity(9441280, "USD"), format_quantity(0.45678, "")
    ('9,441,280 USD', '0.457')
    """
    if unit == "":
        return _three_digits(value)
    scale = _scale(unit)
    if not scale.shown:
        return f"{value:,.2f}".removesuffix(".00") + f" {unit}"
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    texts = {s: _three_digits(value / float(scale.spellings[s])) for s in scale.shown}
    fitting = (s for s in scale.shown if abs(float(texts[s])) >= 1)
    best = next(fitting, scale.shown[-1])
    return f"{texts[best]} {best}"


def spellings(unit: str) -> tuple[str, ...]:
    """Every way to write a unit in text.

    Raises:
        UnknownNameError: If the unit is not known.

    >>> spellings("s")[:4]
    ('s', 'ms', 'us', 'µs')
    """
    return tuple(_scale(unit).spellings)


def _scale(unit: str) -> _Scale:
    if unit not in _SCALES:
        raise UnknownNameError("unit", unit, _SCALES)
    return _SCALES[unit]


def _three_digits(value: float) -> str:
    """Three significant digits, without an exponent where none is needed."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:g}"
