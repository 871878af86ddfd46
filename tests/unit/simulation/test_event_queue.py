"""Events happen in the order of time, and at one time in the order of coming."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.simulation.event_queue import EventQueue


@given(times=st.lists(st.sampled_from((0.0, 0.5, 1.0, 2.0))))
def test_events_leave_by_time_and_then_as_they_came(times: list[float]) -> None:
    queue = EventQueue[int]()
    for number, time in enumerate(times):
        queue.push(time, number)

    left = []
    while len(queue):
        now, events = queue.pop_instant()
        left += [(now, number) for number in events]

    assert left == sorted((time, number) for number, time in enumerate(times))


def test_an_instant_has_all_of_its_events_and_no_other() -> None:
    queue = EventQueue[str]()
    for time, event in ((1.0, "a"), (2.0, "c"), (1.0, "b")):
        queue.push(time, event)

    assert queue.pop_instant() == (1.0, ["a", "b"])
    assert len(queue) == 1


def test_events_need_not_be_comparable() -> None:
    queue = EventQueue[object]()
    events = [object(), object()]
    for event in events:
        queue.push(1.0, event)

    assert queue.pop_instant() == (1.0, events)


def test_what_comes_while_an_instant_is_handled_is_an_instant_of_its_own() -> None:
    queue = EventQueue[str]()
    queue.push(1.0, "first")
    queue.pop_instant()
    queue.push(1.0, "then")

    assert queue.next_time() == 1.0
    assert queue.pop_instant() == (1.0, ["then"])


def test_an_empty_queue_has_nothing_to_wait_for() -> None:
    queue = EventQueue[str]()

    assert queue.next_time() == float("inf")
    with pytest.raises(IndexError):
        queue.pop_instant()
