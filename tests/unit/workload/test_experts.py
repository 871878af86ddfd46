"""Mixtures of experts: operations, bytes that travel, and weights, by hand."""

from collections import Counter
from typing import Any

import pytest

from cosmic.errors import ConsistencyError, SpecError
from cosmic.io.models import load_model
from cosmic.trace.execution_graph import collective_nodes, compute_nodes
from cosmic.trace.node import (
    CollectiveKind,
    ComputeNode,
    Instruction,
    OperatorKind,
    Product,
    Start,
)
from cosmic.workload.expert_operators import ExpertOperators
from cosmic.workload.inference import Inference, Task
from cosmic.workload.layer_parts import LayerKind, MixtureOfExperts
from cosmic.workload.layers import layer_unit
from cosmic.workload.lowering import groups, lower
from cosmic.workload.memory import layer_activations, memory_footprint
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.parallelism import Axis, Parallelism, Recompute
from cosmic.workload.workload import Workload

AR, AG, RS, A2A = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL,
)


def workload(
    split: dict[str, Any] | None = None,
    mixture: dict[str, Any] | None = None,
    **changes: Any,
) -> Workload:
    """128 tokens, 64 wide; 8 experts 32 wide, of which each token sees 2."""
    experts = {"experts": 8, "top_k": 2, "feed_forward": 32} | (mixture or {})
    model = TransformerModel(
        layers=4,
        hidden=64,
        heads=16,
        key_value_heads=16,
        head_dim=4,
        feed_forward=256,
        feed_forward_kind=FeedForward.SWIGLU,
        sequence=128,
        vocabulary=1000,
        experts=MixtureOfExperts(**experts),
    )
    parallelism = Parallelism(**(split or {}))
    given = {"batch": parallelism.data} | changes
    return Workload(model=model, parallelism=parallelism, **given)


def sent(
    instructions: tuple[Instruction, ...],
) -> Counter[tuple[str, CollectiveKind, float]]:
    return Counter(
        (i.node.group, i.node.kind, i.node.nbytes)
        for i in instructions
        if isinstance(i, Start)
    )


def products(instructions: tuple[Instruction, ...]) -> dict[str, float]:
    return {
        i.name: i.flops
        for i in instructions
        if isinstance(i, ComputeNode) and i.kind is OperatorKind.MATRIX
    }


def experts_of(step: Workload) -> ExpertOperators:
    assert step.model.experts is not None
    return ExpertOperators(step, step.model.experts)


def test_a_layer_of_mixtral_by_hand() -> None:
    """Tokens of one sequence of 4096 on one device, two experts each."""
    model = load_model("mixtral-8x7b", sequence=4096)
    unit = layer_unit(Workload(model=model, batch=1), LayerKind.EXPERTS)
    tokens, hidden = 4096, 4096

    assert products(unit.forward) == {
        "query_key_value": 2 * tokens * hidden * (4096 + 2 * 1024),
        "attention_output": 2 * tokens * hidden * 4096,
        "router": 2 * tokens * hidden * 8,
        "expert_in": 2 * (2 * tokens) * hidden * (2 * 14336),
        "expert_out": 2 * (2 * tokens) * 14336 * hidden,
    }
    assert sum(products(unit.backward).values()) == 2 * sum(
        products(unit.forward).values()
    )


@pytest.mark.parametrize("name", ["mixtral-8x7b", "deepseek-v2", "qwen3-30b-a3b"])
def test_a_step_does_the_operations_that_its_tokens_need(name: str) -> None:
    """Its products are those that `flops_per_token` counts."""
    model = load_model(name, sequence=4096)
    step = Workload(model=model, batch=1, fused_attention=False)
    (stage,) = lower(step).stages
    found = sum(
        times * node.flops
        for program in (stage.last_backward, stage.update)
        for node, times in compute_nodes(program)
        if node.kind in (OperatorKind.MATRIX, OperatorKind.ATTENTION)
    )

    assert found == step.model_flops


@pytest.mark.parametrize("expert", [1, 2, 4])
def test_experts_multiply_all_rows_that_come(expert: int) -> None:
    """256 rows of 4 devices on 8 / expert experts each."""
    step = workload({"data": 4, "expert": expert}, mixture={"capacity_factor": 1.5})
    into = experts_of(step).expert_in().forward
    local = 8 // expert

    assert into.work == (Product(rows=384 // local, columns=64, inner=64, batch=local),)
    assert into.flops == 2 * 384 * 64 * 64
    moved = 384 * 64 + local * 64 * 64 + 384 * 64
    assert into.nbytes == 2 * moved


def test_without_expert_parallelism_no_rows_travel() -> None:
    unit = layer_unit(workload({"data": 4}), LayerKind.EXPERTS)

    assert not sent((*unit.forward, *unit.backward))


def test_rows_travel_there_and_back() -> None:
    """128 tokens, two copies each, 64 wide, in two bytes; twice each way."""
    unit = layer_unit(workload({"data": 4, "expert": 2}), LayerKind.EXPERTS)

    expected = {("expert", A2A, 2.0 * 2 * 128 * 64): 2}
    assert sent(unit.forward) == sent(unit.backward) == expected


def test_capacity_fills_what_travels() -> None:
    step = workload({"data": 4, "expert": 4}, mixture={"capacity_factor": 1.25})
    unit = layer_unit(step, LayerKind.EXPERTS)

    assert sent(unit.forward) == {("expert", A2A, 1.25 * 2 * 2 * 128 * 64): 2}


def test_tensor_devices_add_up_what_came_back() -> None:
    """All send the same rows; shared experts are added up by themselves."""
    split = {"tensor": 2, "data": 2, "expert": 2}
    step = workload(split, mixture={"shared_feed_forward": 16})
    unit = layer_unit(step, LayerKind.EXPERTS)

    expected = {
        ("expert", A2A, 2.0 * 2 * 128 * 64): 2,
        ("tensor", AR, 2.0 * 128 * 64): 3,
    }
    assert sent(unit.forward) == sent(unit.backward) == expected


def test_tensor_devices_that_share_tokens_send_their_own() -> None:
    """Half of the rows travel, and are gathered where their experts are split."""
    split = {"tensor": 2, "data": 2, "expert": 2, "tensor_sequence": True}
    unit = layer_unit(workload(split), LayerKind.EXPERTS)

    tokens, rows = 2.0 * 128 * 64, 2.0 * 2 * 128 * 64
    expected = {
        ("expert", A2A, rows / 2): 2,
        ("tensor", AG, tokens): 1,
        ("tensor", RS, tokens): 1,
        ("tensor", AG, rows): 1,
        ("tensor", RS, rows): 1,
    }
    assert sent(unit.forward) == sent(unit.backward) == expected


def test_recomputation_sends_rows_again() -> None:
    split = {"data": 4, "expert": 2}
    unit = layer_unit(workload(split, recompute=Recompute.FULL), LayerKind.EXPERTS)

    assert sent(unit.backward) == {("expert", A2A, 2.0 * 2 * 128 * 64): 4}


def test_groups_of_experts_lie_inside_of_the_replicas() -> None:
    split = {"tensor": 2, "data": 8, "expert": 4}
    found = {group.name: group for group in groups(workload(split))}

    assert found["expert"].members(3) == (1, 3, 5, 7)
    assert found["expert_data"].members(3) == (3, 11)
    assert found["data"].size == 8


@pytest.mark.parametrize(
    ("sharding", "kinds"), [(0, [AR]), (1, [RS, AG]), (2, [RS, AG])]
)
def test_gradients_of_experts_are_summed_over_those_that_hold_them(
    sharding: int, kinds: list[CollectiveKind]
) -> None:
    """4 of 8 experts, three matrices each; everything else over all replicas."""
    split = {"data": 4, "expert": 2, "weight_sharding": sharding}
    step = workload(split)
    graph = lower(step)
    (stage,) = graph.stages
    routed = 4 * 3 * 64 * 32
    others = step.model.shared_weights(LayerKind.EXPERTS)

    found: Counter[tuple[str, CollectiveKind, float]] = Counter()
    for program in (stage.last_backward, stage.update):
        for node, times in collective_nodes(program):
            if node.group in ("data", "expert_data") and "layer" in node.name:
                found[node.group, node.kind, node.nbytes] += times

    expected = {("expert_data", kind, 2.0 * routed): 4 for kind in kinds}
    expected |= {("data", kind, 2.0 * others): 4 for kind in kinds}
    assert found == expected


def test_experts_that_one_device_alone_holds_are_summed_by_nobody() -> None:
    graph = lower(workload({"data": 4, "expert": 4, "weight_sharding": 3}))

    used = {
        node.group
        for program in graph.stages[0].programs
        for node, _ in collective_nodes(program)
    }
    assert used == {"data", "expert"}


def test_memory_of_deepseek_v3_on_32_experts_groups() -> None:
    """671.0 billion weights: 653.9 routed ones over 64 devices, the rest on each."""
    model = load_model("deepseek-v3", sequence=4096)
    split = Parallelism(data=64, expert=64, weight_sharding=1)
    footprint = memory_footprint(Workload(model=model, batch=64, parallelism=split))

    routed = 58 * 256 * 3 * 7168 * 2048
    others = model.weight_count - routed
    assert footprint.weights == 2 * (others + routed / 64)
    assert footprint.gradients == footprint.weights
    # optimizer state of experts has no other device to be shared with
    assert footprint.optimizer == 12 * (others / 64 + routed / 64)


def test_sharded_experts_are_shared_over_those_that_hold_them() -> None:
    step = workload({"data": 8, "expert": 2, "weight_sharding": 3})
    routed = 4 * 4 * 3 * 64 * 32
    others = step.model.weight_count - 2 * routed

    assert memory_footprint(step).weights == 2 * (others / 8 + routed / 4)
    # two layers are gathered at a time, and the gradients of one are whole
    layer = step.model.shared_weights(LayerKind.EXPERTS) * 7 / 8
    layer += routed / 4 * 3 / 4
    head = 64_000 * 7 / 8
    assert memory_footprint(step).buffers >= 2 * 2 * layer
    assert memory_footprint(step).buffers < 2 * (3 * layer + 3 * head)


def test_activations_of_a_layer_with_experts_by_hand() -> None:
    """Bytes of a token, without dropout, with a fused core."""
    step = workload(mixture={"shared_feed_forward": 16}, dropout=False)
    norms_and_inputs = 2 * (2 + 2) * 64
    attention = 2 * (3 * 64) + 2 * 64
    row = 2 * 64 + (2 * 2 + 2) * 32
    token = norms_and_inputs + attention + 2 * row + (2 * 2 + 2) * 16 + 4 * 8

    assert layer_activations(step, LayerKind.EXPERTS) == 128 * token


def test_a_stage_holds_runs_of_unlike_layers() -> None:
    step = workload({"pipeline": 2}, mixture={"dense_layers": 1}, batch=2)

    assert step.kinds_of(0) == (((LayerKind.DENSE, 1), (LayerKind.EXPERTS, 1)),)
    assert step.kinds_of(1) == (((LayerKind.EXPERTS, 2),),)
    names = [block.name for block in lower(step).stages[0].forward]
    assert names == ["embedding", "layer", "expert layer"]


def test_a_decode_step_reads_the_experts_that_it_needs() -> None:
    """3 sequences on 2 of 8 experts each: 6 experts are read, with a row each."""
    asked = Inference(task=Task.DECODE, prompt=100)
    step = workload(batch=3, micro_batch=3, inference=asked)
    into = experts_of(step).expert_in().forward

    assert into.work == (
        Product(rows=1, columns=64, inner=64, batch=6, right_bytes=2.0),
    )
    assert into.nbytes == 2 * (6 * 64 + 6 * 64 * 64 + 6 * 64)


@pytest.mark.parametrize(
    ("split", "mixture", "said"),
    [
        ({"data": 4, "expert": 3}, {}, "3 does not divide 4"),
        ({"data": 16, "expert": 16}, {}, "experts over ep: 16 does not divide 8"),
        ({"tensor": 16}, {"feed_forward": 24}, "feed_forward of experts over tensor"),
        ({"tensor": 16}, {"shared_feed_forward": 8}, "shared_feed_forward over tensor"),
        (
            {"data": 4, "expert": 2, "weight_sharding": 1, "sharding_group": 2},
            {},
            "leave it 0",
        ),
        (
            {
                "data": 2,
                "sequence": 6,
                "tensor": 2,
                "expert": 4,
                "axis_order": (Axis.SEQUENCE, Axis.TENSOR, Axis.DATA, Axis.PIPELINE),
            },
            {},
            "another axis lies between",
        ),
    ],
)
def test_a_wrong_split_is_refused(
    split: dict[str, Any], mixture: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConsistencyError, match=said):
        workload(split, mixture)


def test_a_model_without_experts_cannot_share_them() -> None:
    model = load_model("gpt2")
    split = Parallelism(data=2, expert=2)
    with pytest.raises(ConsistencyError, match="ep = 2, but the model has no experts"):
        Workload(model=model, batch=2, parallelism=split)


def test_a_degree_is_at_least_one() -> None:
    with pytest.raises(SpecError, match="expert must be at least 1, not 0"):
        Parallelism(expert=0)
