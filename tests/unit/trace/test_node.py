"""Nodes refuse numbers that cannot be."""

import pytest

from cosmic.errors import TraceError
from cosmic.trace.node import CollectiveKind, CollectiveNode, ComputeNode, OperatorKind

BAD = [-1.0, float("inf"), float("nan")]


@pytest.mark.parametrize("bad", BAD)
def test_a_compute_node_has_finite_flops_and_bytes(bad: float) -> None:
    for flops, nbytes in ((bad, 1.0), (1.0, bad)):
        message = (
            "compute node 'norm': FLOPs and bytes must be finite and not negative, "
            f"but are {flops} and {nbytes}"
        )
        with pytest.raises(TraceError, match=message):
            ComputeNode(
                name="norm",
                kind=OperatorKind.NORMALIZATION,
                flops=flops,
                nbytes=nbytes,
            )


@pytest.mark.parametrize("bad", BAD)
def test_a_collective_has_finite_bytes(bad: float) -> None:
    message = f"collective 'sum': bytes must be finite and not negative, but are {bad}"

    with pytest.raises(TraceError, match=message):
        CollectiveNode(
            name="sum", kind=CollectiveKind.ALL_REDUCE, group="data", nbytes=bad
        )
