"""A published inference, as a table holds it: what its source says, and no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from cosmic.errors import SpecError
from cosmic.units import MS
from cosmic.validation.fields import Row, count, first, mapping, scaled, text, texts
from cosmic.validation.training.row import Machine, Shape, parse_machine, parse_shape


class Figure(Enum):
    """What was measured, in words for tables.

    REQUEST: seconds of a whole request. FIRST_TOKEN: seconds to the first token.
    PER_TOKEN: seconds for each further token. RATE: tokens given in a second by all
    devices.
    """

    REQUEST = "request"
    FIRST_TOKEN = "first token"
    PER_TOKEN = "per token"
    RATE = "rate"

    @property
    def unit(self) -> str:
        """SI."""
        return "1/s" if self is Figure.RATE else "s"


class Load(Enum):
    """How requests come.

    STATIC: a batch that is answered together. LOOP: so many are always under way, as a
    new one is sent when one is answered. UNBOUNDED: as many as the engine takes, so
    that the batch is its own choice.
    """

    STATIC = "static"
    LOOP = "agg"
    UNBOUNDED = "max-load"


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceRow:
    """One row of a table.

    Attributes:
        id: Of the row.
        source: Short name of who measured.
        url: Where it is published.
        quality: A, B or C, by how much the source says; empty if not judged.
        engine: Words on the software.
        precision: Words on number formats.
        shape: The model.
        devices: That took part.
        tensor: Degree of tensor parallelism.
        pipeline: Of pipeline parallelism.
        data: Replicas of attention; None if not said.
        expert: Devices that share the experts; None if not said.
        machine: Where it ran.
        load: How requests came; None for a way that the table does not tell.
        mode: The same in the table's words.
        prompt: Tokens of a prompt; None if not said or not the same for all.
        output: Tokens of an answer; likewise.
        batch: Requests that are computed together.
        concurrency: Requests that are under way at a time, where it says so.
        published: What was measured, in SI.
        unknown: What the source does not say, in the table's words.
    """

    id: str
    source: str
    url: str
    quality: str
    engine: str
    precision: str
    shape: Shape
    devices: int
    tensor: int | None
    pipeline: int | None
    data: int | None
    expert: int | None
    machine: Machine
    load: Load | None
    mode: str
    prompt: int | None
    output: int | None
    batch: int | None
    concurrency: int | None
    published: tuple[tuple[Figure, float], ...]
    unknown: tuple[str, ...]


def parse_inference_row(row: Row) -> InferenceRow:
    """The inference of one row of a table.

    Raises:
        SpecError: Something is missing or of another kind than it should be.
    """
    split, asked = mapping(row, "parallel"), mapping(row, "workload")
    devices = count(mapping(row, "hardware"), "gpus")
    if devices is None:
        raise SpecError("hardware.gpus must be a whole number from 1 on, got nothing")
    mode = text(asked, "mode", default="static")
    output = count(asked, "osl")
    figures = _published(mapping(row, "measured"), devices)
    if _load(mode) is Load.LOOP and output is not None:
        figures |= _whole(figures, output)
    return InferenceRow(
        id=text(row, "id"),
        source=text(row, "source"),
        url=text(row, "url", default=""),
        quality=text(row, "quality", default=""),
        engine=text(row, "engine", default=""),
        precision=text(row, "precision", default=""),
        shape=parse_shape(mapping(row, "model")),
        devices=devices,
        tensor=count(split, "tp"),
        pipeline=count(split, "pp"),
        data=count(split, "dp") if split.get("dp") else None,
        expert=count(split, "ep") if split.get("ep") else None,
        machine=parse_machine(mapping(row, "hardware")),
        load=_load(mode),
        mode=mode,
        prompt=count(asked, "isl"),
        output=output,
        batch=count(asked, "batch") or count(asked, "concurrency"),
        concurrency=count(asked, "concurrency"),
        published=tuple(figures.items()),
        unknown=texts(row, "unknown"),
    )


def _load(mode: str) -> Load | None:
    found = (load for load in Load if load.value in mode)
    return next(found, None)


def _whole(figures: Mapping[Figure, float], output: int) -> dict[Figure, float]:
    """A whole request, told by its first token and the others.

    In a steady loop every request meets the prompt of every other one once, before or
    after its first token. So this hangs less on the engine's order than either part.
    """
    first, later = figures.get(Figure.FIRST_TOKEN), figures.get(Figure.PER_TOKEN)
    if Figure.REQUEST in figures or first is None or later is None:
        return {}
    return {Figure.REQUEST: first + (output - 1) * later}


def _published(measured: Row, devices: int) -> dict[Figure, float]:
    """Seconds, and tokens a second of all devices.

    What says no more than that it is a rate counts where there is one device.
    """
    reported = scaled(measured, "out_tok_s_reported", 1.0)
    figures = {
        Figure.REQUEST: scaled(measured, "latency_ms", MS),
        Figure.FIRST_TOKEN: first(
            [scaled(measured, "ttft_ms", MS), scaled(measured, "ttft_s_avg", 1.0)]
        ),
        Figure.PER_TOKEN: first(
            [
                scaled(measured, "tpot_ms", MS),
                scaled(measured, "tok_latency_s_p50", 1.0),
            ]
        ),
        Figure.RATE: first(
            [
                scaled(measured, "out_tok_s", 1.0),
                scaled(measured, "out_tok_s_gpu", float(devices)),
                reported if devices == 1 else None,
            ]
        ),
    }
    return {kind: value for kind, value in figures.items() if value is not None}
