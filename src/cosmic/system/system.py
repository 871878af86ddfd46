"""A cluster and the policy of its collectives: stacks 2 to 4 bound into one machine."""

from dataclasses import dataclass, field

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.cost_model import CostModel, Roofline
from cosmic.errors import ConsistencyError
from cosmic.system.cluster import Cluster


@dataclass(frozen=True, slots=True)
class System:
    """What a trace runs on.

    Attributes:
        cluster: Devices and network.
        policy: How collectives are carried out.
        cost_model: How long operators take.
    """

    cluster: Cluster
    policy: CollectivePolicy
    cost_model: CostModel = field(default_factory=Roofline)

    def __post_init__(self) -> None:
        dimensions = len(self.cluster.topology.dimensions)
        if self.policy.dimensions != dimensions:
            raise ConsistencyError(
                f"collective algorithms are given for {self.policy.dimensions} "
                f"dimensions, but the network has {dimensions}"
            )
