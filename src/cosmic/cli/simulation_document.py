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
        "memory": {
            **simulated.memory,
            "total": simulated.footprint.total,
            "capacity": cluster.device.memory_capacity,
            "spare": simulated.spare_memory,
            "fits": simulated.spare_memory >= 0,
        },
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
    "memory": "B",
    "network.bandwidth": "B/s",
    "network.latency": "s",
    "network.sent": "B, by one device in a step, mean over stages",
    "network.utilization": "sent over bandwidth x step time",
}


def _breakdown(breakdown: Breakdown) -> dict[str, object]:
    return {
        "compute": breakdown.compute,
        "optimizer": breakdown.optimizer,
        "exposed": breakdown.exposed,
        "bubble": breakdown.bubble,
        "total": breakdown.total,
    }
