"""Values that follow from what was chosen, such as tp = npus / (dp * pp * sp)."""

from dataclasses import dataclass

from cosmic.design.expression import parse
from cosmic.design.parameter import check_dimensions, check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A value computed from parameters, constants and other derived values.

    A point for which it has no value, or is not an integer though it must be one, is
    infeasible.

    Attributes:
        name: A plain identifier, as formulas write it.
        formula: How it is computed; may use `d`, the dimension's number, if it is a
            vector.
        integer: Whether it must come out as an integer.
        dimensions: None for a single value, or the length of a vector: a number, or
            the name of a parameter or constant that holds it.
        max_dimensions: The longest that a vector of varying length may get.
        unit: Of the value; empty for plain counts and names.
        description: What it is, for people.
    """

    name: str
    formula: str
    integer: bool = True
    dimensions: int | str | None = None
    max_dimensions: int | None = None
    unit: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        check_name("derived value", self.name)
        parse(self.formula)
        check_dimensions(
            f"derived value {self.name!r}", self.dimensions, self.max_dimensions
        )

    @property
    def length(self) -> int | None:
        """Elements of a vector, at most; None for a single value."""
        if isinstance(self.dimensions, str):
            return self.max_dimensions
        return self.dimensions
