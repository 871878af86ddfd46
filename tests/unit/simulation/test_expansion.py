"""A graph written out has every node, and every node what it waits for."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.simulation.expansion import (
    Await,
    Begin,
    Direction,
    Expansion,
    Node,
    Send,
    expand,
    stage_of,
)
from cosmic.testing.strategies import graphs
from cosmic.trace.execution_graph import (
    Block,
    ExecutionGraph,
    Group,
    Stage,
    collective_nodes,
    compute_nodes,
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

FORWARD, BACKWARD = Direction.FORWARD, Direction.BACKWARD
SUM = CollectiveNode(
    name="sum", kind=CollectiveKind.ALL_REDUCE, group="data", nbytes=8.0
)
HOME = Token("home")


def work(name: str) -> ComputeNode:
    return ComputeNode(name=name, kind=OperatorKind.MATRIX, flops=1.0, nbytes=1.0)


def stage(**programs: tuple[Instruction, ...]) -> Stage:
    """One block of one turn for each program; those that are not given are empty."""
    blocks = {
        name: (Block(name=name, instructions=body),) for name, body in programs.items()
    }
    names = ("forward", "backward", "last_backward", "update")
    given: dict[str, Any] = {name: blocks.get(name, ()) for name in names}
    return Stage(**given)


def graph(*stages: Stage, micro_batches: int = 1) -> ExecutionGraph:
    """Two devices a stage, which form the data group."""
    return ExecutionGraph(
        devices=2 * len(stages),
        groups=(Group(name="data", size=2, stride=1),),
        pipeline=Group(name="pipeline", size=len(stages), stride=2),
        stages=stages,
        micro_batches=micro_batches,
        boundary_bytes=1.0,
    )


def of_device(expansion: Expansion, device: int) -> list[Node]:
    return [expansion.nodes[place] for place in expansion.of_device(device)]


small = settings(derandomize=True, max_examples=30)


@small
@given(graph=graphs())
def test_devices_have_all_nodes_of_all_programs(graph: ExecutionGraph) -> None:
    expansion, rest = expand(graph), graph.micro_batches - 1
    runs = (rest + 1, rest, 1, 1, 1, rest, 1, *(rest + 1, rest, 1) * (graph.chunks - 1))

    for device in range(graph.devices):
        expected: Counter[object] = Counter()
        programs = graph.stages[stage_of(graph, device)].programs
        for program, count in zip(programs, runs, strict=True):
            for found in (compute_nodes(program), collective_nodes(program)):
                for node, times in found:
                    expected[node] += count * times
        worked = [node.work for node in of_device(expansion, device)]
        nodes = [w for w in worked if isinstance(w, ComputeNode | CollectiveNode)]
        assert Counter(nodes) == expected - Counter()


@small
@given(graph=graphs())
def test_nodes_stand_where_their_devices_say(graph: ExecutionGraph) -> None:
    expansion = expand(graph)

    assert expansion.first[-1] == len(expansion.nodes)
    for device in range(graph.devices):
        nodes = of_device(expansion, device)
        assert [node.number for node in nodes] == list(range(len(nodes)))
        assert {node.device for node in nodes} == {device}


@small
@given(graph=graphs())
def test_the_compute_stream_is_a_chain(graph: ExecutionGraph) -> None:
    expansion = expand(graph)

    for device in range(graph.devices):
        places = expansion.of_device(device)
        stream = [place for place in places if expansion.nodes[place].in_stream]
        assert stream[0] == places[0]
        assert [expansion.nodes[p].after[0] for p in stream[1:]] == stream[:-1]


@small
@given(graph=graphs())
def test_nothing_waits_for_itself(graph: ExecutionGraph) -> None:
    nodes = expand(graph).nodes
    missing = [len(node.after) for node in nodes]
    followers: dict[int, list[int]] = {}
    for place, node in enumerate(nodes):
        for before in node.after:
            followers.setdefault(before, []).append(place)
    free = [place for place, count in enumerate(missing) if count == 0]

    ended = 0
    while free:
        ended += 1
        for place in followers.get(free.pop(), ()):
            missing[place] -= 1
            if missing[place] == 0:
                free.append(place)

    assert ended == len(nodes)


def test_a_collective_follows_its_start_and_a_wait_follows_both() -> None:
    body = (work("a"), Start(SUM, HOME), work("b"), Wait(HOME), work("c"))

    nodes = of_device(expand(graph(stage(forward=body))), 0)[:6]

    assert [(node.work, node.after) for node in nodes] == [
        (Begin(None), ()),
        (work("a"), (0,)),
        (SUM, (1,)),
        (work("b"), (1,)),
        (Await("data"), (3, 2)),
        (work("c"), (4,)),
    ]


def test_a_token_may_be_awaited_in_a_later_program() -> None:
    ends = stage(last_backward=(Start(SUM, HOME),), update=(Wait(HOME),))

    nodes = of_device(expand(graph(ends)), 0)

    assert [(node.work, node.turn, node.after) for node in nodes] == [
        (Begin(None), 0, ()),
        (Begin(None), 1, (0,)),
        (SUM, 1, (1,)),
        (Begin(None), 2, (1,)),
        (Await("data"), 2, (3, 2)),
    ]


def test_programs_wait_for_what_the_neighboring_stage_sends() -> None:
    programs = stage(forward=(work("f"),), last_backward=(work("b"),))
    expansion = expand(graph(programs, programs))

    # places 0-6: device 0 of the first stage; 14-20: device 2, its peer
    assert [(n.work, n.after) for n in of_device(expansion, 0)] == [
        (Begin(None), ()),
        (work("f"), (0,)),
        (Send(FORWARD), (1,)),
        (Begin(BACKWARD), (1, 18)),
        (work("b"), (3,)),
        (Begin(None), (4,)),
        (Send(FORWARD), (5, 2)),
    ]
    assert [(n.work, n.after) for n in of_device(expansion, 2)] == [
        (Begin(FORWARD), (2,)),
        (work("f"), (14,)),
        (Begin(None), (15,)),
        (work("b"), (16,)),
        (Send(BACKWARD), (17,)),
        (Begin(FORWARD), (17, 6)),
    ]


@small
@given(stages=st.integers(1, 4), micro_batches=st.integers(1, 5))
def test_each_stage_sends_every_micro_batch_and_its_update(
    stages: int, micro_batches: int
) -> None:
    alike = [stage(forward=(work("f"),))] * stages
    expansion = expand(graph(*alike, micro_batches=micro_batches))

    for s in range(stages):
        sent = Counter(
            node.work.direction
            for node in of_device(expansion, 2 * s)
            if isinstance(node.work, Send)
        )
        assert sent[FORWARD] == (micro_batches + 1 if s < stages - 1 else 0)
        assert sent[BACKWARD] == (micro_batches if s > 0 else 0)
