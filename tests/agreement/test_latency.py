"""With nothing to carry, the fast path takes as long as messages on explicit links.

What is left is latency along the longest path through the steps, and endpoint delays:
these are exact for every algorithm on every shape, whereas what links carry is not.
"""

from hypothesis import given
from hypothesis import strategies as st

from cosmic.collective.algorithm import ALGORITHMS
from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.link_level import link_level_time
from cosmic.simulation.single_collective import time_collective
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind

EXACT = 1e-12  # sums of up to some hundred latencies
IN_SWITCH = ("inNetwork", "nvls")
NAMES = (*ALGORITHMS.names(), "direct1", "direct3")


@st.composite
def systems(draw: st.DrawFn) -> tuple[System, Group]:
    """An algorithm on one dimension, and groups of any extent, stride and number."""
    name = draw(st.sampled_from(NAMES))
    shape = Shape.SWITCH if name in IN_SWITCH else draw(st.sampled_from(Shape))
    powers = shape is Shape.HYPERCUBE
    halves = powers or name == "halvingDoubling"
    extent = draw(st.sampled_from([2, 4, 8]) if halves else st.integers(2, 9))
    stride, copies = (draw(st.sampled_from([1, 2])) for _ in "ab")
    dimension = Dimension(
        shape=shape, size=extent * stride * copies, link_bandwidth=1e9, latency=1e-6
    )
    device = Device(peak_flops=1e12, memory_bandwidth=1e12, memory_capacity=1e12)
    policy = CollectivePolicy(
        all_reduce=(name,),
        all_gather=(name,),
        reduce_scatter=(name,),
        all_to_all=(name,),
    )
    group = Group(name="some", size=extent, stride=stride)
    return System(Cluster(device, Topology((dimension,))), policy), group


@given(case=systems(), kind=st.sampled_from(CollectiveKind))
def test_latency_is_that_of_messages_on_links(
    case: tuple[System, Group], kind: CollectiveKind
) -> None:
    system, group = case

    fast = time_collective(kind, 0.0, system, group).seconds

    links = link_level_time(kind, 0.0, group, system).seconds
    assert abs(fast - links) <= EXACT * links
