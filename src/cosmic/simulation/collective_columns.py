"""The columns of collectives on a system, as the compiled device takes them."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from cosmic.collective.policy import SchedulingPolicy
from cosmic.simulation.columns import Collectives
from cosmic.simulation.flat_routes import FlatPhase
from cosmic.system.system import System

Floats = NDArray[np.float64]


def collective_columns(
    rows: Sequence[Sequence[FlatPhase]],
    seconds: tuple[Floats, Floats],
    groups: Sequence[int],
    system: System,
) -> Collectives:
    """The columns.

    Args:
        rows: The phases of each collective.
        seconds: How long a chunk is in each phase, and how long it has the links there,
            in one row.
        groups: Group of each collective, by number.
        system: What they run on.
    """
    phases = [
        number
        for row in rows
        for phase in row
        for number in (phase.timed.dimension, phase.following, phase.chunks)
    ]
    starts = [0, *accumulate(len(row) for row in rows)]
    return Collectives(
        phase_start=np.array(starts, dtype=np.int64),
        phases=np.array(phases, dtype=np.int64).reshape(-1, 3),
        phase_seconds=np.stack(seconds, axis=1),
        group_of=np.array(groups, dtype=np.int64),
        groups=max(groups, default=-1) + 1,
        dimensions=len(system.cluster.topology.dimensions),
        chunks=system.policy.chunks,
        active_chunks=system.policy.active_chunks,
        lifo=system.policy.scheduling is SchedulingPolicy.LIFO,
    )
