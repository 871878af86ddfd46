"""Network prices: the totals of the authors' logs, and what has no price."""

import pytest

from cosmic.errors import ConsistencyError
from cosmic.evaluation.network_cost import PAPER_PRICES, network_cost
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape


def network(shapes: list[str], sizes: list[int], links: list[float]) -> Topology:
    return Topology(
        tuple(
            Dimension(shape=Shape(shape), size=size, link_bandwidth=link, latency=0.0)
            for shape, size, link in zip(shapes, sizes, links, strict=True)
        )
    )


@pytest.mark.parametrize(
    ("shapes", "sizes", "links", "dollars"),
    [
        (
            ["Ring", "Switch", "Ring", "Switch"],
            [8, 4, 4, 8],
            [50e9, 100e9, 50e9, 100e9],
            9_441_280,
        ),
        (
            ["Ring", "FullyConnected", "Ring", "FullyConnected"],
            [4, 16, 4, 4],
            [50e9, 100e9 / 15, 50e9, 100e9 / 3],
            1_822_720,
        ),
        (
            ["Ring", "FullyConnected", "Ring", "FullyConnected"],
            [4, 4, 4, 4],
            [50e9, 100e9 / 3, 50e9, 100e9 / 3],
            455_680,
        ),
    ],
)
def test_the_totals_of_the_published_logs_come_out(
    shapes: list[str], sizes: list[int], links: list[float], dollars: float
) -> None:
    # The logs print whole dollars; link bandwidths of a third are not exact floats.
    cost = network_cost(network(shapes, sizes, links), PAPER_PRICES)

    assert cost == pytest.approx(dollars, rel=1e-12)


def test_a_ring_between_packages_by_hand() -> None:
    # One dimension takes level 2: 2 links x 8 devices x 4 USD x 50 GB/s.
    cost = network_cost(network(["Ring"], [8], [50e9]), PAPER_PRICES)

    assert cost == 2 * 8 * 4 * 50


def test_a_pod_switch_pays_for_its_cards() -> None:
    # Level 4 of two: (2 x 7.8 + 18 + 31.6) x 4 devices x 100 GB/s x 2 blocks, and
    # level 2: a ring of 2, 4 blocks of 2 x 2 x 4 USD x 50 GB/s.
    cost = network_cost(
        network(["Ring", "Switch"], [2, 4], [50e9, 100e9]), PAPER_PRICES
    )

    assert cost == pytest.approx(2 * (65.2 * 4 * 100) + 4 * 800)


def test_a_switch_between_chiplets_has_no_price() -> None:
    inner = network(["Switch", "Ring", "Ring", "Ring"], [4] * 4, [50e9] * 4)

    with pytest.raises(ConsistencyError, match="dimension 0 is a Switch, but at the"):
        network_cost(inner, PAPER_PRICES)


def test_five_dimensions_have_no_prices() -> None:
    with pytest.raises(ConsistencyError, match="no prices for a network of 5"):
        network_cost(network(["Ring"] * 5, [2] * 5, [1e9] * 5), PAPER_PRICES)


def test_a_dimension_of_one_device_costs_nothing() -> None:
    alone = network(["Ring", "Ring"], [1, 4], [50e9, 50e9])

    # Of two dimensions the outer one takes level 4: 2 x 4 x 7.8 USD x 50 GB/s.
    assert network_cost(alone, PAPER_PRICES) == pytest.approx(3120)


def test_a_mesh_saves_the_link_that_closes_a_ring() -> None:
    # 7 links both ways x 4 USD x 50 GB/s
    cost = network_cost(network(["Mesh"], [8], [50e9]), PAPER_PRICES)

    assert cost == 2 * 7 * 4 * 50


def test_a_hypercube_pays_for_a_link_in_every_digit() -> None:
    # 8 devices x 3 links x 4 USD x 50 GB/s
    cost = network_cost(network(["Hypercube"], [8], [50e9]), PAPER_PRICES)

    assert cost == 8 * 3 * 4 * 50


@pytest.mark.parametrize("shape", Shape)
def test_slower_links_one_way_cost_half_as_much_less(shape: Shape) -> None:
    def one(asymmetry: float) -> Topology:
        return Topology(
            (
                Dimension(
                    shape=shape,
                    size=8,
                    link_bandwidth=50e9,
                    latency=0.0,
                    asymmetry=asymmetry,
                ),
            )
        )

    even, slow = (network_cost(one(a), PAPER_PRICES) for a in (1.0, 0.5))

    assert slow == pytest.approx(0.75 * even)  # half of the links at half the speed


def test_the_core_of_a_switch_has_no_price_of_its_own() -> None:
    tree = Dimension(
        shape=Shape.SWITCH,
        size=8,
        link_bandwidth=50e9,
        latency=0.0,
        oversubscription=4.0,
    )
    full = network(["Switch"], [8], [50e9])

    cost = network_cost(Topology((tree,)), PAPER_PRICES)

    assert cost == network_cost(full, PAPER_PRICES)
