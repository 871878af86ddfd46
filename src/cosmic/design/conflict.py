"""Conflicts: which few rules leave no design point at all."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def smallest_conflict(
    rules: Sequence[T], empty: Callable[[Sequence[T]], bool]
) -> tuple[T, ...]:
    """A part of some rules that leaves nothing, though any less of it would not.

    The shortest run of rules from the start that leaves nothing ends with a rule of
    the conflict; with that one put first, the next is found in the same way. Each is
    found by halving, so that of many rules few are tried. The result is minimal, but
    there may be other and smaller ones.

    Args:
        rules: Rules that together leave nothing.
        empty: Whether some of the rules leave nothing; more rules never leave more.

    >>> smallest_conflict([2, 3, 5, 6, 7], lambda some: sum(some) > 12)
    (2, 5, 6)
    """
    found: list[T] = []
    rest = list(rules)
    while not empty(found):
        low, high = 0, len(rest)
        while low < high:
            middle = (low + high) // 2
            low, high = (
                (low, middle) if empty(found + rest[:middle]) else (middle + 1, high)
            )
        found.append(rest[high - 1])
        rest = rest[: high - 1]
    return tuple(rule for rule in rules if any(rule is other for other in found))
