"""What there is to know of a setting: its name, its range and its default."""

from dataclasses import dataclass

from cosmic.design.parameter import PointValue, Stack, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that a scenario can be told.

    Attributes:
        name: As parameter sets and files write it.
        stack: The stack that it belongs to.
        about: One sentence for people.
        per_dimension: Whether it has one value for each dimension of the network.
        unit: Of its values, which are SI; empty for plain counts and names.
        allowed: All values, where they form a closed set.
        real: Whether they are numbers that need not be whole, without a unit.
        at_least: The least, where they are numbers without a unit.
        at_most: The largest of these.
        default: Its value where nobody says anything; None if somebody must.
        late: Whether it came after the first presets. Where no file says it and no
            formula names it, it is no constant of a parameter set, so that the digests
            of these presets stay what they were.
    """

    name: str
    stack: Stack
    about: str
    per_dimension: bool = False
    unit: str = ""
    allowed: tuple[Value, ...] = ()
    real: bool = False
    at_least: float = 1
    at_most: float = 2**40
    default: PointValue | None = None
    late: bool = False

    def range_fault(self, number: float) -> str | None:
        """What is wrong with a number without a unit; None if nothing is.

        >>> from cosmic.evaluation.setting import SETTINGS
        >>> SETTINGS["dimensions"].range_fault(17)
        'must be from 1 to 16, not 17'
        """
        if self.at_least <= number <= self.at_most:
            return None
        most = "2**40" if self.at_most == 2**40 else f"{self.at_most:g}"
        return f"must be from {self.at_least:g} to {most}, not {number:g}"
