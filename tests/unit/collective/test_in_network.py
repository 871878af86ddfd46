"""The switch that adds up and copies: what goes through each port."""

import numpy as np
import pytest

from cosmic.collective.algorithm import SwitchStep
from cosmic.collective.in_network import InNetwork
from cosmic.trace.node import CollectiveKind

KINDS = CollectiveKind


def step_of(kind: CollectiveKind, size: int) -> SwitchStep:
    (step,) = InNetwork().steps(kind, size)
    assert isinstance(step, SwitchStep)
    return step


@pytest.mark.parametrize(
    ("kind", "up", "down"),
    [
        (KINDS.ALL_REDUCE, 1, 1),
        (KINDS.REDUCE_SCATTER, 1, 1 / 4),
        (KINDS.ALL_GATHER, 1 / 4, 3 / 4),
        (KINDS.ALL_TO_ALL, 3 / 4, 3 / 4),
    ],
)
def test_all_ports_carry_the_same(kind: CollectiveKind, up: float, down: float) -> None:
    step = step_of(kind, 4)

    assert step.up.tolist() == [up] * 4
    assert step.down.tolist() == [down] * 4


def test_a_broadcast_is_one_multicast() -> None:
    step = step_of(KINDS.BROADCAST, 3)

    assert step.up.tolist() == [1, 0, 0]
    assert step.down.tolist() == [0, 1, 1]


@pytest.mark.parametrize("size", [2, 3, 17, 64])
def test_an_all_reduce_takes_the_buffer_up_once_however_many_there_are(
    size: int,
) -> None:
    step = step_of(KINDS.ALL_REDUCE, size)

    assert np.array_equal(step.up, np.ones(size))
    assert step.repeat == 1
