"""Memory against Korthikanti et al. 2022 and the ZeRO paper.

V. Korthikanti et al., "Reducing activation recomputation in large transformer models",
2022: equations 1 to 6 exactly, figures 1 and 7 as given by Calculon caa4b11
(calculon/llm/validation.py). S. Rajbhandari et al., "ZeRO: memory optimizations toward
training trillion parameter models", 2020: figure 1 and table 1.
"""

from dataclasses import replace

import pytest

from cosmic.trace.precision import Precision
from cosmic.workload.memory import (
    layer_activations,
    memory_footprint,
    stage_footprint,
)
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute
from cosmic.workload.weights import layer_weights, stage_weights
from cosmic.workload.workload import Workload

GIB = 2**30
NONE, SELECTIVE, FULL = Recompute.NONE, Recompute.SELECTIVE, Recompute.FULL


def gpt(layers: int, hidden: int, heads: int) -> TransformerModel:
    return TransformerModel(
        layers=layers,
        hidden=hidden,
        heads=heads,
        key_value_heads=heads,
        head_dim=hidden // heads,
        feed_forward=4 * hidden,
        sequence=2048,
    )


# Table 3 of the paper: layers, hidden, heads; tensor and micro-batch
GPTS = {
    "22B": (gpt(48, 6144, 64), 8, 4),
    "175B": (gpt(96, 12288, 96), 8, 1),
    "530B": (gpt(105, 20480, 128), 8, 1),
    "1T": (gpt(128, 25600, 160), 8, 1),
}
NAMES = pytest.mark.parametrize("name", GPTS)


def workload(
    name: str,
    tensor: int | None = None,
    tensor_sequence: bool = False,
    recompute: Recompute = NONE,
) -> Workload:
    model, split, micro_batch = GPTS[name]
    return Workload(
        model=model,
        batch=micro_batch,
        micro_batch=micro_batch,
        parallelism=Parallelism(
            tensor=split if tensor is None else tensor, tensor_sequence=tensor_sequence
        ),
        recompute=recompute,
        fused_attention=False,
    )


def sbh(name: str) -> int:
    model, _, micro_batch = GPTS[name]
    return model.sequence * micro_batch * model.hidden


def scores(name: str) -> float:
    """5 a s / h."""
    model = GPTS[name][0]
    return 5 * model.heads * model.sequence / model.hidden


def exactly(value: float) -> object:
    """The value but for the last bits, since 5 a s / h has no finite expansion."""
    return pytest.approx(value, rel=1e-12)


@NAMES
def test_equation_1_one_device(name: str) -> None:
    kept = layer_activations(workload(name, tensor=1))

    assert kept == exactly(sbh(name) * (34 + scores(name)))


@NAMES
@pytest.mark.parametrize("t", [2, 4, 8])
def test_equation_2_tensor_parallelism(name: str, t: int) -> None:
    kept = layer_activations(workload(name, tensor=t))

    assert kept == exactly(sbh(name) * (10 + 24 / t + scores(name) / t))


@NAMES
@pytest.mark.parametrize("t", [2, 4, 8])
def test_equation_4_sequence_parallelism(name: str, t: int) -> None:
    kept = layer_activations(workload(name, tensor=t, tensor_sequence=True))

    assert kept == exactly(sbh(name) / t * (34 + scores(name)))


@NAMES
def test_equation_5_the_first_stage_holds_a_layer_for_every_layer_of_the_model(
    name: str,
) -> None:
    """1F1B: L/p layers of p micro-batches, whatever p is."""
    model, tensor, micro_batch = GPTS[name]
    pipeline = {"22B": 8, "175B": 8, "530B": 35, "1T": 64}[name]
    staged = Workload(
        model=model,
        batch=pipeline * micro_batch,
        micro_batch=micro_batch,
        parallelism=Parallelism(tensor=tensor, pipeline=pipeline, tensor_sequence=True),
        fused_attention=False,
    )

    kept = memory_footprint(staged).activations

    assert kept == exactly(model.layers * sbh(name) / tensor * (34 + scores(name)))


@NAMES
def test_equation_6_selective_recomputation(name: str) -> None:
    kept = layer_activations(workload(name, None, True, SELECTIVE))

    assert kept == 34 * sbh(name) / 8


@NAMES
def test_table_2_full_recomputation_keeps_a_layers_input(name: str) -> None:
    assert layer_activations(workload(name, None, False, FULL)) == 2 * sbh(name)


@NAMES
def test_a_fused_core_keeps_what_selective_recomputation_does(name: str) -> None:
    selective = workload(name, recompute=SELECTIVE)
    fused = Workload(
        model=selective.model,
        batch=selective.batch,
        micro_batch=selective.micro_batch,
        parallelism=selective.parallelism,
    )

    assert layer_activations(fused) == layer_activations(selective)


@pytest.mark.parametrize(
    ("name", "tensor_sequence", "recompute", "interleaving", "gib"),
    [
        ("22B", False, NONE, 1.0, 59.25),
        ("22B", True, SELECTIVE, 1.0, 9.5625),
        # interleaved over 8 stages, 3 parts each: 1 + (p - 1) / (p m) = 1 + 7 / 24
        ("175B", False, NONE, 1 + 7 / 24, 66.84375),
        ("175B", True, SELECTIVE, 1 + 7 / 24, 12.3515625),
    ],
)
def test_figure_1_activations(
    name: str,
    tensor_sequence: bool,
    recompute: Recompute,
    interleaving: float,
    gib: float,
) -> None:
    """All layers' activations; exact, with the paper's factor for its own schedule."""
    of_a_layer = layer_activations(workload(name, None, tensor_sequence, recompute))

    kept = GPTS[name][0].layers * of_a_layer * interleaving

    assert kept / GIB == exactly(gib)


@pytest.mark.parametrize(("name", "pipeline"), [("22B", 1), ("175B", 8)])
def test_figure_1_weights_gradients_and_optimizer(name: str, pipeline: int) -> None:
    """45.5625 GiB at 18 B a weight, single-precision gradients among them.

    The figure counts matrices alone; biases and norms are less than 0.1 % more.
    """
    model = GPTS[name][0]
    weights = model.layers // pipeline * layer_weights(workload(name))

    assert 18 * weights / GIB == pytest.approx(45.5625, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "tensor_sequence", "recompute", "percent"),
    [
        ("22B", True, NONE, 66.84),
        ("22B", False, SELECTIVE, 49.42),
        ("22B", True, SELECTIVE, 16.18),
        ("22B", False, FULL, 7.64),
        ("175B", True, NONE, 62.04),
        ("175B", False, SELECTIVE, 56.53),
        ("175B", True, SELECTIVE, 18.49),
        ("175B", False, FULL, 8.71),
    ],
)
def test_figure_7_share_of_what_is_kept_without_recomputation(
    name: str, tensor_sequence: bool, recompute: Recompute, percent: float
) -> None:
    """Within 0.1 percentage points: the figure counts what the ends keep as well."""
    kept = layer_activations(workload(name, None, tensor_sequence, recompute))

    share = 100 * kept / layer_activations(workload(name))

    assert share == pytest.approx(percent, abs=0.1)


@pytest.mark.parametrize(
    ("sharding", "gigabytes"), [(0, 120), (1, 31.4), (2, 16.6), (3, 1.9)]
)
def test_zero_figure_1(sharding: int, gigabytes: float) -> None:
    """7.5 billion weights on 64 devices at 2 + 2 + 12 B, to the figure's digits."""
    model = gpt(32, 4416, 32)
    shared = Workload(
        model=model,
        batch=64,
        parallelism=Parallelism(data=64, weight_sharding=sharding),
    )
    held = memory_footprint(shared)

    each = (held.weights + held.gradients + held.optimizer) / stage_weights(shared, 0)

    assert stage_weights(shared, 0) == pytest.approx(7.5e9, rel=0.01)
    assert each * 7.5 == pytest.approx(gigabytes, abs=0.06)


# gigabytes of 7.5, 128 and 1,000 billion weights on 1, 4, 16, 64, 256 and 1,024 devices
ZERO_TABLE_1 = {
    1: (
        (120, 52.5, 35.6, 31.4, 30.4, 30.1),
        (2048, 896, 608, 536, 518, 513),
        (16000, 7000, 4750, 4187, 4046, 4011),
    ),
    2: (
        (120, 41.3, 21.6, 16.6, 15.4, 15.1),
        (2048, 704, 368, 284, 263, 257),
        (16000, 5500, 2875, 2218, 2054, 2013),
    ),
    3: (
        (120, 30, 7.5, 1.88, 0.47, 0.12),
        (2048, 512, 128, 32, 8, 2),
        (16000, 4000, 1000, 250, 62.5, 15.6),
    ),
}


@pytest.mark.parametrize("sharding", ZERO_TABLE_1)
@pytest.mark.parametrize("devices", [1, 4, 16, 64, 256, 1024])
def test_zero_table_1(sharding: int, devices: int) -> None:
    """Bytes of a weight's states, times the table's weights, to the table's digits."""
    shared = Workload(
        model=gpt(2, 1024, 16),
        batch=devices,
        parallelism=Parallelism(data=devices, weight_sharding=sharding),
    )
    held = memory_footprint(shared)
    states = held.weights + held.gradients + held.optimizer

    each = states / stage_weights(shared, 0)

    column = [1, 4, 16, 64, 256, 1024].index(devices)
    for billions, row in zip((7.5, 128, 1000), ZERO_TABLE_1[sharding], strict=True):
        assert each * billions == pytest.approx(row[column], rel=0.003, abs=0.06)


@pytest.mark.parametrize(
    ("name", "pipeline", "virtual", "tensor_sequence", "recompute", "gib"),
    [
        ("22B", 1, 1, False, NONE, 59.25),
        ("22B", 1, 1, True, SELECTIVE, 9.5625),
        ("175B", 8, 3, False, NONE, 66.84375),
        ("175B", 8, 3, True, SELECTIVE, 12.3515625),
    ],
)
def test_figure_1_as_whole_footprints(
    name: str,
    pipeline: int,
    virtual: int,
    tensor_sequence: bool,
    recompute: Recompute,
    gib: float,
) -> None:
    """The first stage's, at 2 + 4 + 12 B a weight; `recomputed` is not drawn."""
    given = workload(name, None, tensor_sequence, recompute)
    split = replace(given.parallelism, pipeline=pipeline, virtual_stages=virtual)
    shared = replace(
        given, batch=64, parallelism=split, gradient_precision=Precision.FP32
    )

    held = stage_footprint(shared, 0)

    assert held.activations / GIB == exactly(gib)
    states = held.weights + held.gradients + held.optimizer
    assert states / GIB == pytest.approx(45.5625, rel=1e-3)
