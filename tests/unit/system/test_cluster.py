"""A cluster has as many devices as its topology joins."""

from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.system.cluster import Cluster


def test_a_cluster_counts_the_devices_of_its_topology() -> None:
    device = Device(peak_flops=1e12, memory_bandwidth=1e9, memory_capacity=1e9)
    dimensions = tuple(
        Dimension(shape=Shape.RING, size=size, link_bandwidth=1e9, latency=0.0)
        for size in (4, 3)
    )

    assert Cluster(device, Topology(dimensions)).devices == 12
