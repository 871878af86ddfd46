"""Every built-in collective algorithm is held to what a stranger's is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from typing_extensions import override

from cosmic.collective.algorithm import (
    ALGORITHMS,
    AnyStep,
    CollectiveAlgorithm,
    ShiftStep,
    Step,
    SwitchStep,
    make_algorithm,
)
from cosmic.collective.in_network import InNetwork
from cosmic.collective.ring import Ring
from cosmic.errors import SpecError
from cosmic.testing.conformance import check_algorithm
from cosmic.testing.contents import contents_of
from cosmic.trace.node import CollectiveKind

WINDOWED = ("direct1", "direct2", "direct3", "direct7", "direct99")


@pytest.mark.parametrize("name", [*ALGORITHMS.names(), *WINDOWED])
def test_every_built_in_algorithm_delivers_what_it_promises(name: str) -> None:
    check_algorithm(make_algorithm(name), contents_of(name))


@pytest.mark.parametrize("name", [*ALGORITHMS.names(), *WINDOWED])
def test_only_halving_refuses_a_size(name: str) -> None:
    refused = set()
    for kind in CollectiveKind:
        for size in range(1, 18):
            try:
                make_algorithm(name).steps(kind, size)
            except SpecError:
                refused.add(size)

    odd = {size for size in range(1, 18) if size & (size - 1)}
    assert refused == (odd if name == "halvingDoubling" else set())


@dataclass(frozen=True)
class Changed(CollectiveAlgorithm):
    """An algorithm, and then something wrong."""

    algorithm: CollectiveAlgorithm
    change: Callable[[AnyStep], AnyStep | None]

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        changed = map(self.change, self.algorithm.steps(kind, size))
        return [step for step in changed if step is not None]


class Talkative(CollectiveAlgorithm):
    """Sends even when there is nobody else."""

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        return [
            Step(
                sources=np.array([0]),
                destinations=np.array([1]),
                fractions=np.array([1.0]),
            )
        ]


class Reluctant(CollectiveAlgorithm):
    """Does nothing for anybody."""

    @override
    def steps(self, kind: CollectiveKind, size: int) -> Sequence[AnyStep]:
        raise SpecError("not today")


def of_ring(change: Callable[[ShiftStep], AnyStep | None]) -> Changed:
    def shifted(step: AnyStep) -> AnyStep | None:
        return change(step) if isinstance(step, ShiftStep) else step

    return Changed(Ring(), shifted)


def of_switch(change: Callable[[SwitchStep], AnyStep]) -> Changed:
    def switched(step: AnyStep) -> AnyStep:
        assert isinstance(step, SwitchStep)
        return change(step)

    return Changed(InNetwork(), switched)


@pytest.mark.parametrize(
    ("algorithm", "promise"),
    [
        (Talkative(), "all_reduce among 1: a group of one must send nothing"),
        (Reluctant(), "refuses every kind and size"),
        (of_ring(lambda s: None), "0 steps, but contents for 4"),
        (of_ring(lambda s: replace(s, repeat=0)), "a step is repeated 0 times"),
        (of_ring(lambda s: replace(s, repeat=3)), "6 steps, but contents for 4"),
        (of_ring(lambda s: replace(s, size=2)), "4 messages|2 messages, contents of 3"),
        (of_ring(lambda s: replace(s, size=4)), "a message leaves the group"),
        (of_ring(lambda s: replace(s, distances=s.distances + 2)), "sends to itself"),
        (of_ring(lambda s: replace(s, distances=s.distances + 1)), "but contents"),
        (of_ring(lambda s: replace(s, each=s.each / 2)), "but contents"),
        (of_ring(lambda s: replace(s, each=s.each * 0)), "a message is empty"),
        (of_ring(lambda s: replace(s, reduces=False)), "ends without the right value"),
        (of_ring(lambda s: replace(s, reduces=True)), "ends without the right value"),
        (of_switch(lambda s: replace(s, up=s.up[1:])), "2 ports for 3 devices"),
        (of_switch(lambda s: replace(s, up=-s.up)), "less than nothing"),
        (of_switch(lambda s: replace(s, up=s.up / 2)), "0.5 goes up at device 0"),
        (of_switch(lambda s: replace(s, down=s.down / 2)), "0.5 goes down at device 0"),
    ],
)
def test_a_broken_promise_is_named(
    algorithm: CollectiveAlgorithm, promise: str
) -> None:
    inner = getattr(algorithm, "algorithm", Ring())
    contents = contents_of("inNetwork" if isinstance(inner, InNetwork) else "ring")

    with pytest.raises(AssertionError, match=promise):
        check_algorithm(algorithm, contents, sizes=(1, 3))
