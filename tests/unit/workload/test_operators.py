"""FLOPs and bytes of each operator, by hand for a small layer."""

from dataclasses import replace
from typing import Any

import pytest

from cosmic.trace.node import Attention, OperatorKind, Product
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.operators import Operator, Operators
from cosmic.workload.parallelism import Parallelism, SequenceMethod
from cosmic.workload.workload import Workload


def operators(
    split: dict[str, Any] | None = None,
    shape: dict[str, Any] | None = None,
    **changes: Any,
) -> Operators:
    """16 tokens, 8 wide, 4 heads of 2 on 2 keys, 32 wide in between, 20 words."""
    given: dict[str, Any] = {
        "layers": 4,
        "hidden": 8,
        "heads": 4,
        "key_value_heads": 2,
        "head_dim": 2,
        "feed_forward": 32,
        "sequence": 16,
        "vocabulary": 20,
    }
    model = TransformerModel(**(given | (shape or {})))
    parallelism = Parallelism(**(split or {}))
    return Operators(Workload(model=model, batch=1, parallelism=parallelism, **changes))


def forward(operator: Operator) -> tuple[float, float]:
    return operator.forward.flops, operator.forward.nbytes


def backward(operator: Operator) -> tuple[float, float]:
    return operator.backward.flops, operator.backward.nbytes


@pytest.mark.parametrize(
    ("name", "inner", "outer"),
    [
        ("query_key_value", 8, 8 + 4 + 4),
        ("attention_output", 8, 8),
        ("feed_forward_in", 8, 32),
        ("feed_forward_out", 32, 8),
        ("logits", 8, 20),
    ],
)
def test_a_product_moves_three_matrices_and_backward_is_two_products(
    name: str, inner: int, outer: int
) -> None:
    product = getattr(operators(), name)()
    flops = 2 * 16 * inner * outer
    nbytes = 2 * (16 * inner + inner * outer + 16 * outer)

    assert product.forward.kind is OperatorKind.MATRIX
    assert forward(product) == (flops, nbytes)
    assert backward(product) == (2 * flops, 2 * nbytes)


def test_a_gated_part_has_two_products_in_one() -> None:
    gated = operators(shape={"feed_forward_kind": FeedForward.SWIGLU})

    assert gated.feed_forward_in().forward.flops == 2 * 16 * 8 * 64


def test_fused_attention_moves_no_scores_and_computes_them_again() -> None:
    (core,) = operators().attention_core()
    products = 2 * (2 * 4 * 16 * 16 * 2)  # scores and context: 2 x heads x s x s x 2

    # queries and context of 16 x 8, keys and values of 16 x 4, 2 B each
    assert forward(core) == (products, 2 * 2 * 16 * 8 + 2 * 2 * 16 * 4)
    assert backward(core) == (2.5 * products, 2 * core.forward.nbytes)


def test_unfused_attention_moves_its_scores() -> None:
    core = operators(fused_attention=False).attention_core()
    scores, softmax, dropout, context = core
    elements = 4 * 16 * 16

    product = 2 * elements * 2, 2 * (16 * 8 + 16 * 4 + elements)
    assert forward(scores) == forward(context) == product
    assert backward(scores) == backward(context) == (2 * product[0], 2 * product[1])
    assert forward(softmax) == (5 * elements, 2 * 2 * elements)
    assert backward(softmax) == (5 * elements, 3 * 2 * elements)
    masked = elements, 2 * 2 * elements + elements  # in, out, and a byte of mask
    assert forward(dropout) == backward(dropout) == masked


def test_without_dropout_there_is_no_mask() -> None:
    plain = operators(fused_attention=False, dropout=False).attention_core()

    names = [operator.forward.name for operator in plain]
    assert names == ["attention_scores", "attention_softmax", "attention_context"]


@pytest.mark.parametrize(
    ("name", "kind", "elements", "flops", "reads", "reads_backward"),
    [
        ("normalization", OperatorKind.NORMALIZATION, 16 * 8, 5, 2, 3),
        ("residual", OperatorKind.ELEMENTWISE, 16 * 8, 2, 3, 2),
        ("activation", OperatorKind.ELEMENTWISE, 16 * 32, 8, 2, 3),
        ("embedding", OperatorKind.EMBEDDING, 16 * 8, 0, 2, 3),
    ],
)
def test_a_pointwise_operator_touches_every_element(
    name: str,
    kind: OperatorKind,
    elements: int,
    flops: int,
    reads: int,
    reads_backward: int,
) -> None:
    operator = getattr(operators(), name)()

    assert operator.forward.kind is kind
    assert forward(operator) == (flops * elements, reads * 2 * elements)
    assert backward(operator) == (flops * elements, reads_backward * 2 * elements)


def test_a_gated_activation_reads_two_and_writes_one() -> None:
    gated = operators(shape={"feed_forward_kind": FeedForward.SWIGLU}).activation()

    assert forward(gated) == (6 * 16 * 32, 3 * 2 * 16 * 32)
    assert backward(gated) == (6 * 16 * 32, 5 * 2 * 16 * 32)


def test_the_loss_is_in_single_precision() -> None:
    loss = operators().loss()

    assert forward(loss) == (5 * 16 * 20, 4 * 16 * 20)
    assert backward(loss) == (2 * 16 * 20, 2 * 4 * 16 * 20)


def test_adam_reads_and_writes_its_state() -> None:
    adam = operators().optimizer(100)

    # gradient in and weight out of 2 B, 12 B of state in and out
    assert (adam.flops, adam.nbytes) == (1000, 100 * (2 + 2 + 24))


def test_tensor_devices_share_widths_and_ulysses_shares_heads() -> None:
    tensor = operators({"tensor": 2})
    split = {"sequence": 2, "sequence_method": SequenceMethod.ULYSSES}
    ulysses = operators(split)
    gathered = operators({"sequence": 2})
    flops = operators().attention_core()[0].forward.flops

    assert tensor.query_key_value().forward.flops == 2 * 16 * 8 * 8
    for half in (tensor, ulysses, gathered):
        assert half.attention_core()[0].forward.flops == flops / 2
    # half the queries; all keys of half the heads, or all keys of all heads
    assert ulysses.attention_core()[0].forward.nbytes == 2 * 2 * (8 * 8 + 16 * 2)
    assert gathered.attention_core()[0].forward.nbytes == 2 * 2 * (8 * 8 + 16 * 4)


def test_shared_tokens_between_matrices_share_the_pointwise_work() -> None:
    shared = operators({"tensor": 2, "tensor_sequence": True})
    copied = operators({"tensor": 2})

    for name in ("normalization", "residual"):
        part, whole = getattr(shared, name)(), getattr(copied, name)()
        assert 2 * part.forward.nbytes == whole.forward.nbytes


def test_products_account_for_all_operations() -> None:
    part = operators({"tensor": 2}, fused_attention=False)
    scores, *_, context = part.attention_core()
    products = part.query_key_value(), part.feed_forward_out(), part.logits()

    for operator in (*products, scores, context):
        for node in (operator.forward, operator.backward):
            shapes = [work for work in node.work if isinstance(work, Product)]
            assert sum(shape.flops for shape in shapes) == node.flops
            assert node.kernels == len(node.work) == len(shapes)


def test_a_fused_core_says_what_it_attends_to() -> None:
    (core,) = operators({"tensor": 2}, fused_attention=True).attention_core()
    shape = Attention(
        batch=1,
        queries=16,
        keys=16,
        heads=2,
        key_value_heads=1,
        head_dim=2,
        value_dim=2,
        causal=True,
    )

    assert core.forward.work == (shape,)
    assert core.backward.work == (replace(shape, backward=True),)
