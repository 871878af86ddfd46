"""The numbers of a configuration: each with a unit and a definition."""

from collections.abc import Mapping
from dataclasses import dataclass

from cosmic.evaluation.answering import Answer
from cosmic.evaluation.configuration import Configuration
from cosmic.simulation.result import Breakdown, SimulationResult
from cosmic.workload.inference import Task
from cosmic.workload.memory import MemoryFootprint
from cosmic.workload.passes import needed_flops
from cosmic.workload.workload import Workload

_EXCHANGING = ("data", "shard", "copies", "expert_data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a named number means.

    Attributes:
        name: The word that files and tables use.
        unit: SI; empty for a plain ratio.
        about: One sentence for people.
        tasks: Those of which it can be told.
        of_experts: Whether it can be told of a model with experts only.
    """

    name: str
    unit: str
    about: str
    tasks: frozenset[Task] = frozenset(Task)
    of_experts: bool = False


_FIRST = frozenset({Task.PREFILL, Task.SERVE})
_LATER = frozenset({Task.DECODE, Task.SERVE})


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="runtime",
            unit="s",
            about="time of one step, pass or whole request",
        ),
        Metric(
            name="memory",
            unit="B",
            about="bytes that the fullest device holds at its fullest moment",
        ),
        Metric(
            name="total_bandwidth",
            unit="B/s",
            about="what one device can send, summed over dimensions",
        ),
        Metric(name="network_cost", unit="USD", about="price of the whole network"),
        Metric(
            name="system_cost",
            unit="USD",
            about="price of all devices and of the network",
        ),
        Metric(
            name="tokens_per_second",
            unit="1/s",
            about="tokens that the cluster takes in a second in training or a prefill, "
            "and gives in a second in decode steps or whole requests",
        ),
        Metric(
            name="tokens_per_second_per_device",
            unit="1/s",
            about="the same, for each device",
            tasks=_FIRST | _LATER,
        ),
        Metric(
            name="ttft",
            unit="s",
            about="time to first token: until the prefill has given every sequence of "
            "the batch its first token",
            tasks=_FIRST,
        ),
        Metric(
            name="tpot",
            unit="s",
            about="time per output token after the first, mean over decode steps",
            tasks=_LATER,
        ),
        Metric(
            name="cost_per_million_tokens",
            unit="USD",
            about="price of all devices for the time of a million tokens",
            tasks=_FIRST | _LATER,
        ),
        Metric(
            name="mfu",
            unit="",
            about="model FLOP/s utilization: operations that the model needs, over "
            "what all devices could do in the step",
        ),
        Metric(
            name="hfu",
            unit="",
            about="hardware FLOP/s utilization: the same, with recomputation and "
            "copied work counted",
        ),
        Metric(
            name="compute_time", unit="s", about="operators at work, mean over stages"
        ),
        Metric(
            name="optimizer_time",
            unit="s",
            about="the optimizer at work, mean over stages",
            tasks=frozenset({Task.TRAIN}),
        ),
        Metric(
            name="exposed_tensor",
            unit="s",
            about="waiting for collectives of the tensor group, mean over stages",
        ),
        Metric(
            name="exposed_sequence",
            unit="s",
            about="waiting for collectives of the sequence group, mean over stages",
        ),
        Metric(
            name="exposed_data",
            unit="s",
            about="waiting for gradients and weights, mean over stages",
        ),
        Metric(
            name="exposed_expert",
            unit="s",
            about="waiting for rows on their way to experts and back, mean over stages",
            of_experts=True,
        ),
        Metric(
            name="bubble",
            unit="s",
            about="waiting for other pipeline stages, mean over stages",
        ),
    )
}


def answer_metrics(configuration: Configuration, answer: Answer) -> dict[str, float]:
    """What the simulation of an inference tells."""
    workload, cluster = configuration.workload, configuration.system.cluster
    asked, breakdown = workload.inference, answer.result.breakdown
    assert asked is not None
    seconds, price = answer.result.makespan, configuration.device_price
    available = cluster.devices * cluster.device.peak_flops * seconds
    each = asked.prompt if asked.task is Task.PREFILL else asked.output
    rate = workload.batch * each / seconds
    metrics = {"runtime": seconds}
    if answer.prefill is not None:
        metrics["ttft"] = answer.prefill.makespan
    if asked.contexts:
        metrics["tpot"] = answer.decode_seconds / len(asked.contexts)
    metrics |= {
        "tokens_per_second": rate,
        "tokens_per_second_per_device": rate / cluster.devices,
    }
    if price is not None:
        metrics["cost_per_million_tokens"] = 1e6 * cluster.devices * price / rate
    return metrics | {
        "mfu": needed_flops(workload) / available,
        "hfu": answer.flops / available,
        "compute_time": breakdown.compute,
        **_exposed(workload, breakdown),
        "bubble": breakdown.bubble,
    }


def hardware_metrics(configuration: Configuration) -> dict[str, float]:
    """What needs no simulation, but for the price."""
    topology = configuration.system.cluster.topology
    return {"total_bandwidth": topology.total_bandwidth}


def memory_metrics(footprint: MemoryFootprint) -> dict[str, float]:
    """What a footprint tells."""
    return {"memory": footprint.total}


def time_metrics(
    configuration: Configuration, result: SimulationResult, flops: float
) -> dict[str, float]:
    """What a simulation tells.

    Args:
        configuration: What was simulated.
        result: What came out.
        flops: Operations that all devices together carried out.
    """
    workload, cluster = configuration.workload, configuration.system.cluster
    breakdown = result.breakdown
    available = cluster.devices * cluster.device.peak_flops * result.makespan
    tokens = workload.batch * workload.model.sequence
    return {
        "runtime": result.makespan,
        "tokens_per_second": tokens / result.makespan,
        "mfu": workload.model_flops / available,
        "hfu": flops / available,
        "compute_time": breakdown.compute,
        "optimizer_time": breakdown.optimizer,
        **_exposed(workload, breakdown),
        "bubble": breakdown.bubble,
    }


def _exposed(workload: Workload, breakdown: Breakdown) -> dict[str, float]:
    """Waiting by what travels; all groups that exchange gradients and weights are one.

    These are the replicas, and where shards are held in copies, those that share out
    and those that hold the same, also of experts.
    """
    found: dict[str, float] = {}
    if workload.model.experts is not None:
        found["exposed_expert"] = 0.0
    for group, time in breakdown.exposed.items():
        name = exposed_by(group)
        found[name] = found.get(name, 0.0) + time
    return found


def exposed_by(group: str) -> str:
    """The metric that counts waiting for a group.

    >>> exposed_by("tensor"), exposed_by("shard")
    ('exposed_tensor', 'exposed_data')
    """
    return f"exposed_{'data' if group in _EXCHANGING else group}"
