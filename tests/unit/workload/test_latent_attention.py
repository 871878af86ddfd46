"""Multi-latent attention and the ends of images, by hand."""

from typing import Any

import pytest

from cosmic.errors import ConsistencyError
from cosmic.io.models import load_model
from cosmic.trace.execution_graph import compute_nodes, total_flops
from cosmic.trace.node import Attention, ComputeNode, OperatorKind
from cosmic.workload.inference import Inference, Task
from cosmic.workload.layers import embedding_unit, head_unit, layer_unit
from cosmic.workload.lowering import lower
from cosmic.workload.memory import memory_footprint
from cosmic.workload.operators import Operators
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.workload import Workload


def deepseek(task: Task | None = None, tensor: int = 1, **changes: Any) -> Workload:
    model = load_model("deepseek-v3", sequence=4096)
    asked = None if task is None else Inference(task=task, prompt=4096)
    split = Parallelism(tensor=tensor)
    given = {"batch": 1} | changes
    return Workload(model=model, parallelism=split, inference=asked, **given)


def test_projections_by_hand() -> None:
    """128 heads on 4 devices, each of which makes the narrow vectors of all tokens."""
    forward = layer_unit(deepseek(tensor=4)).forward
    found = {
        i.name: i.flops
        for i in forward
        if isinstance(i, ComputeNode) and i.kind is OperatorKind.MATRIX
    }

    assert found | {"feed_forward_in": 0, "feed_forward_out": 0} == {
        "latent_down": 2 * 4096 * 7168 * (1536 + 512 + 64),
        "query_up": 2 * 4096 * 1536 * 32 * 192,
        "key_value_up": 2 * 4096 * 512 * 32 * (128 + 128),
        "attention_output": 2 * 4096 * 32 * 128 * 7168,
        "feed_forward_in": 0,
        "feed_forward_out": 0,
    }


def test_training_attends_with_keys_and_values_of_every_head() -> None:
    (core,) = Operators(deepseek()).attention_core()
    scores = 128 * 4096 * 4096

    assert core.forward.work == (
        Attention(
            batch=1,
            queries=4096,
            keys=4096,
            heads=128,
            key_value_heads=128,
            head_dim=192,
            value_dim=128,
            causal=True,
        ),
    )
    assert core.forward.flops == 2 * scores * (192 + 128)
    # scores again, and the gradients of queries and keys; those of values and scores
    assert core.backward.flops == pytest.approx(2 * scores * (3 * 192 + 2 * 128))
    assert core.forward.nbytes == 2 * 4096 * 128 * 2 * (192 + 128)


def test_a_decode_step_attends_to_narrow_vectors() -> None:
    (core,) = Operators(deepseek(Task.DECODE, tensor=4)).attention_core()

    assert core.forward.work == (
        Attention(
            batch=1,
            queries=1,
            keys=4096,
            heads=32,
            key_value_heads=1,
            head_dim=512 + 64,
            value_dim=512,
        ),
    )
    assert core.forward.flops == 2 * 32 * 4096 * (576 + 512)
    # queries and context of 32 heads, and the cache, which serves as both
    assert core.forward.nbytes == 2 * (32 * (576 + 512) + 4096 * 576)


@pytest.mark.parametrize("tensor", [1, 4])
def test_the_cache_is_narrow_and_copied(tensor: int) -> None:
    """576 elements of a token in each of 61 layers: 70 KB in bf16."""
    footprint = memory_footprint(deepseek(Task.DECODE, tensor=tensor))

    assert footprint.cache == 4096 * 61 * 576 * 2
    assert footprint.cache / 4096 == 70_272


def test_only_training_and_prefills_are_causal_kernels() -> None:
    """The one query of a decode step sees every key."""
    for task, causal in ((None, True), (Task.PREFILL, True), (Task.DECODE, False)):
        (core,) = Operators(deepseek(task)).attention_core()
        (shape,) = core.forward.work
        assert isinstance(shape, Attention)
        assert shape.causal is causal


def images(**changes: Any) -> Workload:
    return Workload(model=load_model("vit-l-16"), batch=8, micro_batch=2, **changes)


def test_patches_and_classes_by_hand() -> None:
    """Two images of 196 patches of 16 x 16 x 3, and a class token."""
    step = images()
    (patches,) = embedding_unit(step).forward
    (back,) = embedding_unit(step).backward
    classes = head_unit(step).forward[1]

    assert isinstance(patches, ComputeNode)
    assert isinstance(back, ComputeNode)
    assert isinstance(classes, ComputeNode)
    assert patches.flops == back.flops == 2 * (2 * 196) * 768 * 1024
    assert classes.flops == 2 * 2 * 1024 * 1000


def test_a_vision_transformer_does_what_its_images_need() -> None:
    step = images()

    assert 1 < total_flops(lower(step)) / step.model_flops < 1.03


def test_a_model_without_ends_has_layers_only() -> None:
    bare = Workload(model=load_model("vit-large"), batch=1)
    names = [block.name for block in lower(bare).stages[0].forward]

    assert names == ["layer"]
    assert sum(count for _, count in compute_nodes(lower(bare).stages[0].forward)) > 0


@pytest.mark.parametrize("task", [Task.PREFILL, Task.DECODE, Task.SERVE])
def test_images_are_not_answered_in_words(task: Task) -> None:
    with pytest.raises(ConsistencyError, match="only a causal model of words"):
        images(inference=Inference(task=task, prompt=197))
