"""Passes of inference on one device and on many, counted by hand."""

from dataclasses import replace

import pytest

from cosmic.errors import ConsistencyError, SpecError
from cosmic.trace.execution_graph import compute_nodes, total_flops
from cosmic.trace.node import Attention, ComputeNode
from cosmic.workload.inference import Inference, Task
from cosmic.workload.lowering import lower
from cosmic.workload.memory import stage_footprint
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute
from cosmic.workload.passes import decode, needed_flops, prefill
from cosmic.workload.workload import Workload

TINY = TransformerModel(
    layers=2,
    hidden=8,
    heads=4,
    key_value_heads=2,
    head_dim=2,
    feed_forward=32,
    feed_forward_kind=FeedForward.SWIGLU,
    sequence=64,
    vocabulary=100,
    tied_embeddings=False,
    learned_positions=False,
)


def serving(
    batch: int = 3,
    prompt: int = 5,
    output: int = 4,
    split: Parallelism | None = None,
    model: TransformerModel = TINY,
) -> Workload:
    return Workload(
        model=model,
        batch=batch,
        micro_batch=batch,
        parallelism=split or Parallelism(),
        inference=Inference(task=Task.SERVE, prompt=prompt, output=output),
    )


def nodes(workload: Workload) -> dict[str, ComputeNode]:
    [stage] = lower(workload).stages
    return {node.name: node for node, _ in compute_nodes(stage.forward)}


def test_a_prefill_multiplies_all_tokens_and_gives_logits_for_the_last() -> None:
    found = nodes(prefill(serving()))

    # 15 tokens; queries 8, keys and values 4 + 4 wide; gate and up 2 x 32
    assert found["query_key_value"].flops == 2 * 15 * 8 * 16
    assert found["feed_forward_in"].flops == 2 * 15 * 8 * 64
    assert found["attention"].flops == 2 * 2 * 3 * 4 * 5 * 5 * 2
    assert found["logits"].flops == 2 * 3 * 8 * 100
    assert "loss" not in found


def test_a_decode_step_reads_every_weight_and_the_cache_once() -> None:
    found = nodes(decode(serving(), context=7))

    # 3 tokens in and out, and the matrix, of 2 bytes each
    assert found["query_key_value"].nbytes == 2 * (3 * 8 + 8 * 16 + 3 * 16)
    # queries and context of 8, and of 7 tokens keys and values of 2 heads of 2
    assert found["attention"].nbytes == 2 * (3 * 8 * 2 + 3 * 7 * 2 * 2 * 2)
    assert found["attention"].flops == 2 * 2 * 3 * 4 * 1 * 7 * 2
    [shape] = found["attention"].work
    assert isinstance(shape, Attention)
    assert (shape.queries, shape.keys) == (1, 7)


def test_fewer_bits_make_for_fewer_bytes_of_weights_and_cache_only() -> None:
    asked = Inference(task=Task.DECODE, prompt=7, weight_bits=4, cache_bits=8)
    found = nodes(replace(serving(), inference=asked))

    assert found["query_key_value"].nbytes == 2 * (3 * 8 + 3 * 16) + 8 * 16 / 2
    assert found["attention"].nbytes == 2 * 3 * 8 * 2 + 3 * 7 * 2 * 2 * 2


def test_a_pass_needs_the_operations_of_its_products() -> None:
    workload = prefill(serving())
    found = nodes(workload)
    layer = {"query_key_value", "attention", "attention_output"}
    layer |= {"feed_forward_in", "feed_forward_out"}

    products = 2 * sum(found[name].flops for name in layer) + found["logits"].flops

    assert workload.model_flops == pytest.approx(products, rel=1e-12)


def test_a_request_needs_what_its_passes_need() -> None:
    workload = serving(output=6)
    steps = [decode(workload, context) for context in range(6, 11)]

    whole = prefill(workload).model_flops + sum(step.model_flops for step in steps)

    assert needed_flops(workload) == pytest.approx(whole, rel=1e-12)


def test_the_work_of_all_devices_is_that_of_one() -> None:
    """But for what is copied: norms, residuals and embeddings."""
    one = nodes(prefill(serving()))
    split = Parallelism(tensor=2, pipeline=2)
    workload = replace(serving(batch=2, split=split), micro_batch=1)

    graph = lower(prefill(workload))

    assert graph.forward_only
    assert graph.micro_batches == 2
    assert total_flops(graph) > prefill(workload).model_flops
    assert total_flops(graph) < 1.3 * 2 / 3 * sum(
        node.flops * (1 if node.name in ("logits", "sampling", "embedding") else 2)
        for node in one.values()
    )


def test_the_cache_holds_all_sequences_at_their_full_length() -> None:
    workload = serving(split=Parallelism(data=1, pipeline=2))

    part = stage_footprint(workload, 0)

    # a layer, 3 sequences of 5 + 4 - 1 tokens, keys and values of 2 heads of 2, 2 bytes
    assert part.cache == 1 * 3 * 8 * 2 * 2 * 2 * 2
    assert part.gradients == part.optimizer == 0


def test_tensor_devices_share_the_heads_of_the_cache_until_they_have_one_each() -> None:
    caches = [
        stage_footprint(serving(split=Parallelism(tensor=tensor)), 0).cache
        for tensor in (1, 2, 4)
    ]

    assert caches == [768.0, 384.0, 384.0]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (Parallelism(sequence=2), "a decode step has one token of a sequence"),
        (Parallelism(tensor=2, tensor_sequence=True), "a decode step has one token"),
        (Parallelism(weight_sharding=3), "weight_sharding and recompute are for train"),
    ],
)
def test_what_has_no_sense_without_training_is_refused(
    split: Parallelism, message: str
) -> None:
    with pytest.raises(ConsistencyError, match=message):
        serving(split=split)


def test_recomputation_is_refused() -> None:
    with pytest.raises(ConsistencyError, match="are for training"):
        replace(serving(), recompute=Recompute.FULL)


def test_more_tokens_than_learned_positions_are_refused() -> None:
    model = replace(TINY, learned_positions=True)

    with pytest.raises(ConsistencyError, match=r"need 65 positions, .* learned 64"):
        serving(prompt=60, output=6, model=model)


def test_a_prefill_may_split_its_tokens() -> None:
    split = Parallelism(sequence=5)
    asked = Inference(task=Task.PREFILL, prompt=5)

    workload = replace(serving(), parallelism=split, inference=asked)

    assert workload.tokens == 3
    assert lower(workload).devices == 5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"task": Task.TRAIN, "prompt": 1}, "training is no inference"),
        ({"task": Task.SERVE, "prompt": 0}, "at least 1 token, not 0 and 1"),
        ({"task": Task.DECODE, "prompt": 1, "output": 2}, "a decode gives 1 token"),
        ({"task": Task.SERVE, "prompt": 1, "cache_bits": 0}, "must be at least 1"),
    ],
)
def test_an_impossible_request_is_refused(asked: dict[str, int], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Inference(**asked)  # type: ignore[arg-type]  # tables of keywords


def test_a_whole_request_is_no_single_pass() -> None:
    with pytest.raises(SpecError, match="lower its passes"):
        lower(serving())
