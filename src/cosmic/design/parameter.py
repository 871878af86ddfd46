"""Parameters: the single things that may be chosen, each belonging to one stack."""

import keyword
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from math import isfinite

from cosmic.design.expression import FUNCTIONS, INDEX_NAME, parse
from cosmic.errors import SpecError

Value = bool | int | float | str
"""What one gene may be."""

PointValue = Value | tuple[Value, ...]
"""What one parameter may be: a tuple when it has one value for each dimension."""

MAX_CHOICES = 2**14
MAX_DIMENSIONS = 64
MAX_MAGNITUDE = 2**62


class Stack(Enum):
    """The four parts of a system that are designed together."""

    WORKLOAD = "workload"
    COLLECTIVE = "collective"
    NETWORK = "network"
    COMPUTE = "compute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One thing that may be chosen.

    Attributes:
        name: A plain identifier, as formulas write it.
        stack: The part of the system that it belongs to.
        choices: All values that it may take, in order; for a vector, those of each
            element.
        dimensions: None for a single value; a number for a vector of that length,
            one gene for each network dimension; or the name of a parameter or
            constant that holds the length, `max_dimensions` at most.
        max_dimensions: The longest that a vector of varying length may get.
        unit: Of the choices; empty for plain counts and names.
        ordinal: Whether choices that stand near each other act alike; by default
            those of numbers do, and those of strings and truth values do not.
        active_if: A formula; where it is false, the parameter has no meaning and
            keeps its canonical value. May use `d`, the dimension's number.
        inactive: The canonical value while it is inactive; by default the first.
        follows: A formula for its value while its stack is not searched; without
            one it then keeps the baseline's value. May use `d`.
        description: What it is, for people.

    >>> Parameter(name="pp", stack=Stack.WORKLOAD, choices=(1, 2, 4)).choices
    (1, 2, 4)
    """

    name: str
    stack: Stack
    choices: tuple[Value, ...]
    dimensions: int | str | None = None
    max_dimensions: int | None = None
    unit: str = ""
    ordinal: bool | None = None
    active_if: str | None = None
    inactive: Value | None = None
    follows: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        check_name("parameter", self.name)
        if not isinstance(self.stack, Stack):
            known = ", ".join(stack.value for stack in Stack)
            raise SpecError(
                f"parameter {self.name!r}: a stack is one of {known}, "
                f"not {self.stack!r}"
            )
        if isinstance(self.choices, str) or not isinstance(self.choices, Iterable):
            raise SpecError(f"parameter {self.name!r}: choices are a list of values")
        object.__setattr__(self, "choices", tuple(self.choices))
        _check_choices(self.name, self.choices)
        check_dimensions(
            f"parameter {self.name!r}", self.dimensions, self.max_dimensions
        )
        if self.inactive is not None and self.inactive not in self.choices:
            raise SpecError(
                f"parameter {self.name!r}: the inactive value {self.inactive!r} "
                f"is not among its choices"
            )
        for formula in (self.active_if, self.follows):
            if formula is not None:
                parse(formula)

    @property
    def length(self) -> int | None:
        """Genes of a vector, at most; None for a single value."""
        if isinstance(self.dimensions, str):
            return self.max_dimensions
        return self.dimensions

    @property
    def is_ordinal(self) -> bool:
        """Whether choices that stand near each other act alike."""
        if self.ordinal is not None:
            return self.ordinal
        return not any(isinstance(choice, bool | str) for choice in self.choices)

    @property
    def canonical(self) -> Value:
        """The value while it is inactive."""
        return self.choices[0] if self.inactive is None else self.inactive

    @property
    def gene_names(self) -> tuple[str, ...]:
        """`dp`, or `topology[0]`, `topology[1]`, ..."""
        if self.length is None:
            return (self.name,)
        return tuple(f"{self.name}[{i}]" for i in range(self.length))


def check_name(kind: str, name: str) -> None:
    """Check that a formula can use a name.

    Raises:
        SpecError: It is no identifier, or means something else in formulas.
    """
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        shown = repr(name) if len(repr(name)) <= 60 else f"{name!r:.57}..."
        raise SpecError(f"a {kind}'s name must be a plain identifier, not {shown}")
    if name in FUNCTIONS or name == INDEX_NAME:
        raise SpecError(f"a {kind} cannot be named {name!r}: formulas use that word")


def check_dimensions(
    owner: str, dimensions: int | str | None, longest: int | None
) -> None:
    """Check the length of a vector: a number, or a name and the most it may be.

    Raises:
        SpecError: It is neither, or out of range.
    """
    if isinstance(dimensions, str) != (longest is not None):
        raise SpecError(
            f"{owner}: max_dimensions goes with a length that is itself a name, "
            f"and only with that"
        )
    length = longest if isinstance(dimensions, str) else dimensions
    if length is None:
        return
    whole = isinstance(length, int) and not isinstance(length, bool)
    if not whole or not 1 <= length <= MAX_DIMENSIONS:
        raise SpecError(
            f"{owner}: a vector has 1 to {MAX_DIMENSIONS} dimensions, not {length!r}"
        )


def check_value(owner: str, value: object) -> None:
    """Check that a value is a finite number, a string or a truth value.

    Raises:
        SpecError: It is not, or it is too large to count with.
    """
    if not isinstance(value, bool | int | float | str):
        raise SpecError(
            f"{owner}: a value is a number, a string or a truth value, "
            f"not {type(value).__name__}"
        )
    if isinstance(value, float) and not isfinite(value):
        raise SpecError(f"{owner}: a value must be finite, not {value}")
    if isinstance(value, int) and abs(value) > MAX_MAGNITUDE:
        raise SpecError(f"{owner}: an integer must not exceed 2**62 in magnitude")


def _check_choices(name: str, choices: tuple[Value, ...]) -> None:
    owner = f"parameter {name!r}"
    if not choices:
        raise SpecError(f"{owner} has no choices; give at least one")
    if len(choices) > MAX_CHOICES:
        raise SpecError(
            f"{owner} has {len(choices)} choices, more than the {MAX_CHOICES} allowed"
        )
    seen: set[Value] = set()
    for choice in choices:
        check_value(owner, choice)
        if choice in seen:
            raise SpecError(f"{owner} lists the choice {choice!r} twice")
        seen.add(choice)
