"""Device ids count through dimensions as the placement says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.system.device_order import Placement


def ring(size: int, bandwidth: float) -> Dimension:
    return Dimension(shape=Shape.RING, size=size, link_bandwidth=bandwidth, latency=0.0)


@pytest.mark.parametrize(
    ("placement", "order", "strides"),
    [
        (Placement.INNER_FIRST, (0, 1, 2, 3), (1, 2, 6, 30)),
        (Placement.OUTER_FIRST, (3, 2, 1, 0), (105, 35, 7, 1)),
        (Placement.FASTEST_FIRST, (2, 1, 3, 0), (105, 5, 1, 15)),
    ],
)
def test_ids_count_through_dimensions_in_the_order_of_placement(
    placement: Placement, order: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    network = Topology((ring(2, 1e9), ring(3, 4e9), ring(5, 8e9), ring(7, 4e9)))

    assert placement.order(network) == order
    assert placement.strides(network) == strides


def test_the_fastest_dimension_is_that_in_which_a_device_sends_most() -> None:
    switch = Dimension(
        shape=Shape.SWITCH, size=4, link_bandwidth=100e9, latency=0.0
    )  # one link of 100 GB/s a device; a ring has two
    network = Topology((switch, ring(4, 60e9)))

    assert Placement.FASTEST_FIRST.order(network) == (1, 0)


@given(
    placement=st.sampled_from(Placement),
    dimensions=st.lists(
        st.builds(ring, st.integers(1, 4), st.sampled_from([1e9, 2e9])),
        min_size=1,
        max_size=4,
    ),
)
def test_no_two_devices_have_one_id(
    placement: Placement, dimensions: list[Dimension]
) -> None:
    network = Topology(tuple(dimensions))
    ids = [0]
    for stride, dimension in zip(
        placement.strides(network), network.dimensions, strict=True
    ):
        ids = [known + k * stride for known in ids for k in range(dimension.size)]

    assert sorted(ids) == list(range(network.devices))
