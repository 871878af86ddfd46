"""The cost of a phase: closed forms, groups that share links, and slower links."""

import pytest

from cosmic.collective.algorithm import ALGORITHMS
from cosmic.errors import SpecError, UnknownNameError
from cosmic.network.wiring import Shape, Wiring
from cosmic.simulation.communication import phase_cost
from cosmic.system.placement import Span
from cosmic.trace.node import CollectiveKind

AR, AG, RS, A2A, BROADCAST = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL,
    CollectiveKind.BROADCAST,
)
RING, SWITCH, FULL = Shape.RING, Shape.SWITCH, Shape.FULLY_CONNECTED
MESH, CUBE = Shape.MESH, Shape.HYPERCUBE
HOPS = {RING: 1, FULL: 1, SWITCH: 2}  # to the next device


def whole(size: int) -> Span:
    return Span(0, size, 1)


@pytest.mark.parametrize("shape", HOPS)
@pytest.mark.parametrize("n", [3, 4, 7, 16])
def test_a_ring_takes_its_steps_to_the_next_device(shape: Shape, n: int) -> None:
    for kind, rounds, sums in ((AR, 2, 1), (RS, 1, 1), (AG, 1, 0)):
        cost = phase_cost("ring", kind, Wiring(shape, n), whole(n))
        assert cost.steps == rounds * (n - 1)
        assert cost.hops == rounds * (n - 1) * HOPS[shape]
        assert cost.load == pytest.approx(rounds * (n - 1) / n)
        assert cost.reduced == pytest.approx(sums * (n - 1) / n)
        assert cost.sent == pytest.approx(rounds * (n - 1) / n)


@pytest.mark.parametrize("shape", HOPS)
def test_a_ring_hands_on_an_all_to_all(shape: Shape) -> None:
    cost = phase_cost("ring", A2A, Wiring(shape, 5), whole(5))

    # (4 + 3 + 2 + 1) slices of a fifth, in four steps
    assert (cost.steps, cost.hops) == (4, 4 * HOPS[shape])
    assert cost.load == pytest.approx(2.0)


def test_a_ring_of_two_sends_half_over_each_link() -> None:
    assert (
        phase_cost("ring", AR, Wiring(RING, 2), whole(2)).load == 0.5
    )  # 2 steps of 1/2 / 2


@pytest.mark.parametrize("n", [2, 4, 7, 16])
def test_direct_needs_a_link_to_everybody(n: int) -> None:
    for kind, rounds, sums in ((AR, 2, 1), (RS, 1, 1), (AG, 1, 0), (A2A, 1, 0)):
        cost = phase_cost("direct", kind, Wiring(FULL, n), whole(n))
        assert (cost.steps, cost.hops) == (rounds, rounds)
        assert cost.load == pytest.approx(rounds / n)
        assert cost.reduced == pytest.approx(sums * (n - 1) / n)


@pytest.mark.parametrize("n", [2, 4, 7, 16])
def test_direct_shares_the_port_to_a_switch(n: int) -> None:
    cost = phase_cost("direct", AG, Wiring(SWITCH, n), whole(n))

    assert cost.hops == 2
    assert cost.load == pytest.approx((n - 1) / n)


def test_direct_on_a_ring_pays_for_the_way() -> None:
    # one way round, 8 devices send slices of 1/8 over 1 + 2 + 3 + 4/2 = 8 links
    cost = phase_cost("direct", AG, Wiring(RING, 8), whole(8))

    assert cost.hops == 4
    assert cost.load == pytest.approx(1.0)


@pytest.mark.parametrize("n", [2, 4, 16, 64])
def test_halving_and_doubling_take_a_logarithm_of_steps(n: int) -> None:
    levels = n.bit_length() - 1
    for kind, rounds, sums in ((AR, 2, 1), (RS, 1, 1), (AG, 1, 0)):
        cost = phase_cost("halvingDoubling", kind, Wiring(SWITCH, n), whole(n))
        assert cost.steps == rounds * levels
        assert cost.hops == 2 * rounds * levels
        assert cost.load == pytest.approx(rounds * (n - 1) / n)
        assert cost.reduced == pytest.approx(sums * (n - 1) / n)


def test_halving_on_a_ring_pays_for_distance() -> None:
    # distance 1: 1/2 on its link; distance 2: 1/4, both ways half, two overlap:
    # devices 0 and 1 go right to 2 and 3 over link 1, and 1/8 + 1/8 is 1/4
    cost = phase_cost("halvingDoubling", RS, Wiring(RING, 4), whole(4))

    assert (cost.steps, cost.hops) == (2, 3)
    assert cost.load == pytest.approx(0.75)


@pytest.mark.parametrize("n", [2, 4, 8, 64])
def test_a_double_binary_tree_sends_no_more_than_must_be(n: int) -> None:
    cost = phase_cost("doubleBinaryTree", AR, Wiring(SWITCH, n), whole(n))

    assert cost.steps == 2 * (n.bit_length() - 1)
    assert cost.sent == pytest.approx(2 * (n - 1) / n)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_groups_that_are_spread_over_a_ring_share_its_links(stride: int) -> None:
    extent = 16 // stride
    cost = phase_cost("ring", AG, Wiring(RING, 16), Span(0, extent, stride))

    assert cost.hops == stride * (extent - 1)
    assert cost.load == pytest.approx(stride * (extent - 1) / extent)


def test_a_part_of_a_ring_has_no_link_to_close_it() -> None:
    part = phase_cost("ring", AG, Wiring(RING, 8), Span(0, 4, 1))

    # the message from the last to the first device goes back over the 3 links between;
    # what came by it goes on to the next ones in the other two steps
    assert part.hops == 3 + 1 + 1
    assert part.load == pytest.approx(3 / 4)


def test_half_of_a_spread_ring_shares_links_and_has_none_to_close_it() -> None:
    part = phase_cost("ring", AG, Wiring(RING, 16), Span(0, 4, 2))

    assert part.hops == 6 + 2 + 2  # back from position 6 to 0, and on to 4
    assert part.load == pytest.approx(2 * 3 / 4)


@pytest.mark.parametrize("shape", [SWITCH, FULL])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_ports_and_direct_links_are_not_shared_between_groups(
    shape: Shape, stride: int
) -> None:
    spread = phase_cost("ring", AR, Wiring(shape, 16), Span(0, 4, stride))

    assert spread == phase_cost("ring", AR, Wiring(shape, 4), whole(4))


@pytest.mark.parametrize("name", ALGORITHMS.names())
@pytest.mark.parametrize("kind", CollectiveKind)
def test_a_group_of_one_costs_nothing(name: str, kind: CollectiveKind) -> None:
    cost = phase_cost(name, kind, Wiring(RING, 4), whole(1))

    assert (cost.steps, cost.hops, cost.load, cost.reduced, cost.sent) == (0,) * 5


def test_an_algorithm_that_does_not_exist_for_a_size_says_so() -> None:
    with pytest.raises(SpecError, match="halvingDoubling needs a power of two"):
        phase_cost("halvingDoubling", AR, Wiring(SWITCH, 6), whole(6))


@pytest.mark.parametrize("n", [3, 4, 7])
def test_a_mesh_sends_back_all_the_way_what_a_ring_hands_round(n: int) -> None:
    cost = phase_cost("ring", AG, Wiring(MESH, n), whole(n))

    # no slice goes the way back twice in n - 1 steps
    assert cost.hops == (n - 1) + (n - 2)
    assert cost.load == pytest.approx((n - 1) / n)


def test_a_part_of_a_ring_is_a_mesh() -> None:
    for name in ("ring", "direct", "halvingDoubling", "doubleBinaryTree"):
        part = phase_cost(name, AR, Wiring(RING, 16), Span(0, 4, 2))

        assert part == phase_cost(name, AR, Wiring(MESH, 8), Span(0, 4, 2))


def test_halving_finds_a_link_for_every_partner_in_a_hypercube() -> None:
    cost = phase_cost("halvingDoubling", AR, Wiring(CUBE, 16), whole(16))

    assert (cost.steps, cost.hops) == (8, 8)
    assert cost.load == 2 * 15 / 16


def test_direct_exchange_uses_all_links_of_a_hypercube() -> None:
    cost = phase_cost("direct", A2A, Wiring(CUBE, 8), whole(8))

    # 7 slices of 1/8 over 12/7 links on average, on 3 links a device
    assert (cost.steps, cost.hops) == (1, 3)
    assert cost.load == 0.5


@pytest.mark.parametrize("n", [2, 3, 4, 16])
def test_a_ring_both_ways_loads_its_links_half_as_much(n: int) -> None:
    one_way = phase_cost("ring", AR, Wiring(RING, n), whole(n))
    both_ways = phase_cost("bidirectionalRing", AR, Wiring(RING, n), whole(n))

    assert (both_ways.steps, both_ways.hops) == (one_way.steps, one_way.hops)
    assert both_ways.sent == pytest.approx(one_way.sent)
    # on a ring of two, one way already uses both links
    assert both_ways.load == pytest.approx(one_way.load / (1 if n == 2 else 2))


def test_an_all_to_all_both_ways_takes_the_shorter_one() -> None:
    ring = phase_cost("bidirectionalRing", A2A, Wiring(RING, 8), whole(8))

    # each way (3.5 + 2.5 + 1.5 + 0.5) slices of an eighth: what direct exchange loads
    assert (ring.steps, ring.hops) == (4, 4)
    assert ring.load == 1.0
    assert ring.load == phase_cost("direct", A2A, Wiring(RING, 8), whole(8)).load


@pytest.mark.parametrize(("window", "steps"), [(1, 7), (2, 4), (3, 3), (7, 1), (99, 1)])
def test_a_window_takes_its_steps_and_sends_the_same(window: int, steps: int) -> None:
    switch = Wiring(SWITCH, 8)
    at_once = phase_cost("direct", RS, switch, whole(8))
    windowed = phase_cost(f"direct{window}", RS, switch, whole(8))

    assert (windowed.steps, windowed.hops) == (steps, 2 * steps)
    assert windowed.load == pytest.approx(at_once.load)
    assert windowed.reduced == pytest.approx(at_once.reduced)


@pytest.mark.parametrize(
    ("kind", "load", "sent"),
    [
        (AR, 1.0, 1.0),
        (RS, 1.0, 1.0),
        (AG, 7 / 8, 1 / 8),
        (A2A, 7 / 8, 7 / 8),
        (BROADCAST, 1.0, 1 / 8),  # the first device alone sends
    ],
)
def test_a_switch_that_adds_up_takes_the_buffer_once(
    kind: CollectiveKind, load: float, sent: float
) -> None:
    cost = phase_cost("inNetwork", kind, Wiring(SWITCH, 8), whole(8))

    assert (cost.steps, cost.hops, cost.reduced) == (1, 2, 0.0)
    assert (cost.load, cost.sent) == (load, sent)


@pytest.mark.parametrize("shape", [s for s in Shape if s is not SWITCH])
@pytest.mark.parametrize("kind", CollectiveKind)
def test_only_a_switch_adds_up(shape: Shape, kind: CollectiveKind) -> None:
    message = (
        "inNetwork lets a switch add up or copy what devices send, so it exists only "
        f"on a Switch, not on a {shape.value}"
    )

    with pytest.raises(SpecError, match=message):
        phase_cost("inNetwork", kind, Wiring(shape, 4), whole(4))


@pytest.mark.parametrize(
    ("name", "kind", "full"),
    [("ring", AR, 2 * 3 / 4), ("direct", A2A, 3 / 4), ("inNetwork", AR, 1.0)],
)
def test_an_oversubscribed_core_holds_up_all_groups(
    name: str, kind: CollectiveKind, full: float
) -> None:
    for stride, size in ((1, 4), (1, 16), (4, 16)):
        tree = Wiring(SWITCH, size, oversubscription=3.0)

        cost = phase_cost(name, kind, tree, Span(0, 4, stride))

        # every device sends `full`, and the core carries a third of all ports
        assert cost.load == pytest.approx(3 * full)


def test_a_core_that_few_use_is_wide_enough() -> None:
    # the root's 3 messages of 1/4 a step are all: 3/4 x 2 / 4 is less than its port's
    scatter = phase_cost("direct", BROADCAST, Wiring(SWITCH, 4), whole(4))
    tree = Wiring(SWITCH, 4, oversubscription=1.2)
    slowed = phase_cost("direct", BROADCAST, tree, whole(4))

    assert scatter.load == pytest.approx(3 / 4 + 3 / 4)
    assert slowed.load == pytest.approx(3 / 4 + 1.2 * 3 / 4)


def test_slow_links_backward_hold_up_those_who_use_them() -> None:
    slow = Wiring(RING, 8, asymmetry=0.5)

    # a ring goes clockwise only; both ways round, half as much at half the speed
    assert phase_cost("ring", AG, slow, whole(8)).load == pytest.approx(7 / 8)
    assert phase_cost("bidirectionalRing", AG, slow, whole(8)).load == pytest.approx(
        7 / 8
    )


@pytest.mark.parametrize("name", ["ring", "direct", "halvingDoubling", "inNetwork"])
def test_slow_links_down_from_a_switch_hold_up_everybody(name: str) -> None:
    slow, even = Wiring(SWITCH, 8, asymmetry=0.25), Wiring(SWITCH, 8)

    cost = phase_cost(name, AR, slow, whole(8))

    assert cost.load == pytest.approx(4 * phase_cost(name, AR, even, whole(8)).load)


@pytest.mark.parametrize(
    ("name", "wiring", "steps", "load"),
    [
        ("ring", Wiring(RING, 8), 14, 14 / 8),  # 2n - 2 steps of a slice
        ("bidirectionalRing", Wiring(RING, 8), 14, 14 / 16),
        ("direct", Wiring(FULL, 8), 2, 2 / 8),
        ("direct3", Wiring(FULL, 8), 4, 4 / 8),  # the scatter has no window
        ("halvingDoubling", Wiring(SWITCH, 8), 6, 2 * 7 / 8),
        # half over to the other root; then each root, and each device with two
        # children, sends 1/2 a child: 1/2 + 1/2 + 1 + 1
        ("doubleBinaryTree", Wiring(SWITCH, 8), 4, 3.0),
        ("inNetwork", Wiring(SWITCH, 8), 1, 1.0),
    ],
)
def test_a_broadcast_by_hand(
    name: str, wiring: Wiring, steps: int, load: float
) -> None:
    cost = phase_cost(name, BROADCAST, wiring, whole(8))

    assert (cost.steps, cost.reduced) == (steps, 0.0)
    assert cost.load == pytest.approx(load)


def test_an_unknown_algorithm_is_named() -> None:
    with pytest.raises(UnknownNameError, match="no collective algorithm named 'rign'"):
        phase_cost("rign", AR, Wiring(RING, 4), whole(4))
