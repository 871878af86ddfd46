"""The phases of several routes in one row."""

from cosmic.simulation.communication import PhaseTime, TimedRoute
from cosmic.simulation.flat_routes import LAST, flat_phases
from cosmic.system.placement import Span


def phase(dimension: int) -> PhaseTime:
    return PhaseTime(Span(dimension, 2, 1), dimension, 1.0, 1.0, 1.0)


def test_phases_stand_by_their_place_and_then_by_route() -> None:
    routes = (
        TimedRoute(3, (phase(0), phase(1), phase(0))),
        TimedRoute(2, (phase(1), phase(0), phase(1))),
    )

    row = flat_phases(routes)

    assert [found.timed.dimension for found in row] == [0, 1, 1, 0, 0, 1]
    assert [found.chunks for found in row] == [3, 2, 0, 0, 0, 0]
    assert [found.following for found in row] == [2, 3, 4, 5, LAST, LAST]


def test_a_shorter_route_ends_earlier() -> None:
    routes = TimedRoute(1, (phase(0), phase(1))), TimedRoute(1, (phase(2),))

    row = flat_phases(routes)

    assert [found.timed.dimension for found in row] == [0, 2, 1]
    assert [found.following for found in row] == [2, LAST, LAST]


def test_a_collective_without_routes_has_no_phases() -> None:
    assert flat_phases(()) == ()
