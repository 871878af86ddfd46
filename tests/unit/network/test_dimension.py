"""A dimension: how its devices are joined, and what one of them can send."""

import pytest

from cosmic.errors import SpecError
from cosmic.network.dimension import Dimension
from cosmic.network.wiring import Shape, Wiring


def dimension(
    shape: Shape = Shape.RING,
    size: int = 4,
    link_bandwidth: float = 50e9,
    latency: float = 1e-6,
) -> Dimension:
    return Dimension(
        shape=shape, size=size, link_bandwidth=link_bandwidth, latency=latency
    )


@pytest.mark.parametrize(
    ("shape", "links"),
    [
        (Shape.RING, 2),
        (Shape.FULLY_CONNECTED, 7),
        (Shape.SWITCH, 1),
        (Shape.MESH, 2),
        (Shape.HYPERCUBE, 3),
    ],
)
def test_a_device_sends_over_all_its_links(shape: Shape, links: int) -> None:
    assert dimension(shape, size=8).bandwidth == links * 50e9


@pytest.mark.parametrize("shape", Shape)
def test_a_device_alone_sends_nothing(shape: Shape) -> None:
    assert dimension(shape, size=1).bandwidth == 0


def test_the_wiring_is_all_but_speed() -> None:
    tree = Dimension(
        shape=Shape.SWITCH,
        size=8,
        link_bandwidth=50e9,
        latency=0.0,
        oversubscription=4.0,
        asymmetry=0.5,
    )

    assert tree.wiring == Wiring(Shape.SWITCH, 8, oversubscription=4.0, asymmetry=0.5)
    assert tree.bandwidth == 50e9  # of the port, whatever lies beyond it


def test_a_wiring_that_cannot_be_is_refused() -> None:
    with pytest.raises(SpecError, match="a Hypercube joins a power of two"):
        dimension(Shape.HYPERCUBE, size=6)


def test_a_dimension_of_no_devices_is_refused() -> None:
    with pytest.raises(SpecError, match="a dimension joins at least 1 device, not 0"):
        dimension(size=0)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("inf"), float("nan")])
def test_a_link_carries_something_finite(bandwidth: float) -> None:
    message = f"link bandwidth must be positive and finite, not {bandwidth} B/s"

    with pytest.raises(SpecError, match=message):
        dimension(link_bandwidth=bandwidth)


@pytest.mark.parametrize("latency", [-1e-9, float("inf"), float("nan")])
def test_a_link_takes_no_negative_time(latency: float) -> None:
    message = f"latency must be finite and not negative, but is {latency} s"

    with pytest.raises(SpecError, match=message):
        dimension(latency=latency)
