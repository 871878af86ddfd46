"""The phases of all routes of a collective, in one row."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cosmic.simulation.communication import PhaseTime, TimedRoute

LAST = -1


@dataclass(frozen=True, slots=True)
class FlatPhase:
    """One phase of one route.

    Attributes:
        timed: What a chunk does, and for how long.
        chunks: How many begin with it: those of the route, if it is the first one.
        following: The route's next phase, by its place in the row, or `LAST`.
    """

    timed: PhaseTime
    chunks: int
    following: int


def flat_phases(routes: Sequence[TimedRoute]) -> tuple[FlatPhase, ...]:
    """The phases by their place in the route, and those of one place by route.

    That is the order in which a dimension takes waiting chunks of one collective.
    """
    lengths = tuple(len(route.phases) for route in routes)
    return tuple(
        FlatPhase(
            timed=routes[number].phases[position],
            chunks=0 if position else routes[number].chunks,
            following=following,
        )
        for number, position, following in _row(lengths)
    )


@lru_cache(maxsize=4096)
def _row(lengths: tuple[int, ...]) -> tuple[tuple[int, int, int], ...]:
    """Route, place in it and what follows of each phase in the row, by lengths."""
    places = [
        (number, position)
        for position in range(max(lengths, default=0))
        for number, length in enumerate(lengths)
        if position < length
    ]
    index = {place: at for at, place in enumerate(places)}
    return tuple(
        (number, position, index.get((number, position + 1), LAST))
        for number, position in places
    )
