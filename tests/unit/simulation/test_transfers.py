"""What a message from one pipeline stage to another crosses, and how long it takes."""

from dataclasses import replace

import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.communication import crossings, transfer_time
from cosmic.system.cluster import Cluster
from cosmic.system.device_order import Placement
from cosmic.system.placement import Span
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group

RING, SWITCH = Shape.RING, Shape.SWITCH


def dimension(
    shape: Shape, size: int, bandwidth: float = 1e9, latency: float = 0.0
) -> Dimension:
    return Dimension(shape=shape, size=size, link_bandwidth=bandwidth, latency=latency)


def system(*dimensions: Dimension, endpoint_delay: float = 0.0) -> System:
    names = ("ring",) * len(dimensions)
    device = Device(peak_flops=1e12, memory_bandwidth=1e30, memory_capacity=1e9)
    policy = CollectivePolicy(
        all_reduce=names,
        all_gather=names,
        reduce_scatter=names,
        all_to_all=names,
        endpoint_delay=endpoint_delay,
    )
    return System(Cluster(device, Topology(dimensions)), policy)


def stages(size: int, stride: int) -> Group:
    return Group(name="pipeline", size=size, stride=stride)


def test_a_transfer_loads_the_links_between_neighbors() -> None:
    network = dimension(RING, 4, 1e9, 1e-6), dimension(SWITCH, 2, 1e8, 5e-6)
    machine = system(*network, endpoint_delay=1e-7)
    group = stages(4, 2)

    # stage 0 -> 1: from 0 to 2 and from 1 to 3 on a ring of four, both ways half, and
    # the two groups share a link: 0.1 + 2 x 1 us + 1000 B / 1 GB/s
    assert transfer_time(group, (0, 1), 1000.0, machine) == pytest.approx(3.1e-6)
    # stage 1 -> 2: back on the ring, then over the switch: 2 x 5 us + 1000 B / 0.1 GB/s
    assert transfer_time(group, (1, 2), 1000.0, machine) == pytest.approx(23.1e-6)
    assert transfer_time(group, (2, 3), 1000.0, machine) == pytest.approx(3.1e-6)


def test_a_transfer_back_goes_over_the_links_that_lead_back() -> None:
    mesh = system(replace(dimension(Shape.MESH, 2), asymmetry=0.5))

    assert transfer_time(stages(2, 1), (0, 1), 1000.0, mesh) == pytest.approx(1e-6)
    assert transfer_time(stages(2, 1), (1, 0), 1000.0, mesh) == pytest.approx(2e-6)


def test_neighbors_cross_the_dimensions_in_which_they_differ() -> None:
    machine = system(dimension(RING, 4), dimension(SWITCH, 2))
    ring, switch = Span(0, 2, 2), Span(1, 2, 1)

    assert crossings(stages(4, 2), (0, 1), machine) == [(ring, 0, 1)]
    assert crossings(stages(4, 2), (1, 2), machine) == [(ring, 1, 0), (switch, 0, 1)]
    assert crossings(stages(4, 2), (2, 1), machine) == [(ring, 0, 1), (switch, 1, 0)]


def test_stages_count_through_dimensions_in_the_order_of_placement() -> None:
    inner_first = system(dimension(RING, 4), dimension(SWITCH, 2))
    machine = replace(inner_first, placement=Placement.OUTER_FIRST)
    ring, switch = Span(0, 2, 1), Span(1, 2, 1)

    assert crossings(stages(4, 1), (0, 1), machine) == [(switch, 0, 1)]
    assert crossings(stages(4, 1), (1, 2), machine) == [(switch, 1, 0), (ring, 0, 1)]


def test_a_pipeline_that_does_not_factor_says_so() -> None:
    machine = system(dimension(RING, 6), dimension(RING, 2))

    with pytest.raises(ConsistencyError, match="the pipeline group of 4 devices"):
        transfer_time(stages(4, 1), (0, 1), 1.0, machine)


def test_stages_on_a_flat_ring_cross_every_dimension_that_lies_between() -> None:
    network = dimension(RING, 4, 1e9, 1e-6), dimension(SWITCH, 3, 1e8, 5e-6)
    machine = replace(system(*network, endpoint_delay=1e-7), flat_rings=True)
    group = stages(3, 2)  # devices 0, 2, 4 and 1, 3, 5 and 6, 8, 10 and 7, 9, 11
    flat = Span(1, 3, 1, flat=True)

    # stage 0 -> 1: 0 to 2 and 1 to 3 on the ring, as above, 1 us of bytes and 2 us of
    # links; 6 to 8 there too, and from 4 to 8 over the switch: 10 us of bytes and links
    assert transfer_time(group, (0, 1), 1000.0, machine) == pytest.approx(23.1e-6)
    assert crossings(group, (0, 1), machine) == [(flat, 0, 1)]
