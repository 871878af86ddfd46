"""Errors and their averages, by hand."""

from dataclasses import replace

import pytest

from cosmic.validation.comparison import Accuracy, Compared, by, compare
from cosmic.validation.measurement import Measurement, parse_measurement
from cosmic.validation.prediction import Prediction, predict


def measurement(**changes: object) -> Measurement:
    row: dict[str, object] = {
        "id": "row-1",
        "source": "us",
        "op": "all_reduce",
        "size_bytes": 1e9,
        "ranks": 8,
        "nodes": 1,
        "hardware": {"gpu": "A100"},
        "measured": {"busbw_GBps": 200.0},
    }
    return parse_measurement({**row, **changes})


MEASURED = measurement()
PREDICTED = predict(MEASURED.setup)


def compared(predicted: float, bound: float = 400e9) -> Compared:
    """A row with 200 GB/s published."""
    prediction: Prediction = replace(PREDICTED, bandwidth=predicted, bound=bound)
    return Compared(MEASURED, prediction)


def test_twice_the_bandwidth_is_half_the_time() -> None:
    row = compared(400e9)

    assert row.error == pytest.approx(1.0)
    assert row.time_error == pytest.approx(-0.5)


def test_bytes_alone_are_judged_by_their_time() -> None:
    assert compared(200e9, bound=800e9).bound_error == pytest.approx(-0.75)


def test_an_accuracy_is_made_of_errors() -> None:
    rows = [compared(200e9), compared(300e9), compared(100e9), compared(220e9)]

    accuracy = Accuracy.of(rows)  # errors 0, +50 %, -50 %, +10 %

    assert accuracy.rows == 4
    assert accuracy.mean == pytest.approx(1.1 / 4)
    assert accuracy.median == pytest.approx((0.1 + 0.5) / 2)
    assert accuracy.bias == pytest.approx(0.1 / 4)
    assert abs(accuracy.worst) == pytest.approx(0.5)
    assert accuracy.time == pytest.approx((0 + 1 / 3 + 1 + 1 / 11) / 4)
    assert accuracy.bound == pytest.approx(0.5)


def test_groups_count_alike_however_large_they_are() -> None:
    many = Accuracy.of([compared(300e9)] * 9)
    one = Accuracy.of([compared(200e9)])

    mean = Accuracy.mean_of([many, one])

    assert mean.rows == 10
    assert mean.mean == pytest.approx(0.25)
    assert mean.worst == pytest.approx(0.5)


def test_rows_that_cannot_be_predicted_are_counted_by_reason() -> None:
    unknown = measurement(hardware={"gpu": "abacus"})
    seen = []

    found = compare([MEASURED, unknown, unknown], lambda *done: seen.append(done))

    assert [row.measurement for row in found.rows] == [MEASURED]
    assert found.skipped == {("us", "no preset describes the device 'abacus'"): 2}
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_system_that_does_not_exist_stops_one_row_only() -> None:
    astray = measurement(hardware={"gpu": "A100", "system": "dgx-a10"})

    found = compare([astray, MEASURED])

    assert [row.measurement for row in found.rows] == [MEASURED]
    ((_, why),) = found.skipped
    assert why.startswith("no system named 'dgx-a10'; did you mean")


def test_the_worst_come_first() -> None:
    rows = [compared(200e9), compared(90e9), compared(300e9)]
    comparison = replace(compare([]), rows=tuple(rows))

    assert comparison.worst(2) == [rows[1], rows[2]]


def test_groups_keep_the_order_of_rows() -> None:
    rows = [compared(300e9), compared(100e9), compared(310e9)]

    groups = by(rows, lambda row: "over" if row.error > 0 else "under")

    assert list(groups) == ["over", "under"]
    assert groups["over"] == [rows[0], rows[2]]
