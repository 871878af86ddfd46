"""The roofline: arithmetic or memory, whichever takes longer."""

import pytest

from cosmic.compute.cost_model import COST_MODELS, Roofline
from cosmic.compute.device import Device
from cosmic.trace.node import ComputeNode, OperatorKind

DEVICE = Device(peak_flops=10e12, memory_bandwidth=50e9, memory_capacity=24e9)


def node(flops: float, nbytes: float) -> ComputeNode:
    return ComputeNode(name="any", kind=OperatorKind.MATRIX, flops=flops, nbytes=nbytes)


def test_each_node_is_bound_by_the_lower_roof() -> None:
    # the ridge of 10 TFLOP/s over 50 GB/s is at 200 FLOP/B
    nodes = [node(400e9, 1e9), node(100e9, 1e9), node(200e9, 1e9), node(0.0, 0.0)]

    times = Roofline().times(nodes, DEVICE)

    # 400e9 / 10e12; 1e9 / 50e9; both; nothing
    assert times.tolist() == pytest.approx([0.04, 0.02, 0.02, 0.0])


def test_no_nodes_take_no_times() -> None:
    assert Roofline().times([], DEVICE).shape == (0,)


def test_the_roofline_is_known_by_name() -> None:
    assert COST_MODELS.get("roofline") is Roofline
