"""Whatever can be searched moves some metric in some scenario."""

from collections.abc import Mapping
from functools import cache

import pytest

from cosmic.collective.algorithm import ALGORITHMS
from cosmic.design.parameter import PointValue
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.setting import SETTINGS
from cosmic.io.specs import load_scenario

# A network of four dimensions whose data collectives are what takes time.
WORKLOADS: Mapping[str, Mapping[str, PointValue | None]] = {
    "all_to_all_algorithm": {"sequence_method": "ulysses", "sp": 8, "dp": 8, "pp": 4},
    "scheduling_policy": {"weight_sharded": 0, "dp": 64, "pp": 1, "sp": 1},
    "all_reduce_algorithm": {"weight_sharded": 0},
    "multi_dim_optimization": {"weight_sharded": 0},
    "weight_sharding": {"weight_sharded": None},
    "recompute": {"fused_attention": False},
    "recompute_layers": {"recompute": "full"},
    "tensor_overlap": {"tensor_sequence": True},
    "logit_bytes": {"weight_sharded": 1, "dp": 64, "pp": 1, "sp": 1},
    "placement": {"bandwidth": (100e9, 175e9, 375e9, 150e9)},
    "active_chunks": {"chunks": 16, "latency": (1e-5,) * 4},
    "virtual_stages": {"pp": 4},
    "first_stage_layers": {"pp": 4},
    "last_stage_layers": {"pp": 4},
    # 8 data-parallel devices next to each other do not factor over dimensions of 12.
    "flat_rings": {
        "npus_count": (12, 2, 2, 2),
        "axis_order": "data-tensor-sequence-pipeline",
        "dp": 8,
        "pp": 1,
        "sp": 1,
    },
    # A price goes by level, and levels by the number of dimensions; see VALUES.
    "dimensions": {"npus_count": (32, 32, 1, 1)},
}
OF_INFERENCE = ("micro_batches", "weight_bits", "cache_bits", "device_price")
SHAPES = ("Ring", "FullyConnected", "Switch", "Mesh", "Hypercube")
VALUES: Mapping[str, tuple[PointValue, ...]] = {
    "dp": (8, 16),
    "tp": (4,),
    "pp": (4, 2),
    "sp": (8, 4),
    "ep": (8, 32, 64),
    "weight_sharding": (0, 1, 2, 3),
    "micro_batch": (1, 2),
    "chunks": (2, 16),
    "endpoint_delay": (0.0, 1e-6),
    "peak_flops": (10e12, 20e12),
    "memory_bandwidth": (50e9, 100e9),
    "memory_capacity": (1e9, 24e9),
    "topology": tuple((shape,) * 4 for shape in SHAPES),
    "precision": ("fp32", "bf16", "fp8"),
    "recompute_layers": (0, 1, 5),
    "sharding_group": (0, 2, 4),
    "prefetch": (0, 1, 2),
    "logit_bytes": (4, 14),
    "gradient_precision": ("auto", "fp32"),
    "axis_order": (
        "tensor-sequence-data-pipeline",
        "sequence-tensor-data-pipeline",
        "tensor-data-sequence-pipeline",
        "pipeline-data-sequence-tensor",
    ),
    "virtual_stages": (1, 2, 8),
    "first_stage_layers": (0, 21, 27),
    "last_stage_layers": (0, 21, 27),
    "active_chunks": (1, 4),
    "micro_batches": (0, 1, 8),
    "device_price": (1 / 3600, 2 / 3600),
    "oversubscription": ((1.0,) * 4, (1.0, 1.0, 1.0, 4.0)),
    "asymmetry": ((1.0,) * 4, (1.0, 1.0, 1.0, 0.5)),
    "dimensions": (4, 2),
    "npus_count": ((4, 8, 4, 8), (8, 4, 4, 8)),
    "bandwidth": ((50e9,) * 4, (500e9,) * 4),
    "latency": ((0.0,) * 4, (1e-5,) * 4),
    "all_reduce_algorithm": (("ring",) * 4, ("halvingDoubling",) * 4),
    "all_gather_algorithm": (("ring",) * 4, ("halvingDoubling",) * 4),
    "reduce_scatter_algorithm": (("ring",) * 4, ("halvingDoubling",) * 4),
    "all_to_all_algorithm": (("ring",) * 4, ("direct",) * 4),
}


@cache
def _scenario() -> Scenario:
    return load_scenario("gpt3-175b-1024-devices-v1")


@cache
def _evaluator() -> Evaluator:
    return Evaluator(_scenario())


@cache
def _serving() -> Scenario:
    return load_scenario("gpt3-175b-chat-512-devices-v1")


@cache
def _mixture() -> Scenario:
    return load_scenario("deepseek-v3-h800-2048-v1")


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "tp"])
def test_no_setting_is_dead(name: str) -> None:
    others = {**dict.fromkeys(OF_INFERENCE, _serving), "ep": _mixture}
    scenario = others.get(name, _scenario)()
    evaluator = Evaluator(scenario) if name in others else _evaluator()
    values = VALUES.get(name) or SETTINGS[name].allowed
    fixed = {**scenario.baseline, **WORKLOADS.get(name, {})}
    seen = set()
    for value in values:
        point = {k: v for k, v in {**fixed, name: value}.items() if v is not None}
        evaluation = evaluator.inspect(point).evaluation
        seen.add((tuple(evaluation.metrics.items()), len(evaluation.violations)))

    assert len(seen) == len(values), f"{name} changes nothing"


@pytest.mark.parametrize("name", [*ALGORITHMS.names(), "direct2"])
@pytest.mark.parametrize(
    "kind", ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"]
)
def test_every_algorithm_is_told_from_another_on_some_network(
    kind: str, name: str
) -> None:
    """From the ring algorithm; that one itself from direct exchange."""
    setting, other = f"{kind}_algorithm", "direct" if name == "ring" else "ring"
    changes = {k: v for k, v in WORKLOADS.get(setting, {}).items() if v is not None}
    differs = False
    for shape in ("Ring", "Switch"):
        network = {**_scenario().baseline, **changes, "topology": (shape,) * 4}
        ours, theirs = (
            _evaluator().inspect({**network, setting: (algorithm,) * 4}).evaluation
            for algorithm in (name, other)
        )
        both = ours.metrics.keys() & theirs.metrics.keys() & {"runtime"}
        differs |= any(ours.metrics[m] != theirs.metrics[m] for m in both)

    assert differs


def test_tp_follows_from_the_other_degrees_and_may_be_said() -> None:
    evaluator = Evaluator(_scenario())
    said = evaluator.inspect({**_scenario().baseline, "tp": 4}).evaluation
    followed = evaluator.inspect(_scenario().baseline).evaluation
    wrong = evaluator.inspect({**_scenario().baseline, "tp": 8}).evaluation

    assert said == followed
    assert "does not make up 1024 devices" in wrong.violations[0].message
