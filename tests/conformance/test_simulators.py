"""Every built-in simulator is held to what a stranger's is."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.result import Breakdown, SimulationResult
from cosmic.simulation.simulator import SIMULATORS, Simulator
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.testing.conformance import check_simulator
from cosmic.testing.strategies import systems_for, workloads
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.workload.lowering import lower
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.workload import Workload


@pytest.mark.parametrize("name", SIMULATORS.names())
@settings(derandomize=True, max_examples=15)
@given(data=st.data())
def test_a_simulator_keeps_its_promises(name: str, data: st.DataObject) -> None:
    workload = data.draw(workloads(most_devices=8))
    system = data.draw(systems_for(workload))

    check_simulator(SIMULATORS.get(name)(), lower(workload), system)


@dataclass(frozen=True, slots=True)
class Changed(Simulator):
    """The symmetric simulator, and then something wrong."""

    change: Callable[[SimulationResult], SimulationResult]

    @override
    def run(self, graph: ExecutionGraph, system: System) -> SimulationResult:
        return self.change(SymmetricSimulator().run(graph, system))


@dataclass(slots=True)
class Forgetful(Simulator):
    """Each step takes longer than the last one."""

    runs: list[int] = field(default_factory=list)

    @override
    def run(self, graph: ExecutionGraph, system: System) -> SimulationResult:
        self.runs.append(0)
        result = SymmetricSimulator().run(graph, system)
        return replace(result, makespan=result.makespan + len(self.runs))


class Accepting(Simulator):
    """Takes any graph for one of two devices."""

    @override
    def run(self, graph: ExecutionGraph, system: System) -> SimulationResult:
        return SymmetricSimulator().run(replace(graph, devices=2), system)


def first_stage(change: Callable[[Breakdown], Breakdown]) -> Changed:
    return Changed(
        lambda result: replace(
            result, stages=(change(result.stages[0]), *result.stages[1:])
        )
    )


@pytest.mark.parametrize(
    ("simulator", "promise"),
    [
        (Forgetful(), "two runs must give one answer"),
        (Accepting(), "ran a graph for more devices than there are"),
        (Changed(lambda r: replace(r, stages=())), "0 breakdowns for 1 stages"),
        (Changed(lambda r: replace(r, sent=((),))), "must be of 1 dimensions"),
        (Changed(lambda r: replace(r, sent=((-1.0,),))), "sent .* bytes"),
        (Changed(lambda r: replace(r, makespan=2 * r.makespan)), "the parts of a step"),
        (first_stage(lambda b: replace(b, exposed={})), "tells of groups"),
        (
            first_stage(
                lambda b: replace(b, compute=b.compute + 1, bubble=b.bubble - 1)
            ),
            "a part of the step takes -",
        ),
    ],
)
def test_a_broken_promise_is_named(simulator: Simulator, promise: str) -> None:
    model = TransformerModel(
        layers=1,
        hidden=64,
        heads=1,
        key_value_heads=1,
        head_dim=64,
        feed_forward=64,
        sequence=64,
    )
    workload = Workload(model=model, batch=2, parallelism=Parallelism(data=2))
    dimension = Dimension(shape=Shape.RING, size=2, link_bandwidth=1e9, latency=0.0)
    device = Device(peak_flops=1e12, memory_bandwidth=1e12, memory_capacity=1e12)
    ring = ("ring",)
    policy = CollectivePolicy(
        all_reduce=ring, all_gather=ring, reduce_scatter=ring, all_to_all=ring
    )
    system = System(Cluster(device, Topology((dimension,))), policy)

    with pytest.raises(AssertionError, match=promise):
        check_simulator(simulator, lower(workload), system)
