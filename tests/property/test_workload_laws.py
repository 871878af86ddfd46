"""Laws of every workload: work is shared out, memory never rises, tokens agree."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.trace.execution_graph import (
    Program,
    Schedule,
    Stage,
    collective_nodes,
    compute_nodes,
)
from cosmic.trace.node import OperatorKind
from cosmic.workload.lowering import lower
from cosmic.workload.memory import memory_footprint, stage_footprint
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute, SequenceMethod
from cosmic.workload.weights import stage_weights
from cosmic.workload.workload import Workload

PRODUCTS = (OperatorKind.MATRIX, OperatorKind.ATTENTION)
ROUNDING = 1 + 1e-12  # sums of a few dozen floats

degrees = st.sampled_from([1, 2, 4, 8])  # and may be doubled


@st.composite
def models(draw: st.DrawFn) -> TransformerModel:
    return TransformerModel(
        layers=draw(st.sampled_from([16, 32])),
        hidden=draw(st.sampled_from([64, 96])),
        heads=128,
        key_value_heads=draw(st.sampled_from([1, 8, 128])),
        head_dim=draw(st.sampled_from([4, 8])),
        feed_forward=draw(st.sampled_from([64, 256])),
        feed_forward_kind=draw(st.sampled_from(FeedForward)),
        sequence=draw(st.sampled_from([128, 512])),
        vocabulary=draw(st.sampled_from([0, 1024])),
        tied_embeddings=draw(st.booleans()),
        learned_positions=draw(st.booleans()),
    )


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    return Workload(
        model=draw(models()),
        batch=draw(st.sampled_from([64, 128])),
        micro_batch=draw(st.sampled_from([1, 4])),
        parallelism=Parallelism(
            tensor=draw(degrees),
            sequence=draw(degrees),
            data=draw(degrees),
            pipeline=draw(degrees),
            weight_sharding=draw(st.integers(0, 3)),
            sequence_method=draw(st.sampled_from(SequenceMethod)),
            tensor_sequence=draw(st.booleans()),
        ),
        recompute=draw(st.sampled_from(Recompute)),
        fused_attention=draw(st.booleans()),
        schedule=draw(st.sampled_from(Schedule)),
    )


def more(workload: Workload, axis: str) -> Workload:
    """The same with one degree of parallelism doubled."""
    split = workload.parallelism
    doubled = replace(split, **{axis: 2 * getattr(split, axis)})
    return replace(workload, parallelism=doubled)


def products(program: Program) -> float:
    """FLOPs of matrix products and attention."""
    return sum(
        node.flops * times
        for node, times in compute_nodes(program)
        if node.kind in PRODUCTS
    )


def backward_products(stage: Stage) -> float:
    """With those for the gradients of weights, where these are put off."""
    return products(stage.backward) + products(stage.weight_backward)


@given(workload=workloads())
def test_the_products_of_all_devices_are_the_models_flops(workload: Workload) -> None:
    """Forward and backward, nothing computed twice, a key-value head a device or more.

    The update holds the next step's forward, so forward and backward are counted here.
    """
    plain = replace(workload, recompute=Recompute.NONE, fused_attention=False)
    graph = lower(plain)
    per_stage = plain.parallelism.devices / plain.parallelism.pipeline
    once = sum(products(s.forward) + backward_products(s) for s in graph.stages)

    copied = plain.parallelism.tensor / min(
        plain.parallelism.tensor, plain.model.key_value_heads
    )
    everywhere = once * per_stage * graph.micro_batches
    if copied == 1:
        assert everywhere == pytest.approx(plain.model_flops, rel=1e-12)
    else:  # projections to copied key-value heads are done again
        assert everywhere > plain.model_flops


@given(workload=workloads())
def test_every_forward_of_a_step_is_the_same_work(workload: Workload) -> None:
    for stage in lower(workload).stages:
        assert products(stage.update) == products(stage.forward)
        assert products(stage.last_backward) == products(stage.backward)
        later = products(stage.last_weight_backward)
        assert later == products(stage.weight_backward)


@given(workload=workloads())
def test_recomputation_costs_work_and_saves_memory(workload: Workload) -> None:
    def work(recompute: Recompute) -> float:
        stage = lower(replace(workload, recompute=recompute)).stages[0]
        return backward_products(stage)

    def held(recompute: Recompute) -> float:
        return memory_footprint(replace(workload, recompute=recompute)).total

    none, selective, full = Recompute.NONE, Recompute.SELECTIVE, Recompute.FULL
    assert work(none) <= work(selective) < work(full)
    if workload.schedule is Schedule.ZB_H1:
        return  # what gradients of weights need is kept, whatever is recomputed
    assert held(full) <= held(none) * ROUNDING
    assert held(selective) <= held(none) * ROUNDING


@pytest.mark.parametrize("axis", ["tensor", "sequence", "data", "pipeline"])
@given(workload=workloads())
def test_memory_never_rises_with_more_devices(axis: str, workload: Workload) -> None:
    if axis == "pipeline" and workload.schedule is Schedule.ZB_H1:
        workload = replace(workload, schedule=Schedule.ONE_F_ONE_B)  # see below
    before, after = memory_footprint(workload), memory_footprint(more(workload, axis))

    assert after.total <= before.total * ROUNDING


@given(workload=workloads())
def test_zb_h1_keeps_no_more_than_1f1b_on_its_first_stage(workload: Workload) -> None:
    """There nothing is put off; later stages keep what is, beside fewer in flight."""
    model = replace(workload.model, feed_forward_kind=FeedForward.GELU)
    plain = replace(workload, model=model, recompute=Recompute.NONE)
    one, zero = (
        stage_footprint(replace(plain, schedule=schedule), 0).activations
        for schedule in (Schedule.ONE_F_ONE_B, Schedule.ZB_H1)
    )

    several = workload.parallelism.pipeline > 1 and workload.micro_batches > 1
    assert one <= zero
    assert not several or zero == one


@given(workload=workloads())
def test_memory_never_rises_with_more_sharding(workload: Workload) -> None:
    held = [
        memory_footprint(
            replace(
                workload,
                parallelism=replace(workload.parallelism, weight_sharding=level),
            )
        ).total
        for level in range(4)
    ]

    for less, level in pairwise(held):
        assert level <= less * ROUNDING


@given(workload=workloads())
def test_memory_never_rises_with_shared_tokens(workload: Workload) -> None:
    held = [
        memory_footprint(
            replace(
                workload,
                parallelism=replace(workload.parallelism, tensor_sequence=shared),
            )
        ).total
        for shared in (False, True)
    ]

    assert held[1] <= held[0]


@given(workload=workloads())
def test_every_part_of_memory_is_there_or_nothing(workload: Workload) -> None:
    for stage in range(workload.parallelism.pipeline):
        held = stage_footprint(workload, stage)
        assert held.weights > 0
        assert held.gradients > 0
        assert held.optimizer > 0
        assert held.activations > 0
        assert held.logits >= 0
        assert held.buffers >= 0


@given(workload=workloads())
def test_groups_of_one_send_nothing(workload: Workload) -> None:
    graph = lower(workload)

    for stage in set(graph.stages):
        for program in stage.programs:
            for node, _ in collective_nodes(program):
                assert graph.group(node.group).size > 1
                assert node.nbytes > 0


def travelled(stage: Stage) -> float:
    """Bytes of gradients handed to the network by a step's last backward."""
    kinds = ("all_reduce", "reduce_scatter")
    return sum(
        node.nbytes * times
        for program in (stage.last_backward, stage.last_weight_backward)
        for node, times in collective_nodes(program)
        if node.group == "data" and node.kind.value in kinds
    )


@given(workload=workloads())
def test_every_gradient_goes_home_once(workload: Workload) -> None:
    split = workload.parallelism
    for index, stage in enumerate(lower(workload).stages):
        weights = stage_weights(workload, index)
        if index == split.pipeline - 1:
            weights -= workload.model.norm_weights  # too few to travel by themselves
        expected = 2 * weights if split.replicas > 1 else 0
        assert travelled(stage) == expected


@given(workload=workloads())
def test_the_stages_hold_the_model_and_what_is_copied(workload: Workload) -> None:
    one = replace(workload.parallelism, tensor=1)
    whole = replace(workload, parallelism=one)
    held = sum(stage_weights(whole, stage) for stage in range(one.pipeline))

    model = workload.model
    tied_apart = model.tied_embeddings and one.pipeline > 1
    assert held == model.weight_count + (model.head_weights if tied_apart else 0)
