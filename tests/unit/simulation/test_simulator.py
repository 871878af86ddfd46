"""What every simulator asks of a graph on a system."""

import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.event_driven import EventDrivenSimulator
from cosmic.simulation.simulator import SIMULATORS, check_fit
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph, Group, Stage

NOTHING = Stage(forward=(), backward=(), last_backward=(), update=())


def graph(group: Group, stride: int = 4) -> ExecutionGraph:
    """Two stages of four devices each, `stride` of them next to each other."""
    return ExecutionGraph(
        devices=8,
        groups=(group,),
        pipeline=Group(name="pipeline", size=2, stride=stride),
        stages=(NOTHING, NOTHING),
        micro_batches=1,
        boundary_bytes=0.0,
    )


def system(devices: int) -> System:
    ring = ("ring",)
    dimension = Dimension(
        shape=Shape.RING, size=devices, link_bandwidth=1.0, latency=0.0
    )
    device = Device(peak_flops=1.0, memory_bandwidth=1.0, memory_capacity=1.0)
    return System(
        Cluster(device, Topology((dimension,))),
        CollectivePolicy(
            all_reduce=ring, all_gather=ring, reduce_scatter=ring, all_to_all=ring
        ),
    )


def test_the_built_in_simulators_have_names() -> None:
    assert SIMULATORS.get("symmetric") is SymmetricSimulator
    assert SIMULATORS.get("event-driven") is EventDrivenSimulator


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (4, 1), (2, 2), (1, 4), (1, 8)])
def test_a_group_within_stages_fits(size: int, stride: int) -> None:
    check_fit(graph(Group(name="data", size=size, stride=stride)), system(8))


@pytest.mark.parametrize(("size", "stride"), [(8, 1), (2, 4), (4, 2)])
def test_a_group_that_crosses_stages_is_refused(size: int, stride: int) -> None:
    crossing = graph(Group(name="data", size=size, stride=stride))
    message = (
        f"the data group of {size} devices, {stride} apart, "
        "crosses the pipeline's 2 stages, 4 apart"
    )

    with pytest.raises(ConsistencyError, match=message):
        check_fit(crossing, system(8))


def test_a_group_with_a_part_on_either_side_of_the_pipeline_fits() -> None:
    around = Group.joined("data", [(2, 1), (2, 4)])

    check_fit(graph(around, stride=2), system(8))


@pytest.mark.parametrize("stride", [1, 4])
def test_a_group_with_a_part_across_stages_is_refused(stride: int) -> None:
    around = Group.joined("data", [(2, 1), (2, 4)])
    message = (
        "the data group of 2 x 2 devices, 1 and 4 apart, "
        f"crosses the pipeline's 2 stages, {stride} apart"
    )

    with pytest.raises(ConsistencyError, match=message):
        check_fit(graph(around, stride), system(8))


def test_a_group_that_does_not_end_where_a_stage_does_is_refused() -> None:
    """Devices 3 to 5 would lie on either side of the border at 4."""
    with pytest.raises(ConsistencyError, match="crosses the pipeline's 2 stages"):
        check_fit(graph(Group(name="data", size=3, stride=1)), system(8))


def test_another_number_of_devices_is_refused() -> None:
    message = "the workload is split over 8 devices, but the network joins 16"

    with pytest.raises(ConsistencyError, match=message):
        check_fit(graph(Group(name="data", size=4, stride=1)), system(16))
