"""A system's policy speaks of the dimensions that its network has."""

import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.cost_model import Roofline
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.system.cluster import Cluster
from cosmic.system.system import System


def system(dimensions: int, algorithms: int) -> System:
    device = Device(peak_flops=1e12, memory_bandwidth=1e9, memory_capacity=1e9)
    joined = Dimension(shape=Shape.RING, size=2, link_bandwidth=1e9, latency=0.0)
    names = ("ring",) * algorithms
    return System(
        Cluster(device, Topology((joined,) * dimensions)),
        CollectivePolicy(
            all_reduce=names, all_gather=names, reduce_scatter=names, all_to_all=names
        ),
    )


def test_operators_take_the_time_of_the_roofline_unless_told_otherwise() -> None:
    assert system(2, 2).cost_model == Roofline()


def test_equal_systems_are_one_key() -> None:
    assert len({system(2, 2), system(2, 2)}) == 1


def test_a_policy_for_another_number_of_dimensions_is_refused() -> None:
    message = "collective algorithms are given for 3 dimensions, but the network has 2"

    with pytest.raises(ConsistencyError, match=message):
        system(dimensions=2, algorithms=3)
