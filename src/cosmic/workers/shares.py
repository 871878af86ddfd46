"""How the points of a batch are dealt out to workers."""

from collections.abc import Sequence

from cosmic.design.design_point import DesignPoint


def shares(points: Sequence[DesignPoint], workers: int) -> list[Sequence[DesignPoint]]:
    """The points in as many runs as there are workers, as equal as can be.

    In their order, and none of the runs is empty; so what the workers find, one run
    after the other, is in the order of the points.

    >>> [len(share) for share in shares([DesignPoint({"dp": 1})] * 5, 3)]
    [2, 2, 1]
    """
    least, more = divmod(len(points), workers)
    found: list[Sequence[DesignPoint]] = []
    start = 0
    for place in range(min(workers, len(points))):
        end = start + least + (place < more)
        found.append(points[start:end])
        start = end
    return found
