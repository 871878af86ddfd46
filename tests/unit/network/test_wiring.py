"""A wiring: which there are, and what leaves one device."""

import pytest

from cosmic.errors import SpecError
from cosmic.network.wiring import Shape, Wiring, links_per_device


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
def test_links_leave_a_device_by_shape(shape: Shape, links: int) -> None:
    assert links_per_device(shape, 8) == links


@pytest.mark.parametrize("shape", Shape)
def test_a_device_alone_has_no_links(shape: Shape) -> None:
    assert links_per_device(shape, 1) == 0


@pytest.mark.parametrize("size", [1, 2, 4, 1024])
def test_a_hypercube_joins_a_power_of_two(size: int) -> None:
    assert Wiring(Shape.HYPERCUBE, size).size == size


@pytest.mark.parametrize("size", [3, 6, 1023])
def test_a_hypercube_of_another_size_is_refused(size: int) -> None:
    message = f"a Hypercube joins a power of two of devices, not {size}"

    with pytest.raises(SpecError, match=message):
        Wiring(Shape.HYPERCUBE, size)


@pytest.mark.parametrize("shape", [s for s in Shape if s is not Shape.SWITCH])
def test_only_a_switch_can_be_oversubscribed(shape: Shape) -> None:
    message = f"only a Switch can be oversubscribed; a {shape.value} has"

    with pytest.raises(SpecError, match=message):
        Wiring(shape, 4, oversubscription=2.0)


@pytest.mark.parametrize("factor", [0.0, 0.5, -1.0, float("inf"), float("nan")])
def test_a_core_carries_something_and_no_more_than_its_ports(factor: float) -> None:
    with pytest.raises(SpecError, match="oversubscription must be finite and at least"):
        Wiring(Shape.SWITCH, 4, oversubscription=factor)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("inf"), float("nan")])
def test_links_carry_something_in_either_direction(factor: float) -> None:
    with pytest.raises(SpecError, match="asymmetry must be positive and finite, not"):
        Wiring(Shape.RING, 4, asymmetry=factor)
