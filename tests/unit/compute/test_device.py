"""A device: three numbers, all of them positive."""

from typing import Any

import pytest

from cosmic.compute.device import Device
from cosmic.errors import SpecError

SOUND = {"peak_flops": 10e12, "memory_bandwidth": 50e9, "memory_capacity": 24e9}


def device(**changes: Any) -> Device:
    return Device(**(SOUND | changes))


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_every_capability_is_positive_and_finite(name: str, value: float) -> None:
    message = f"device: {name} must be positive and finite, not {value}"

    with pytest.raises(SpecError, match=message):
        device(**{name: value})


def test_equal_devices_are_one_key() -> None:
    assert len({device(), device()}) == 1
