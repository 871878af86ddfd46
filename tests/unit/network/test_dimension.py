"""A dimension: how its devices are joined, and what one of them can send."""

import pytest

from cosmic.errors import SpecError
from cosmic.network.dimension import Dimension, Shape, links_per_device


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
    [(Shape.RING, 2), (Shape.FULLY_CONNECTED, 7), (Shape.SWITCH, 1)],
)
def test_a_device_sends_over_all_its_links(shape: Shape, links: int) -> None:
    joined = dimension(shape, size=8)

    assert links_per_device(shape, 8) == links
    assert joined.bandwidth == links * 50e9


@pytest.mark.parametrize("shape", Shape)
def test_a_device_alone_has_no_links(shape: Shape) -> None:
    assert links_per_device(shape, 1) == 0
    assert dimension(shape, size=1).bandwidth == 0


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
