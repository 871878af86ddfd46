"""Laws of every collective algorithm there is, known only by its messages."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.collective.algorithm import ALGORITHMS, Floats, Step
from cosmic.collective.plan import plan
from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.network.dimension import Shape
from cosmic.simulation.communication import phase_cost
from cosmic.system.placement import Span
from cosmic.trace.node import CollectiveKind

AR, AG, RS, A2A = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL,
)
ROUNDING = 1e-9  # sums of up to some hundred fractions

algorithms = st.sampled_from(ALGORITHMS.names())
kinds = st.sampled_from(CollectiveKind)
shapes = st.sampled_from(Shape)


def steps(name: str, kind: CollectiveKind, size: int) -> list[Step]:
    return list(ALGORITHMS.get(name)().steps(kind, size))


def fits(name: str, size: int) -> bool:
    return name != "halvingDoubling" or size & (size - 1) == 0


def sent(messages: list[Step], size: int) -> Floats:
    """What each device sends, in buffers."""
    total = np.zeros(size)
    for step in messages:
        np.add.at(total, step.sources, step.repeat * step.fractions)
    return total


def received(messages: list[Step], size: int) -> Floats:
    total = np.zeros(size)
    for step in messages:
        np.add.at(total, step.destinations, step.repeat * step.fractions)
    return total


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, int]:
    name = draw(algorithms)
    size = draw(st.integers(2, 33) if name != "halvingDoubling" else st.just(0))
    return name, size or draw(st.sampled_from([2, 4, 8, 16, 32, 64]))


@given(case=cases(), kind=kinds)
def test_what_every_device_knows_reaches_every_other(
    case: tuple[str, int], kind: CollectiveKind
) -> None:
    name, size = case
    knows = np.eye(size, dtype=bool)

    for step in steps(name, kind, size):
        for _ in range(step.repeat):
            told = knows[step.sources]
            np.logical_or.at(knows, step.destinations, told)

    assert knows.all()


@given(case=cases())
def test_no_all_reduce_sends_less_than_the_lower_bound(case: tuple[str, int]) -> None:
    """An all-reduce sends at least 2(n-1)/n of the buffer (Patarasuk, 2009)."""
    name, size = case
    average = sent(steps(name, AR, size), size).mean()

    assert average >= 2 * (size - 1) / size - ROUNDING


@given(case=cases(), kind=st.sampled_from([RS, A2A]))
def test_every_device_sends_what_it_does_not_keep(
    case: tuple[str, int], kind: CollectiveKind
) -> None:
    """All that others keep of a device's buffer, (n-1)/n, has to leave it."""
    name, size = case

    assert sent(steps(name, kind, size), size).min() >= (size - 1) / size - ROUNDING


@given(case=cases(), kind=st.sampled_from([AG, A2A]))
def test_every_device_receives_what_it_does_not_have(
    case: tuple[str, int], kind: CollectiveKind
) -> None:
    name, size = case

    assert received(steps(name, kind, size), size).min() >= (
        (size - 1) / size - ROUNDING
    )


@given(case=cases(), kind=kinds)
def test_only_sums_add_up(case: tuple[str, int], kind: CollectiveKind) -> None:
    name, size = case
    added = sum(
        step.repeat * step.fractions.sum()
        for step in steps(name, kind, size)
        if step.reduces
    )

    if kind in (AG, A2A):
        assert added == 0
    else:  # n vectors become one, in whatever order: n - 1 sums of a whole buffer
        assert added == pytest.approx(size - 1)


@given(case=cases(), kind=kinds)
def test_messages_stay_in_the_group_and_are_never_sent_to_oneself(
    case: tuple[str, int], kind: CollectiveKind
) -> None:
    name, size = case

    for step in steps(name, kind, size):
        for devices in (step.sources, step.destinations):
            assert ((devices >= 0) & (devices < size)).all()
        assert (step.sources != step.destinations).all()
        assert (step.fractions > 0).all()


@pytest.mark.parametrize("name", ALGORITHMS.names())
@pytest.mark.parametrize("kind", CollectiveKind)
def test_one_device_alone_sends_nothing(name: str, kind: CollectiveKind) -> None:
    assert steps(name, kind, 1) == []


@given(
    name=st.sampled_from(["ring", "direct", "halvingDoubling"]),
    size=st.sampled_from([2, 4, 8, 16]),
    shape=shapes,
)
def test_reduce_scatter_and_all_gather_are_an_all_reduce(
    name: str, size: int, shape: Shape
) -> None:
    parts = [phase_cost(name, kind, shape, size, Span(0, size, 1)) for kind in (RS, AG)]
    whole = phase_cost(name, AR, shape, size, Span(0, size, 1))

    for field in ("steps", "hops", "load", "reduced", "sent"):
        both = sum(getattr(part, field) for part in parts)
        assert both == pytest.approx(getattr(whole, field))


@given(case=cases(), kind=kinds, shape=shapes)
def test_the_busiest_link_carries_at_least_a_device_s_share(
    case: tuple[str, int], kind: CollectiveKind, shape: Shape
) -> None:
    """Nobody can send more than all its links carry."""
    name, size = case
    links = {Shape.RING: 2, Shape.SWITCH: 1, Shape.FULLY_CONNECTED: size - 1}[shape]
    cost = phase_cost(name, kind, shape, size, Span(0, size, 1))

    assert cost.load * links >= cost.sent - ROUNDING


@given(case=cases(), kind=kinds, shape=shapes, data=st.data(), copies=st.integers(1, 3))
def test_spreading_a_group_never_helps(
    case: tuple[str, int],
    kind: CollectiveKind,
    shape: Shape,
    data: st.DataObject,
    copies: int,
) -> None:
    name, size = case
    stride = data.draw(st.integers(1, 3))
    alone = phase_cost(name, kind, shape, size, Span(0, size, 1))
    spread = phase_cost(
        name, kind, shape, size * stride * copies, Span(0, size, stride)
    )

    assert spread.steps == alone.steps
    assert spread.hops >= alone.hops
    assert spread.load >= alone.load - ROUNDING
    assert (spread.sent, spread.reduced) == (alone.sent, alone.reduced)


extents = st.lists(st.sampled_from([2, 4, 8]), min_size=1, max_size=4)
minimal = st.sampled_from(["ring", "direct", "halvingDoubling"])


def policy(name: str, dimensions: int, scheme: MultiDimensional) -> CollectivePolicy:
    names = (name,) * dimensions
    return CollectivePolicy(
        all_reduce=names,
        all_gather=names,
        reduce_scatter=names,
        all_to_all=names,
        multi_dimensional=scheme,
    )


def sent_by_dimension(
    kind: CollectiveKind, sizes: list[int], name: str, scheme: MultiDimensional
) -> list[float]:
    """Buffers that a device sends into each dimension."""
    total = [0.0] * len(sizes)
    for phase in plan(kind, tuple(enumerate(sizes)), policy(name, len(sizes), scheme)):
        size = sizes[phase.dimension]
        each = sent(steps(phase.algorithm, phase.kind, size), size).mean()
        total[phase.dimension] += phase.fraction * float(each)
    return total


@given(sizes=extents, name=minimal, kind=st.sampled_from([RS, AG, AR]))
def test_a_hierarchy_sends_no_more_than_one_dimension_would(
    sizes: list[int], name: str, kind: CollectiveKind
) -> None:
    n = math.prod(sizes)
    both_ways = 2 if kind is AR else 1

    total = sum(sent_by_dimension(kind, sizes, name, MultiDimensional.LOCAL_BW_AWARE))

    assert total == pytest.approx(both_ways * (n - 1) / n)


@given(sizes=extents, name=minimal)
def test_a_hierarchy_sends_less_the_further_out(sizes: list[int], name: str) -> None:
    aware = sent_by_dimension(AR, sizes, name, MultiDimensional.LOCAL_BW_AWARE)
    baseline = sent_by_dimension(AR, sizes, name, MultiDimensional.BASELINE)

    assert all(outer < inner for inner, outer in pairwise(aware))
    assert aware[0] == pytest.approx(baseline[0])
    assert all(a < b for a, b in zip(aware[1:], baseline[1:], strict=True))


@given(sizes=extents, name=minimal, scheme=st.sampled_from(MultiDimensional))
def test_an_all_reduce_adds_up_every_vector(
    sizes: list[int], name: str, scheme: MultiDimensional
) -> None:
    """Each group's sums times the groups there are: n - 1 for a hierarchy."""
    n = math.prod(sizes)
    found = plan(AR, tuple(enumerate(sizes)), policy(name, len(sizes), scheme))
    added = 0.0
    for phase in found:
        size = sizes[phase.dimension]
        for step in steps(phase.algorithm, phase.kind, size):
            once = step.repeat * step.fractions.sum() if step.reduces else 0.0
            added += phase.fraction * once * n / size

    if scheme is MultiDimensional.LOCAL_BW_AWARE:
        assert added == pytest.approx(n - 1)
    else:  # every dimension adds up whole buffers on all its devices
        assert added == pytest.approx(sum(n * (size - 1) / size for size in sizes))
