"""Hypothesis strategies for stages that no transformer has.

Starts and waits stand in any order, and things often end at the same instant.
"""

from dataclasses import replace

from cosmic.testing.hypothesis_extra import strategies as st
from cosmic.trace.execution_graph import Block, Program, Schedule, Stage
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
from cosmic.workload.chunks import in_chunks


@st.composite
def stages_of(
    draw: st.DrawFn, parts: int, schedule: Schedule = Schedule.ONE_F_ONE_B
) -> Stage:
    """A stage that holds so many parts of a model."""
    if schedule is Schedule.ZB_H1:
        stage = draw(stages())
        return replace(
            stage,
            last_backward=stage.backward,
            weight_backward=draw(_programs()),
            last_weight_backward=stage.last_backward,
        )
    first, *further = [
        draw(stages(f" {part}" if part else "")) for part in range(parts)
    ]
    updates = [s.update[: len(s.update) - len(s.forward)] for s in further]
    return in_chunks(first, [(s, u, ()) for s, u in zip(further, updates, strict=True)])


@st.composite
def stages(draw: st.DrawFn, part: str = "") -> Stage:
    """A stage of any programs, which may leave gradients under the name of a part."""
    forward, backward = draw(_programs()), draw(_programs())
    if draw(st.booleans()):
        return Stage(
            forward=forward,
            backward=backward,
            last_backward=backward,
            update=(*draw(_programs()), *forward),
            finish=draw(_programs()),
        )
    layers = draw(st.sampled_from((1, 2, 3, 5, 20)))
    gradient, weights = Token(f"gradient{part}"), Token("weights")
    start = Block(
        name="backward",
        instructions=(*draw(_bodies()), Start(draw(_collectives), gradient)),
        repeat=layers,
        first=layers - 1,
        step=-1,
    )
    gather = (Start(draw(_collectives), weights), *draw(_bodies()), Wait(weights))
    end = Block(
        name="update",
        instructions=(Wait(gradient), *draw(st.sampled_from(((), gather)))),
        repeat=layers,
    )
    return Stage(
        forward=forward,
        backward=backward,
        last_backward=(*draw(_programs()), start),
        update=(*draw(_programs()), end, *forward),
        finish=draw(_programs()),
    )


@st.composite
def _programs(draw: st.DrawFn) -> Program:
    """Blocks that leave nothing behind, some with a gather one turn ahead."""
    return tuple(
        block
        for number in range(draw(st.integers(0, 2)))
        for block in draw(st.one_of(_plain(), _prefetching(f"ahead {number}")))
    )


@st.composite
def _plain(draw: st.DrawFn) -> Program:
    block = Block(
        name="plain",
        instructions=draw(_bodies()),
        repeat=draw(st.integers(1, 6)),
        step=draw(st.sampled_from((1, -1))),
    )
    return (block,)


@st.composite
def _prefetching(draw: st.DrawFn, label: str) -> Program:
    """Each turn starts what the next one or the one after that waits for."""
    repeat, distance = draw(st.integers(1, 6)), draw(st.integers(1, 2))
    step = draw(st.sampled_from((1, -1)))
    node = draw(_collectives)
    start = Start(node, Token(label, step * distance))
    body = (*draw(_bodies()), start, *draw(_bodies()), Wait(Token(label)))
    ahead = Block(
        name="first",
        instructions=(Start(node, Token(label)),),
        repeat=distance,
        step=step,
    )
    turns = Block(name="turn", instructions=body, repeat=repeat, step=step)
    rest = Block(
        name="last",
        instructions=(*draw(_bodies()), Wait(Token(label))),
        repeat=distance,
        first=step * repeat,
        step=step,
    )
    return ahead, turns, rest


@st.composite
def _bodies(draw: st.DrawFn) -> tuple[Instruction, ...]:
    """Work and collectives, each awaited at some time after it has started."""
    kinds = draw(st.lists(st.sampled_from(("work", "start", "wait")), max_size=6))
    body: list[Instruction] = []
    under_way: list[Token] = []
    for number, kind in enumerate(kinds):
        if kind == "work":
            body.append(draw(_computes))
        elif kind == "start":
            under_way.append(Token(f"token {number}"))
            body.append(Start(draw(_collectives), under_way[-1]))
        elif under_way:
            which = draw(st.integers(0, len(under_way) - 1))
            body.append(Wait(under_way.pop(which)))
    return (*body, *map(Wait, draw(st.permutations(under_way))))


_computes = st.builds(
    ComputeNode,
    name=st.just("work"),
    kind=st.sampled_from((OperatorKind.MATRIX, OperatorKind.OPTIMIZER)),
    flops=st.sampled_from((0.0, 1e9, 1e9, 2e9, 5e9)),
    nbytes=st.just(0.0),
)

_collectives = st.builds(
    CollectiveNode,
    name=st.just("exchange"),
    kind=st.sampled_from(CollectiveKind),
    group=st.sampled_from(("inner", "middle", "outer", "both", "apart")),
    nbytes=st.sampled_from((0.0, 1e6, 1e6, 2e6, 1e7)),
)
