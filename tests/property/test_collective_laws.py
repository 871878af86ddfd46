"""Laws of every collective algorithm there is, known only by its messages."""

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.collective.algorithm import (
    ALGORITHMS,
    AnyStep,
    Floats,
    Ints,
    SwitchStep,
    make_algorithm,
)
from cosmic.collective.plan import Phase, plan
from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.network.routing import link_load, links_between
from cosmic.network.wiring import Shape, Wiring, links_per_device
from cosmic.simulation.communication import PhaseCost, phase_cost
from cosmic.system.placement import Span
from cosmic.trace.node import CollectiveKind

AR, AG, RS, A2A, BROADCAST = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL,
    CollectiveKind.BROADCAST,
)
ROUNDING = 1e-9  # sums of up to some hundred fractions
NAMES = (*ALGORITHMS.names(), "direct1", "direct3")
IN_SWITCH = ("inNetwork", "nvls")  # the switch adds up, not the devices
BETWEEN_DEVICES = tuple(name for name in NAMES if name not in IN_SWITCH)

kinds = st.sampled_from(CollectiveKind)


def steps(name: str, kind: CollectiveKind, size: int) -> list[AnyStep]:
    return list(make_algorithm(name).steps(kind, size))


def sent(messages: list[AnyStep], size: int) -> Floats:
    """What each device sends, in buffers."""
    total = np.zeros(size)
    for step in messages:
        if isinstance(step, SwitchStep):
            total += step.repeat * step.up
        else:
            np.add.at(total, step.sources, step.repeat * step.fractions)
    return total


def received(messages: list[AnyStep], size: int) -> Floats:
    total = np.zeros(size)
    for step in messages:
        if isinstance(step, SwitchStep):
            total += step.repeat * step.down
        else:
            np.add.at(total, step.destinations, step.repeat * step.fractions)
    return total


def tell(step: AnyStep, knows: Floats) -> None:
    """Who knows of whom after a step, shape (size, size)."""
    if isinstance(step, SwitchStep):
        knows[step.down > 0] += knows[step.up > 0].sum(axis=0)
    else:
        np.add.at(knows, step.destinations, knows[step.sources])
    np.minimum(knows, 1, out=knows)


@st.composite
def cases(
    draw: st.DrawFn, names: tuple[str, ...] = NAMES, powers: bool = False
) -> tuple[str, int]:
    name = draw(st.sampled_from(names))
    if powers or name == "halvingDoubling":
        return name, draw(st.sampled_from([2, 4, 8, 16, 32, 64]))
    return name, draw(st.integers(2, 33))


@st.composite
def on_wirings(
    draw: st.DrawFn,
    names: tuple[str, ...] = NAMES,
    among: tuple[Shape, ...] = tuple(Shape),
) -> tuple[str, Wiring, Span]:
    """An algorithm, and groups of any extent, stride and number where it exists."""
    name = draw(st.sampled_from(names))
    shape = Shape.SWITCH if name in IN_SWITCH else draw(st.sampled_from(among))
    cube = shape is Shape.HYPERCUBE
    _, extent = draw(cases((name,), powers=cube))
    stride = draw(st.sampled_from([1, 2, 4] if cube else [1, 2, 3]))
    copies = draw(st.sampled_from([1, 2, 4] if cube else [1, 2, 3]))
    return name, Wiring(shape, extent * stride * copies), Span(0, extent, stride)


@given(case=cases(), kind=kinds)
def test_what_every_device_knows_reaches_every_other(
    case: tuple[str, int], kind: CollectiveKind
) -> None:
    name, size = case
    knows = np.eye(size)

    for step in steps(name, kind, size):
        for _ in range(step.repeat):
            tell(step, knows)

    assert knows[:, 0].all()
    assert kind is BROADCAST or knows.all()


@given(case=cases(BETWEEN_DEVICES))
def test_no_all_reduce_sends_less_than_the_lower_bound(case: tuple[str, int]) -> None:
    """An all-reduce sends at least 2(n-1)/n of the buffer (Patarasuk, 2009)."""
    name, size = case
    average = sent(steps(name, AR, size), size).mean()

    assert average >= 2 * (size - 1) / size - ROUNDING


@given(case=cases(IN_SWITCH))
def test_a_switch_cannot_add_up_what_is_not_sent_to_it(case: tuple[str, int]) -> None:
    name, size = case
    messages = steps(name, AR, size)

    assert sent(messages, size).min() >= 1
    assert received(messages, size).min() >= 1


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


@given(case=cases())
def test_everybody_but_the_first_receives_a_broadcast(case: tuple[str, int]) -> None:
    name, size = case
    messages = steps(name, BROADCAST, size)

    assert received(messages, size)[1:].min() >= 1 - ROUNDING
    assert sent(messages, size)[0] >= 1 - ROUNDING


@given(case=cases(), kind=kinds)
def test_only_sums_add_up(case: tuple[str, int], kind: CollectiveKind) -> None:
    name, size = case
    added = sum(
        step.repeat * step.fractions.sum()
        for step in steps(name, kind, size)
        if not isinstance(step, SwitchStep) and step.reduces
    )

    if kind in (AR, RS) and name not in IN_SWITCH:
        # n vectors become one, in whatever order: n - 1 sums of a whole buffer
        assert added == pytest.approx(size - 1)
    else:
        assert added == 0


@given(case=cases(), kind=kinds)
def test_messages_stay_in_the_group_and_are_never_sent_to_oneself(
    case: tuple[str, int], kind: CollectiveKind
) -> None:
    name, size = case

    for step in steps(name, kind, size):
        if isinstance(step, SwitchStep):
            assert step.up.shape == step.down.shape == (size,)
            continue
        for devices in (step.sources, step.destinations):
            assert ((devices >= 0) & (devices < size)).all()
        assert (step.sources != step.destinations).all()
        assert (step.fractions > 0).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", CollectiveKind)
def test_one_device_alone_sends_nothing(name: str, kind: CollectiveKind) -> None:
    assert steps(name, kind, 1) == []


@given(case=on_wirings(tuple(n for n in BETWEEN_DEVICES if n != "doubleBinaryTree")))
def test_reduce_scatter_and_all_gather_are_an_all_reduce(
    case: tuple[str, Wiring, Span],
) -> None:
    name, wiring, span = case
    parts = [phase_cost(name, kind, wiring, span) for kind in (RS, AG)]
    whole = phase_cost(name, AR, wiring, span)

    for field in ("steps", "load", "reduced", "sent"):
        both = sum(getattr(part, field) for part in parts)
        assert both == pytest.approx(getattr(whole, field))
    # the longest path of the second half need not begin where that of the first ends
    assert max(part.hops for part in parts) < whole.hops
    assert whole.hops <= sum(part.hops for part in parts)


@given(case=on_wirings(BETWEEN_DEVICES), kind=kinds)
def test_a_phase_costs_what_routing_every_message_finds(
    case: tuple[str, Wiring, Span], kind: CollectiveKind
) -> None:
    name, wiring, span = case

    cost = phase_cost(name, kind, wiring, span)

    slow = routed(steps(name, kind, span.extent), wiring, span)
    assert (cost.steps, cost.hops) == (slow.steps, slow.hops)
    for field in ("load", "reduced", "sent"):
        assert getattr(cost, field) == pytest.approx(getattr(slow, field))


def routed(messages: list[AnyStep], wiring: Wiring, span: Span) -> PhaseCost:
    """The cost of steps by writing out every message of every group."""
    block = span.extent * span.stride
    firsts = [b + s for b in range(0, wiring.size, block) for s in range(span.stride)]
    count, load, reduced, total = 0, 0.0, 0.0, 0.0
    paths = [0] * wiring.size  # the longest one that ends at each position
    for step in messages:
        assert not isinstance(step, SwitchStep)
        ends = [
            np.concatenate([first + devices * span.stride for first in firsts])
            for devices in (step.sources, step.destinations)
        ]
        weights = np.concatenate([step.fractions for _ in firsts])
        found = link_load(wiring, ends[0], ends[1], weights)
        for _ in range(step.repeat):
            paths = gone_on(paths, ends[0], ends[1], wiring)
        count += step.repeat
        load += step.repeat * found.busiest
        arriving = np.bincount(step.destinations, weights=step.fractions)
        reduced += step.repeat * float(arriving.max()) * step.reduces
        total += step.repeat * float(step.fractions.sum())
    return PhaseCost(count, max(paths), load, reduced, total / span.extent)


def gone_on(
    paths: list[int], sources: Ints, destinations: Ints, wiring: Wiring
) -> list[int]:
    """The longest paths after one more step: a device awaits all that comes to it."""
    after = list(paths)
    links = links_between(wiring, sources, destinations)
    ways = zip(sources.tolist(), destinations.tolist(), links.tolist(), strict=True)
    for source, to, hops in ways:
        after[to] = max(after[to], paths[source] + hops)
    return after


@given(case=on_wirings(), kind=kinds)
def test_the_busiest_link_carries_at_least_a_device_s_share(
    case: tuple[str, Wiring, Span], kind: CollectiveKind
) -> None:
    """Nobody can send more than all its links carry."""
    name, wiring, span = case
    cost = phase_cost(name, kind, wiring, span)

    links = links_per_device(wiring.shape, wiring.size)
    assert cost.load * links >= cost.sent - ROUNDING


@given(case=on_wirings(), kind=kinds)
def test_spreading_a_group_never_helps(
    case: tuple[str, Wiring, Span], kind: CollectiveKind
) -> None:
    name, wiring, span = case
    close = Wiring(wiring.shape, span.extent)
    alone = phase_cost(name, kind, close, Span(0, span.extent, 1))
    spread = phase_cost(name, kind, wiring, span)

    assert spread.steps == alone.steps
    assert spread.hops >= alone.hops
    assert spread.load >= alone.load - ROUNDING
    assert (spread.sent, spread.reduced) == (alone.sent, alone.reduced)


# a ring may halve a message over its two ways
whole_messages = (Shape.SWITCH, Shape.MESH, Shape.HYPERCUBE)


@given(case=on_wirings(BETWEEN_DEVICES, among=whole_messages), kind=kinds)
def test_a_link_for_every_pair_never_carries_more_than_shared_ones(
    case: tuple[str, Wiring, Span], kind: CollectiveKind
) -> None:
    name, wiring, span = case
    pairs = Wiring(Shape.FULLY_CONNECTED, wiring.size)

    direct = phase_cost(name, kind, pairs, span)

    assert direct.load <= phase_cost(name, kind, wiring, span).load + ROUNDING


@given(
    case=on_wirings(),
    kind=kinds,
    factors=st.lists(st.floats(0.1, 1), min_size=2, max_size=2).map(sorted),
)
def test_slower_links_in_one_direction_never_help(
    case: tuple[str, Wiring, Span], kind: CollectiveKind, factors: list[float]
) -> None:
    name, wiring, span = case
    slow, faster, even = (
        phase_cost(name, kind, Wiring(wiring.shape, wiring.size, 1, factor), span)
        for factor in (*factors, 1.0)
    )

    assert slow.hops == even.hops
    assert slow.load >= faster.load - ROUNDING >= even.load - 2 * ROUNDING
    assert slow.load <= even.load / factors[0] + ROUNDING


@given(
    case=cases(),
    kind=kinds,
    factors=st.lists(st.floats(1, 20), min_size=2, max_size=2).map(sorted),
)
def test_a_thinner_core_never_helps(
    case: tuple[str, int], kind: CollectiveKind, factors: list[float]
) -> None:
    name, size = case
    loads = [
        phase_cost(
            name, kind, Wiring(Shape.SWITCH, size, factor), Span(0, size, 1)
        ).load
        for factor in (1.0, *factors)
    ]

    full, thin, thinner = loads
    assert full <= thin + ROUNDING <= thinner + 2 * ROUNDING
    assert thinner <= full * factors[1] + ROUNDING  # no more than in proportion


@given(case=on_wirings(("direct",)), kind=kinds, window=st.integers(2, 40))
def test_a_smaller_window_takes_more_steps_and_loads_no_less(
    case: tuple[str, Wiring, Span], kind: CollectiveKind, window: int
) -> None:
    _, wiring, span = case
    at_once, windowed, one_by_one = (
        phase_cost(name, kind, wiring, span)
        for name in ("direct", f"direct{window}", "direct1")
    )

    assert at_once.steps <= windowed.steps <= one_by_one.steps
    assert at_once.load <= windowed.load + ROUNDING
    assert windowed.load <= one_by_one.load + ROUNDING


@given(case=on_wirings(("ring",)), kind=kinds)
def test_going_round_both_ways_never_loads_a_link_more(
    case: tuple[str, Wiring, Span], kind: CollectiveKind
) -> None:
    _, wiring, span = case
    one_way = phase_cost("ring", kind, wiring, span)
    both_ways = phase_cost("bidirectionalRing", kind, wiring, span)

    assert both_ways.steps <= one_way.steps
    assert both_ways.load <= one_way.load + ROUNDING


@given(case=cases(), kind=st.sampled_from([AR, AG, A2A, BROADCAST]))
def test_no_algorithm_loads_a_switch_less_than_one_that_the_switch_takes_part_in(
    case: tuple[str, int], kind: CollectiveKind
) -> None:
    name, size = case
    switch, span = Wiring(Shape.SWITCH, size), Span(0, size, 1)

    in_network = phase_cost("inNetwork", kind, switch, span)

    assert in_network.load <= phase_cost(name, kind, switch, span).load + ROUNDING


extents = st.lists(st.sampled_from([2, 4, 8]), min_size=1, max_size=4)
minimal = st.sampled_from(["ring", "bidirectionalRing", "direct", "halvingDoubling"])
hierarchies = st.sampled_from(
    [MultiDimensional.LOCAL_BW_AWARE, MultiDimensional.THEMIS]
)


def policy(name: str, dimensions: int, scheme: MultiDimensional) -> CollectivePolicy:
    names = (name,) * dimensions
    return CollectivePolicy(
        all_reduce=names,
        all_gather=names,
        reduce_scatter=names,
        all_to_all=names,
        multi_dimensional=scheme,
        chunks=4,
    )


def planned(
    kind: CollectiveKind, sizes: list[int], name: str, scheme: MultiDimensional
) -> Iterator[tuple[Phase, float]]:
    """Every phase, and the part of the collective's buffer that it has."""
    chosen = policy(name, len(sizes), scheme)
    for route in plan(kind, tuple(enumerate(sizes)), chosen, lambda *phase: phase[-1]):
        for phase in route.phases:
            yield phase, phase.fraction * route.chunks / chosen.chunks


def sent_by_dimension(
    kind: CollectiveKind, sizes: list[int], name: str, scheme: MultiDimensional
) -> list[float]:
    """Buffers that a device sends into each dimension."""
    total = [0.0] * len(sizes)
    for phase, part in planned(kind, sizes, name, scheme):
        size = sizes[phase.dimension]
        each = sent(steps(phase.algorithm, phase.kind, size), size).mean()
        total[phase.dimension] += part * float(each)
    return total


@given(
    sizes=extents, name=minimal, kind=st.sampled_from([RS, AG, AR]), scheme=hierarchies
)
def test_a_hierarchy_sends_no_more_than_one_dimension_would(
    sizes: list[int], name: str, kind: CollectiveKind, scheme: MultiDimensional
) -> None:
    n = math.prod(sizes)
    both_ways = 2 if kind is AR else 1

    total = sum(sent_by_dimension(kind, sizes, name, scheme))

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
    added = 0.0
    for phase, part in planned(AR, sizes, name, scheme):
        size = sizes[phase.dimension]
        for step in steps(phase.algorithm, phase.kind, size):
            assert not isinstance(step, SwitchStep)
            once = step.repeat * step.fractions.sum() if step.reduces else 0.0
            added += part * once * n / size

    if scheme is MultiDimensional.BASELINE:
        # every dimension adds up whole buffers on all its devices
        assert added == pytest.approx(sum(n * (size - 1) / size for size in sizes))
    else:
        assert added == pytest.approx(n - 1)
