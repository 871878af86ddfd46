"""The event-driven simulator by hand-computed steps."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.collective.policy import CollectivePolicy, SchedulingPolicy
from cosmic.compute.device import Device
from cosmic.errors import BackendError, ConsistencyError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.event_driven import EventDrivenSimulator, check_symmetry
from cosmic.simulation.event_machine import play
from cosmic.simulation.expansion import Begin
from cosmic.simulation.result import SimulationResult
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.testing.strategies import graphs, systems_of
from cosmic.trace.execution_graph import (
    Block,
    ExecutionGraph,
    Group,
    Program,
    Schedule,
    Stage,
)
from cosmic.trace.node import (
    CollectiveKind,
    CollectiveNode,
    ComputeNode,
    Instruction,
    OperatorKind,
    Start,
    Token,
    Wait,
)


def work(seconds: float, kind: OperatorKind = OperatorKind.MATRIX) -> ComputeNode:
    """Work at 1 FLOP/s."""
    return ComputeNode(name="work", kind=kind, flops=seconds, nbytes=0.0)


def gather(seconds: float, group: str = "data") -> CollectiveNode:
    """A collective of two devices on a switch of 1 B/s: each sends half."""
    return CollectiveNode(
        name=f"gather {seconds}",
        kind=CollectiveKind.ALL_GATHER,
        group=group,
        nbytes=2 * seconds,
    )


def program(*instructions: Instruction) -> Program:
    return (Block(name="block", instructions=instructions),)


def stage(**programs: Program) -> Stage:
    names = ("forward", "backward", "last_backward", "update")
    given: dict[str, Any] = {name: programs.get(name, ()) for name in names}
    return Stage(**given)


def graph(*stages: Stage, **changes: Any) -> ExecutionGraph:
    """Two devices a stage, which form the data group."""
    given: dict[str, Any] = {
        "devices": 2 * len(stages),
        "groups": (Group(name="data", size=2, stride=1),),
        "pipeline": Group(name="pipeline", size=len(stages), stride=2),
        "stages": stages,
        "micro_batches": 1,
        "boundary_bytes": 0.0,
    }
    return ExecutionGraph(**(given | changes))


def system(*sizes: int, **policy: Any) -> System:
    """Switches of 1 B/s without latency, and devices of 1 FLOP/s."""
    direct = ("direct",) * len(sizes)
    dimensions = tuple(
        Dimension(shape=Shape.SWITCH, size=size, link_bandwidth=1.0, latency=0.0)
        for size in sizes
    )
    return System(
        Cluster(
            Device(peak_flops=1.0, memory_bandwidth=1e30, memory_capacity=1.0),
            Topology(dimensions),
        ),
        CollectivePolicy(
            all_reduce=direct,
            all_gather=direct,
            reduce_scatter=direct,
            all_to_all=direct,
            **policy,
        ),
    )


def run(graph: ExecutionGraph, system: System) -> SimulationResult:
    return EventDrivenSimulator().run(graph, system)


def test_a_step_counts_from_the_end_of_the_first_forward() -> None:
    alone = stage(
        forward=program(work(1.0)),
        backward=program(work(2.0)),
        last_backward=program(work(3.0)),
        update=program(work(5.0, OperatorKind.OPTIMIZER), work(1.0)),
    )

    result = run(graph(alone, micro_batches=3), system(2))

    # two forwards, two backwards, the last backward, and the update with its forward
    assert result.makespan == 2 * 1 + 2 * 2 + 3 + 6
    assert result.stages[0].compute == 2 * 1 + 2 * 2 + 3 + 1
    assert result.stages[0].optimizer == 5
    assert result.stages[0].bubble == 0


def test_a_collective_beside_work_is_exposed_by_what_is_left_of_it() -> None:
    token = Token("home")
    overlapped = program(Start(gather(5.0), token), work(3.0), Wait(token))

    result = run(graph(stage(last_backward=overlapped)), system(2))

    assert result.makespan == 5.0
    assert result.stages[0].exposed == {"data": 2.0}
    assert result.sent == ((5.0,),)


@pytest.mark.parametrize(
    ("scheduling", "home"),
    # The first gather is on the network from 0 to 4. The second is handed over at 1 and
    # the third at 2. Then FIFO takes the second, 1 s, before the third, 2 s; LIFO takes
    # the third, which comes home at 4 + 1 + 2 or at 4 + 2.
    [(SchedulingPolicy.FIFO, 7.0), (SchedulingPolicy.LIFO, 6.0)],
)
def test_the_policy_decides_who_goes_first(
    scheduling: SchedulingPolicy, home: float
) -> None:
    first, second, third = Token("first"), Token("second"), Token("third")
    handed = program(
        Start(gather(4.0), first),
        work(1.0),
        Start(gather(1.0), second),
        work(1.0),
        Start(gather(2.0), third),
    )
    update = program(Wait(third), work(10.0), Wait(first), Wait(second))
    step = graph(stage(last_backward=handed, update=update))

    result = run(step, system(2, scheduling=scheduling))

    assert result.stages[0].exposed == {"data": home - 2.0}
    assert result.makespan == home + 10.0


def test_chunks_of_one_collective_overlap_between_dimensions() -> None:
    token = Token("home")
    both = CollectiveNode(
        name="both", kind=CollectiveKind.ALL_TO_ALL, group="data", nbytes=8.0
    )
    blocking = stage(last_backward=program(Start(both, token), Wait(token)))
    four = graph(
        blocking,
        devices=4,
        groups=(Group(name="data", size=4, stride=1),),
        pipeline=Group(name="pipeline", size=1, stride=4),
    )

    # each phase sends half of the buffer: 4 s, and in two chunks 2 s each
    assert run(four, system(2, 2, chunks=1)).makespan == 4 + 4
    assert run(four, system(2, 2, chunks=2)).makespan == 2 + 2 + 2


def test_what_ends_at_an_instant_goes_on_before_a_dimension_takes() -> None:
    """A chunk comes to the second dimension, 2 s each, as the device hands over another
    collective there, 5 s: FIFO has it go first.
    """
    both, outer = Token("both"), Token("outer")
    around = CollectiveNode(
        name="around", kind=CollectiveKind.ALL_TO_ALL, group="both", nbytes=4.0
    )
    body = program(
        Start(around, both),
        work(2.0),
        Start(gather(5.0, "outer"), outer),
        Wait(both),
        Wait(outer),
    )
    four = graph(
        stage(last_backward=body),
        devices=4,
        groups=(
            Group(name="both", size=4, stride=1),
            Group(name="outer", size=2, stride=2),
        ),
        pipeline=Group(name="pipeline", size=1, stride=4),
    )

    result = run(four, system(2, 2, scheduling=SchedulingPolicy.FIFO))

    assert result.stages[0].exposed == {"both": 2.0, "outer": 5.0}


@pytest.mark.parametrize("schedule", Schedule)
def test_a_pipeline_of_two_with_one_micro_batch(schedule: Schedule) -> None:
    each = stage(
        forward=program(work(1.0)),
        last_backward=program(work(2.0)),
        update=program(work(1.0)),
    )
    two = graph(each, each, boundary_bytes=0.5, schedule=schedule)

    result = run(two, system(2, 2))

    # Stage 0 forward 0-1, over by 1.5; stage 1 forward until 2.5, backward until 4.5,
    # back by 5; stage 0 backward until 7, update until 8, over by 8.5; stage 1 until
    # 9.5. The step is 2.5-9.5.
    assert result.makespan == 7.0
    assert [s.compute for s in result.stages] == [3.0, 3.0]
    assert [s.bubble for s in result.stages] == [4.0, 4.0]
    assert result.sent == ((0.0, 0.5), (0.0, 0.5))


def test_transfers_of_one_direction_go_one_after_the_other() -> None:
    each = stage(forward=program(work(1.0)))
    two = graph(
        each, each, boundary_bytes=3.0, micro_batches=3, schedule=Schedule.GPIPE
    )

    played = play(two, system(2, 2))

    begins = [
        end
        for place, end in enumerate(played.ends)
        if played.expansion.nodes[place].device == 2
        and isinstance(played.expansion.nodes[place].work, Begin)
    ]
    # stage 0 is done at 1, 2 and 3; messages arrive at 1 + 3, 4 + 3 and 7 + 3
    assert begins[:3] == [4.0, 7.0, 10.0]


@settings(derandomize=True, max_examples=40)
@given(data=st.data())
def test_on_the_last_stage_all_but_work_and_collectives_is_waiting_for_stages(
    data: st.DataObject,
) -> None:
    """The bubble is the rest of a step; here it is also measured for itself."""
    graph = data.draw(graphs())
    system = data.draw(systems_of(graph))
    played = play(graph, system)
    device = (graph.pipeline.size - 1) * graph.pipeline.stride
    nodes, ends = played.expansion.nodes, played.ends

    places = played.expansion.of_device(device)
    counted = 0 if graph.forward_only else 1
    waited = sum(
        ends[place] - (ends[nodes[place].after[0]] if place > places.start else 0.0)
        for place in places
        if nodes[place].turn >= counted and isinstance(nodes[place].work, Begin)
    )

    result = run(graph, system)
    assert result.stages[-1].bubble == pytest.approx(
        waited, rel=0, abs=1e-9 * result.makespan
    )


def test_a_graph_of_other_devices_is_refused() -> None:
    message = "the workload is split over 2 devices, but the network joins 4"

    with pytest.raises(ConsistencyError, match=message):
        run(graph(stage()), system(4))


def test_a_group_that_crosses_stages_is_refused() -> None:
    crossing = (Group(name="data", size=4, stride=1),)
    message = (
        "the data group of 4 devices, 1 apart, crosses the pipeline's 2 stages, 2 apart"
    )

    with pytest.raises(ConsistencyError, match=message):
        run(graph(stage(), stage(), groups=crossing), system(2, 2))


def test_devices_of_a_stage_that_are_not_alike_are_an_error() -> None:
    step = graph(stage(last_backward=program(work(1.0))))
    played = play(step, system(2))
    played.ends[-1] += 1.0
    message = "devices 1 and 0 of stage 0 are not alike: node 3 ends at 2.0 s on one"

    with pytest.raises(BackendError, match=message):
        check_symmetry(step, played)
