"""Laws of pipelines: how long stages of equal work and free transfers wait."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.testing.strategies import systems_for, workloads
from cosmic.trace.execution_graph import (
    Block,
    Chunk,
    ExecutionGraph,
    Group,
    Program,
    Schedule,
    Stage,
)
from cosmic.trace.node import ComputeNode, OperatorKind
from cosmic.workload.lowering import lower
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.workload import Workload

seconds = st.integers(1, 9).map(float)
stages = st.integers(2, 6)


def takes(time: float) -> Program:
    node = ComputeNode(name="work", kind=OperatorKind.MATRIX, flops=time, nbytes=0.0)
    return (Block(name="block", instructions=(node,)),)


def step(
    stages: int,
    micro_batches: int,
    forward: float,
    backward: float,
    parts: int = 1,
    schedule: Schedule = Schedule.ONE_F_ONE_B,
) -> float:
    """Duration of a step whose stages and their parts are alike."""
    there, back = takes(forward), takes(backward)
    chunk = Chunk(forward=there, backward=back, last_backward=back)
    stage = Stage(
        forward=there,
        backward=back,
        last_backward=back,
        update=there,
        chunks=(chunk,) * (parts - 1),
    )
    return lasting_step(stage, stages, micro_batches, schedule)


def put_off_step(
    stages: int, micro_batches: int, forward: float, backward: float, weights: float
) -> float:
    """The same where gradients of weights are put off."""
    there, back, later = takes(forward), takes(backward), takes(weights)
    stage = Stage(
        forward=there,
        backward=back,
        last_backward=back,
        update=there,
        weight_backward=later,
        last_weight_backward=later,
    )
    return lasting_step(stage, stages, micro_batches, Schedule.ZB_H1)


def lasting_step(
    stage: Stage, stages: int, micro_batches: int, schedule: Schedule
) -> float:
    graph = ExecutionGraph(
        devices=stages,
        groups=(),
        pipeline=Group(name="pipeline", size=stages, stride=1),
        stages=(stage,) * stages,
        micro_batches=micro_batches,
        boundary_bytes=0.0,
        schedule=schedule,
    )
    return SymmetricSimulator().run(graph, free_transfers(stages)).makespan


def free_transfers(devices: int) -> System:
    ring = ("ring",)
    policy = CollectivePolicy(
        all_reduce=ring, all_gather=ring, reduce_scatter=ring, all_to_all=ring
    )
    dimension = Dimension(
        shape=Shape.SWITCH, size=devices, link_bandwidth=1e9, latency=0.0
    )
    device = Device(peak_flops=1.0, memory_bandwidth=1.0, memory_capacity=1.0)
    return System(Cluster(device, Topology((dimension,))), policy)


@given(
    stages=stages,
    micro_batches=st.integers(1, 12),
    forward=seconds,
    backward=seconds,
    schedule=st.sampled_from((Schedule.GPIPE, Schedule.ONE_F_ONE_B)),
)
def test_a_bubble_is_stages_but_one_over_micro_batches(
    stages: int,
    micro_batches: int,
    forward: float,
    backward: float,
    schedule: Schedule,
) -> None:
    """Narayanan et al. (2021), section 2.2.1: (p - 1) / m of the work."""
    work = micro_batches * (forward + backward)
    lasted = step(stages, micro_batches, forward, backward, schedule=schedule)

    assert lasted - work == pytest.approx((stages - 1) / micro_batches * work)


@given(
    stages=stages,
    rounds=st.integers(1, 4),
    parts=st.integers(2, 5),
    forward=seconds,
    backward=seconds,
)
def test_parts_make_the_bubble_so_many_times_shorter(
    stages: int, rounds: int, parts: int, forward: float, backward: float
) -> None:
    """Narayanan et al. (2021), section 2.2.2: (p - 1) / (m v) of the work."""
    micro_batches = rounds * stages
    work = micro_batches * parts * (forward + backward)
    lasted = step(stages, micro_batches, forward, backward, parts)

    bubble = (stages - 1) / (micro_batches * parts) * work
    assert lasted - work == pytest.approx(bubble)


@given(
    stages=stages,
    more=st.integers(0, 9),
    weights=seconds,
    longer=st.tuples(st.integers(0, 5), st.integers(0, 5)),
)
def test_what_is_put_off_fills_the_bubble(
    stages: int, more: int, weights: float, longer: tuple[int, int]
) -> None:
    """Qi et al. (2023), table 1: (p - 1) (F + B - W), a third where all are alike."""
    forward, backward = (weights + extra for extra in longer)
    micro_batches = stages + more
    work = micro_batches * (forward + backward + weights)
    lasted = put_off_step(stages, micro_batches, forward, backward, weights)

    bubble = (stages - 1) * (forward + backward - weights)
    assert lasted - work == pytest.approx(bubble)


@given(stages=stages, more=st.integers(0, 9), forward=seconds, backward=seconds)
def test_zb_h1_beats_1f1b_whatever_the_parts_of_the_work(
    stages: int, more: int, forward: float, backward: float
) -> None:
    count = stages + more
    whole = step(stages, count, forward, 2 * backward)
    put_off = put_off_step(stages, count, forward, backward, backward)

    assert put_off < whole


@settings(derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_step_is_shorter_than_the_work_of_its_busiest_stage(
    data: st.DataObject,
) -> None:
    workload = data.draw(workloads())
    system = data.draw(systems_for(workload))
    result = SymmetricSimulator().run(lower(workload), system)

    for stage in result.stages:
        work = stage.compute + stage.optimizer + sum(stage.exposed.values())
        assert work <= result.makespan * (1 + 1e-12)


def test_a_long_stage_sets_the_pace() -> None:
    """Of 18 layers on two stages, the longer has 9 or 12."""
    even = Workload(
        model=model(18, heads=8), batch=64, parallelism=Parallelism(pipeline=2)
    )
    uneven = replace(even, stage_layers=(12, 6))
    times = [
        SymmetricSimulator().run(lower(w), free_transfers(2)).makespan
        for w in (even, uneven)
    ]

    # (m + p - 1) of the even one; the other one's long stage is never idle
    assert times[1] / times[0] == pytest.approx(64 * 12 / (65 * 9), rel=0.01)


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_interleaving_gains_most_where_batches_are_small(parts: int) -> None:
    """GPT-3 175B on 96 A100, tensor 8 and pipeline 12: Narayanan et al., figure 12.

    The paper finds the interleaved schedule ahead by 10 % and more at small batches,
    and the gain less the larger the batch.
    """
    gains = [
        lasting(batch, 1) / lasting(batch, parts) - 1 for batch in (12, 24, 36, 48, 60)
    ]

    assert gains[0] > 0.1
    assert min(gains) > 0
    assert gains == sorted(gains, reverse=True)


def lasting(batch: int, parts: int) -> float:
    """Step time on 12 nodes of 8 A100, with NVLink within and 200 Gb/s without."""
    workload = Workload(
        model=model(96, heads=96),
        batch=batch,
        parallelism=Parallelism(tensor=8, pipeline=12, virtual_stages=parts),
    )
    dimensions = (
        Dimension(shape=Shape.SWITCH, size=8, link_bandwidth=300e9, latency=2e-6),
        Dimension(shape=Shape.SWITCH, size=12, link_bandwidth=25e9, latency=5e-6),
    )
    rings = ("ring", "ring")
    policy = CollectivePolicy(
        all_reduce=rings, all_gather=rings, reduce_scatter=rings, all_to_all=rings
    )
    device = Device(peak_flops=312e12, memory_bandwidth=2.039e12, memory_capacity=80e9)
    system = System(Cluster(device, Topology(dimensions)), policy)
    return SymmetricSimulator().run(lower(workload), system).makespan


def model(layers: int, heads: int) -> TransformerModel:
    return TransformerModel(
        layers=layers,
        hidden=128 * heads,
        heads=heads,
        key_value_heads=heads,
        head_dim=128,
        feed_forward=512 * heads,
        sequence=2048,
        vocabulary=51200 if heads == 96 else 0,
    )
