"""Times of requests, by hand and against every pass summed up."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.evaluation.answering import Run, answer, stretched
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.event_driven import EventDrivenSimulator
from cosmic.simulation.result import SimulationResult
from cosmic.simulation.simulator import Simulator
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.workload.inference import Inference, Task
from cosmic.workload.lowering import lower
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.passes import decode, prefill
from cosmic.workload.workload import Workload

MODEL = TransformerModel(
    layers=4,
    hidden=256,
    heads=8,
    key_value_heads=2,
    head_dim=32,
    feed_forward=1024,
    feed_forward_kind=FeedForward.SWIGLU,
    sequence=4096,
    vocabulary=1000,
    tied_embeddings=False,
    learned_positions=False,
)
every_time_alike = settings(derandomize=True, max_examples=40, deadline=None)


def machine(devices: int, latency: float = 1e-6, memory: float = 1e11) -> System:
    dimension = Dimension(
        shape=Shape.SWITCH, size=devices, link_bandwidth=1e10, latency=latency
    )
    device = Device(peak_flops=1e13, memory_bandwidth=memory, memory_capacity=1e10)
    one = ("ring",)
    policy = CollectivePolicy(
        all_reduce=one, all_gather=one, reduce_scatter=one, all_to_all=one
    )
    return System(Cluster(device, Topology((dimension,))), policy)


def serving(
    split: Parallelism | None = None,
    batch: int = 8,
    micro_batch: int = 8,
    prompt: int = 100,
    output: int = 50,
) -> Workload:
    return Workload(
        model=MODEL,
        batch=batch,
        micro_batch=micro_batch,
        parallelism=split or Parallelism(),
        inference=Inference(task=Task.SERVE, prompt=prompt, output=output),
    )


def runner(system: System, simulator: Simulator | None = None) -> Run:
    chosen = simulator or SymmetricSimulator()

    def run(workload: Workload) -> tuple[ExecutionGraph, SimulationResult]:
        graph = lower(workload)
        return graph, chosen.run(graph, system)

    return run


def test_a_step_of_one_device_takes_its_bytes_over_the_bandwidth() -> None:
    """Where memory is slow, all that counts is what is read and written."""
    system = machine(1, memory=1e9)
    workload = decode(serving(batch=1, micro_batch=1), context=100)

    found = answer(workload, system, runner(system))

    # weights: 4 layers of 256 x (256 + 2 x 64 + 256 + 3 x 1024), and the head
    weights = 4 * 256 * (256 + 128 + 256 + 3 * 1024) + 256 * 1000
    # 100 tokens of keys and values of 2 heads of 32 in 4 layers
    cache = 4 * 100 * 2 * 2 * 32
    exactly = found.result.makespan * 1e9 / 2
    # what one token's activations take is little
    assert weights + cache < exactly < 1.02 * (weights + cache)


def test_a_request_is_its_prefill_and_every_step_after_it() -> None:
    system = machine(1)
    workload = serving(output=50)
    run = runner(system)

    found = answer(workload, system, run)
    first = run(prefill(workload))[1].makespan
    steps = [run(decode(workload, context))[1].makespan for context in range(101, 150)]

    assert len(steps) == 49
    assert len(found.steps) < 10
    assert sum(found.weights.values()) == pytest.approx(49, rel=1e-12)
    assert found.result.makespan == pytest.approx(first + sum(steps), rel=1e-4)


def test_one_output_token_takes_no_step() -> None:
    system = machine(1)
    found = answer(serving(output=1), system, runner(system))

    assert not found.steps
    assert found.prefill is not None
    assert found.result.makespan == found.prefill.makespan


def bent(bends: list[tuple[float, float]]) -> Callable[[int], float]:
    """A convex time of a context: operators change what they are bound by."""
    return lambda context: (
        1.0 + sum(max(height, slope * context) for height, slope in bends)
    )


@every_time_alike
@given(
    first=st.integers(1, 5000),
    count=st.integers(1, 5000),
    bends=st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 0.1)), min_size=0, max_size=4
    ),
)
def test_a_few_contexts_stand_for_all(
    first: int, count: int, bends: list[tuple[float, float]]
) -> None:
    contexts, seconds = range(first, first + count), bent(bends)

    weights = stretched(seconds, contexts)
    guessed = sum(weight * seconds(context) for context, weight in weights.items())

    assert sum(weights.values()) == pytest.approx(count, rel=1e-9)
    assert guessed == pytest.approx(sum(map(seconds, contexts)), rel=1e-3)


@pytest.mark.parametrize("simulator", [SymmetricSimulator(), EventDrivenSimulator()])
def test_micro_batches_follow_one_another_through_the_stages(
    simulator: Simulator,
) -> None:
    """A step of a few micro-batches is played token by token, in rounds."""
    system = machine(4)
    for micro_batch in (8, 4, 2, 1):
        split = Parallelism(pipeline=4)
        workload = decode(serving(split, micro_batch=micro_batch), context=200)
        found = answer(workload, system, runner(system, simulator))

        assert found.result.makespan == pytest.approx(
            _rounds(workload, system), rel=1e-9
        )


def _rounds(workload: Workload, system: System) -> float:
    """Time between a token and the next, when all stages have long been at work.

    Every micro-batch goes round: through each stage in turn, over each link, and back.
    """
    one = replace(workload, batch=workload.micro_batch)
    graph = lower(one)
    stages = SymmetricSimulator().run(graph, system).stages
    busy = [stage.compute + sum(stage.exposed.values()) for stage in stages]
    nbytes = 2 * 256 * workload.micro_batch
    onward = [2e-6 + nbytes / 1e10] * 3  # a switch is two links
    back = 2e-6 + 4 * workload.micro_batch / 1e10
    free, sent = [0.0] * 4, [0.0] * 3
    ready = [0.0] * workload.micro_batches
    ends: list[list[float]] = []
    for _ in range(30):
        ends.append([])
        for number, start in enumerate(ready):
            now = start
            for stage in range(4):
                free[stage] = max(free[stage], now) + busy[stage]
                now = free[stage]
                if stage < 3:
                    sent[stage] = max(sent[stage], now) + onward[stage]
                    now = sent[stage]
            ends[-1].append(now)
            ready[number] = now + back
    return ends[-1][-1] - ends[-2][-1]


@every_time_alike
@given(
    context=st.integers(1, 4000),
    more=st.integers(1, 4000),
    tensor=st.sampled_from((1, 2)),
    pipeline=st.sampled_from((1, 2)),
)
def test_a_token_never_takes_less_time_with_a_longer_context(
    context: int, more: int, tensor: int, pipeline: int
) -> None:
    split = Parallelism(tensor=tensor, pipeline=pipeline)
    system = machine(split.devices)
    run = runner(system)
    workload = serving(split, micro_batch=4)

    short, long = (
        answer(decode(workload, tokens), system, run).result.makespan
        for tokens in (context, context + more)
    )

    assert short <= long * (1 + 1e-9)  # the grid of times depends on the workload


def test_the_parts_of_a_request_sum_to_it() -> None:
    split = Parallelism(tensor=2, pipeline=2)
    system = machine(4)

    found = answer(serving(split, micro_batch=4), system, runner(system)).result

    assert found.breakdown.total == pytest.approx(found.makespan, rel=1e-12)
    assert found.breakdown.exposed["tensor"] > 0
    assert found.breakdown.bubble > 0
