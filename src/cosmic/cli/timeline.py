"""`cosmic timeline`: one simulated step from its start to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.cli.launch_design import ChosenDesign, choose_design
from cosmic.errors import SpecError, UnknownNameError
from cosmic.report.timeline import Detail, trace_document, write_trace
from cosmic.simulation.device_run import Inside
from cosmic.simulation.timeline import StageTimeline, Timeline
from cosmic.simulation.timeline import timeline as timeline_of
from cosmic.trace.node import OperatorKind
from cosmic.units import format_quantity
from cosmic.workload.lowering import lower
from cosmic.workload.memory import memory_footprint
from cosmic.workload.passes import decode, prefill
from cosmic.workload.workload import Workload

_STEP, _PREFILL, _DECODE = "step", "prefill", "decode"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRequest:
    """What `cosmic timeline` is asked for.

    Attributes:
        reference: A scenario or a study.
        changes: What differs from the design, as `name=value`.
        log: A trial log whose best trial is meant.
        trial: Another trial of the log.
        part: Which pass of an inference; None for the first that there is.
        detail: How much of what is inside a micro-batch is written.
        trace: File for the trace, if any.
        picture: File for the picture, if any.
        as_json: Whether to print JSON.
    """

    reference: str
    changes: tuple[str, ...]
    log: str | None
    trial: int | None
    part: str | None
    detail: str
    trace: str | None
    picture: str | None
    as_json: bool


def show_timeline(request: TimelineRequest) -> None:
    """Find the timeline of a design, write it and print what it comes to.

    Raises:
        SpecError: The design cannot be simulated; says why.
    """
    if request.detail not in (known := [detail.value for detail in Detail]):
        raise UnknownNameError("detail", request.detail, known)
    if request.picture and not request.picture.endswith(".svg"):
        raise SpecError(f"--svg {request.picture}: the picture's name ends in .svg")
    chosen = choose_design(
        request.reference, request.log, request.trial, request.changes
    )
    part, found = _timeline(chosen, request.part)
    about = {"scenario": chosen.scenario.name, "design": chosen.origin, "pass": part}
    if request.trace:
        document = trace_document(found, Detail(request.detail), about)
        write_trace(document, request.trace)
        remark(f"trace: {request.trace}, to be opened in ui.perfetto.dev")
    if request.picture:
        from cosmic.report.timeline_picture import (  # noqa: PLC0415 - an extra
            write_timeline_svg,
        )

        title = f"{chosen.scenario.name}, {chosen.origin}: a {_NAMES[part]}"
        write_timeline_svg(found, request.picture, title)
        remark(f"picture: {request.picture}")
    if request.as_json:
        write_json(_document(found, about))
    else:
        _show(found, chosen, part)


def _timeline(chosen: ChosenDesign, part: str | None) -> tuple[str, Timeline]:
    """The timeline of a design, and which pass it is of.

    Raises:
        SpecError: The design cannot be simulated, or has no such pass.
    """
    bare = replace(chosen.scenario, settings={})  # the design says all
    try:
        configuration = bare.configure(chosen.design)
        name, one = _pass(configuration.workload, part)
        found = timeline_of(lower(one), configuration.system)
    except SpecError as error:
        raise SpecError(f"cannot simulate this design: {error}") from error
    needed = memory_footprint(configuration.workload).total
    capacity = configuration.system.cluster.device.memory_capacity
    if needed > capacity:
        sizes = format_quantity(needed, "B"), format_quantity(capacity, "B")
        remark(f"does not fit: a device needs {sizes[0]} of its {sizes[1]}")
    return name, found


def _pass(workload: Workload, part: str | None) -> tuple[str, Workload]:
    """A workload that is one pass, and its name."""
    asked = workload.inference
    passes: dict[str, Workload] = {}
    if asked is None:
        passes[_STEP] = workload
    else:
        if asked.prefills:
            passes[_PREFILL] = prefill(workload)
        if contexts := asked.contexts:
            middle = contexts[len(contexts) // 2]
            passes[_DECODE] = decode(workload, middle)
    name = part or next(iter(passes))
    if name not in passes:
        raise SpecError(f"--pass {name}: there is only {' and '.join(passes)} here")
    return name, passes[name]


def _show(found: Timeline, chosen: ChosenDesign, part: str) -> None:
    rows = [_row(found, number) for number in range(len(found.stages))]
    heads = list(dict.fromkeys(name for row in rows for name in row))
    show_table(
        f"{chosen.scenario.name}, {chosen.origin}: where each stage's time goes "
        f"in a {_NAMES[part]} of {format_quantity(found.makespan, 's')}",
        ["stage", *heads],
        [
            (str(number), *(format_quantity(row.get(h, 0.0), "s") for h in heads))
            for number, row in enumerate(rows)
        ],
    )
    say()
    say(
        "begins: when the stage's step begins, counted from its first stage's first "
        "forward. idle: waiting for other stages."
    )


def _row(found: Timeline, number: int) -> dict[str, float]:
    """Seconds of a stage by what they are for."""
    stage = found.stages[number]
    sums = {"begins": stage.start, "compute": 0.0}
    for inside in _insides(found, stage):
        for operation in inside.operations:
            updates = operation.node.kind is OperatorKind.OPTIMIZER
            name = "optimizer" if updates else "compute"
            sums[name] = sums.get(name, 0.0) + operation.seconds
        for wait in inside.waits:
            name = f"{wait.node.group}, exposed"
            sums[name] = sums.get(name, 0.0) + wait.seconds
    return sums | {"idle": sum(idle.seconds for idle in stage.idle)}


def _insides(found: Timeline, stage: StageTimeline) -> list[Inside]:
    """Those of the step; a training step's first forward is of the one before."""
    first = 0 if found.graph.forward_only else 1
    return [run.inside for run in stage.runs[first:]]


def _document(found: Timeline, about: Mapping[str, object]) -> dict[str, object]:
    """The summary as JSON can hold it."""
    return {
        **about,
        "makespan": found.makespan,
        "stages": [_row(found, number) for number in range(len(found.stages))],
    }


_NAMES = {_STEP: "step", _PREFILL: "prefill", _DECODE: "decode step"}
