"""One trial as one line, and back."""

import json
import math

import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.io.trial_record import RecordError, decode, decode_trial, encode_trial
from cosmic.search.trial import WORST, Trial

POINT = DesignPoint({"dp": 4, "zero": True, "shape": ("Ring", "Switch"), "gbps": 0.1})


def trial(evaluation: Evaluation, score: float = 1.5) -> Trial:
    """A trial of the one point of these tests."""
    return Trial(number=3, point=POINT, evaluation=evaluation, score=score)


def test_a_record_is_one_line_of_plain_json() -> None:
    line = encode_trial(trial(Evaluation({"runtime": 0.25})))

    assert line.endswith(b"\n")
    assert json.loads(line) == {
        "number": 3,
        "digest": POINT.digest,
        "point": {
            "dp": 4,
            "zero": True,
            "shape": ["Ring", "Switch"],
            "gbps": 0.1,
        },
        "metrics": {"runtime": 0.25},
        "violations": [],
        "score": 1.5,
    }


def test_a_point_comes_back_with_its_types() -> None:
    record = decode_trial(encode_trial(trial(Evaluation())), 3)

    assert DesignPoint(record.point) == POINT
    assert record.digest == POINT.digest
    assert [type(v) for v in record.point.values()] == [int, bool, tuple, float]


@pytest.mark.parametrize(
    "value", [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, 2**60 + 1, math.inf]
)
def test_a_metric_comes_back_exactly(value: float) -> None:
    record = decode_trial(encode_trial(trial(Evaluation({"m": value}), value)), 3)

    assert repr(record.evaluation.metrics["m"]) == repr(value)
    assert repr(record.score) == repr(value)


def test_what_is_not_finite_is_standard_json() -> None:
    metrics = {"a": math.inf, "b": -math.inf, "c": math.nan}
    line = encode_trial(trial(Evaluation(metrics), WORST))

    assert json.loads(line)["metrics"] == {"a": "inf", "b": "-inf", "c": "nan"}
    assert json.loads(line)["score"] is None


def test_an_infeasible_trial_comes_back_with_its_reasons() -> None:
    violations = (
        Violation("memory", "93 GB of 80 GB"),
        Violation("rack", "line\nbreak, ü"),
    )
    record = decode_trial(encode_trial(trial(Evaluation({}, violations), WORST)), 3)

    assert record.evaluation.violations == violations
    assert record.score == WORST


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe\n", "is not JSON"),
        (b'{"number": NaN}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"number": ' + b"9" * 5_000 + b"}", "is not JSON"),
        (b"[1]", "is not a JSON object"),
        (b"{}", "is not a trial: it has no 'number'"),
    ],
)
def test_a_line_that_is_no_record_is_refused(line: bytes, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        decode_trial(line, 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("digest", 7),
        ("point", [1]),
        ("point", {"dp": None}),
        ("point", {"dp": [[1]]}),
        ("metrics", {"m": "fast"}),
        ("metrics", {"m": [1]}),
        ("metrics", 3),
        ("violations", [{"constraint": "memory"}]),
        ("violations", ["memory"]),
        ("violations", [{"constraint": "memory", "message": 1}]),
        ("score", {}),
    ],
)
def test_a_record_with_a_useless_value_is_refused(key: str, value: object) -> None:
    record = decode(encode_trial(trial(Evaluation())))
    record[key] = value

    with pytest.raises(RecordError, match="is not a trial: one of its values"):
        decode_trial(json.dumps(record).encode(), 3)


def test_a_record_in_another_place_is_refused() -> None:
    with pytest.raises(RecordError, match="holds trial 3 where trial 4 should stand"):
        decode_trial(encode_trial(trial(Evaluation())), 4)
