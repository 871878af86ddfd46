"""What the parts of a model communicate, by the way in which they are split."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from cosmic.trace.node import (
    CollectiveKind,
    ComputeNode,
    Instruction,
    OperatorKind,
    Start,
    Wait,
)
from cosmic.workload.layers import embedding_unit, head_unit, layer_unit
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute, SequenceMethod
from cosmic.workload.workload import Workload

AR, AG, RS, A2A = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL,
)
ULYSSES = {"sequence_method": SequenceMethod.ULYSSES}


def workload(
    split: dict[str, Any] | None = None, key_value_heads: int = 16, **changes: Any
) -> Workload:
    model = TransformerModel(
        layers=4,
        hidden=64,
        heads=16,
        key_value_heads=key_value_heads,
        head_dim=4,
        feed_forward=256,
        sequence=128,
        vocabulary=1000,
    )
    parallelism = Parallelism(**(split or {}))
    return Workload(model=model, batch=1, parallelism=parallelism, **changes)


def sent(
    instructions: tuple[Instruction, ...],
) -> Counter[tuple[str, CollectiveKind, float]]:
    """Group, kind and bytes of each collective, with how often it is there."""
    return Counter(
        (i.node.group, i.node.kind, i.node.nbytes)
        for i in instructions
        if isinstance(i, Start)
    )


def computed(instructions: tuple[Instruction, ...], *kinds: OperatorKind) -> float:
    return sum(
        i.flops for i in instructions if isinstance(i, ComputeNode) and i.kind in kinds
    )


def test_one_device_sends_nothing() -> None:
    for unit in (layer_unit, embedding_unit, head_unit):
        alone = unit(workload({"tensor_sequence": True} | ULYSSES))
        assert not sent((*alone.forward, *alone.backward))


def test_tensor_devices_reduce_twice_each_way() -> None:
    unit = layer_unit(workload({"tensor": 4}))
    activations = 2.0 * 128 * 64

    expected = {("tensor", AR, activations): 2}
    assert sent(unit.forward) == sent(unit.backward) == expected


def test_shared_tokens_are_gathered_and_scattered_in_place_of_each() -> None:
    unit = layer_unit(workload({"tensor": 4, "tensor_sequence": True}))
    activations = 2.0 * 128 * 64

    expected = {("tensor", AG, activations): 2, ("tensor", RS, activations): 2}
    assert sent(unit.forward) == sent(unit.backward) == expected


def test_a_split_sequence_gathers_keys_and_returns_their_gradients() -> None:
    unit = layer_unit(workload({"sequence": 4}, key_value_heads=4))
    keys_and_values = 2.0 * 2 * 128 * 16  # 2 B, of the whole sequence, 4 heads of 4

    assert sent(unit.forward) == {("sequence", AG, keys_and_values): 1}
    assert sent(unit.backward) == {
        ("sequence", AG, keys_and_values): 1,
        ("sequence", RS, keys_and_values): 1,
    }


def test_ulysses_exchanges_heads_on_the_way_in_and_out() -> None:
    unit = layer_unit(workload({"sequence": 4, "tensor": 2} | ULYSSES))
    queries = 2.0 * 32 * 32  # 2 B, 32 tokens of this device, half the heads

    exchanged = {
        ("sequence", A2A, 3 * queries): 1,
        ("sequence", A2A, queries): 1,
        ("tensor", AR, 2.0 * 32 * 64): 2,
    }
    assert sent(unit.forward) == sent(unit.backward) == exchanged


def test_ulysses_sends_a_key_to_every_device_that_attends_to_it() -> None:
    unit = layer_unit(workload({"sequence": 8} | ULYSSES, key_value_heads=2))

    # 2 B, 16 tokens: 16 query heads, and a key and a value head for each of 8 devices
    expected = 2.0 * 16 * (16 + 2 * 8) * 4
    assert sent(unit.forward)["sequence", A2A, expected] == 1


def test_every_collective_is_awaited_before_what_needs_it() -> None:
    unit = layer_unit(workload({"tensor": 2, "sequence": 2, "tensor_sequence": True}))

    for instructions in (unit.forward, unit.backward):
        for here, after in pairwise(instructions):
            if isinstance(here, Start):
                assert after == Wait(here.token)


@pytest.mark.parametrize("split", [{"tensor": 4}, {"sequence": 4}])
def test_full_recomputation_runs_the_whole_layer_again(split: dict[str, Any]) -> None:
    plain = layer_unit(workload(split))
    again = layer_unit(workload(split, recompute=Recompute.FULL))

    assert again.forward == plain.forward
    assert sent(again.backward) == sent(plain.forward) + sent(plain.backward)
    kinds = tuple(OperatorKind)
    assert computed(again.backward, *kinds) == (
        computed(plain.forward, *kinds) + computed(plain.backward, *kinds)
    )


def test_selective_recomputation_runs_the_attention_core_again() -> None:
    plain = layer_unit(workload(fused_attention=False))
    again = layer_unit(workload(fused_attention=False, recompute=Recompute.SELECTIVE))

    more = computed(again.backward, OperatorKind.ATTENTION) - computed(
        plain.backward, OperatorKind.ATTENTION
    )
    assert more == computed(plain.forward, OperatorKind.ATTENTION)
    matrices = OperatorKind.MATRIX
    assert computed(again.backward, matrices) == computed(plain.backward, matrices)


def test_fused_attention_recomputes_by_itself() -> None:
    plain = layer_unit(workload())

    assert layer_unit(workload(recompute=Recompute.SELECTIVE)) == plain


def test_a_split_vocabulary_adds_up_what_each_device_looked_up() -> None:
    unit = embedding_unit(workload({"tensor": 4}))

    assert sent(unit.forward) == {("tensor", AR, 2.0 * 128 * 64): 1}
    assert not sent(unit.backward)


def test_a_split_head_exchanges_statistics_not_logits() -> None:
    unit = head_unit(workload({"tensor": 4}))

    # a maximum, a sum and the target's logit of each token, 4 B
    assert sent(unit.forward) == {("tensor", AR, 12.0 * 128): 1}
    assert sent(unit.backward) == {("tensor", AR, 2.0 * 128 * 64): 1}


def test_a_split_head_gathers_shared_tokens() -> None:
    unit = head_unit(workload({"tensor": 4, "tensor_sequence": True}))

    assert sent(unit.forward)["tensor", AG, 2.0 * 128 * 64] == 1
    assert sent(unit.backward) == {("tensor", RS, 2.0 * 128 * 64): 1}
