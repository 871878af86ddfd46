"""What becomes of each rank of a run."""

from dataclasses import dataclass

from cosmic.simulation.astra_sim.kernel import Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AstraSimResult:
    """What became of each rank, in ns, shape (ranks,) each.

    Attributes:
        finish: When its last node ended.
        compute: How long compute nodes were under way, those of the CPU not counted.
        communication: How long a collective, a send or a receive was under way.
        overlap: How long both were.
        exposed: Finish less the run times of compute nodes, so idle time is in it.
        order: Ranks in the order in which they finished.
    """

    finish: Ints
    compute: Ints
    communication: Ints
    overlap: Ints
    exposed: Ints
    order: Ints
