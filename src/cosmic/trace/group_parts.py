"""Parts of a group: so many devices, so far apart in device ids."""

from collections.abc import Iterable
from math import prod
from operator import itemgetter

from cosmic.errors import TraceError

Parts = tuple[tuple[int, int], ...]
"""Size and stride of each, innermost first."""


def merged(parts: Iterable[tuple[int, int]]) -> Parts:
    """Parts from the inside out, those side by side as one, those of one left out."""
    joined: list[tuple[int, int]] = []
    for size, stride in sorted(parts, key=itemgetter(1)):
        if joined and prod(joined[-1]) == stride:
            inner, closest = joined.pop()
            joined.append((inner * size, closest))
        elif size != 1:
            joined.append((size, stride))
    return tuple(joined)


def check_parts(name: str, size: int, stride: int, parts: Parts) -> None:
    """Check that parts make up a group, and that each lies outside of what is within.

    Raises:
        TraceError: They do not.
    """
    reaches = (1, *map(prod, parts))
    nested = all(
        count > 1 and apart % within == 0
        for (count, apart), within in zip(parts, reaches, strict=False)
    )
    innermost = parts[0][1] if parts else stride
    if not nested or (prod(count for count, _ in parts), innermost) != (size, stride):
        raise TraceError(
            f"group {name!r} of {size} devices, {stride} apart: its parts (devices, "
            f"distance between them) do not nest: {parts}"
        )
