"""Spec files: what they say becomes objects, what they say wrong becomes one line."""

import json
import re
from pathlib import Path

import pytest

from cosmic.errors import ConsistencyError, SpecError
from cosmic.evaluation.evaluator import Evaluator
from cosmic.io.models import load_model
from cosmic.io.presets import PresetKind, preset_names, preset_path
from cosmic.io.specs import check_spec, load_scenario, load_study
from cosmic.io.systems import load_system

TOO_DEAR = "gpt3-175b-1024-devices-network-budget-v1"  # its baseline, for its budget


@pytest.mark.parametrize("name", preset_names(PresetKind.SCENARIO))
def test_every_scenario_has_a_baseline_that_fits(name: str) -> None:
    scenario = load_scenario(name)
    evaluation = Evaluator(scenario).inspect(scenario.baseline).evaluation
    broken = [violation.constraint for violation in evaluation.violations]

    assert broken == (["network_cost"] if name == TOO_DEAR else [])


def test_every_model_runs_on_every_system() -> None:
    runs = {
        name
        for name in preset_names(PresetKind.SCENARIO)
        if name.endswith("-devices-v1")
        and not any(word in name for word in ("paper", "chat", "question"))
    }

    assert runs == {
        f"{model}-{devices}-devices-v1"
        for model in ("gpt3-175b", "gpt3-13b", "vit-large", "vit-base", "llama-7b")
        for devices in (512, 1024, 2048)
    }


def test_a_scenario_says_how_long_sequences_are(tmp_path: Path) -> None:
    """Of a preset as of a Hugging Face configuration, which does not say."""
    configuration = {
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": 512,
        "intermediate_size": 1024,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "vocab_size": 1024,
    }
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "config.json").write_text(json.dumps(configuration))
    text = preset_path(PresetKind.SCENARIO, "llama-7b-512-devices-v1").read_text()
    for name, model in (("one", "llama-7b-cosmic"), ("two", "small")):
        said = f"model: {model}\nsequence: 4096"
        changed = text.replace("model: llama-7b-cosmic", said)
        (tmp_path / f"{name}.yaml").write_text(changed)
        scenario = load_scenario(f"{name}.yaml", tmp_path)

        assert scenario.model.sequence == 4096
        assert scenario.configure(scenario.baseline).workload.queries == 4096


def test_link_bandwidth_becomes_that_of_the_device() -> None:
    # 187.5 x 2, 25 x 7, 75 x 2 and 100 x 1 GB/s
    settings = load_system("cosmic-1024")

    assert settings["bandwidth"] == (375e9, 175e9, 150e9, 100e9)
    assert settings["latency"] == (20e-9, 700e-9, 700e-9, 1700e-9)


def test_a_model_may_have_heads_that_do_not_fill_its_width() -> None:
    model = load_model("gpt3-13b")

    assert (model.hidden, model.query_width) == (5140, 5120)


def test_a_study_file_narrows_its_scenario(tiny_folder: Path) -> None:
    (tiny_folder / "study.yaml").write_text(
        "kind: study\nscenario: scenario.yaml\nscope: network_only\n"
        "objective: perf_per_cost\nagent: {name: random}\ntrials: 10\nseed: 3\n"
    )
    plan = load_study(tiny_folder / "study.yaml")

    assert (plan.agent, plan.trials, plan.seed, plan.batch) == ("random", 10, 3, 32)
    assert plan.scenario.objective.name == "perf_per_cost"
    assert "dp" not in plan.scenario.space.genes


@pytest.mark.parametrize("name", ["model", "system", "scenario", "parameter_set"])
def test_a_sound_file_is_checked_by_its_kind(tiny_folder: Path, name: str) -> None:
    assert check_spec(tiny_folder / f"{name}.yaml") == name.replace("_", " ")


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        (
            "system.yaml",
            "npus_count: 4, bandwidth: 100 GB/s",
            "npus_cout: 4, bandwidth: 100 GB/s",
            "system.yaml: no key named 'npus_cout'; did you mean 'npus_count'? "
            "@ $.dimensions[0]",
        ),
        (
            "system.yaml",
            "bandwidth: 50 GB/s",
            "bandwidth: 50 GB",
            "system.yaml: '50 GB' is not in B/s; write",
        ),
        (
            "system.yaml",
            "bandwidth: 50 GB/s",
            "bandwidth: 50",
            "system.yaml: write a quantity with its unit, such as '1 B/s' "
            "@ $.dimensions[1].bandwidth",
        ),
        (
            "system.yaml",
            "bandwidth: 50 GB/s",
            "bandwidth: 50 GB/s, link_bandwidth: 50 GB/s",
            "system.yaml: give bandwidth (of a device's links together) or "
            "link_bandwidth, one of the two @ $.dimensions[1]",
        ),
        (
            "system.yaml",
            "bandwidth: 50 GB/s",
            "bandwidth: 0 GB/s",
            "system.yaml: dimension 1: link bandwidth must be positive",
        ),
        (
            "system.yaml",
            "[ring, halvingDoubling]",
            "[ring]",
            "system.yaml: all_reduce_algorithm: 1 algorithms for 2 dimensions "
            "@ $.collective",
        ),
        (
            "model.yaml",
            "heads: 8",
            "heads: 7",
            "model.yaml: 7 heads do not divide hidden = 256; give head_dim",
        ),
        (
            "scenario.yaml",
            "dp: 4",
            "dp: 5",
            "scenario.yaml: dp x pp x sp = 5 x 2 x 1 = 10, which does not make up 16 "
            "devices @ $.workload",
        ),
        (
            "scenario.yaml",
            "weight_sharded: 1",
            "weight_sharded: 1, axis_order: tensor-sequence-data-pipelin",
            "scenario.yaml: no order of axes named 'tensor-sequence-data-pipelin'; did "
            "you mean 'tensor-sequence-data-pipeline'? @ $.workload.axis_order",
        ),
        (
            "parameter_set.yaml",
            "parameters:",
            "parameters:\n  oversubscription: {stack: network, per_dimension: true, "
            "values: [0.5, 1]}",
            "parameter_set.yaml: parameter 'oversubscription' must be from 1 to 1000, "
            "not 0.5 @ $.parameters.oversubscription",
        ),
        (
            "parameter_set.yaml",
            "parameters:",
            "parameters:\n  asymmetry: {stack: network, per_dimension: true, "
            "range: {from: one, to: 2, step: 0.5}}",
            "expected a number, got 'one'",
        ),
        (
            "parameter_set.yaml",
            "parameters:",
            "parameters:\n  dimensions: {stack: network, values: [1, 17]}",
            "parameter 'dimensions' must be from 1 to 16, not 17 "
            "@ $.parameters.dimensions",
        ),
        (
            "scenario.yaml",
            "weight_sharded: 1",
            "weight_sharded: 1, weight_sharding: 3",
            "scenario.yaml: give weight_sharding or weight_sharded, not both",
        ),
        (
            "scenario.yaml",
            "model.yaml",
            "gpt3-175",
            "scenario.yaml: no model named 'gpt3-175'; did you mean 'gpt3-175b'? "
            "@ $.model",
        ),
        (
            "scenario.yaml",
            "objective: runtime",
            "objective: run_time",
            "scenario.yaml: no objective named 'run_time'; did you mean 'runtime'?",
        ),
        (
            "scenario.yaml",
            "objective: runtime",
            "cost_model: rooflin",
            "scenario.yaml: no cost model named 'rooflin'; did you mean 'roofline'? "
            "@ $.cost_model",
        ),
        (
            "parameter_set.yaml",
            "heads % tp == 0",
            "heads % pt == 0",
            "parameter_set.yaml: no parameter, derived value or constant named 'pt'; "
            "known: ",
        ),
        (
            "parameter_set.yaml",
            "values: [50 GB/s, 100 GB/s]",
            "values: [50, 100]",
            "parameter 'bandwidth': write 50 with its unit, such as '1 B/s'",
        ),
        (
            "parameter_set.yaml",
            "values: [50 GB/s, 100 GB/s]",
            "range: {from: 1 GB/s, to: 2 GB/s}",
            "parameter 'bandwidth': a range of quantities needs a step, or a count",
        ),
        (
            "parameter_set.yaml",
            "values: [1, 2, 4]}",
            "range: {from: 1, to: 4, count: 2}}",
            "a count is for quantities; give a step",
        ),
        (
            "parameter_set.yaml",
            "values: [1, 2]}",
            "values: [1, 2], divisors_of: 8}",
            "parameter 'sp': give one of values, powers_of_two, range and "
            "divisors_of, not values and divisors_of",
        ),
    ],
)
def test_a_mistake_is_one_line_with_its_place(
    tiny_folder: Path, file: str, old: str, new: str, line: str
) -> None:
    path = tiny_folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))

    with pytest.raises(SpecError) as error:
        load_scenario(tiny_folder / "scenario.yaml")

    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_quantities_may_stand_at_equal_ratios(tiny_folder: Path) -> None:
    path = tiny_folder / "parameter_set.yaml"
    text = path.read_text().replace(
        "values: [50 GB/s, 100 GB/s]", "range: {from: 1 GB/s, to: 100 GB/s, count: 3}"
    )
    path.write_text(text)
    space = load_scenario(tiny_folder / "scenario.yaml").space

    choices = {gene.name: gene.choices for gene in space.gene_table}
    assert choices["bandwidth[0]"] == (1e9, 10e9, 100e9)


def test_numbers_without_a_unit_may_be_a_range(tiny_folder: Path) -> None:
    path = tiny_folder / "parameter_set.yaml"
    asymmetry = "{stack: network, per_dimension: true, range: {from: 0.5, to: 2, "
    for ending, expected in (
        ("step: 0.5}}", (0.5, 1.0, 1.5, 2.0)),
        ("count: 3}}", (0.5, 1.0, 2.0)),
    ):
        text = path.read_text()
        line = f"  asymmetry: {asymmetry}{ending}\n"
        path.write_text(text.replace("derived:", f"{line}derived:"))
        scenario = load_scenario(tiny_folder / "scenario.yaml")
        path.write_text(text)

        choices = {gene.name: gene.choices for gene in scenario.space.gene_table}
        assert choices["asymmetry[1]"] == expected
        assert scenario.baseline["asymmetry"] == (1.0, 1.0)


def test_what_came_later_is_a_constant_where_a_formula_names_it(
    tiny_folder: Path,
) -> None:
    path = tiny_folder / "parameter_set.yaml"
    before = load_scenario(tiny_folder / "scenario.yaml").space.parameter_set
    rules = "- sum(oversubscription) == dimensions\n  - heads % tp"
    path.write_text(path.read_text().replace("- heads % tp", rules))
    after = load_scenario(tiny_folder / "scenario.yaml").space.parameter_set

    assert {"oversubscription", "dimensions"}.isdisjoint(before.constants)
    assert after.constants["oversubscription"] == (1.0, 1.0)
    assert after.constants["dimensions"] == 2
    assert after.constants.keys() - before.constants.keys() == {
        "oversubscription",
        "dimensions",
    }


def test_constraints_that_leave_nothing_are_named(tiny_folder: Path) -> None:
    path = tiny_folder / "parameter_set.yaml"
    path.write_text(path.read_text().replace("heads % tp == 0", "dp * pp >= 999"))

    with pytest.raises(SpecError, match=re.escape("dp * pp >= 999")):
        load_scenario(tiny_folder / "scenario.yaml")


def test_a_file_must_say_what_it_is(tiny_folder: Path) -> None:
    path = tiny_folder / "what.yaml"
    path.write_text("kind: sceanrio\n")

    with pytest.raises(SpecError, match=r"what.yaml: kind says what the file is: cal"):
        check_spec(path)


def test_a_baseline_that_breaks_the_model_is_refused(tiny_folder: Path) -> None:
    path = tiny_folder / "model.yaml"
    path.write_text(path.read_text().replace("heads: 8", "heads: 8\nhead_dim: 32"))
    scenario = load_scenario(tiny_folder / "scenario.yaml")

    with pytest.raises(ConsistencyError, match="heads over tensor"):
        scenario.configure({**scenario.baseline, "dp": 1, "pp": 1})
