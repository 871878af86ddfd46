"""Reduction and multicast within a switch."""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
from typing_extensions import override

from cosmic.collective.algorithm import (
    AnyStep,
    CollectiveAlgorithm,
    Floats,
    SwitchStep,
)
from cosmic.trace.node import CollectiveKind


class InNetwork(CollectiveAlgorithm):
    """The switch adds up what the devices send it and copies what goes to many.

    A device sends a vector up once and gets the sum down once, whatever the size of the
    group: about half of what any algorithm between devices sends. An all-gather sends
    up a slice, and the switch copies it to all others; a broadcast sends up the buffer
    of the first device only. An all-to-all has nothing to add or copy. One step, since
    the switch passes on what it has added up while the rest is still coming; devices
    add up nothing. It exists only on a Switch.

    The switch is taken to keep up with its ports. A device that fetches and multicasts
    the sums itself, as over NVLink switches, sends and gets one slice more: left out.

    Reference:
        R. L. Graham et al., "Scalable hierarchical aggregation protocol (SHArP): a
        hardware architecture for efficient data reduction", COM-HPC 2016.
    """

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        if size == 1:
            return []
        whole, share = np.ones(size), np.full(size, 1 / size)
        others = 1 - share
        first = np.zeros(size)
        first[0] = 1.0
        match kind:
            case CollectiveKind.ALL_REDUCE:
                return [_step(whole, whole)]
            case CollectiveKind.REDUCE_SCATTER:
                return [_step(whole, share)]
            case CollectiveKind.ALL_GATHER:
                return [_step(share, others)]
            case CollectiveKind.ALL_TO_ALL:
                return [_step(others, others)]
            case CollectiveKind.BROADCAST:
                return [_step(first, 1 - first)]
            case _:
                assert_never(kind)


def _step(up: Floats, down: Floats) -> SwitchStep:
    return SwitchStep(up=up, down=down)
