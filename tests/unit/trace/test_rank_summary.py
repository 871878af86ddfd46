"""What stands in a trace, added up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosmic.trace.rank_summary import (
    CollectiveSum,
    longest_chain,
    summarize,
    unmatched,
)
from cosmic.trace.rank_trace import (
    CommType,
    NodeKind,
    Present,
    RankTrace,
    blank_nodes,
    rank_trace,
)


def traced(
    rank: int, rows: list[dict[str, int]], groups: tuple[str, ...] = ()
) -> RankTrace:
    """A trace of nodes that wait for nothing."""
    nodes = blank_nodes(len(rows))
    nodes["id"] = np.arange(len(rows))
    for node, row in zip(nodes, rows, strict=True):
        for name, value in row.items():
            node[name] = value
    offsets = np.zeros(len(rows) + 1, np.int64)
    return rank_trace(rank, nodes, offsets, np.zeros(0, np.uint64), groups)


def message(kind: NodeKind, peer: int, tag: int, size: int) -> dict[str, int]:
    present = int(Present.PEER | Present.TAG | Present.COMM_SIZE)
    return {
        "kind": kind,
        "peer": peer,
        "tag": tag,
        "comm_size": size,
        "present": present,
    }


def test_operations_and_bytes_add_up_by_kind() -> None:
    reduce = {"kind": NodeKind.COLLECTIVE, "comm_type": CommType.ALL_REDUCE, "group": 0}
    found = summarize(
        traced(
            0,
            [
                {"kind": NodeKind.COMPUTE, "num_ops": 2**62, "tensor_size": 3},
                {"kind": NodeKind.COMPUTE, "num_ops": 2**62, "tensor_size": 4},
                {"kind": NodeKind.COMPUTE, "num_ops": 2**62, "duration_micros": 5},
                reduce | {"comm_size": 10},
                reduce | {"comm_size": 20},
                reduce | {"comm_size": 40, "group": -1},
                message(NodeKind.SEND, 1, 0, 100),
            ],
            ("7",),
        )
    )

    assert found.kinds == {"compute": 3, "send": 1, "collective": 3}
    assert (found.num_ops, found.tensor_size, found.recorded) == (3 * 2**62, 7, 5)
    assert found.collectives == (
        CollectiveSum(comm_type="all_reduce", group="7", count=2, nbytes=30),
        CollectiveSum(comm_type="all_reduce", group="", count=1, nbytes=40),
    )
    assert (found.sent, found.received, found.nodes) == (100, 0, 7)


def test_messages_that_find_no_other_end_are_told() -> None:
    send = [message(NodeKind.SEND, 1, tag, 8) for tag in (5, 5, 6)]
    receive = [message(NodeKind.RECEIVE, 0, tag, 8) for tag in (5, 7)]
    sums = [summarize(traced(0, send)), summarize(traced(1, receive))]
    lost, awaited = unmatched(sums)

    assert lost == {(5, 0, 1, 8): 1, (6, 0, 1, 8): 1}
    assert awaited == {(7, 0, 1, 8): 1}


def slow_chain(before: list[list[int]], row: int) -> int:
    return 1 + max((slow_chain(before, other) for other in before[row]), default=0)


@given(st.data(), st.integers(1, 12))
def test_the_longest_chain_is_that_of_a_plain_search(
    data: st.DataObject, count: int
) -> None:
    """Whatever the order of ids, which a permutation gives."""
    place = data.draw(st.permutations(range(count)))
    before: list[list[int]] = [[] for _ in range(count)]
    for i in range(1, count):
        chosen = data.draw(st.lists(st.integers(0, i - 1), max_size=3))
        before[place[i]] = [place[other] for other in chosen]
    nodes = blank_nodes(count)
    nodes["id"] = np.arange(count)
    trace = RankTrace(
        rank=0,
        nodes=nodes,
        offsets=np.cumsum([0, *map(len, before)]),
        dependencies=np.array([b for row in before for b in row], np.int64),
    )

    assert longest_chain(trace) == max(slow_chain(before, row) for row in range(count))
