"""A workload that exists can be split as it says."""

from typing import Any

import pytest

from cosmic.errors import ConsistencyError, SpecError
from cosmic.trace.precision import Precision
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism, SequenceMethod
from cosmic.workload.workload import Workload

ULYSSES = SequenceMethod.ULYSSES


def workload(
    heads: int = 16,
    key_value_heads: int = 4,
    split: dict[str, Any] | None = None,
    **changes: Any,
) -> Workload:
    model = TransformerModel(
        layers=12,
        hidden=64,
        heads=heads,
        key_value_heads=key_value_heads,
        head_dim=4,
        feed_forward=256,
        sequence=128,
    )
    given: dict[str, Any] = {"batch": 48, "parallelism": Parallelism(**(split or {}))}
    return Workload(model=model, **(given | changes))


def test_a_device_takes_its_share_of_micro_batches_layers_and_tokens() -> None:
    split = {"data": 4, "pipeline": 3, "sequence": 8}
    shared = workload(split=split, micro_batch=2)

    assert shared.micro_batches == 6  # 48 / (4 x 2)
    assert shared.layers_of(0) == (4,)  # 12 / 3
    assert shared.tokens == 32  # 2 x 128 / 8


@pytest.mark.parametrize(
    ("tensor", "on_a_device"), [(1, 4), (2, 2), (4, 1), (8, 1), (16, 1)]
)
def test_key_value_heads_are_copied_when_there_are_too_few(
    tensor: int, on_a_device: int
) -> None:
    shared = workload(split={"tensor": tensor})

    assert shared.key_value_heads == on_a_device
    assert shared.attended_key_value_heads == on_a_device


def test_ulysses_attends_to_some_of_the_heads_and_gathering_to_all() -> None:
    gathered = workload(split={"sequence": 4})
    exchanged = workload(split={"sequence": 4, "sequence_method": ULYSSES})

    assert gathered.attended_key_value_heads == gathered.key_value_heads == 4
    assert exchanged.attended_key_value_heads == 1  # 4 / 4
    assert exchanged.key_value_heads == 4


def test_model_flops_count_every_token_once() -> None:
    one = workload()
    split = workload(split={"data": 4, "tensor": 2, "pipeline": 3}, micro_batch=4)

    assert one.model_flops == 48 * 128 * one.model.flops_per_token()
    assert split.model_flops == one.model_flops


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"tensor": 32}, r"heads over tensor .*: 32 does not divide 16"),
        (
            {"tensor": 8, "sequence": 4, "sequence_method": ULYSSES},
            r"heads over tensor \(x sequence, for ulysses\): 32 does not divide 16",
        ),
        ({"sequence": 3}, "tokens of a sequence over sequence: 3 does not divide 128"),
        (
            {"tensor": 16, "sequence": 16, "tensor_sequence": True},
            "tokens of a sequence over sequence: 256 does not divide 128",
        ),
        ({"pipeline": 8}, "layers over pipeline: 8 does not divide 12"),
        ({"data": 32}, "batch over data x micro_batch: 32 does not divide 48"),
    ],
)
def test_a_split_that_does_not_come_out_even_says_what_is_left(
    split: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConsistencyError, match=message):
        workload(split=split)


def test_a_feed_forward_width_is_split_evenly() -> None:
    with pytest.raises(ConsistencyError, match="feed_forward over tensor: 3 does not"):
        workload(heads=12, key_value_heads=12, split={"tensor": 3})


def test_micro_batches_are_whole() -> None:
    message = "batch over data x micro_batch: 40 does not divide 48"

    with pytest.raises(ConsistencyError, match=message):
        workload(split={"data": 4}, micro_batch=10)


def test_a_device_never_straddles_key_value_heads() -> None:
    """Three query heads a device, two to a key: some would need two keys, some one."""
    message = "key_value_heads over tensor: 4 does not divide 6"

    with pytest.raises(ConsistencyError, match=message):
        workload(heads=12, key_value_heads=6, split={"tensor": 4})


def test_ulysses_never_straddles_key_value_heads() -> None:
    split = {"tensor": 2, "sequence": 2, "sequence_method": ULYSSES}
    message = "key_value_heads over tensor x sequence, for ulysses: 4 does not divide 6"

    with pytest.raises(ConsistencyError, match=message):
        workload(heads=12, key_value_heads=6, split=split)


@pytest.mark.parametrize(("batch", "micro_batch"), [(0, 1), (1, 0)])
def test_a_step_has_sequences(batch: int, micro_batch: int) -> None:
    message = f"at least 1, not {batch} and {micro_batch}"

    with pytest.raises(SpecError, match=message):
        workload(batch=batch, micro_batch=micro_batch)


@pytest.mark.parametrize(
    ("precision", "weight", "product", "optimizer"),
    [
        (Precision.FP32, 4, 4, 8),
        (Precision.TF32, 4, 4, 8),
        (Precision.BF16, 2, 2, 12),
        (Precision.FP16, 2, 2, 12),
        (Precision.FP8, 2, 1, 12),
    ],
)
def test_bytes_follow_the_precision(
    precision: Precision, weight: int, product: int, optimizer: int
) -> None:
    """Adam: two moments of 4 bytes, and a master copy where weights are shorter."""
    given = workload(precision=precision)

    assert given.element_bytes == given.gradient_bytes == weight
    assert given.product_bytes == product
    assert given.optimizer_bytes == optimizer


@pytest.mark.parametrize("precision", Precision)
def test_gradients_may_be_added_up_in_single_precision(precision: Precision) -> None:
    given = workload(precision=precision, gradient_precision=Precision.FP32)

    assert given.gradient_bytes == 4


def test_nobody_adds_up_gradients_in_fp8() -> None:
    with pytest.raises(SpecError, match="must be bf16 or fp32, not fp8"):
        workload(gradient_precision=Precision.FP8)


def test_exponents_of_weights_and_gradients_are_alike() -> None:
    with pytest.raises(ConsistencyError, match="bf16 does not fit precision fp16"):
        workload(precision=Precision.FP16, gradient_precision=Precision.BF16)
