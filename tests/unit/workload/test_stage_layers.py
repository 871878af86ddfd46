"""Layers are shared out over a pipeline, evenly or not."""

from typing import Any

import pytest

from cosmic.errors import ConsistencyError, SpecError
from cosmic.trace.execution_graph import Schedule, compute_nodes
from cosmic.trace.node import OperatorKind
from cosmic.workload.inference import Inference, Task
from cosmic.workload.lowering import lower
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.stage_layers import shared_out
from cosmic.workload.weights import layer_weights, stage_weights
from cosmic.workload.workload import Workload


def workload(layers: int = 12, micro_batches: int = 8, **changes: Any) -> Workload:
    names = "pipeline", "virtual_stages", "data", "weight_sharding"
    split = {name: changes.pop(name) for name in names if name in changes}
    model = TransformerModel(
        layers=layers,
        hidden=64,
        heads=4,
        key_value_heads=4,
        head_dim=16,
        feed_forward=256,
        sequence=32,
        vocabulary=100,
    )
    return Workload(
        model=model,
        batch=micro_batches * split.get("data", 1),
        parallelism=Parallelism(**split),
        **changes,
    )


@pytest.mark.parametrize(
    ("layers", "pipeline", "parts", "ends", "expected"),
    [
        (96, 8, 1, (0, 0), ()),
        (61, 4, 1, (13, 16), (13, 16, 16, 16)),
        (62, 4, 1, (15, 15), (15, 16, 16, 15)),
        (31, 4, 1, (7, 0), (7, 8, 8, 8)),
        (31, 4, 1, (0, 7), (8, 8, 8, 7)),
        (10, 2, 1, (4, 6), (4, 6)),
        (28, 4, 2, (4, 0), (2, 4, 4, 4, 2, 4, 4, 4)),
    ],
)
def test_the_ends_have_their_own_and_the_rest_is_even(
    layers: int,
    pipeline: int,
    parts: int,
    ends: tuple[int, int],
    expected: tuple[int, ...],
) -> None:
    split = Parallelism(pipeline=pipeline, virtual_stages=parts)

    assert shared_out(layers, split, *ends) == expected
    assert sum(expected) in (0, layers)


@pytest.mark.parametrize(
    ("pipeline", "parts", "ends", "message"),
    [
        (1, 1, (4, 0), "need a pipeline, and pp is 1"),
        (4, 1, (4, 0), "3 stages cannot share out 8 evenly"),
        (4, 1, (12, 0), "3 stages cannot share out 0 evenly"),
        (4, 1, (13, 0), "3 stages cannot share out -1 evenly"),
        (2, 1, (4, 4), "0 stages cannot share out 4 evenly"),
        (4, 2, (3, 0), "2 does not divide 3"),
    ],
)
def test_what_does_not_come_out_even_is_refused(
    pipeline: int, parts: int, ends: tuple[int, int], message: str
) -> None:
    split = Parallelism(pipeline=pipeline, virtual_stages=parts)

    with pytest.raises(ConsistencyError, match=message):
        shared_out(12, split, *ends)


def test_no_stage_has_fewer_layers_than_none() -> None:
    with pytest.raises(SpecError, match="must not be negative, but are -1 and 0"):
        shared_out(12, Parallelism(pipeline=2), -1)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"pipeline": 5}, ConsistencyError, "layers over pipeline: 5 does not divide"),
        (
            {"pipeline": 4, "virtual_stages": 2},
            ConsistencyError,
            "layers over pipeline x virtual_stages: 8 does not divide 12",
        ),
        ({"virtual_stages": 2}, ConsistencyError, "there is no pipeline: pp is 1"),
        ({"virtual_stages": 0}, SpecError, "must be at least 1, not 0"),
        (
            {"pipeline": 3, "virtual_stages": 2},
            ConsistencyError,
            "with virtual_stages: 3 does not divide 8",
        ),
        (
            {"pipeline": 2, "virtual_stages": 2, "schedule": Schedule.GPIPE},
            ConsistencyError,
            "virtual_stages is for the schedule 1f1b, not gpipe",
        ),
        (
            {"pipeline": 2, "stage_layers": (5, 6)},
            ConsistencyError,
            "must share out 12 layers over 2 stages, not 11 over 2",
        ),
        (
            {"pipeline": 2, "stage_layers": (4, 4, 4)},
            ConsistencyError,
            "not 12 over 3",
        ),
        ({"pipeline": 2, "stage_layers": (12, 0)}, SpecError, "at least 1 each"),
        (
            {
                "pipeline": 2,
                "virtual_stages": 2,
                "inference": Inference(task=Task.PREFILL, prompt=32),
            },
            ConsistencyError,
            "virtual_stages is for training",
        ),
    ],
)
def test_stages_that_make_no_sense_are_refused(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        workload(**changes)


def test_layers_go_round_the_stages_in_the_order_of_the_model() -> None:
    shared = workload(pipeline=2, virtual_stages=2, stage_layers=(1, 4, 5, 2))

    assert shared.layer_ranges == (
        range(1),
        range(1, 5),
        range(5, 10),
        range(10, 12),
    )
    assert (shared.layers_of(0), shared.layers_of(1)) == ((1, 5), (4, 2))


def test_a_stage_holds_the_weights_of_its_layers() -> None:
    shared = workload(pipeline=3, stage_layers=(2, 7, 3))

    assert stage_weights(shared, 1) == 7 * layer_weights(shared)
    held = sum(stage_weights(shared, stage) for stage in range(3))
    assert held == sum(stage_weights(workload(pipeline=3), s) for s in range(3))


@pytest.mark.parametrize("sharding", [0, 1, 2, 3])
@pytest.mark.parametrize("data", [1, 2])
def test_a_step_does_the_same_work_in_parts(data: int, sharding: int) -> None:
    """Products forward and backward, and the optimizer over all weights once."""
    one, two = (
        lower(
            workload(
                pipeline=2, virtual_stages=parts, data=data, weight_sharding=sharding
            )
        )
        for parts in (1, 2)
    )

    for kind in (OperatorKind.MATRIX, OperatorKind.OPTIMIZER, OperatorKind.LOSS):
        for whole, split in zip(one.stages, two.stages, strict=True):
            expected = sum(
                turns * times * node.flops
                for program, turns in zip(whole.programs, one.turns, strict=True)
                for node, times in compute_nodes(program)
                if node.kind is kind
            )
            found = sum(
                turns * times * node.flops
                for program, turns in zip(split.programs, two.turns, strict=True)
                for node, times in compute_nodes(program)
                if node.kind is kind
            )
            assert found == pytest.approx(expected, rel=1e-12)
