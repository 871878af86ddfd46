"""Reduction and multicast within a switch, driven by the devices."""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
from typing_extensions import override

from cosmic.collective.algorithm import AnyStep, CollectiveAlgorithm, SwitchStep
from cosmic.trace.node import CollectiveKind


class Nvls(CollectiveAlgorithm):
    """Devices fetch sums of slices and multicast them, as NVLink switches allow.

    A fetch makes the switch read the slice from every device, the fetching one too, and
    hand over the sum; a multicast reaches all devices, the sender too. So a device
    sends up the whole buffer and one slice more, and gets as much: n + 1 slices where
    `inNetwork`, whose switch does both at once, needs n and a ring 2(n-1). One step,
    since fetched slices are passed on while others are fetched. It exists only on a
    Switch.

    Reference:
        B. Klenk et al., "An in-network architecture for accelerating shared-memory
        multiprocessor collectives", ISCA 2020.
    """

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        if size == 1:
            return []
        whole, share = np.ones(size), np.full(size, 1 / size)
        first = np.zeros(size)
        first[0] = 1.0
        match kind:
            case CollectiveKind.ALL_REDUCE:
                return [SwitchStep(up=whole + share, down=whole + share)]
            case CollectiveKind.REDUCE_SCATTER:
                return [SwitchStep(up=whole, down=share)]
            case CollectiveKind.ALL_GATHER:
                return [SwitchStep(up=share, down=whole)]
            case CollectiveKind.ALL_TO_ALL:
                return [SwitchStep(up=whole - share, down=whole - share)]
            case CollectiveKind.BROADCAST:
                return [SwitchStep(up=first, down=whole)]
            case _:
                assert_never(kind)
