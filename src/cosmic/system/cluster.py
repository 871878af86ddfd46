"""Identical devices on a topology."""

from dataclasses import dataclass

from cosmic.compute.device import Device
from cosmic.network.topology import Topology


@dataclass(frozen=True, slots=True)
class Cluster:
    """The hardware: stacks 3 and 4.

    Attributes:
        device: What each device can do.
        topology: How they are joined.
    """

    device: Device
    topology: Topology

    @property
    def devices(self) -> int:
        """How many devices there are."""
        return self.topology.devices
