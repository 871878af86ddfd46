"""Degrees of parallelism multiply to the number of devices."""

from itertools import permutations
from typing import Any

import pytest

from cosmic.errors import SpecError
from cosmic.workload.parallelism import Axis, Parallelism


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


def test_axes_count_from_tensor_to_pipeline_unless_told_otherwise() -> None:
    split = Parallelism(tensor=2, sequence=3, data=5, pipeline=7)

    assert [split.stride(axis) for axis in Axis] == [1, 2, 6, 30]


def test_device_ids_count_through_the_axes_in_their_order() -> None:
    order = (Axis.PIPELINE, Axis.TENSOR, Axis.DATA, Axis.SEQUENCE)
    split = Parallelism(tensor=2, sequence=3, data=5, pipeline=7, axis_order=order)

    assert [split.stride(axis) for axis in order] == [1, 7, 14, 70]


def test_no_order_of_axes_takes_another_number_of_devices() -> None:
    for order in permutations(Axis):
        split = Parallelism(tensor=2, sequence=3, data=5, pipeline=7, axis_order=order)

        assert split.devices == split.stride(order[3]) * split.degree(order[3]) == 210


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ((Axis.DATA, Axis.TENSOR, Axis.PIPELINE), "data, tensor, pipeline"),
        ((Axis.DATA, *Axis), "data, tensor, sequence, data, pipeline"),
        ((), "nothing"),
    ],
)
def test_an_order_names_every_axis_once(order: tuple[Axis, ...], named: str) -> None:
    message = (
        "axis_order must name each of tensor, sequence, data, pipeline once, "
        f"not {named}$"
    )

    with pytest.raises(SpecError, match=message):
        Parallelism(axis_order=order)
