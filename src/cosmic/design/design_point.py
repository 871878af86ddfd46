"""One design: a value for each parameter, frozen, with a digest to know it by."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256

from typing_extensions import override

from cosmic.design.parameter import PointValue, Value


class DesignPoint(Mapping[str, PointValue]):
    """A value for each parameter of a parameter set, in its order.

    It holds what was chosen; what follows from that is given by
    `ParameterSet.values`. Points with equal values are equal and have one digest,
    whatever the order of their names.

    >>> point = DesignPoint({"dp": 4, "topology": ("Ring", "Switch")})
    >>> point["dp"], point.digest
    (4, 'ccceba8ad122ac25')
    """

    __slots__ = ("_digest", "_hash", "_values")

    def __init__(self, values: Mapping[str, PointValue]) -> None:
        self._values = dict(values)
        self._digest = ""
        self._hash: int | None = None

    @override
    def __getitem__(self, name: str) -> PointValue:
        return self._values[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @override
    def __len__(self) -> int:
        return len(self._values)

    @override
    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._values.items()))
        return self._hash

    @override
    def __getstate__(self) -> dict[str, PointValue]:
        return self._values  # hashes of strings are another process's own

    def __setstate__(self, values: dict[str, PointValue]) -> None:
        self._values, self._digest, self._hash = values, "", None

    @override
    def __repr__(self) -> str:
        inside = ", ".join(f"{n}={v!r}" for n, v in self._values.items())
        return f"DesignPoint({inside})"

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that depend on the values alone.

        They are the head of the SHA-256 of `canonical_text`, the same on every
        machine and in every version of Python.
        """
        if not self._digest:
            self._digest = digest_of(canonical_text(self._values))
        return self._digest

    def as_dict(self) -> dict[str, PointValue]:
        """The values by name, to be changed at will."""
        return self._values.copy()

    def changed_from(
        self, other: Mapping[str, PointValue]
    ) -> dict[str, tuple[PointValue, PointValue]]:
        """What differs: name -> (value there, value here).

        Raises:
            KeyError: The other lacks a parameter of this point.
        """
        pairs = {name: (other[name], value) for name, value in self._values.items()}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def digest_of(text: str) -> str:
    """The first 16 hexadecimal digits of a text's SHA-256."""
    return sha256(text.encode()).hexdigest()[:16]


def canonical_text(values: Mapping[str, PointValue]) -> str:
    """A text that equal points share and others do not.

    Names in alphabetical order; whole numbers without a point, whatever their type;
    other numbers with the fewest digits that tell them apart; strings in quotes.

    >>> canonical_text({"b": 2.0, "a": ("Ring", 0.1)})
    "a=['Ring',0.1];b=2"
    """
    return ";".join(f"{name}={_text(values[name])}" for name in sorted(values))


@lru_cache(maxsize=65536)
def _text(value: PointValue) -> str:
    """What equal values share: 2 and 2.0 are both `2`."""
    if isinstance(value, tuple):
        return f"[{','.join(map(_scalar_text, value))}]"
    return _scalar_text(value)


def _scalar_text(value: Value) -> str:
    if isinstance(value, str):
        return ascii(value)
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    return str(int(value))
