"""Degrees of parallelism multiply to the number of devices."""

from typing import Any

import pytest

from cosmic.errors import SpecError
from cosmic.workload.parallelism import Parallelism


def test_devices_are_the_product_of_the_degrees() -> None:
    split = Parallelism(tensor=2, sequence=3, data=5, pipeline=7)

    assert split.devices == 2 * 3 * 5 * 7
    assert split.replicas == 3 * 5


@pytest.mark.parametrize("name", ["tensor", "sequence", "data", "pipeline"])
def test_a_degree_is_at_least_one(name: str) -> None:
    degrees: dict[str, Any] = {name: 0}

    with pytest.raises(SpecError, match=f"{name} must be at least 1, not 0"):
        Parallelism(**degrees)


@pytest.mark.parametrize("level", [-1, 4])
def test_weight_sharding_is_one_of_the_zero_stages(level: int) -> None:
    message = f"weight_sharding must be 0, 1, 2 or 3, not {level}"

    with pytest.raises(SpecError, match=message):
        Parallelism(weight_sharding=level)
