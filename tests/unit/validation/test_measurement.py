"""Rows of a table: what they say, and what is refused in one line."""

from typing import Any

import pytest

from cosmic.errors import SpecError
from cosmic.validation.measurement import Operation, Setup, parse_measurement

MIB = 2**20


def row(**changes: object) -> dict[str, Any]:
    """An all-reduce of 1 MiB on 4 devices in 10 us, and changes."""
    given = {
        "id": "row-1",
        "source": "us",
        "op": "all_reduce",
        "size_bytes": MIB,
        "ranks": 4,
        "nodes": 1,
        "hardware": {"gpu": "A100"},
        "measured": {"time_us": 10.0},
    }
    return {**given, **changes}


def test_the_bus_bandwidth_follows_from_size_and_time() -> None:
    measured = parse_measurement(row())

    assert measured.bandwidth == pytest.approx(1.5 * MIB / 10e-6)  # 2(n-1)/n
    assert measured.setup.ranks == 4


@pytest.mark.parametrize(
    ("operation", "factor"),
    [("all_gather", 0.75), ("reduce_scatter", 0.75), ("alltoall", 0.75)],
)
def test_other_collectives_send_all_but_one_slice(
    operation: str, factor: float
) -> None:
    measured = parse_measurement(row(op=operation))

    assert measured.bandwidth == pytest.approx(factor * MIB / 10e-6)


def test_a_time_says_more_than_a_rounded_bandwidth() -> None:
    measured = parse_measurement(row(measured={"time_us": 10.0, "busbw_GBps": 0.01}))

    assert measured.bandwidth == pytest.approx(1.5 * MIB / 10e-6)


def test_a_bandwidth_alone_is_that_of_any_size() -> None:
    measured = parse_measurement(
        row(size_bytes=None, ranks=None, measured={"busbw_GBps": 232})
    )

    assert measured.setup.size is None
    assert measured.bandwidth == 232e9


def test_bytes_a_second_and_a_time_make_a_size() -> None:
    measured = parse_measurement(
        row(
            op="moe_dispatch_lowlat",
            size_bytes=None,
            measured={"time_us": 100.0, "rdma_bw_GBps": 40.0},
        )
    )

    assert measured.setup.size == pytest.approx(4e6)
    assert measured.bandwidth == pytest.approx(0.75 * 40e9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "id must be text, got nothing"),
        ({"op": "allreduce"}, "no collective named 'allreduce'; did you mean 'all_re"),
        ({"ranks": 2.5}, "ranks must be a whole number from 1 on, got 2.5"),
        ({"ranks": True}, "ranks must be a number, got True"),
        ({"size_bytes": -1}, "size_bytes must be finite and not negative, got -1"),
        ({"size_bytes": 0}, "size_bytes must be positive, not 0"),
        ({"hardware": "A100"}, "hardware must be an object, got 'A100'"),
        ({"measured": {}}, "measured needs time_us .with size_bytes and ranks. or bus"),
        ({"measured": {"time_us": 0}}, "time_us must be positive, not 0"),
        ({"measured": {"time_us": float("nan")}}, "time_us must be finite"),
        ({"ranks": 1}, "one device sends nothing"),
    ],
)
def test_what_a_row_cannot_say_is_one_line(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        parse_measurement(row(**changes))

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "name"),
    [
        (64 * 1024, "up to 64 KiB"),
        (64 * 1024 + 1, "up to 1 MiB"),
        (32 * MIB, "up to 32 MiB"),
        (2**40, "larger"),
        (None, "asymptotic"),
    ],
)
def test_sizes_fall_into_classes(size: float | None, name: str) -> None:
    hardware = parse_measurement(row()).setup.hardware
    setup = Setup(
        operation=Operation.ALL_REDUCE, size=size, ranks=2, nodes=1, hardware=hardware
    )

    assert setup.size_class == name
