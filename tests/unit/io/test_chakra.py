"""Chakra traces: what is read is what was written, and what the schema says."""

import gzip
import struct
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import TraceError
from cosmic.io.chakra import rank_files, read_rank_trace
from cosmic.io.chakra_writer import write_rank_trace
from cosmic.trace.rank_trace import (
    CommType,
    NodeKind,
    Present,
    RankTrace,
    blank_nodes,
    rank_trace,
)

amounts = st.integers(0, 2**63 - 1)


# The wire format, written down once more and by hand: a field is its number and type
# in a varint, then a varint (type 0), 4 bytes (5), 8 bytes (1) or bytes behind their
# length (2).
def varint(value: int) -> bytes:
    more = bytearray()
    while value > 127:
        more.append(value % 128 + 128)
        value //= 128
    return bytes([*more, value])


def field(number: int, value: int | float | str | bytes) -> bytes:
    match value:
        case int():
            return varint(number << 3) + varint(value % 2**64)
        case float():
            return varint(number << 3 | 1) + struct.pack("<d", value)
        case str():
            return field(number, value.encode())
        case bytes():
            return varint(number << 3 | 2) + varint(len(value)) + value


def attribute(name: str, number: int, value: int | float | str | bytes) -> bytes:
    """An attribute of a node of 0.0.4, its value in a field of the oneof."""
    return field(10, field(1, name) + field(number, value))


def saved(folder: Path, *messages: bytes) -> Path:
    path = folder / "w.0.et"
    path.write_bytes(b"".join(varint(len(m)) + m for m in messages))
    return path


METADATA = field(1, "0.0.4")


@st.composite
def traces(draw: st.DrawFn) -> RankTrace:
    """Sound traces: nodes with any attributes, which wait for others."""
    ids = draw(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=8))
    known = st.lists(st.text(max_size=4), unique=True, max_size=3)
    groups: list[str] = draw(known)
    nodes = blank_nodes(len(ids))
    nodes["id"] = sorted(ids)
    used: list[str] = []
    before: list[list[int]] = []
    for place, row in enumerate(nodes):
        row["kind"] = kind = draw(st.sampled_from(NodeKind))
        row["is_cpu"] = draw(st.booleans())
        row["duration_micros"] = draw(amounts)
        ends = Present.PEER if kind in {NodeKind.SEND, NodeKind.RECEIVE} else Present(0)
        row["present"] = draw(st.integers(0, 63)) & (63 ^ Present.PEER | ends)
        for flag, column, values in (
            (Present.NUM_OPS, "num_ops", amounts),
            (Present.TENSOR_SIZE, "tensor_size", amounts),
            (Present.COMM_TYPE, "comm_type", st.integers(0, max(CommType))),
            (Present.COMM_SIZE, "comm_size", amounts),
            (Present.PEER, "peer", st.integers(0, 2**31 - 1)),
            (Present.TAG, "tag", amounts),
        ):
            if row["present"] & flag:
                row[column] = draw(values)
        if len(groups) > 0 and draw(st.booleans()):
            group = draw(st.sampled_from(groups))
            if group not in used:  # groups stand in the order of their first use
                used.append(group)
            row["group"] = used.index(group)
        if draw(st.booleans()):
            row["involved_count"] = count = draw(st.integers(0, 63))
            row["involved_dim"] = draw(st.integers(0, 2**count - 1))
        before.append(
            draw(st.lists(st.integers(0, place - 1), max_size=3)) if place else []
        )
    names = draw(st.lists(st.text(max_size=5), min_size=len(ids), max_size=len(ids)))
    return RankTrace(
        rank=0,
        nodes=nodes,
        offsets=np.cumsum([0, *map(len, before)]),
        dependencies=np.array(list(chain.from_iterable(before)), np.int64),
        groups=tuple(used),
        names=tuple(names),
    )


@given(trace=traces(), packed=st.booleans())
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, trace: RankTrace, packed: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / ("w.0.et.gz" if packed else "w.0.et")

    write_rank_trace(trace, path)
    back = read_rank_trace(path, 0, names=True)

    assert back.nodes.tolist() == trace.nodes.tolist()
    assert back.offsets.tolist() == trace.offsets.tolist()
    assert back.dependencies.tolist() == trace.dependencies.tolist()
    assert (back.groups, back.names) == (trace.groups, trace.names)


def test_long_traces_of_many_values_are_read_back(tmp_path: Path) -> None:
    """More nodes than a block has, more attributes than are kept."""
    nodes = blank_nodes(17_000)
    nodes["id"] = np.arange(len(nodes))
    nodes["kind"] = NodeKind.COMPUTE
    nodes["present"] = int(
        Present.NUM_OPS | Present.TENSOR_SIZE | Present.COMM_SIZE | Present.TAG
    )
    for place, name in enumerate(("num_ops", "tensor_size", "comm_size", "tag")):
        nodes[name] = np.random.default_rng(place).permutation(len(nodes))
    before = np.arange(len(nodes) - 1, dtype=np.uint64)  # each waits for the last one
    offsets = np.concatenate([[0], np.arange(len(nodes))])

    write_rank_trace(rank_trace(0, nodes, offsets, before), tmp_path / "w.0.et")
    back = read_rank_trace(tmp_path / "w.0.et", 0)

    assert (back.nodes == nodes).all()
    assert (back.dependencies == before).all()


def test_equal_traces_are_equal_files(tmp_path: Path) -> None:
    trace = rank_trace(0, blank_nodes(1), np.zeros(2, np.int64), np.zeros(0, np.uint64))
    for name in ("a.0.et.gz", "b.0.et.gz"):
        write_rank_trace(trace, tmp_path / name)

    assert (tmp_path / "a.0.et.gz").read_bytes() == (
        tmp_path / "b.0.et.gz"
    ).read_bytes()


def test_a_node_is_read_by_the_numbers_of_the_schema(tmp_path: Path) -> None:
    compute = field(1, 7) + field(2, "matmul") + field(3, 4) + field(7, 9)
    compute += attribute("num_ops", 9, 100) + attribute("tensor_size", 13, 200)
    gather = field(1, 8) + field(3, 7) + field(5, varint(7)) + field(4, varint(7))
    gather += attribute("comm_type", 9, 2) + attribute("comm_size", 9, 300)
    gather += attribute("pg_name", 29, "3") + attribute("is_cpu_op", 27, 1)
    gather += attribute("involved_dim", 28, field(1, bytes([1, 0, 1])))
    send = field(1, 9) + field(3, 5) + field(5, 7)  # dependencies one by one
    send += attribute("comm_dst", 7, 5) + attribute("comm_src", 7, 2)
    send += attribute("comm_tag", 7, 11) + attribute("comm_size", 9, 400)
    trace = read_rank_trace(
        saved(tmp_path, METADATA, compute, gather, send), 0, names=True
    )
    columns = {
        name: trace.nodes[name].tolist() for name in trace.nodes.dtype.names or ()
    }

    assert columns == {
        "id": [7, 8, 9],
        "kind": [4, 7, 5],
        "is_cpu": [False, True, False],
        "present": [
            Present.NUM_OPS | Present.TENSOR_SIZE,
            Present.COMM_TYPE | Present.COMM_SIZE,
            Present.COMM_SIZE | Present.PEER | Present.TAG,
        ],
        "comm_type": [0, 2, 0],
        "involved_count": [0, 3, 0],
        "group": [-1, 0, -1],
        "peer": [0, 0, 5],
        "tag": [0, 0, 11],
        "involved_dim": [-1, 0b101, -1],
        "duration_micros": [9, 0, 0],
        "num_ops": [100, 0, 0],
        "tensor_size": [200, 0, 0],
        "comm_size": [0, 300, 400],
    }
    assert trace.offsets.tolist() == [0, 0, 2, 3]
    assert trace.dependencies.tolist() == [0, 0, 0]
    assert (trace.groups, trace.names) == (("3",), ("matmul", "", ""))


@pytest.mark.parametrize(
    "number", [3, 9, 13, 21], ids=["double", "int", "uint", "fixed"]
)
def test_a_number_may_be_of_any_type(tmp_path: Path, number: int) -> None:
    of_double = {3: 8.0, 21: struct.unpack("<d", (8).to_bytes(8, "little"))[0]}
    value = attribute("comm_size", number, of_double.get(number, 8))
    trace = read_rank_trace(saved(tmp_path, METADATA, field(1, 0) + value), 0)

    assert trace.nodes["comm_size"].tolist() == [8]


def test_of_two_attributes_of_one_name_the_first_counts(tmp_path: Path) -> None:
    node = attribute("num_ops", 9, 1) + attribute("num_ops", 9, 2)
    trace = read_rank_trace(saved(tmp_path, METADATA, node), 0)

    assert trace.nodes["num_ops"].tolist() == [1]


def test_metadata_may_hold_attributes_and_no_version(tmp_path: Path) -> None:
    metadata = field(2, field(1, "schema") + field(29, "some"))

    assert len(read_rank_trace(saved(tmp_path, metadata), 0).nodes) == 0
    assert len(read_rank_trace(saved(tmp_path, b"", field(1, 3)), 0).nodes) == 1


@pytest.mark.parametrize("july", [True, False])
def test_attributes_of_2023_are_read(tmp_path: Path, july: bool) -> None:
    """0.0.3: type and value field of an integer differ between July and August."""
    kind, place = (2, 6) if july else (3, 7)
    bools = (4, 8) if july else (5, 9)

    def old(name: str, value: int) -> bytes:
        return field(11, field(1, name) + field(2, kind) + field(place, value))

    dimensions = field(1, "involved_dim") + field(2, bools[0])
    dimensions += field(bools[1], 1) + field(bools[1], 0)
    compute = field(1, 3) + field(2, "a") + field(3, 4) + old("runtime", 20)
    reduce = field(1, 5) + field(2, "b") + field(3, 7) + field(4, 3)
    reduce += old("comm_type", 1) + old("comm_size", 64) + field(11, dimensions)
    trace = read_rank_trace(saved(tmp_path, compute, reduce), 0)

    assert trace.nodes["duration_micros"].tolist() == [20, 0]
    assert trace.nodes["comm_type"][1] == CommType.ALL_TO_ALL  # 1 in this version
    assert trace.nodes["comm_size"].tolist() == [0, 64]
    assert trace.nodes["involved_dim"].tolist() == [-1, 0b01]
    assert trace.dependencies.tolist() == [0]


def test_nodes_of_flat_fields_are_read(tmp_path: Path) -> None:
    """0.0.1: kinds count without metadata nodes, collectives from 1."""
    compute = field(1, 3) + field(3, 3) + field(6, 10) + field(7, 20) + field(12, 30)
    scatter = field(1, 4) + field(3, 6) + field(4, 3) + field(13, 4) + field(18, 64)
    scatter += field(14, 1) + field(14, 1) + field(15, 2)
    send = field(1, 5) + field(3, 4) + field(16, 0) + field(17, 6) + field(19, 8)
    nodes = read_rank_trace(saved(tmp_path, compute, scatter, send), 0).nodes

    assert nodes["kind"].tolist() == [
        *(NodeKind.COMPUTE, NodeKind.COLLECTIVE, NodeKind.SEND),
    ]
    assert nodes[["tensor_size", "duration_micros", "num_ops"]][0].item() == (
        10,
        20,
        30,
    )
    assert nodes["comm_type"][1] == CommType.REDUCE_SCATTER
    assert nodes[["comm_size", "involved_dim", "group"]][1].item() == (64, 0b11, 0)
    assert nodes[["peer", "tag"]][2].item() == (6, 8)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "empty"),
        (
            [b'{"schema": "x"}'],
            "not a Chakra trace: what comes first is no message @ byte 0",
        ),
        ([field(3, "neither")], "neither metadata nor a node comes first @ byte 0"),
        (
            [field(1, 5) + attribute("num_ops", 9, 1)],
            "a node comes first, not metadata @ byte 0",
        ),
        (
            [METADATA, field(1, 5), b"\xff"],
            "the bytes are no message of Chakra's @ byte",
        ),
        (
            [METADATA, field(1, 5) + field(2, b"\xff")],
            "node 5: the bytes are no message",
        ),
        ([METADATA, field(1, 5), field(1, 5)], "node 5: the id stands twice @ byte 11"),
        ([METADATA, *(field(1, i) for i in (5, 6, 5))], "node 5: the id stands twice"),
        ([METADATA, field(1, 5) + field(3, 8)], "node 5: type 8, which is not one"),
        ([METADATA, field(1, 5) + field(5, 6)], "node 5: depends on node 6, which is"),
        ([METADATA, field(1, 5) + field(5, 5)], "node 5: waits for itself"),
        (
            [METADATA, field(1, 5) + field(5, 6), field(1, 6) + field(4, 5)],
            "waits for itself through its dependencies",
        ),
    ],
)
def test_a_trace_that_is_not_sound_is_refused(
    tmp_path: Path, messages: list[bytes], words: str
) -> None:
    with pytest.raises(TraceError, match=r"^w\.0\.et: [ -~]+$") as caught:
        read_rank_trace(saved(tmp_path, *messages), 0)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (attribute("num_ops", 3, float("nan")), "num_ops is nan, not a whole number"),
        (attribute("num_ops", 3, float("inf")), "num_ops is inf, not a whole number"),
        (attribute("num_ops", 3, 0.5), "num_ops is 0.5, not a whole number"),
        (attribute("num_ops", 29, "many"), "num_ops is 'many', not a number"),
        (attribute("comm_size", 9, -1), "comm_size is negative: -1"),
        (attribute("comm_size", 13, 2**63), "it is at most 9,223,372,036,854,775,807"),
        (attribute("comm_type", 9, 10), "comm_type is 10; it is at most 9"),
        (attribute("comm_dst", 9, 2**31), "it is at most 2,147,483,647"),
        (
            attribute("comm_tag", 10, field(1, b"\1")),
            "comm_tag is a list, not a number",
        ),
        (attribute("pg_name", 28, field(1, b"\1")), "pg_name is a list, not text"),
        (attribute("involved_dim", 9, 3), "involved_dim is 3, not a list of booleans"),
        (
            attribute("involved_dim", 28, field(1, b"\1" * 64)),
            "involved_dim has 64 dimensions; at most 63 are read",
        ),
        (field(10, field(1, "comm_tag")), "comm_tag has no value"),
        (field(7, 2**63), "duration_micros is 9223372036854775808; it is at most"),
    ],
)
def test_an_attribute_that_cannot_be_right_is_refused(
    tmp_path: Path, wrong: bytes, words: str
) -> None:
    with pytest.raises(TraceError, match=r"^w\.0\.et: node 5: .* @ byte 8$") as caught:
        read_rank_trace(saved(tmp_path, METADATA, field(1, 5) + wrong), 0)

    assert words in str(caught.value)


def test_a_bomb_of_one_node_again_and_again_is_noticed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "w.0.et"
    node = varint(20) + field(1, 5) + field(2, "x" * 16)
    path.write_bytes(gzip.compress(varint(7) + METADATA + node * 2_000_000))

    with pytest.raises(TraceError, match="the id stands twice @ byte 29"):
        read_rank_trace(path, 0)


def test_more_nodes_than_a_memory_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cosmic.io.chakra.MOST_NODES", 2)
    path = saved(tmp_path, METADATA, *(field(1, i) for i in range(3)))

    with pytest.raises(TraceError, match="node 2: more than 2 nodes, which are not re"):
        read_rank_trace(path, 0)


def test_files_are_found_by_rank(tmp_path: Path) -> None:
    for name in ("w.10.et", "w.0.et.gz", "w.json", "w.x.et", "v.0.et"):
        (tmp_path / name).touch()
    for rank in range(1, 10):
        (tmp_path / f"w.{rank}.et").touch()

    found = [path.name for path in rank_files(tmp_path / "w")]

    assert found == ["w.0.et.gz", *(f"w.{rank}.et" for rank in range(1, 11))]


def test_a_rank_that_is_missing_is_named(tmp_path: Path) -> None:
    for rank in (0, 1, 3):
        (tmp_path / f"w.{rank}.et").touch()

    with pytest.raises(TraceError, match="no file of rank 2, but of rank 3"):
        rank_files(tmp_path / "w")
    with pytest.raises(TraceError, match=r"no trace files; they are named .*v\.0\.et"):
        rank_files(tmp_path / "v")
