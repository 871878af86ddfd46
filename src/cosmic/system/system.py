"""A cluster and the policy of its collectives: stacks 2 to 4 bound into one machine."""

from dataclasses import dataclass, field

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.cost_model import CostModel, Roofline
from cosmic.errors import ConsistencyError
from cosmic.system.cluster import Cluster
from cosmic.system.device_order import Placement


@dataclass(frozen=True, slots=True)
class System:
    """What a trace runs on.

    Attributes:
        cluster: Devices and network.
        policy: How collectives are carried out.
        cost_model: How long operators take.
        placement: In which order device ids count through the dimensions.
        flat_rings: Whether a group that does not factor over the dimensions is joined
            to one flat ring, instead of being refused.
    """

    cluster: Cluster
    policy: CollectivePolicy
    cost_model: CostModel = field(default_factory=Roofline)
    placement: Placement = Placement.INNER_FIRST
    flat_rings: bool = False

    def __post_init__(self) -> None:
        dimensions = len(self.cluster.topology.dimensions)
        if self.policy.dimensions != dimensions:
            raise ConsistencyError(
                f"collective algorithms are given for {self.policy.dimensions} "
                f"dimensions, but the network has {dimensions}"
            )

    @property
    def strides(self) -> tuple[int, ...]:
        """Distance in device ids between neighbors of each dimension."""
        return self.placement.strides(self.cluster.topology)
