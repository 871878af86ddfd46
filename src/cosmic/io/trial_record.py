"""One trial as one line of JSON, and back.

Floats are written with as many digits as bring them back exactly. JSON has no word
for what is not finite: such a metric is the string "inf", "-inf" or "nan", and the
score of an infeasible trial is null.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from cosmic.design.parameter import PointValue, Value
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.search.trial import WORST, RecordedTrial, Trial

_KEYS = ("number", "digest", "point", "metrics", "violations", "score")
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class RecordError(Exception):
    """A line is not what it should be; the message goes on after "line N"."""


def encode_trial(trial: Trial) -> bytes:
    """A trial as one line, with its end of line."""
    evaluation = trial.evaluation
    return encode(
        {
            "number": trial.number,
            "digest": trial.point.digest,
            "point": trial.point.as_dict(),
            "metrics": {k: _finite(v) for k, v in evaluation.metrics.items()},
            "violations": [
                {"constraint": v.constraint, "message": v.message}
                for v in evaluation.violations
            ],
            "score": None if trial.score == WORST else _finite(trial.score),
        }
    )


def encode(record: dict[str, object]) -> bytes:
    """A mapping as one line of JSON, with its end of line."""
    return _ENCODER.encode(record).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The mapping that a line holds.

    Raises:
        RecordError: If it holds none.
    """
    try:
        record = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise RecordError("is not JSON") from error
    if not isinstance(record, dict):
        raise RecordError("is not a JSON object")
    return record


def decode_trial(line: bytes, number: int) -> RecordedTrial:
    """The trial that a line holds.

    Args:
        line: The line, with or without its end.
        number: Which trial is expected there.

    Raises:
        RecordError: If it holds none, or another one.
    """
    record = decode(line)
    for key in _KEYS:
        if key not in record:
            raise RecordError(f"is not a trial: it has no {key!r}")
    if record["number"] != number:
        raise RecordError(
            f"holds trial {record['number']!r:.40} where trial {number} should stand"
        )
    try:
        return _trial(record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordError("is not a trial: one of its values is of no use") from error


def _trial(record: Mapping[str, Any]) -> RecordedTrial:
    return RecordedTrial(
        number=record["number"],
        digest=_text(record["digest"]),
        point={key: _point_value(value) for key, value in record["point"].items()},
        evaluation=Evaluation(
            {key: _number(value) for key, value in record["metrics"].items()},
            tuple(
                Violation(_text(v["constraint"]), _text(v["message"]))
                for v in record["violations"]
            ),
        ),
        score=WORST if record["score"] is None else _number(record["score"]),
    )


def _finite(value: float) -> float | str:
    """A number as JSON can hold it; integers stay integers."""
    if isinstance(value, int):
        return value
    return float(value) if math.isfinite(value) else str(float(value))


def _number(value: object) -> float:
    if isinstance(value, str):
        return _NOT_FINITE[value]
    if isinstance(value, int | float):
        return value
    raise TypeError(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(value)


def _point_value(value: object) -> PointValue:
    return tuple(map(_scalar, value)) if isinstance(value, list) else _scalar(value)


def _scalar(value: object) -> Value:
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(value)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
