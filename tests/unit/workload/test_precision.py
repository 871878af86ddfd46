"""What a number format changes in the work, the bytes and the memory of a step."""

from typing import Any

import pytest

from cosmic.trace.execution_graph import collective_nodes, compute_nodes
from cosmic.trace.node import CollectiveKind, ComputeNode, OperatorKind
from cosmic.trace.precision import Precision
from cosmic.workload.layers import layer_unit
from cosmic.workload.lowering import lower
from cosmic.workload.memory import layer_activations, memory_footprint
from cosmic.workload.model import TransformerModel
from cosmic.workload.operators import Operators
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.weights import stage_weights
from cosmic.workload.workload import Workload

BF16, FP8, FP32 = Precision.BF16, Precision.FP8, Precision.FP32


def workload(precision: Precision, **changes: Any) -> Workload:
    """16 tokens, 8 wide, 4 heads of 2, 32 wide in between, 20 words."""
    model = TransformerModel(
        layers=1,
        hidden=8,
        heads=4,
        key_value_heads=4,
        head_dim=2,
        feed_forward=32,
        sequence=16,
        vocabulary=20,
    )
    return Workload(model=model, batch=2, precision=precision, **changes)


def computes(precision: Precision) -> list[ComputeNode]:
    (stage,) = lower(workload(precision)).stages
    return [node for program in stage.programs for node, _ in compute_nodes(program)]


@pytest.mark.parametrize("precision", [p for p in Precision if p is not FP8])
def test_every_operator_computes_in_the_format_of_the_step(
    precision: Precision,
) -> None:
    assert {node.precision for node in computes(precision)} == {precision}


def test_products_of_layers_alone_are_done_in_fp8() -> None:
    names = {node.name for node in computes(FP8) if node.precision is FP8}
    products = "query_key_value", "attention_output", "feed_forward_in"
    forward = {*products, "feed_forward_out"}

    assert names == forward | {f"{name} backward" for name in forward}
    assert {node.precision for node in computes(FP8)} == {FP8, BF16}


def test_a_product_in_fp8_reads_single_bytes_and_writes_two() -> None:
    product = Operators(workload(FP8)).feed_forward_in()
    into, out, matrix = 16 * 8, 16 * 32, 8 * 32

    assert product.forward.nbytes == into + matrix + 2 * out
    # the gradient of the input from that of the output, and that of the weights
    first, second = out + matrix + 2 * into, out + into + 2 * matrix
    assert product.backward.nbytes == first + second


def test_gradients_in_single_precision_are_written_in_four_bytes() -> None:
    short, long = (
        Operators(workload(BF16, gradient_precision=adds_up)).feed_forward_in()
        for adds_up in (None, FP32)
    )

    assert long.forward == short.forward
    assert long.backward.nbytes == short.backward.nbytes + 2 * 8 * 32


def test_the_optimizer_moves_gradients_state_and_weights() -> None:
    """28 bytes: 2 + 2 and twice 12 mixed; in 4 bytes weights are read, and state is 8.

    A gradient of four bytes makes it 30.
    """
    mixed, single = (Operators(workload(p)).optimizer(1) for p in (BF16, FP32))
    long = Operators(workload(BF16, gradient_precision=FP32)).optimizer(1)

    assert (mixed.nbytes, single.nbytes, long.nbytes) == (28, 4 + 4 + 16 + 4, 30)


def test_what_no_norm_writes_is_cast_before_a_product_in_fp8() -> None:
    """Read in two bytes and written in one, as rows and as columns: four bytes."""
    unit = layer_unit(workload(FP8))
    forward, backward = (
        {i.name: i.nbytes for i in part if isinstance(i, ComputeNode)}
        for part in (unit.forward, unit.backward)
    )
    cast = {n: b for n, b in {**forward, **backward}.items() if n.endswith(" cast")}

    assert cast == {
        "attention_output cast": 4 * 16 * 8,
        "feed_forward_out cast": 4 * 16 * 32,
        "feed_forward_out backward cast": 4 * 16 * 8,
        "feed_forward_in backward cast": 4 * 16 * 32,
        "attention_output backward cast": 4 * 16 * 8,
        "query_key_value backward cast": 4 * 16 * 24,
    }


def test_nothing_is_cast_without_fp8() -> None:
    assert not [node for node in computes(BF16) if "cast" in node.name]


@pytest.mark.parametrize(
    ("precision", "adds_up", "scattered", "gathered"),
    [(BF16, None, 2, 2), (BF16, FP32, 4, 2), (FP32, None, 4, 4), (FP32, BF16, 2, 4)],
)
def test_collectives_carry_gradients_and_weights_in_their_own_formats(
    precision: Precision, adds_up: Precision | None, scattered: int, gathered: int
) -> None:
    split = Parallelism(data=2, weight_sharding=2)
    step = workload(precision, gradient_precision=adds_up, parallelism=split)
    (stage,) = lower(step).stages
    unit = layer_unit(step)

    found = {
        node.kind: node.nbytes / unit.weights
        for program in (stage.last_backward, stage.update)
        for node, _ in collective_nodes(program)
        if node.name.startswith("layer")
    }

    assert found == {
        CollectiveKind.REDUCE_SCATTER: scattered,
        CollectiveKind.ALL_GATHER: gathered,
    }


@pytest.mark.parametrize(
    ("precision", "adds_up", "each"),
    [(BF16, None, 16), (BF16, FP32, 18), (FP32, None, 16), (FP8, FP32, 18)],
)
def test_states_of_the_model_take_16_or_18_bytes_a_weight(
    precision: Precision, adds_up: Precision | None, each: int
) -> None:
    """Mixed 2 + 2 + 12, with long gradients 2 + 4 + 12, single 4 + 4 + 8."""
    step = workload(precision, gradient_precision=adds_up)
    held = memory_footprint(step)
    states = held.weights + held.gradients + held.optimizer

    assert states == each * stage_weights(step, 0)


def test_what_products_take_in_is_kept_in_one_byte() -> None:
    """Inputs of the four products; fused attention keeps its own output in two."""
    narrow = 8 + 8 + 32  # inputs of three products, a number a token
    fused, unfused = (
        [layer_activations(workload(p, fused_attention=fused)) for p in (BF16, FP8)]
        for fused in (True, False)
    )

    assert fused[0] - fused[1] == 16 * (narrow - 8)  # context kept once more, in 1 byte
    assert unfused[0] - unfused[1] == 16 * (narrow + 8)


def test_attention_is_no_product_in_fp8() -> None:
    (core,) = Operators(workload(FP8)).attention_core()

    assert core.forward.kind is OperatorKind.ATTENTION
    assert core.forward.precision is core.backward.precision is BF16
    assert core == Operators(workload(BF16)).attention_core()[0]
