"""A topology: device ids are mixed radix, the first dimension fastest."""

import pytest

from cosmic.errors import SpecError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape


def topology(*sizes: int) -> Topology:
    return Topology(
        tuple(
            Dimension(shape=Shape.RING, size=size, link_bandwidth=1e9, latency=0.0)
            for size in sizes
        )
    )


def test_strides_multiply_the_sizes_before() -> None:
    torus = topology(4, 2, 8)

    assert torus.devices == 64  # 4 x 2 x 8
    assert torus.strides == (1, 4, 8)


def test_total_bandwidth_adds_up_every_link_of_a_device() -> None:
    # published system of 1,024 devices: 375 + 175 + 150 + 100 GB/s a device
    shapes = (Shape.RING, Shape.FULLY_CONNECTED, Shape.RING, Shape.SWITCH)
    links = (187.5e9, 25e9, 75e9, 100e9)
    network = Topology(
        tuple(
            Dimension(shape=shape, size=size, link_bandwidth=link, latency=0.0)
            for shape, size, link in zip(shapes, (4, 8, 4, 8), links, strict=True)
        )
    )

    assert network.total_bandwidth == 800e9


def test_a_network_without_dimensions_is_refused() -> None:
    with pytest.raises(SpecError, match="a topology has at least one dimension"):
        Topology(())
