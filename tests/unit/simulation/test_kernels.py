"""The compiled loops beside plain ones, and by hand."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.simulation import kernels
from cosmic.simulation.columns import Collectives, Programs
from cosmic.simulation.flat_graph import COMPUTE, START, WAIT
from cosmic.simulation.pipeline_kernel import run_schedule
from cosmic.simulation.schedule import slots, warm_up
from cosmic.trace.execution_graph import Schedule

seconds = st.sampled_from((0.0, 1.0, 1.0, 2.0, 3.0, 7.0))  # whole: sums are exact


def collectives(
    *phases: list[tuple[int, float]], chunks: int = 1, lifo: bool = False
) -> Collectives:
    """Collectives given as dimension and duration of each phase of a chunk."""
    rows = [phase for row in phases for phase in row]
    return Collectives(
        phase_start=np.cumsum([0, *map(len, phases)]),
        phase_dimension=np.array([dimension for dimension, _ in rows], np.int64),
        phase_seconds=np.array([seconds for _, seconds in rows]),
        group_of=np.arange(len(phases)),
        groups=len(phases),
        dimensions=3,
        chunks=chunks,
        lifo=lifo,
    )


def programs(
    instructions: list[tuple[int, int, int, int]],
    blocks: list[tuple[int, int, int, int, int]],
    segments: list[float],
) -> Programs:
    """Programs of up to 10 token labels and layers from -1 on."""
    return Programs(
        instructions=np.array(instructions, np.int64).reshape(-1, 4),
        blocks=np.array(blocks, np.int64),
        segment_seconds=np.array(segments),
        labels=10,
        lowest_layer=-1,
        layers=100,
    )


def run(
    programs: Programs, collectives: Collectives, *runs: tuple[int, int, float]
) -> tuple[list[float], list[list[float]]]:
    """Ends and waits of runs given as first block, blocks and release."""
    ends, waits = kernels.run_programs(
        np.array([run[:2] for run in runs], np.int64),
        np.array([run[2] for run in runs]),
        programs,
        collectives,
        kernels.alone(collectives),
    )
    return ends.tolist(), waits.tolist()


@given(durations=st.lists(seconds, min_size=1, max_size=3), chunks=st.integers(1, 9))
def test_chunks_pass_dimensions_like_an_assembly_line(
    durations: list[float], chunks: int
) -> None:
    """The first chunk passes all; each other one is the slowest phase behind."""
    one = collectives(list(enumerate(durations)), chunks=chunks)

    assert kernels.alone(one).tolist() == [
        sum(durations) + (chunks - 1) * max(durations)
    ]


def test_a_dimension_takes_the_lowest_phase_first() -> None:
    # Dimension 0 passes three chunks on until 12, the last is through dimension 1 at
    # 13, and they come back at 16, 20 and 24. If the first two came back before the
    # third went, it would be back at 4 * 5 + 1 + 4 = 25.
    there_and_back = collectives([(0, 4.0), (1, 1.0), (0, 4.0)], chunks=3)

    assert kernels.alone(there_and_back).tolist() == [24.0]


def test_a_collective_without_phases_takes_no_time() -> None:
    nothing = collectives([])
    wait = programs([(START, 0, 0, 0), (WAIT, 0, 0, 0)], [(0, 2, 3, 0, 1)], [])

    assert run(wait, nothing, (0, 1, 0.0)) == ([0.0], [[0.0]])


@pytest.mark.parametrize(("lifo", "end"), [(False, 4.0 + 2 + 1), (True, 4.0 + 1)])
def test_waiting_collectives_are_served_in_the_order_of_the_policy(
    lifo: bool, end: float
) -> None:
    three = collectives([(0, 4.0)], [(0, 2.0)], [(0, 1.0)], lifo=lifo)
    instructions = [
        (START, 0, 0, 0),
        (COMPUTE, 0, 0, 0),
        (START, 1, 1, 0),
        (START, 2, 2, 0),
        (WAIT, 0, 2, 0),
    ]
    step = programs(instructions, [(0, 5, 1, 0, 1)], [1.0])

    ends, waits = run(step, three, (0, 1, 0.0))

    assert ends == [end]
    assert waits == [[0.0, 0.0, end - 1]]


def test_what_the_device_does_at_an_instant_comes_before_a_dimension_takes() -> None:
    """The first chunk ends as the device hands over the next collective: LIFO has it
    go before the second chunk.
    """
    two = collectives([(0, 2.0)], [(0, 5.0)], chunks=2, lifo=True)
    instructions = [
        (START, 0, 0, 0),
        (COMPUTE, 0, 0, 0),
        (START, 1, 1, 0),
        (WAIT, 0, 1, 0),
        (WAIT, 0, 0, 0),
    ]
    step = programs(instructions, [(0, 5, 1, 0, 1)], [2.0])

    ends, waits = run(step, two, (0, 1, 0.0))

    # 0-2 chunk 1 of the first, 2-12 both of the second, 12-14 chunk 2 of the first
    assert waits == [[2.0, 10.0]]
    assert ends == [14.0]


def test_what_ends_at_an_instant_goes_on_before_a_dimension_takes() -> None:
    """A chunk comes to dimension 1 as the device hands over another collective there:
    FIFO has it go first.
    """
    two = collectives([(0, 2.0), (1, 2.0)], [(1, 5.0)])
    instructions = [
        (START, 0, 0, 0),
        (COMPUTE, 0, 0, 0),
        (START, 1, 1, 0),
        (WAIT, 0, 0, 0),
        (WAIT, 0, 1, 0),
    ]
    step = programs(instructions, [(0, 5, 1, 0, 1)], [2.0])

    assert run(step, two, (0, 1, 0.0)) == ([9.0], [[2.0, 5.0]])


def test_the_network_goes_on_while_the_device_waits_for_its_release() -> None:
    one = collectives([(0, 6.0)])
    start_and_wait = [(START, 0, 0, 0), (WAIT, 0, 0, 0)]
    blocks = [(0, 1, 1, 0, 1), (1, 1, 1, 0, 1)]
    step = programs(start_and_wait, blocks, [])

    ends, waits = run(step, one, (0, 1, 0.0), (1, 1, 4.0))

    assert ends == [0.0, 6.0]
    assert waits == [[0.0], [2.0]]


@settings(derandomize=True, max_examples=60)
@given(
    work=st.lists(seconds, min_size=1, max_size=3),
    phases=st.lists(st.tuples(st.integers(0, 2), seconds), min_size=1, max_size=3),
    ahead=st.integers(1, 3),
    repeat=st.integers(1, 20),
    chunks=st.integers(1, 4),
    lifo=st.booleans(),
)
def test_a_block_of_many_turns_is_as_many_blocks_of_one(
    work: list[float],
    phases: list[tuple[int, float]],
    ahead: int,
    repeat: int,
    chunks: int,
    lifo: bool,
) -> None:
    """Steady turns are skipped in the one, and played in the other."""
    kinds = collectives(phases, [(0, 1.0)], chunks=chunks, lifo=lifo)
    turn = [(START, 0, 0, ahead), (START, 1, 1, 0)]
    turn += [(COMPUTE, segment, 0, 0) for segment in range(len(work))]
    turn += [(WAIT, 0, 1, 0), (WAIT, 0, 0, 0)]
    instructions = [(START, 0, 0, 0), *turn, (WAIT, 0, 0, 0)]
    first = (0, 1, ahead, 0, 1)
    last = (len(instructions) - 1, 1, ahead, repeat, 1)
    whole = [(1, len(turn), repeat, 0, 1)]
    each = [(1, len(turn), 1, layer, 1) for layer in range(repeat)]

    skipped = run(
        programs(instructions, [first, *whole, last], work), kinds, (0, 3, 0.0)
    )
    played = run(
        programs(instructions, [first, *each, last], work), kinds, (0, repeat + 2, 0.0)
    )

    assert skipped == played


def test_turns_are_alike_only_if_what_is_under_way_has_as_long_to_go() -> None:
    # Each turn works for 7 s and starts the 6 s collective of the turn after the next.
    # After one turn the second collective has 5 s to go, after two the third has 4 s,
    # and so on. Six of them, one after the other, end at 36; the four turns end at 28.
    one = collectives([(0, 6.0)])
    instructions = [
        (START, 0, 0, 0),
        (START, 0, 0, 2),
        (COMPUTE, 0, 0, 0),
        (WAIT, 0, 0, 0),
    ]
    blocks = [(0, 1, 2, 0, 1), (1, 3, 4, 0, 1), (3, 1, 2, 4, 1)]
    step = programs(instructions, blocks, [7.0])

    assert run(step, one, (0, 3, 0.0)) == ([36.0], [[8.0]])


@st.composite
def pipelines(draw: st.DrawFn) -> list[list[float]]:
    """Durations of forward, backward, last backward and transfers of each stage."""
    stages = draw(st.integers(1, 5))
    rows = st.lists(seconds, min_size=stages, max_size=stages)
    return [*(draw(rows) for _ in range(3)), draw(rows)[1:]]


@settings(max_examples=200)
@given(
    schedule=st.sampled_from(Schedule),
    micro_batches=st.integers(1, 6),
    durations=pipelines(),
)
def test_a_pipeline_runs_as_its_schedule_reads(
    schedule: Schedule, micro_batches: int, durations: list[list[float]]
) -> None:
    forward, backward, last_backward, onward = durations
    stages, last = len(forward), micro_batches - 1
    orders = [list(slots(schedule, stages, s, micro_batches)) for s in range(stages)]

    @cache
    def end(stage: int, forwards: bool, m: int) -> float:
        if forwards:
            return start(stage, True, m) + forward[stage]
        whole = last_backward if m == last else backward
        return start(stage, False, m) + whole[stage]

    @cache
    def start(stage: int, forwards: bool, m: int) -> float:
        own = [(slot.forward, slot.micro_batch) for slot in orders[stage]]
        place = own.index((forwards, m))
        free = end(stage, *own[place - 1]) if place else 0.0
        source = stage - 1 if forwards else stage + 1
        there = arrival(source, forwards, m) if 0 <= source < stages else 0.0
        return max(free, there)

    @cache
    def arrival(source: int, forwards: bool, m: int) -> float:
        """After all that was sent before, and one at a time."""
        before = arrival(source, forwards, m - 1) if m else 0.0
        link = onward[source] if forwards else onward[source - 1]
        return max(before, end(source, forwards, m)) + link

    first_end, last_start = run_schedule(
        np.array([warm_up(schedule, stages, s, micro_batches) for s in range(stages)]),
        micro_batches,
        *(np.array(row) for row in durations),
    )

    assert first_end.tolist() == [end(s, True, 0) for s in range(stages)]
    assert last_start.tolist() == [start(s, False, last) for s in range(stages)]
