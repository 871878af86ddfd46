"""Several workloads on one system: one design, and the mean of their times."""

from pathlib import Path

import numpy as np
import pytest

from cosmic.design.parameter import Stack
from cosmic.errors import SpecError
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.objective import objective_named
from cosmic.evaluation.shared_scenario import SharedScenario
from cosmic.io.specs import load_scenario

FOUR = "four-models-1024-devices-v1"
MEMBERS = {
    "gpt3_13b": "gpt3-13b-1024-devices-v1",
    "gpt3_175b": "gpt3-175b-1024-devices-v1",
    "vit_base": "vit-base-1024-devices-v1",
    "vit_large": "vit-large-1024-devices-v1",
}


def shared(path: Path, text: str) -> SharedScenario:
    path.write_text(f"kind: shared_scenario\n{text}")
    scenario = load_scenario(path)
    assert isinstance(scenario, SharedScenario)
    return scenario


@pytest.fixture
def two(tmp_path: Path) -> SharedScenario:
    return shared(
        tmp_path / "two.yaml",
        "members:\n  small: vit-base-1024-devices-v1\n"
        "  large: vit-large-1024-devices-v1\nweights: {large: 3}\n",
    )


def test_its_time_is_the_mean_of_the_times_of_its_members() -> None:
    four = load_scenario(FOUR)
    points = [
        four.space.point(v) for v in four.space.sample(np.random.default_rng(3), 6)
    ]
    alone = [load_scenario(name) for name in MEMBERS.values()]
    own = [p.name for p in alone[0].space.parameter_set.on(Stack.WORKLOAD)]
    pairs = zip(points, Evaluator(four).evaluate(points), strict=True)
    kept = [(point, found) for point, found in pairs if found.feasible]

    assert len(kept) > 1
    for point, evaluation in kept:
        times, memories, bandwidths = [], [], []
        for label, scenario in zip(MEMBERS, alone, strict=True):
            part = {name: point[f"{name}_{label}"] for name in own}
            rest = {n: v for n, v in point.items() if n in scenario.baseline}
            metrics = Evaluator(scenario).inspect({**rest, **part}).evaluation.metrics
            times.append(metrics["runtime"])
            memories.append(metrics["memory"])
            bandwidths.append(metrics["total_bandwidth"])
        assert evaluation.metrics["runtime"] == pytest.approx(sum(times) / 4, rel=1e-12)
        assert evaluation.metrics["memory"] == max(memories)
        assert {evaluation.metrics["total_bandwidth"]} == set(bandwidths)


def test_weights_count_in_the_mean(two: SharedScenario) -> None:
    [evaluation] = Evaluator(two).evaluate([two.baseline])
    small, large = (evaluation.metrics[f"runtime_of_{m}"] for m in ("small", "large"))

    assert evaluation.metrics["runtime"] == pytest.approx((small + 3 * large) / 4)


def test_the_parts_of_the_mean_time_add_up_to_it(two: SharedScenario) -> None:
    [evaluation] = Evaluator(two).evaluate([two.baseline])
    metrics = evaluation.metrics
    parts = ["compute_time", "optimizer_time", "bubble"]
    parts += [name for name in metrics if name.startswith("exposed_")]

    assert sum(metrics[p] for p in parts) == pytest.approx(metrics["runtime"])


def test_each_workload_is_split_as_it_likes_and_the_network_is_one(
    two: SharedScenario,
) -> None:
    names = [p.name for p in two.space.parameter_set.parameters]

    assert {"dp_small", "dp_large", "bandwidth", "chunks"} <= set(names)
    assert not {"dp", "bandwidth_small"} & set(names)
    assert len(names) == len(set(names))


def test_every_design_keeps_the_rules_of_every_member() -> None:
    """Of ViT-Base 12 heads are shared by tp devices, of GPT-3 13B 40."""
    four = load_scenario(FOUR)
    for vector in four.space.sample(np.random.default_rng(0), 50):
        values = four.space.parameter_set.values(four.space.point(vector))
        assert 12 % int(str(values["tp_vit_base"])) == 0
        assert 40 % int(str(values["tp_gpt3_13b"])) == 0


def test_the_count_is_that_of_its_parts() -> None:
    """Splits do not touch each other, so their numbers multiply."""
    four, splits = load_scenario(FOUR), 1
    for name in MEMBERS.values():
        splits *= load_scenario(name).scope("workload_only").space.count

    assert four.scope("workload_only").space.count == splits


def test_a_member_that_does_not_fit_is_named() -> None:
    four = load_scenario(FOUR)
    point = {**four.baseline, "weight_sharded_gpt3_175b": 0, "sp_gpt3_175b": 1}
    evaluation = Evaluator(four).inspect(point).evaluation

    assert {v.constraint for v in evaluation.violations} == {"memory"}
    assert evaluation.violations[0].message.startswith("gpt3_175b: needs ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "members: {a: vit-base-1024-devices-v1, b: vit-base-512-devices-v1}\n",
            "all members need the same system",
        ),
        (
            "members: {a: vit-base-512-devices-v1, b: gpt3-175b-chat-512-devices-v1}\n",
            "all members need the same",
        ),
        ("members: {a: vit-base-512-devices-v1}\n", "at least 2"),
        ("members: {a-b: vit-base-512-devices-v1, c: x}\n", "plain identifier"),
        (f"members: {{a: vit-base-1024-devices-v1, b: {FOUR}}}\n", "name them here"),
        (
            "members: {a: vit-base-512-devices-v1, b: vit-large-512-devices-v1}\n"
            "weights: {c: 2}\n",
            "no member named 'c'",
        ),
        (
            "members: {a: vit-base-512-devices-v1, b: vit-large-512-devices-v1}\n"
            "objective: throughput\n",
            "not told of several workloads",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        shared(tmp_path / "shared.yaml", text)


def test_another_objective_is_sought_of_all_members(two: SharedScenario) -> None:
    cheap = two.seeking(objective_named("perf_per_cost"))
    genes = cheap.space.genes

    assert "Switch" not in cheap.space.possible(genes.index("topology[0]"))
    assert {m.scenario.objective.name for m in cheap.members} == {"perf_per_cost"}
