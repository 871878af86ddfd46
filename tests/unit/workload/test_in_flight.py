"""How many micro-batches a stage keeps, by schedule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.simulation.schedule import slots
from cosmic.trace.execution_graph import Schedule
from cosmic.workload.in_flight import most_kept
from cosmic.workload.layers import layer_unit
from cosmic.workload.memory import layer_activations, stage_footprint
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.put_off import put_off_bytes
from cosmic.workload.workload import Workload


def workload(
    stages: int,
    micro_batches: int,
    parts: int = 1,
    schedule: Schedule = Schedule.ONE_F_ONE_B,
) -> Workload:
    model = TransformerModel(
        layers=2 * stages * parts,
        hidden=64,
        heads=4,
        key_value_heads=4,
        head_dim=16,
        feed_forward=256,
        sequence=32,
        vocabulary=100,
    )
    split = Parallelism(pipeline=stages, virtual_stages=parts)
    return Workload(
        model=model, batch=micro_batches, parallelism=split, schedule=schedule
    )


@given(
    stages=st.integers(2, 5),
    rounds=st.integers(1, 4),
    kept=st.lists(st.integers(1, 9).map(float), min_size=1, max_size=4),
    data=st.data(),
)
def test_it_is_what_the_order_of_slots_leaves_at_the_fullest_moment(
    stages: int, rounds: int, kept: list[float], data: st.DataObject
) -> None:
    stage = data.draw(st.integers(0, stages - 1))
    schedules = (
        (Schedule.GPIPE, Schedule.ONE_F_ONE_B)
        if len(kept) == 1
        else (Schedule.ONE_F_ONE_B,)
    )
    schedule = data.draw(st.sampled_from(schedules))
    shared = workload(stages, rounds * stages, len(kept), schedule)
    held = most = 0.0
    for slot in slots(schedule, stages, stage, rounds * stages, len(kept)):
        held += kept[slot.chunk] if slot.forward else -kept[slot.chunk]
        most = max(most, held)

    assert most_kept(shared, stage, kept) == most


@pytest.mark.parametrize(("stages", "parts"), [(2, 2), (4, 2), (8, 4)])
def test_parts_keep_more_by_the_published_share(stages: int, parts: int) -> None:
    """1 + (p - 1) / (p v): Korthikanti et al. (2022), section 4.2.3."""
    shared = workload(stages, 4 * stages, parts)
    whole = shared.model.layers * layer_activations(shared)
    found = stage_footprint(shared, 0).activations

    assert found == pytest.approx(whole * (1 + (stages - 1) / (stages * parts)))


@given(
    stages=st.integers(1, 6),
    micro_batches=st.integers(1, 12),
    kept=st.integers(1, 9).map(float),
    put_off=st.integers(0, 9).map(float),
    data=st.data(),
)
def test_what_is_put_off_is_kept_until_its_slot(
    stages: int,
    micro_batches: int,
    kept: float,
    put_off: float,
    data: st.DataObject,
) -> None:
    stage = data.draw(st.integers(0, stages - 1))
    shared = workload(stages, micro_batches, schedule=Schedule.ZB_H1)
    held = most = 0.0
    for slot in slots(Schedule.ZB_H1, stages, stage, micro_batches):
        if slot.weights:
            held -= put_off
        else:
            held += kept if slot.forward else put_off - kept
        most = max(most, held)

    assert most_kept(shared, stage, [kept], put_off) == most


def test_weights_gradients_keep_the_published_bytes() -> None:
    """32 s b h of 34 s b h for each layer: Qi et al. (2023), section 2 and table 1."""
    shared = workload(4, 8, schedule=Schedule.ZB_H1)
    model = shared.model
    later = layer_unit(shared).weight_backward
    each = model.sequence * model.hidden  # one sequence a micro-batch

    assert put_off_bytes(shared, later) == 32 * each
    assert layer_activations(shared) == 34 * each


def test_zb_h1_needs_no_more_than_1f1b_on_the_first_stage() -> None:
    """Same peak as 1F1B but for the one micro-batch that is halfway."""
    zero, one = (
        stage_footprint(workload(4, 8, schedule=schedule), 0).activations
        for schedule in (Schedule.ZB_H1, Schedule.ONE_F_ONE_B)
    )

    assert zero == one
