"""A simulation for programs: one document, in SI units."""

from cosmic.cli.simulated import Simulated
from cosmic.cli.wording import SCORE_UNITS, changed
from cosmic.simulation.result import Breakdown


def document(simulated: Simulated) -> dict[str, object]:
    """All that is known about a design, as JSON can hold it."""
    configuration, result = simulated.configuration, simulated.result
    workload, cluster = configuration.workload, configuration.system.cluster
    evaluation = simulated.inspection.evaluation
    changes = changed(simulated.baseline, simulated.design)
    return {
        "scenario": simulated.scenario.name,
        "simulator": simulated.simulator,
        "design": simulated.design,
        "changed": {n: {"from": a, "to": b} for n, (a, b) in changes.items()},
        "outside_design_space": simulated.breaches,
        "task": workload.task.value,
        "devices": cluster.devices,
        "degrees": simulated.degrees,
        "weight_sharding": workload.parallelism.weight_sharding,
        "micro_batches": workload.micro_batches,
        "feasible": evaluation.feasible,
        "violations": [
            {"constraint": v.constraint, "message": v.message}
            for v in evaluation.violations
        ],
        "metrics": simulated.metrics,
        "breakdown": _breakdown(result.breakdown),
        "stages": [_breakdown(stage) for stage in result.stages],
        **_passes(simulated),
        "memory": {
            **simulated.memory,
            "total": simulated.footprint.total,
            "capacity": cluster.device.memory_capacity,
            "spare": simulated.spare_memory,
            "fits": simulated.spare_memory >= 0,
        },
        "memory_of_stages": list(simulated.memory_of_stages),
        "network": [
            {
                "topology": dimension.shape.value,
                "npus_count": dimension.size,
                "bandwidth": dimension.bandwidth,
                "latency": dimension.latency,
                "oversubscription": dimension.oversubscription,
                "asymmetry": dimension.asymmetry,
                "sent": sent,
                "utilization": utilization,
            }
            for dimension, sent, utilization in zip(
                cluster.topology.dimensions,
                simulated.sent,
                simulated.utilization,
                strict=True,
            )
        ],
        "no_price": simulated.no_price or None,
        "units": _UNITS,
    }


_UNITS = {
    **{f"metrics.{name}": unit for name, unit in SCORE_UNITS.items()},
    "breakdown": "s",
    "stages": "s",
    "prefill": "s",
    "decode_steps.time": "s",
    "decode_steps.weight": "decode steps that it stands for",
    "memory": "B",
    "memory_of_stages": "B",
    "network.bandwidth": "B/s",
    "network.latency": "s",
    "network.sent": "B, by one device in a step, mean over stages",
    "network.utilization": "sent over bandwidth x step time",
}


def _passes(simulated: Simulated) -> dict[str, object]:
    """The passes of an inference that were simulated; nothing for training."""
    answer, workload = simulated.inspection.answer, simulated.configuration.workload
    if answer is None or workload.inference is None:
        return {}
    first = answer.prefill
    return {
        "prompt": workload.inference.prompt,
        "output": workload.inference.output,
        "prefill": None if first is None else first.makespan,
        "decode_steps": [
            {
                "context": context,
                "time": step.makespan,
                "weight": answer.weights[context],
            }
            for context, step in answer.steps.items()
        ],
    }


def _breakdown(breakdown: Breakdown) -> dict[str, object]:
    return {
        "compute": breakdown.compute,
        "optimizer": breakdown.optimizer,
        "exposed": breakdown.exposed,
        "bubble": breakdown.bubble,
        "total": breakdown.total,
    }
