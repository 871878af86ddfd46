"""The player of messages: it carries out what it is told, and finds what is wrong."""

from collections.abc import Sequence

import numpy as np
import pytest

from cosmic.collective.algorithm import AnyStep, Step, SwitchStep
from cosmic.testing.player import Contents, Message, SwitchRound, Turn, play
from cosmic.trace.node import CollectiveKind

Sent = tuple[int, int, float]

AR, AG, RS, A2A, BROADCAST = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL,
    CollectiveKind.BROADCAST,
)
FIRST, SECOND = (0, 0), (1, 0)  # the slices of two devices


def step(*messages: Sent, reduces: bool = False, repeat: int = 1) -> Step:
    sources, destinations, fractions = zip(*messages, strict=True)
    return Step(
        sources=np.array(sources),
        destinations=np.array(destinations),
        fractions=np.array(fractions),
        reduces=reduces,
        repeat=repeat,
    )


def switch_step(up: Sequence[float], down: Sequence[float]) -> SwitchStep:
    return SwitchStep(up=np.array(up), down=np.array(down))


def play_two(
    kind: CollectiveKind, steps: Sequence[AnyStep], turns: Sequence[Turn]
) -> None:
    play(kind, 2, steps, Contents(1, turns))


EXCHANGE = step((0, 1, 0.5), (1, 0, 0.5))
ADD = step((0, 1, 0.5), (1, 0, 0.5), reduces=True)
OWN = [Message(0, 1, [FIRST]), Message(1, 0, [SECOND])]
THEIRS = [Message(0, 1, [SECOND]), Message(1, 0, [FIRST])]


def test_two_devices_carry_out_everything_by_hand() -> None:
    play_two(AG, [EXCHANGE], [OWN])
    play_two(RS, [ADD], [THEIRS])
    play_two(AR, [ADD, EXCHANGE], [THEIRS, OWN])
    play_two(BROADCAST, [step((0, 1, 1.0))], [[Message(0, 1, [FIRST, SECOND])]])
    swapped = [Message(0, 1, [(0, 1, 0)]), Message(1, 0, [(1, 0, 0)])]
    play_two(A2A, [EXCHANGE], [swapped])


def test_messages_may_be_told_in_any_order() -> None:
    play_two(AG, [EXCHANGE], [OWN[::-1]])


def test_what_leaves_is_what_was_there_before_anything_arrived() -> None:
    both = [Message(0, 1, [FIRST, SECOND]), Message(1, 0, [FIRST, SECOND])]
    whole = step((0, 1, 1.0), (1, 0, 1.0), reduces=True)

    play_two(AR, [whole], [both])


def test_a_device_cannot_send_what_it_does_not_have() -> None:
    message = r"step 0: device 0 sends \(1, 0\), but does not have it"

    with pytest.raises(AssertionError, match=message):
        play_two(AG, [EXCHANGE], [THEIRS])


def test_a_device_cannot_pass_on_what_arrives_in_the_same_step() -> None:
    at_once = step((0, 1, 1 / 3), (1, 2, 1 / 3))
    turn = [Message(0, 1, [(0, 0)]), Message(1, 2, [(0, 0)])]

    with pytest.raises(AssertionError, match="device 1 sends"):
        play(BROADCAST, 3, [at_once], Contents(1, [turn]))


def test_a_device_cannot_add_to_what_it_does_not_have() -> None:
    message = r"device 1 adds to \(0, 0\), but does not have it"

    with pytest.raises(AssertionError, match=message):
        play_two(AG, [ADD], [OWN])


def test_a_sum_that_lacks_a_device_is_found() -> None:
    with pytest.raises(AssertionError, match="device 1 ends without the right value"):
        play_two(RS, [step((1, 0, 0.5), reduces=True)], [THEIRS[1:]])


def test_a_sum_that_counts_a_device_twice_is_found() -> None:
    twice = step((0, 1, 0.5), (1, 0, 0.5), reduces=True, repeat=2)

    with pytest.raises(AssertionError, match="ends without the right value of 1 of 1"):
        play_two(RS, [twice], [THEIRS, THEIRS])


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        (OWN[:1], "2 messages, contents of 1"),
        ([Message(0, 1, []), OWN[1]], r"a message \(0, 1, 0.5\), but contents \(0, 1,"),
        ([SwitchRound([], [])], "only a SwitchStep has rounds"),
    ],
)
def test_contents_go_with_the_messages(turn: Turn, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        play_two(AG, [EXCHANGE], [turn])


def test_contents_go_with_the_steps() -> None:
    with pytest.raises(AssertionError, match="1 steps, but contents for 2"):
        play_two(AG, [EXCHANGE], [OWN, OWN])


def test_a_switch_adds_up_and_copies() -> None:
    everything = [[FIRST, SECOND]] * 2
    round_trip = SwitchRound(up=everything, down=everything)

    play_two(AR, [switch_step([1, 1], [1, 1])], [[round_trip]])


def test_a_switch_hands_out_nothing_that_it_has_not_got() -> None:
    nothing = SwitchRound(up=[[FIRST], []], down=[[], [SECOND]])

    with pytest.raises(AssertionError, match=r"device 1 gets \(1, 0\), which nobody"):
        play_two(BROADCAST, [switch_step([0.5, 0], [0, 0.5])], [[nothing]])


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ([SwitchRound([[], []], [[], []])], "0.5 goes up at device 0, but contents of"),
        (
            [SwitchRound([[FIRST], [SECOND]], [[], []])],
            "0.5 goes down at device 0, but contents of 0",
        ),
        (OWN, "a SwitchStep has rounds, not messages"),
    ],
)
def test_rounds_go_with_the_ports(turn: Turn, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        play_two(AG, [switch_step([0.5, 0.5], [0.5, 0.5])], [turn])
