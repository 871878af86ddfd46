"""Devices that fetch sums from a switch and multicast them: what each port carries."""

import pytest

from cosmic.collective.algorithm import SwitchStep
from cosmic.collective.nvls import Nvls
from cosmic.network.wiring import Shape, Wiring
from cosmic.simulation.communication import phase_cost
from cosmic.system.placement import Span
from cosmic.trace.node import CollectiveKind

KINDS = CollectiveKind


@pytest.mark.parametrize(
    ("kind", "up", "down"),
    [
        (KINDS.ALL_REDUCE, 5 / 4, 5 / 4),  # fetched: all, one; multicast: one, all
        (KINDS.REDUCE_SCATTER, 1, 1 / 4),
        (KINDS.ALL_GATHER, 1 / 4, 1),
        (KINDS.ALL_TO_ALL, 3 / 4, 3 / 4),
    ],
)
def test_all_ports_carry_the_same(kind: CollectiveKind, up: float, down: float) -> None:
    (step,) = Nvls().steps(kind, 4)

    assert isinstance(step, SwitchStep)
    assert step.up.tolist() == [up] * 4
    assert step.down.tolist() == [down] * 4


def test_eight_devices_get_fourteen_ninths_of_a_ring_s_bandwidth() -> None:
    wiring, span = Wiring(Shape.SWITCH, 8), Span(0, 8, 1)

    ring = phase_cost("ring", KINDS.ALL_REDUCE, wiring, span).load
    nvls = phase_cost("nvls", KINDS.ALL_REDUCE, wiring, span).load

    assert ring / nvls == pytest.approx(14 / 9, rel=1e-12)  # 2(n-1) slices, n+1


def test_one_device_alone_sends_nothing() -> None:
    assert list(Nvls().steps(KINDS.ALL_REDUCE, 1)) == []
