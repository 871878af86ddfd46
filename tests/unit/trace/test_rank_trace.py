"""The columns of one rank's trace, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import TraceError
from cosmic.trace.rank_trace import NODE, RankTrace, blank_nodes, rank_trace


def make(
    ids: list[int], waits: list[list[int]], names: tuple[str, ...] = ()
) -> RankTrace:
    """A trace of nodes in file order, which wait for others by id."""
    nodes = blank_nodes(len(ids))
    nodes["id"] = ids
    offsets = np.cumsum([0, *(len(w) for w in waits)])
    flat = np.array([i for w in waits for i in w], np.uint64)
    return rank_trace(3, nodes, offsets, flat, names=names)


@given(st.permutations(range(6)), st.sets(st.tuples(*[st.integers(0, 5)] * 2)))
def test_dependencies_follow_their_nodes_into_the_order_of_ids(
    order: list[int], pairs: set[tuple[int, int]]
) -> None:
    waits = [[e for e, later in pairs if later == i and e < i] for i in order]

    trace = make(order, waits)

    assert trace.nodes["id"].tolist() == sorted(order)
    for row in range(6):
        begin, end = trace.offsets[row : row + 2]
        rows = trace.dependencies[begin:end].tolist()
        assert sorted(rows) == sorted(waits[order.index(row)])


def test_names_follow_their_nodes() -> None:
    assert make([5, 2], [[], []], ("late", "early")).names == ("early", "late")


@pytest.mark.parametrize(
    ("ids", "waits", "message"),
    [
        ([4, 4], [[], []], "rank 3, node 4: the id stands twice"),
        ([1, 2], [[9], []], "rank 3, node 1: depends on node 9, which is not in"),
        ([1, 2, 3], [[], [3], [2]], r"node [23]: waits for itself through its depend"),
        ([7], [[7]], "node 7: waits for itself"),
    ],
)
def test_what_cannot_run_is_refused_with_its_node(
    ids: list[int], waits: list[list[int]], message: str
) -> None:
    with pytest.raises(TraceError, match=message):
        make(ids, waits)


def test_the_node_named_is_on_the_circle_not_behind_it() -> None:
    with pytest.raises(TraceError, match=r"node [12]: waits for itself"):
        make([0, 1, 2], [[1], [2], [1]])


def test_later_nodes_may_come_first_where_nothing_goes_round() -> None:
    assert make([1, 2, 3], [[3], [1], []]).dependencies.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("kind", 8, "kind is unknown"),
        ("kind", -1, "kind is unknown"),
        ("group", 0, "group is unknown"),
        ("group", -2, "group is unknown"),
        ("comm_size", -1, "comm_size is negative"),
        ("duration_micros", -1, "duration_micros is negative"),
    ],
)
def test_a_column_out_of_range_is_refused(
    column: str, value: int, message: str
) -> None:
    nodes = blank_nodes(1)
    nodes[column] = value

    with pytest.raises(TraceError, match=f"rank 0, node 0: {message}"):
        rank_trace(0, nodes, np.zeros(2, np.int64), np.zeros(0, np.uint64))


@pytest.mark.parametrize(
    ("offsets", "dependencies"),
    [([0, 0], []), ([0, 0, 1], []), ([1, 1, 1], [0]), ([0, 1, 0], [])],
)
def test_offsets_that_do_not_fit_are_refused(
    offsets: list[int], dependencies: list[int]
) -> None:
    with pytest.raises(TraceError, match="columns are of different lengths"):
        RankTrace(
            rank=0,
            nodes=np.zeros(2, NODE),
            offsets=np.array(offsets),
            dependencies=np.array(dependencies, np.int64),
        )


def test_rows_out_of_order_or_out_of_range_are_refused() -> None:
    nodes = blank_nodes(2)
    nodes["id"] = [2, 1]
    offsets = np.array([0, 0, 1])

    with pytest.raises(TraceError, match="node 1: the ids do not ascend"):
        RankTrace(rank=0, nodes=nodes, offsets=offsets, dependencies=np.array([0]))
    nodes["id"] = [1, 2]
    with pytest.raises(TraceError, match="node 2: a dependency is out of range"):
        RankTrace(rank=0, nodes=nodes, offsets=offsets, dependencies=np.array([2]))


def test_a_trace_may_be_empty() -> None:
    assert len(make([], []).nodes) == 0
