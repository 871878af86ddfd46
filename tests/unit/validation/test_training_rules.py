"""What a source's words mean."""

import json
from dataclasses import replace
from typing import Any

import pytest

from cosmic.errors import SpecError
from cosmic.validation.machines import NotEvaluatedError
from cosmic.validation.tables import TABLES, read_rows
from cosmic.validation.training import rules
from cosmic.validation.training.comparison import compare
from cosmic.validation.training.frameworks import FRAMEWORKS, framework_of
from cosmic.validation.training.row import TrainingRow, parse_training_row
from cosmic.validation.training.rules import Said, Sharding
from cosmic.validation.training.setup import setup_of

MEGATRON = framework_of("Megatron-LM core 0.9", "2024")
ROW: dict[str, Any] = {
    "id": "made-1",
    "source": "made",
    "task": "pretrain",
    "date": "2024",
    "model": {
        "name": "gpt",
        "layers": 22,
        "hidden": 1024,
        "heads": 16,
        "ffn": 4096,
        "vocab": 51200,
        "gated_mlp": False,
        "seq": 1024,
    },
    "parallel": {
        "gpus": 16,
        "tp": 2,
        "pp": 4,
        "dp": 2,
        "mbs": 1,
        "gbs": 32,
        "sp": True,
        "recompute": "selective",
        "dist_opt": True,
    },
    "hardware": {
        "gpu": "A100-SXM4-80GB",
        "gpus_per_node": 8,
        "nic": "8x200 Gb/s HDR InfiniBand per node",
    },
    "precision": "bf16",
    "software": "Megatron-LM core 0.9",
    "measured": {"iter_s": 1.5},
    "quality": "A",
}


def row(**changes: Any) -> TrainingRow:
    """The made-up row with keys changed inside `model` or `parallel`, or outside."""
    document = json.loads(json.dumps(ROW))
    for key, value in changes.items():
        places = [part for part in ("model", "parallel") if key in ROW[part]]
        (document[places[0]] if places else document)[key] = value
    return parse_training_row(document)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ZeRO-3", Sharding(3)),
        ("ZeRO-1 within node (8)", Sharding(1, 8)),
        ("distributed optimizer", Sharding(1)),
        ("FSDP SHARD_GRAD_OP", Sharding(2)),
        ("FSDP FULL_SHARD", Sharding(3)),
        ("FSDP 64", Sharding(3, 64)),
        ("HSDP", Sharding(3, 8)),
    ],
)
def test_what_is_sharded(words: str, found: Sharding) -> None:
    split = replace(row().split, sharding=words)

    assert rules.sharding(split, MEGATRON, node=8) == Said(found)


def test_what_is_sharded_is_assumed_where_nobody_says() -> None:
    split = replace(row().split, sharding="", distributed_optimizer=None)

    assert rules.sharding(split, MEGATRON, 8).assumed == "sharding 0 (Megatron-LM)"
    with pytest.raises(NotEvaluatedError, match="no rule reads the sharding 'magic'"):
        rules.sharding(replace(split, sharding="magic"), MEGATRON, 8)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("none", "none"),
        ("selective", "selective"),
        ("full (uniform)", "full"),
        ("selective AC, every second op", "half"),
        ("off", "none"),
    ],
)
def test_what_is_computed_again(words: str, found: str) -> None:
    assert rules.recompute(row(recompute=words), MEGATRON).value == found


@pytest.mark.parametrize(
    ("words", "found"),
    [("amp_bf16", "bf16"), ("fp8 hybrid (TE)", "fp8"), ("fp16 (mixed)", "fp16")],
)
def test_the_format_of_products(words: str, found: str) -> None:
    assert rules.precision(words).value == found


@pytest.mark.parametrize("words", ["nvfp4", "not determined", "unknown (x)"])
def test_a_format_that_nobody_says_is_not_guessed(words: str) -> None:
    with pytest.raises(NotEvaluatedError):
        rules.precision(words)


def test_the_settings_of_a_row() -> None:
    """Embedding and head stand for a layer each: 22 + 2 are 6 for each of 4 stages."""
    setup = setup_of(row())

    said = setup.settings
    assert (said["tp"], said["pp"], said["dp"], said["sp"]) == (2, 4, 2, 1)
    assert (said["first_stage_layers"], said["last_stage_layers"]) == (5, 5)
    assert said["gradient_precision"] == "fp32"
    assert said["recompute"] == "selective"
    assert said["weight_sharding"] == 1
    assert setup.machine.settings["npus_count"] == (8, 2)
    assert setup.workload().stage_layers == (5, 6, 6, 5)
    assert setup.bubble == pytest.approx(3 / 16)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task": "lora"}, "it is no pre-training, but lora"),
        ({"layers": None}, "it does not say its layers"),
        ({"layers": 20, "pp": 8, "dp": 1}, "no rule says how"),
        ({"gbs": 31}, "2 replicas do not share 31 sequences"),
        ({"dp": 4}, "does not make up 16 devices"),
        ({"tp": None, "pp": None}, "it does not say how it was split"),
        ({"mbs": None}, "it does not say its micro-batch"),
    ],
)
def test_what_cannot_be_evaluated_says_why(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NotEvaluatedError, match=reason):
        setup_of(row(**changes))


def test_a_field_of_another_kind_is_named() -> None:
    with pytest.raises(SpecError, match="layers must be a number, got 'many'"):
        row(layers="many")


def test_a_prediction_says_where_it_is_from() -> None:
    [compared] = compare([row()]).rows
    prediction = compared.prediction

    assert prediction.cost_model == "calibration a100-sxm-80gb"
    assert prediction.preset == "dgx-a100-superpod"
    assert prediction.roofline < prediction.step
    assert compared.error == prediction.step / 1.5 - 1


def test_the_formula_is_the_operations_at_half_of_peak_and_the_bubble() -> None:
    [compared] = compare([row(recompute="full")]).rows
    workload = setup_of(row(recompute="full")).workload()

    ideal = workload.model_flops / (16 * 312e12 / 2)
    by_hand = ideal * 4 / 3 * (1 + 3 / 16)
    assert compared.prediction.formula == pytest.approx(by_hand, rel=1e-12)


def test_every_default_of_a_framework_has_a_source() -> None:
    assert all(len(framework.reference) > 40 for framework in FRAMEWORKS)
    assert len({framework.name for framework in FRAMEWORKS}) == len(FRAMEWORKS)


@pytest.mark.parametrize("name", ["training.jsonl", "training_bulk.jsonl"])
def test_the_tables_hold_figures_and_no_foreign_sentences(name: str) -> None:
    table = read_rows(TABLES / name, parse_training_row)
    assert not table.problems
    assert len({one.id for one in table.rows}) == len(table.rows)
    assert all(one.url for one in table.rows)
    for line in (TABLES / name).read_text(encoding="utf-8").splitlines():
        assert not {"quote", "notes"} & json.loads(line).keys()
