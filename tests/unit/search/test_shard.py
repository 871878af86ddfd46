"""Shards: parts of a study that leave nothing out and do nothing twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.design.design_space import DesignSpace
from cosmic.errors import SpecError
from cosmic.search.agent import learns, make_agent
from cosmic.search.shard import Shard, make_shard_agent, read_shard


@given(
    trials=st.integers(0, 500),
    batch=st.integers(1, 40),
    of=st.integers(1, 12),
    one_sequence=st.booleans(),
)
def test_the_shares_make_up_the_whole(
    trials: int, batch: int, of: int, one_sequence: bool
) -> None:
    shards = [Shard(index, of) for index in range(1, of + 1)]
    shares = [s.share(trials, batch, one_sequence=one_sequence) for s in shards]

    assert sum(shares) == trials
    assert max(shares) - min(shares) <= (batch if one_sequence else 1)


@given(trials=st.integers(0, 300), batch=st.integers(1, 20), of=st.integers(1, 6))
def test_a_share_is_that_of_the_batches_in_turn(
    trials: int, batch: int, of: int
) -> None:
    turns = [number // batch % of for number in range(trials)]

    for index in range(1, of + 1):
        share = Shard(index, of).share(trials, batch, one_sequence=True)
        assert share == turns.count(index - 1)


@pytest.mark.parametrize("agent", ["random", "exhaustive"])
def test_agents_that_learn_nothing_take_batches_of_one_sequence(
    agent: str, space: DesignSpace
) -> None:
    whole = make_agent(agent, space, 3)
    shards = [make_shard_agent(Shard(k, 3), agent, space, 3, {}) for k in (1, 2, 3)]

    for _ in range(4):
        for shard in shards:
            assert shard.ask(5) == whole.ask(5)


def test_agents_that_learn_search_from_seeds_of_their_own(space: DesignSpace) -> None:
    first = {
        tuple(make_shard_agent(Shard(k, 4), "genetic", space, 3, {}).ask(8))
        for k in (1, 2, 3, 4)
    }

    assert len(first) == 4
    again = make_shard_agent(Shard(2, 4), "genetic", space, 3, {})
    assert tuple(again.ask(8)) in first
    assert len({Shard(k, 99).seed(s) for k in range(1, 100) for s in range(9)}) == 891


def test_only_those_that_say_so_learn_nothing() -> None:
    assert [learns(name) for name in ("random", "exhaustive", "genetic", "tpe")] == [
        False,
        False,
        True,
        True,
    ]


def test_a_shard_is_written_as_which_of_how_many() -> None:
    assert read_shard("3/8") == Shard(3, 8)
    assert str(Shard(3, 8)) == "3/8"
    for text in ("0/4", "5/4", "0/0"):
        with pytest.raises(SpecError, match=f"--shard {text}: there is no shard"):
            read_shard(text)
    for text in ("3", "a/b", "3/8/9", "-1/4", "1.0/2", "1 / 2", ""):
        with pytest.raises(SpecError, match="write which of how many, as 3/8"):
            read_shard(text)
