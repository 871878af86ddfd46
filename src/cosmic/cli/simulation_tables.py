"""A simulation for people: what was run, where time and memory go, the network."""

from collections.abc import Iterator, Mapping
from itertools import chain, repeat

from cosmic.cli.console import say, show_pairs, show_table
from cosmic.cli.simulated import Simulated
from cosmic.cli.wording import (
    amount_text,
    changed,
    metric_text,
    percent,
    value_text,
    work_text,
)
from cosmic.evaluation.setting import DEFAULTS
from cosmic.network.dimension import Dimension
from cosmic.units import format_quantity
from cosmic.workload.inference import Task
from cosmic.workload.workload import Workload


def show_simulation(simulated: Simulated, *, each_stage: bool) -> None:
    """Print all of it.

    Args:
        simulated: What was simulated.
        each_stage: Whether to show time and memory of every pipeline stage.
    """
    show_pairs(_what(simulated))
    say()
    show_pairs(_numbers(simulated))
    _show_time(simulated)
    if each_stage:
        _show_stages(simulated)
    _show_memory(simulated)
    if each_stage:
        _show_memory_of_stages(simulated)
    _show_network(simulated)


def _what(simulated: Simulated) -> Iterator[tuple[str, str]]:
    scenario, workload = simulated.scenario, simulated.configuration.workload
    model, cluster = scenario.model, simulated.configuration.system.cluster
    device, split = cluster.device, workload.parallelism
    trained = workload.task is Task.TRAIN
    sharding = f", weight sharding {split.weight_sharding}" if trained else ""
    schedule = f", {_schedule(workload)}" if trained else ""
    degrees = " x ".join(f"{n} {degree}" for n, degree in simulated.degrees.items())
    degrees += f", ep {split.expert}" if split.expert > 1 else ""
    yield "scenario", scenario.name
    yield (
        "model",
        f"{amount_text(model.weight_count)} weights: {model.layers} layers of "
        f"width {model.hidden:,}, {model.heads} heads; {work_text(workload)}",
    )
    yield (
        "devices",
        f"{cluster.devices:,} of {format_quantity(device.peak_flops, 'FLOP/s')}, "
        f"memory {format_quantity(device.memory_capacity, 'B')} at "
        f"{format_quantity(device.memory_bandwidth, 'B/s')}",
    )
    yield (
        "split",
        f"{degrees}{sharding}; {workload.micro_batches} micro-batches of "
        f"{workload.micro_batch}{schedule}",
    )
    yield from _order(simulated)
    changes = changed(simulated.baseline, simulated.design).items()
    texts = [
        f"{n} {value_text(n, old)} -> {value_text(n, new)}" for n, (old, new) in changes
    ]
    yield from zip(chain(("changed",), repeat("")), texts, strict=False)
    for sentence in simulated.breaches:
        yield "note", f"outside the scenario's design space: {sentence}"


def _schedule(workload: Workload) -> str:
    """How micro-batches go through the stages, and what these hold, if not alike."""
    said = workload.schedule.value
    if workload.parallelism.virtual_stages > 1:
        said += f", {workload.parallelism.virtual_stages} virtual stages each"
    if len(set(map(len, workload.layer_ranges))) > 1:
        layers = (
            sum(parts)
            for parts in map(workload.layers_of, range(workload.parallelism.pipeline))
        )
        said += f", layers {' '.join(map(str, layers))}"
    return said


def _order(simulated: Simulated) -> Iterator[tuple[str, str]]:
    """How device ids lie in the network, where that is not as usual."""
    system, workload = simulated.configuration.system, simulated.configuration.workload
    axes = "-".join(axis.value for axis in workload.parallelism.axis_order)
    filled = system.placement.value
    if (axes, filled) != (DEFAULTS["axis_order"], DEFAULTS["placement"]):
        yield "order", f"device ids count {axes}, through dimensions {filled}"


def _shape(dimension: Dimension) -> str:
    """The shape, and what differs from equal links to a full core."""
    parts = [dimension.shape.value]
    if dimension.oversubscription != 1:
        parts.append(f"{dimension.oversubscription:g}:1")
    if dimension.asymmetry != 1:
        parts.append(f"x {dimension.asymmetry:g} downward")
    return ", ".join(parts)


def _numbers(simulated: Simulated) -> Iterator[tuple[str, str]]:
    metrics = simulated.metrics
    spare = format_quantity(abs(simulated.spare_memory), "B")
    fits = simulated.spare_memory >= 0
    yield f"{simulated.whole} time", metric_text("runtime", metrics["runtime"])
    yield from _answers(simulated)
    yield "memory", f"fits, {spare} to spare" if fits else f"does not fit: {spare} over"
    yield "tokens/s", _rate(metrics)
    yield (
        "utilization",
        f"MFU {percent(metrics['mfu'])}, HFU {percent(metrics['hfu'])} of peak FLOP/s",
    )
    yield (
        "network",
        f"{metric_text('total_bandwidth', metrics['total_bandwidth'])} a device, "
        + (
            metric_text("network_cost", metrics["network_cost"])
            if "network_cost" in metrics
            else f"no price: {simulated.no_price}"
        ),
    )
    if "system_cost" in metrics:
        text = metric_text("system_cost", metrics["system_cost"])
        yield "system", f"{text} with all devices"


def _answers(simulated: Simulated) -> Iterator[tuple[str, str]]:
    """What a person waits for, and what it costs."""
    words = {
        "ttft": ("first token", "after the prefill of the whole batch"),
        "tpot": ("next tokens", "each, mean over decode steps"),
        "cost_per_million_tokens": ("cost", "for a million tokens"),
    }
    for name, (label, about) in words.items():
        if name in simulated.metrics:
            yield label, f"{metric_text(name, simulated.metrics[name])} {about}"


def _rate(metrics: Mapping[str, float]) -> str:
    text = f"{metrics['tokens_per_second']:,.0f}"
    each = metrics.get("tokens_per_second_per_device")
    return text if each is None else f"{text}, {each:,.3g} for each device"


def _show_time(simulated: Simulated) -> None:
    breakdown = simulated.result.breakdown
    rows = [
        (name, format_quantity(seconds, "s"), percent(seconds / breakdown.total))
        for name, seconds in simulated.parts(breakdown).items()
    ]
    whole = simulated.whole
    rows.append((whole, format_quantity(simulated.result.makespan, "s"), "100.0 %"))
    count = len(simulated.result.stages)
    mean = f", mean over {count} stages" if count > 1 else ""
    show_table(f"Time of a {whole}{mean}", ("", "time", "share"), rows)
    _show_passes(simulated)


def _show_passes(simulated: Simulated) -> None:
    """The passes of a request."""
    answer, workload = simulated.inspection.answer, simulated.configuration.workload
    if answer is None or workload.task is not Task.SERVE:
        return
    rows = []
    if answer.prefill is not None:
        seconds = format_quantity(answer.prefill.makespan, "s")
        rows.append(("prefill", f"{workload.keys:,}", "1", seconds))
    for context, step in answer.steps.items():
        seconds, weight = format_quantity(step.makespan, "s"), answer.weights[context]
        rows.append(("decode step", f"{context:,}", f"{weight:,.4g}", seconds))
    heads = ("pass", "tokens attended to", "stands for", "time")
    show_table("Passes that were simulated", heads, rows)


def _show_stages(simulated: Simulated) -> None:
    stages = [simulated.parts(stage) for stage in simulated.result.stages]
    rows = [
        (name, *(format_quantity(stage[name], "s") for stage in stages))
        for name in stages[0]
    ]
    heads = [f"stage {number}" for number in range(len(stages))]
    show_table(f"Time of a {simulated.whole}, by pipeline stage", ("", *heads), rows)


def _show_memory(simulated: Simulated) -> None:
    capacity = simulated.configuration.system.cluster.device.memory_capacity
    total = simulated.footprint.total
    rows = [
        (name, format_quantity(amount, "B"), percent(amount / capacity))
        for name, amount in (simulated.memory | {"total": total}).items()
    ]
    rows.append(("capacity", format_quantity(capacity, "B"), "100.0 %"))
    title = "Memory of the fullest device"
    show_table(title, ("", "bytes", "of capacity"), rows)


def _show_memory_of_stages(simulated: Simulated) -> None:
    stages = simulated.memory_of_stages
    rows = [
        (name, *(format_quantity(stage[name], "B") for stage in stages))
        for name in stages[0]
    ]
    heads = [f"stage {number}" for number in range(len(stages))]
    show_table("Memory of a device, by pipeline stage", ("", *heads), rows)


def _show_network(simulated: Simulated) -> None:
    dimensions = simulated.configuration.system.cluster.topology.dimensions
    rows = [
        (
            str(index),
            _shape(dimension),
            str(dimension.size),
            format_quantity(dimension.bandwidth, "B/s"),
            format_quantity(dimension.latency, "s"),
            format_quantity(sent, "B"),
            percent(utilization),
        )
        for index, (dimension, sent, utilization) in enumerate(
            zip(dimensions, simulated.sent, simulated.utilization, strict=True)
        )
    ]
    columns = (
        "dimension",
        "shape",
        "devices",
        "bandwidth",
        "latency",
        "sent",
        "utilization",
    )
    title = (
        "Network, innermost first; bandwidth and bytes sent in a "
        f"{simulated.whole} of one device"
    )
    show_table(title, columns, rows, words=(0, 1))
