"""The compiled loops beside plain ones, and by hand."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.simulation import kernels
from cosmic.simulation.columns import Collectives, Programs
from cosmic.simulation.communication import PhaseTime, TimedRoute
from cosmic.simulation.flat_graph import COMPUTE, START, WAIT
from cosmic.simulation.flat_routes import flat_phases
from cosmic.simulation.kernels import run_schedule
from cosmic.simulation.schedule import slots, warm_up
from cosmic.system.placement import Span
from cosmic.trace.execution_graph import Schedule

seconds = st.sampled_from((0.0, 1.0, 1.0, 2.0, 3.0, 7.0))  # whole: sums are exact


Phase = tuple[int, float] | tuple[int, float, float]


def collectives(
    *rows: list[Phase],
    chunks: int | tuple[int, ...] = 1,
    active: int = 1,
    lifo: bool = False,
) -> Collectives:
    """Collectives given as dimension and duration of each phase of a chunk.

    A third number is how long the chunk has the links, all of the duration if left
    out. Where `chunks` are several numbers, the rows are as many routes of one
    collective.
    """
    if isinstance(chunks, int):
        phases = [flat_phases([route(row, chunks)] if row else []) for row in rows]
        total = chunks
    else:
        phases, total = [flat_phases(list(map(route, rows, chunks)))], sum(chunks)
    every = [phase for row in phases for phase in row]
    numbers = [(p.timed.dimension, p.following, p.chunks) for p in every]
    times = [(p.timed.seconds, p.timed.link_seconds) for p in every]
    return Collectives(
        phase_start=np.cumsum([0, *map(len, phases)]),
        phases=np.array(numbers, np.int64).reshape(-1, 3),
        phase_seconds=np.array(times).reshape(-1, 2),
        group_of=np.arange(len(phases)),
        groups=len(phases),
        dimensions=3,
        chunks=total,
        active_chunks=active,
        lifo=lifo,
    )


def route(row: list[Phase], chunks: int) -> TimedRoute:
    """A route of so many chunks."""
    return TimedRoute(
        chunks,
        tuple(
            PhaseTime(Span(d, 2, 1), d, seconds, (*links, seconds)[0], 0.0)
            for d, seconds, *links in row
        ),
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


@given(
    phase=st.tuples(seconds, seconds).map(lambda pair: (max(pair), min(pair))),
    chunks=st.integers(1, 9),
    active=st.integers(1, 5),
)
def test_chunks_share_one_dimension_as_the_closed_form_says(
    phase: tuple[float, float], chunks: int, active: int
) -> None:
    """Each chunk waits for the links, and for the one that is `active` before it."""
    total, links = phase
    one = collectives([(0, total, links)], chunks=chunks, active=active)

    rounds, more = divmod(chunks - 1, active)
    last_start = max((chunks - 1) * links, rounds * total + more * links)
    assert kernels.alone(one).tolist() == [last_start + total]


@given(
    phases=st.lists(
        st.tuples(st.integers(0, 2), seconds, seconds).map(
            lambda phase: (phase[0], max(phase[1:]), min(phase[1:]))
        ),
        min_size=1,
        max_size=4,
    ),
    chunks=st.integers(1, 9),
    active=st.integers(1, 5),
)
def test_no_collective_is_faster_than_the_links_of_any_dimension(
    phases: list[Phase], chunks: int, active: int
) -> None:
    one = collectives(phases, chunks=chunks, active=active)

    busy = [
        chunks * sum(row[-1] for row in phases if row[0] == dimension)
        for dimension in range(3)
    ]
    assert kernels.alone(one)[0] >= max(busy)


def test_chunks_that_are_done_with_the_links_leave_them_to_others() -> None:
    # Three chunks take the links of dimension 0 for 1 s each and stay for 5 s. With two
    # at once they begin at 0, 1 and 5, so leave at 5, 6 and 10; dimension 1, which
    # takes 2 s, has them at 5, 7 and 10 and is done at 12.
    one = collectives([(0, 5.0, 1.0), (1, 2.0)], chunks=3, active=2)

    assert kernels.alone(one).tolist() == [12.0]


def test_chunks_of_one_place_go_in_the_order_of_their_routes() -> None:
    # Two chunks go first to dimension 0 for 2 s, then to 1 for 3 s; one the other way
    # round, for 1 s and 4 s. Dimension 1 takes the latter at 0. Dimension 0 prefers
    # what stands at its first place: the first route's chunks at 0 and 2, then the
    # second's at 4 until 8. Dimension 1: 2-5 and 5-8.
    one = collectives([(0, 2.0), (1, 3.0)], [(1, 1.0), (0, 4.0)], chunks=(2, 1))

    assert kernels.alone(one).tolist() == [8.0]


def test_of_two_first_phases_in_one_dimension_the_first_route_goes_first() -> None:
    # the 1 s chunk at 0, the 5 s chunk at 1; the other way round it would be 5 + 1 + 9
    one = collectives([(0, 1.0), (1, 9.0)], [(0, 5.0)], chunks=(1, 1))

    assert kernels.alone(one).tolist() == [10.0]


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
    phases=st.lists(
        st.tuples(st.integers(0, 2), seconds, seconds).map(
            lambda phase: (phase[0], phase[1] + phase[2], phase[1])
        ),
        min_size=1,
        max_size=3,
    ),
    ahead=st.integers(1, 3),
    repeat=st.integers(1, 20),
    chunks_and_active=st.tuples(st.integers(1, 4), st.integers(1, 3)),
    lifo=st.booleans(),
)
def test_a_block_of_many_turns_is_as_many_blocks_of_one(
    work: list[float],
    phases: list[Phase],
    ahead: int,
    repeat: int,
    chunks_and_active: tuple[int, int],
    lifo: bool,
) -> None:
    """Steady turns are skipped in the one, and played in the other."""
    chunks, active = chunks_and_active
    kinds = collectives(phases, [(0, 1.0)], chunks=chunks, active=active, lifo=lifo)
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
    """Durations of forward, backward, last backward and transfers either way."""
    stages = draw(st.integers(1, 5))
    rows = st.lists(seconds, min_size=stages, max_size=stages)
    return [*(draw(rows) for _ in range(3)), draw(rows)[1:], draw(rows)[1:]]


@settings(max_examples=200)
@given(
    schedule=st.sampled_from((Schedule.GPIPE, Schedule.ONE_F_ONE_B)),
    micro_batches=st.integers(1, 6),
    durations=pipelines(),
)
def test_a_pipeline_runs_as_its_schedule_reads(
    schedule: Schedule, micro_batches: int, durations: list[list[float]]
) -> None:
    forward, backward, last_backward, onward, back = durations
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
        link = onward[source] if forwards else back[source - 1]
        return max(before, end(source, forwards, m)) + link

    first_end, last_start = run_schedule(
        np.array([warm_up(schedule, stages, s, micro_batches) for s in range(stages)]),
        micro_batches,
        *(np.array(row) for row in durations),
    )

    assert first_end.tolist() == [end(s, True, 0) for s in range(stages)]
    assert last_start.tolist() == [start(s, False, last) for s in range(stages)]
