import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import SpecError
from cosmic.simulation.link_flows import Flows, fair_rates

speeds = st.sampled_from((1.0, 1.0, 2.0, 3.0, 10.0))


@st.composite
def crossed_links(draw: st.DrawFn) -> tuple[list[list[int]], list[float]]:
    """Flows over any links, and what these carry."""
    bandwidths = draw(st.lists(speeds, min_size=1, max_size=6))
    link = st.integers(0, len(bandwidths) - 1)
    ways = st.lists(link, min_size=1, max_size=4, unique=True)
    return draw(st.lists(ways, min_size=1, max_size=8)), bandwidths


@given(case=crossed_links())
def test_no_link_is_over_full_and_each_flow_has_one_where_it_is_among_the_fastest(
    case: tuple[list[list[int]], list[float]],
) -> None:
    """That is what max-min fair means (Bertsekas and Gallager, 1992, 6.5.2)."""
    ways, bandwidths = case
    longest = max(map(len, ways))
    paths = np.array(
        [[*way, *[len(bandwidths)] * (longest - len(way))] for way in ways]
    )

    rates = fair_rates(paths, np.array([*bandwidths, np.inf]))

    used = [
        [rate for way, rate in zip(ways, rates, strict=True) if link in way]
        for link in range(len(bandwidths))
    ]
    tolerance = 1e-12  # sums of up to eight rates
    full = [
        sum(on) >= bandwidth * (1 - tolerance)
        for on, bandwidth in zip(used, bandwidths, strict=True)
    ]
    assert all(
        sum(on) <= bandwidth * (1 + tolerance)
        for on, bandwidth in zip(used, bandwidths, strict=True)
    )
    for way, rate in zip(ways, rates, strict=True):
        assert any(
            full[link] and rate >= max(used[link]) * (1 - tolerance) for link in way
        )


@given(sizes=st.lists(st.floats(0.0, 1e9), min_size=1, max_size=8), speed=speeds)
def test_a_link_is_busy_until_all_that_set_out_together_is_across(
    sizes: list[float], speed: float
) -> None:
    flows = Flows(np.array([speed]))
    for name, size in enumerate(sizes):
        flows.start(name, [0], size)

    over: list[int] = []
    while (now := flows.next_end()) < float("inf"):
        last = now
        over += flows.ended(now, now * (1 + 1e-12))

    assert sorted(over) == list(range(len(sizes)))
    assert last == pytest.approx(sum(sizes) / speed, rel=1e-12, abs=0)


def test_a_flow_slows_down_while_another_shares_its_link() -> None:
    flows = Flows(np.array([1e9, 1e9]))
    flows.start(0, [0, 1], 3e9)
    assert flows.ended(1.0, 1.0) == []  # one gigabyte is across
    flows.start(1, [1], 0.5e9)

    # half the link each: the second is across a second later, the first has 1.5 left
    assert flows.next_end() == 2.0
    assert flows.ended(2.0, 2.0) == [1]
    assert flows.next_end() == 3.5


def test_a_flow_of_no_bytes_ends_when_it_starts() -> None:
    flows = Flows(np.array([1e9]))
    flows.ended(5.0, 5.0)
    flows.start(3, [0], 0.0)

    assert flows.next_end() == 5.0
    assert flows.ended(5.0, 5.0) == [3]


def test_nothing_under_way_never_ends() -> None:
    assert Flows(np.array([1e9])).next_end() == float("inf")


def test_what_takes_too_long_is_refused() -> None:
    flows = Flows(np.array([1e9]), most_crossings=9)  # of the link by 4, 3, 2 flows
    for name in range(4):
        flows.start(name, [0], 1.0 + name)

    for _ in range(2):
        now = flows.next_end()
        flows.ended(now, now)
    now = flows.next_end()
    flows.ended(now, now)
    flows.start(4, [0], 1.0)

    with pytest.raises(SpecError, match="gives up: too many messages share links"):
        flows.next_end()
