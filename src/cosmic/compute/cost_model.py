"""How long one operator takes on one device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cosmic.compute.device import Device
from cosmic.registry import Registry
from cosmic.trace.node import ComputeNode


class CostModel(Protocol):
    """Turns operators into seconds."""

    def times(
        self, nodes: Sequence[ComputeNode], device: Device
    ) -> NDArray[np.float64]:
        """Seconds that each node takes, shape (nodes,)."""
        ...


@dataclass(frozen=True, slots=True)
class Roofline(CostModel):
    """An operator is bound by arithmetic or by memory, whichever takes longer.

    t = max(FLOPs / peak in the operator's format, bytes / memory bandwidth). It leaves
    out that real kernels reach neither roof, and launch overhead.

    Reference:
        S. Williams, A. Waterman and D. Patterson, "Roofline: an insightful visual
        performance model for multicore architectures", CACM 52(4), 2009.
    """

    @override
    def times(
        self, nodes: Sequence[ComputeNode], device: Device
    ) -> NDArray[np.float64]:
        flops = np.array([node.flops for node in nodes])
        nbytes = np.array([node.nbytes for node in nodes])
        peaks = np.array([device.peak(node.precision) for node in nodes])
        arithmetic = flops / peaks
        times: NDArray[np.float64] = np.maximum(
            arithmetic, nbytes / device.memory_bandwidth
        )
        return times


COST_MODELS: Registry[type[CostModel]] = Registry(
    "cost model",
    {"roofline": "cosmic.compute.cost_model:Roofline"},
    "cosmic.cost_models",
)
