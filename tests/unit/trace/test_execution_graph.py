"""An execution graph refuses what could not run."""

from typing import Any

import pytest

from cosmic.errors import TraceError
from cosmic.trace.execution_graph import (
    Block,
    ExecutionGraph,
    Group,
    Program,
    Stage,
    collective_nodes,
    compute_nodes,
    total_flops,
    turns,
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

WORK = ComputeNode(name="work", kind=OperatorKind.MATRIX, flops=1.0, nbytes=1.0)
SUM = CollectiveNode(
    name="sum", kind=CollectiveKind.ALL_REDUCE, group="data", nbytes=8.0
)
HOME = Token("home")


def block(*instructions: Instruction, **changes: Any) -> Block:
    return Block(name="layer", instructions=instructions, **changes)


def stage(**programs: Program) -> Stage:
    nothing: Program = (block(WORK),)
    given: dict[str, Any] = dict.fromkeys(
        ("forward", "backward", "last_backward", "update"), nothing
    )
    return Stage(**(given | programs))


def graph(*stages: Stage, **changes: Any) -> ExecutionGraph:
    given: dict[str, Any] = {
        "devices": 4,
        "groups": (Group(name="data", size=4, stride=1),),
        "pipeline": Group(name="pipeline", size=1, stride=4),
        "stages": stages,
        "micro_batches": 2,
        "boundary_bytes": 0.0,
    }
    return ExecutionGraph(**(given | changes))


def test_a_block_counts_layers_both_ways() -> None:
    forward = block(WORK, repeat=3, first=2)
    backward = block(WORK, repeat=3, first=2, step=-1)

    assert list(forward.layers()) == [2, 3, 4]
    assert list(backward.layers()) == [2, 1, 0]


def test_a_block_runs_at_least_once() -> None:
    message = "block 'layer' runs at least once, not 0 times"

    with pytest.raises(TraceError, match=message):
        block(WORK, repeat=0)


@pytest.mark.parametrize(("size", "stride"), [(0, 1), (1, 0), (-2, 3)])
def test_a_group_has_a_size_and_a_stride(size: int, stride: int) -> None:
    message = (
        f"group 'data': size and stride must be at least 1, but are {size} and {stride}"
    )

    with pytest.raises(TraceError, match=message):
        Group(name="data", size=size, stride=stride)


def test_a_program_is_walked_turn_by_turn() -> None:
    program = (block(WORK, Wait(HOME), repeat=2, first=5), block(WORK))

    assert list(turns(program)) == [
        (5, WORK),
        (5, Wait(HOME)),
        (6, WORK),
        (6, Wait(HOME)),
        (0, WORK),
    ]


def test_nodes_are_given_with_how_often_they_run() -> None:
    program = (block(WORK, Start(SUM, HOME), Wait(HOME), repeat=7), block(WORK))

    assert list(compute_nodes(program)) == [(WORK, 7), (WORK, 1)]
    assert list(collective_nodes(program)) == [(SUM, 7)]


def test_total_flops_count_every_device_micro_batch_and_turn() -> None:
    heavy = stage(update=(block(WORK, repeat=5),))
    half = Group(name="pipeline", size=2, stride=2)

    built = graph(stage(), heavy, pipeline=half, micro_batches=3)

    # 2 devices a stage: 2 forward + 2 backward + 1 last backward + update of 1 or 5
    assert total_flops(built) == 2 * (6 + 10)


def test_what_the_last_backward_starts_the_update_awaits() -> None:
    # layer 1 and 0 start in turn, and are awaited as layers 0 and 1
    handed_over = (block(Start(SUM, HOME), repeat=2, first=1, step=-1),)
    taken = (block(Wait(HOME), repeat=2),)

    built = graph(stage(last_backward=handed_over, update=taken))

    assert built.group("data").size == 4


def test_a_collective_of_an_unknown_group_is_refused() -> None:
    wrong = stage(forward=(block(Start(SUM, HOME), Wait(HOME)),))

    with pytest.raises(TraceError, match="collective 'sum': no group 'data'"):
        graph(wrong, groups=())


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ((block(Wait(HOME)),), "awaited before it is started"),
        ((block(Start(SUM, HOME)),), "is never awaited"),
        ((block(Start(SUM, HOME), Start(SUM, HOME)),), "is started twice"),
        ((block(Start(SUM, HOME), Wait(HOME), Wait(HOME)),), "awaited before"),
        (
            (block(Start(SUM, Token("home", 1)), Wait(HOME), repeat=2),),
            "awaited before",
        ),
    ],
)
@pytest.mark.parametrize("where", ["forward", "backward", "update"])
def test_tokens_that_do_not_pair_are_refused(
    where: str, program: Program, message: str
) -> None:
    with pytest.raises(TraceError, match=r"token \('home', \d\).*" + message):
        graph(stage(**{where: program}))


def test_a_step_has_micro_batches() -> None:
    with pytest.raises(TraceError, match="0 micro-batches; at least 1 is needed"):
        graph(stage(), micro_batches=0)


def test_every_device_of_the_pipeline_has_a_stage() -> None:
    with pytest.raises(TraceError, match="2 stages for a pipeline of 1"):
        graph(stage(), stage())


@pytest.mark.parametrize("nbytes", [-1.0, float("inf"), float("nan")])
def test_stages_hand_on_finite_bytes(nbytes: float) -> None:
    message = f"boundary bytes must be finite and not negative, but are {nbytes}"

    with pytest.raises(TraceError, match=message):
        graph(stage(), boundary_bytes=nbytes)


def test_graphs_and_stages_are_compared_by_identity() -> None:
    one = stage()

    assert one != stage()
    assert graph(one) != graph(one)
