"""`cosmic launch`: a design in the words of a framework that trains models."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, write_json
from cosmic.cli.launch_design import ChosenDesign, choose_design
from cosmic.cli.wording import SCORE_UNITS, metric_text, percent
from cosmic.errors import SpecError, UnknownNameError
from cosmic.evaluation.evaluator import Evaluator, Inspection
from cosmic.io.launchers import Launch, LaunchPlan
from cosmic.io.launchers_deepspeed import deepspeed
from cosmic.io.launchers_megatron import megatron
from cosmic.io.launchers_torchtitan import torchtitan
from cosmic.units import format_quantity

_IMPOSSIBLE = ("configuration", "simulation")  # violations that leave no answer

FRAMEWORKS: Mapping[str, Callable[[LaunchPlan], Launch]] = {
    "megatron": megatron,
    "torchtitan": torchtitan,
    "deepspeed": deepspeed,
}
"""Who can be told a design, by the word for it on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """What `cosmic launch` is asked for.

    Attributes:
        reference: A scenario, or a study, of which the best trial is launched.
        changes: What differs from its design, as `name=value`.
        framework: Who is told.
        log: A trial log with the design; None for that of the study, or the baseline.
        trial: Number of the trial in the log; None for the best one.
        devices_per_node: Devices of a node; None for what the system says.
        output: The file to write; None for the screen.
        force: Whether to write a design that is not feasible.
        as_json: Whether to print JSON.
    """

    reference: str
    changes: tuple[str, ...]
    framework: str
    log: str | None
    trial: int | None
    devices_per_node: int | None
    output: str | None
    force: bool
    as_json: bool


def launch(request: LaunchRequest) -> None:
    """Tell a framework a design; print what it cannot be told.

    The answer on stdout is the framework's own file, and nothing else.

    Raises:
        UnknownNameError: There is no such framework.
        SpecError: The design cannot be run at all, is not feasible, or is one that the
            framework refuses.
    """
    if request.framework not in FRAMEWORKS:
        raise UnknownNameError("framework", request.framework, FRAMEWORKS)
    chosen = choose_design(
        request.reference, request.log, request.trial, request.changes
    )
    if request.devices_per_node:
        chosen = replace(chosen, node=request.devices_per_node)
    with patience(remark):
        found = _inspect(chosen, request)
    made = FRAMEWORKS[request.framework](_plan(chosen, found))
    if made.refusals and not request.force:
        raise SpecError(
            f"{made.framework} cannot run this design ({chosen.origin}): "
            f"{made.refusals[0]}; --force writes it all the same"
        )
    if request.output:
        Path(request.output).write_text(made.text, encoding="utf-8")
    if request.as_json:
        write_json(_document(request, chosen, found, made))
        return
    if request.output:
        remark(f"wrote {request.output}")
    else:
        sys.stdout.write(made.text)
    _remark_on(chosen, found, made)


def _inspect(chosen: ChosenDesign, request: LaunchRequest) -> Inspection:
    """What is known of the design, which must be one that can be run.

    Raises:
        SpecError: It cannot be run, or only by force.
    """
    bare = replace(chosen.scenario, settings={})  # the design says all
    found = Evaluator(bare).inspect(chosen.design)
    violations = found.evaluation.violations
    for violation in violations:
        if violation.constraint in _IMPOSSIBLE:
            raise SpecError(f"cannot launch this design: {violation.message}")
    if violations and not request.force:
        raise SpecError(
            f"this design ({chosen.origin}) is not feasible: {violations[0].message}; "
            f"change it with --set, or write it all the same with --force"
        )
    return found


def _plan(chosen: ChosenDesign, found: Inspection) -> LaunchPlan:
    scenario = chosen.scenario
    predicted = ", ".join(_predicted(found))
    return LaunchPlan(
        title=f"{scenario.name}, {chosen.origin}; predicted: {predicted}",
        model=scenario.model,
        batch=scenario.batch,
        settings=chosen.design,
        node=chosen.node,
        library=bool(scenario.protocols),
    )


def _predicted(found: Inspection) -> Iterator[str]:
    """The step time, memory and utilization that were predicted."""
    metrics = found.evaluation.metrics
    yield f"{metric_text('runtime', metrics['runtime'])} a step"
    assert found.configuration is not None
    capacity = found.configuration.system.cluster.device.memory_capacity
    memory = metric_text("memory", metrics["memory"])
    yield f"{memory} of {format_quantity(capacity, 'B')} on a device"
    yield f"{percent(metrics['mfu'])} MFU"


def _document(
    request: LaunchRequest, chosen: ChosenDesign, found: Inspection, made: Launch
) -> dict[str, object]:
    """The launch as JSON can hold it."""
    evaluation = found.evaluation
    return {
        "scenario": chosen.scenario.name,
        "origin": chosen.origin,
        "framework": request.framework,
        "version": made.framework,
        "arguments": made.arguments,
        "environment": made.environment,
        "notes": made.notes,
        "refusals": made.refusals,
        "needs": made.needs,
        "text": made.text,
        "output": request.output,
        "devices_per_node": chosen.node or None,
        "design": chosen.design,
        "feasible": evaluation.feasible,
        "violations": [violation.message for violation in evaluation.violations],
        "predicted": evaluation.metrics,
        "units": SCORE_UNITS,
    }


def _remark_on(chosen: ChosenDesign, found: Inspection, made: Launch) -> None:
    """What is to be known of the file, beside it."""
    remark(f"{chosen.scenario.name}, {chosen.origin}, for {made.framework}")
    for violation in found.evaluation.violations:
        remark(f"not feasible: {violation.message}")
    remark(f"predicted: {', '.join(_predicted(found))}")
    for title, lines in (
        ("Why it cannot run this:", made.refusals),
        ("What it cannot be told, or takes otherwise:", made.notes),
        ("What it needs besides:", made.needs),
        ("Variables that hold NCCL to the design:", _nccl(made)),
    ):
        if lines:
            remark(title)
        for line in lines:
            remark(f"  - {line}")


def _nccl(made: Launch) -> list[str]:
    named = made.environment.items()
    return [f"{name}='{value}'" for name, value in named if name.startswith("NCCL")]
