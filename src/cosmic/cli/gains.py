"""Where the gain of one design over another comes from, in plain words."""

import math
from collections.abc import Iterator, Mapping

from cosmic.cli.wording import metric_text
from cosmic.evaluation.objective import Objective
from cosmic.units import format_quantity

_PARTS = {
    "compute_time": "computing",
    "optimizer_time": "the optimizer",
    "exposed_tensor": "waiting for tensor-parallel communication",
    "exposed_sequence": "waiting for sequence-parallel communication",
    "exposed_data": "waiting for gradients and weights",
    "exposed_expert": "waiting for rows of experts",
    "bubble": "the pipeline bubble",
}
_RESOURCES = {
    "total_bandwidth": "bandwidth of a device",
    "network_cost": "price of the network",
    "system_cost": "price of devices and network",
    "memory": "memory of the fullest device",
}
_NOTHING = 0.005  # relative changes below this are not worth a word


def where_gain_comes_from(
    objective: Objective, before: Mapping[str, float], after: Mapping[str, float]
) -> str:
    """One sentence on what changed most, the greatest first.

    Args:
        objective: What was sought; what it reads beside time is a resource.
        before: Metrics of the old design.
        after: Metrics of the new design.
    """
    causes = list(_causes(objective, before, after))
    if not causes:
        return "nothing has changed that counts."
    causes.sort(key=lambda cause: -abs(cause[0]))
    return "; ".join(text for _, text in causes) + "."


def _causes(
    objective: Objective, before: Mapping[str, float], after: Mapping[str, float]
) -> Iterator[tuple[float, str]]:
    """Each with the logarithm of its factor."""
    if "runtime" in before and "runtime" in after:
        weight = math.log(before["runtime"] / after["runtime"])
        if abs(weight) > _NOTHING:
            yield weight, _time(before, after)
    for name in objective.metrics:
        if name in _RESOURCES and name in before and name in after:
            weight = math.log(before[name] / after[name])
            if abs(weight) > _NOTHING:
                yield weight, _resource(name, before[name], after[name])


def _resource(name: str, old: float, new: float) -> str:
    word = "falls" if new < old else "rises"
    times = max(old, new) / min(old, new)
    return (
        f"the {_RESOURCES[name]} {word} {times:.2f} times, "
        f"from {metric_text(name, old)} to {metric_text(name, new)}"
    )


def _time(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    old, new = before["runtime"], after["runtime"]
    faster = new < old
    moved = {
        words: after[name] - before[name]
        for name, words in _PARTS.items()
        if name in before and name in after
    }
    most = (
        min(moved, key=moved.__getitem__)
        if faster
        else max(moved, key=moved.__getitem__)
    )
    name = next(key for key, words in _PARTS.items() if words == most)
    return (
        f"the step takes {metric_text('runtime', new)} instead of "
        f"{metric_text('runtime', old)}, {max(old, new) / min(old, new):.2f} times "
        f"{'faster' if faster else 'slower'}, most of it in {most} "
        f"({format_quantity(before[name], 's')} -> {format_quantity(after[name], 's')})"
    )
