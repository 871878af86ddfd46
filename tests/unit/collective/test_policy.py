"""The collective stack: an algorithm for each kind and dimension."""

from typing import Any

import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.errors import SpecError, UnknownNameError
from cosmic.trace.node import CollectiveKind


def policy(**changes: Any) -> CollectivePolicy:
    given: dict[str, Any] = {
        "all_reduce": ("ring", "direct"),
        "all_gather": ("direct", "ring"),
        "reduce_scatter": ("halvingDoubling", "ring"),
        "all_to_all": ("ring", "halvingDoubling"),
    }
    return CollectivePolicy(**(given | changes))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (CollectiveKind.ALL_REDUCE, ["ring", "direct"]),
        (CollectiveKind.ALL_GATHER, ["direct", "ring"]),
        (CollectiveKind.REDUCE_SCATTER, ["halvingDoubling", "ring"]),
        (CollectiveKind.ALL_TO_ALL, ["ring", "halvingDoubling"]),
        (CollectiveKind.BROADCAST, ["direct", "ring"]),  # those of all-gathers
    ],
)
def test_each_kind_has_its_algorithms(kind: CollectiveKind, names: list[str]) -> None:
    given = policy()

    assert [given.algorithm(kind, d) for d in range(given.dimensions)] == names


def test_a_collective_has_chunks() -> None:
    with pytest.raises(SpecError, match="a collective has at least 1 chunk, not 0"):
        policy(chunks=0)


def test_a_dimension_serves_chunks() -> None:
    message = "a dimension serves at least 1 chunk at once, but active chunks are 0"

    with pytest.raises(SpecError, match=message):
        policy(active_chunks=0)


@pytest.mark.parametrize("delay", [-1e-9, float("inf"), float("nan")])
def test_a_device_takes_up_a_message_in_finite_time(delay: float) -> None:
    message = f"endpoint delay must be finite and not negative, but is {delay} s"

    with pytest.raises(SpecError, match=message):
        policy(endpoint_delay=delay)


def test_every_kind_speaks_of_the_same_dimensions() -> None:
    message = (
        "every kind of collective needs one algorithm for each dimension, "
        "but there are 2, 1, 2, 2"
    )

    with pytest.raises(SpecError, match=message):
        policy(all_gather=("ring",))


def test_a_window_is_part_of_an_algorithm_s_name() -> None:
    assert policy(all_to_all=("direct4", "ring")).all_to_all == ("direct4", "ring")

    with pytest.raises(SpecError, match="the window of direct<W> is a whole number"):
        policy(all_to_all=("direct0", "ring"))


def test_an_unknown_algorithm_is_refused_at_once() -> None:
    message = "no collective algorithm named 'direkt'; did you mean 'direct'?"

    with pytest.raises(UnknownNameError, match=message):
        policy(all_to_all=("ring", "direkt"))
