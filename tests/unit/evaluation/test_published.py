"""The authors' variant: what is different, and that nothing else is."""

from dataclasses import replace

import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.published import (
    LAYERS,
    PublishedEvaluator,
    as_published,
    published_memory,
)
from cosmic.io.specs import load_scenario
from cosmic.workload.memory import memory_footprint
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.workload import Workload

SCENARIO = load_scenario("vit-base-512-devices-v1")
PUBLISHED = as_published(SCENARIO)


def test_models_have_four_layers_and_spaces_no_constraints() -> None:
    assert PUBLISHED.model == replace(SCENARIO.model, layers=LAYERS)
    assert PUBLISHED.space.parameter_set.constraints == ()
    # 10 dp x 3 pp x 10 sp x 2 x (2 x 4 x 2 x 4^16) x 3^4 x 3^4 x 10^4, by hand
    assert PUBLISHED.space.count == 600 * 16 * 4**16 * 81 * 81 * 10**4


def test_a_network_of_another_size_is_a_lost_draw() -> None:
    """Only 4 of the 81 sizes of four dimensions come to 512 devices."""
    space = PUBLISHED.scope("network_only").space
    point = DesignPoint({**SCENARIO.baseline, "npus_count": (4, 4, 4, 4)})

    [evaluation] = PublishedEvaluator(SCENARIO).evaluate([point])

    assert space.vector(point) is not None  # it may be drawn
    assert [violation.constraint for violation in evaluation.violations] == ["drawn"]


def test_the_baseline_is_slower_with_flat_groups() -> None:
    """One ring through the slowest link that a group touches."""
    [flat] = PublishedEvaluator(SCENARIO).evaluate([SCENARIO.baseline])
    [whole] = Evaluator(PUBLISHED).evaluate([SCENARIO.baseline])

    compute = whole.metrics["compute_time"]
    assert flat.metrics["compute_time"] == pytest.approx(compute, rel=1e-6)
    assert flat.metrics["runtime"] > whole.metrics["runtime"]


@pytest.mark.parametrize(
    ("sharding", "attention_shares"), [(0, 8), (1, 8), (3, 1)], ids=str
)
def test_their_memory_by_hand(sharding: int, attention_shares: int) -> None:
    """Attention is divided where weights are not sharded, and not where they are."""
    model = TransformerModel(
        layers=4,
        hidden=64,
        heads=4,
        key_value_heads=4,
        head_dim=16,
        feed_forward=256,
        sequence=32,
    )
    split = Parallelism(data=8, pipeline=2, weight_sharding=sharding)
    workload = Workload(model=model, batch=16, parallelism=split)
    attention = 4 * 64 * 64
    others = model.layer_weights - attention

    weights = 2 * (attention / attention_shares + others)

    activations = memory_footprint(workload).activations
    assert published_memory(workload) == pytest.approx(2 * weights + activations)


def test_what_does_not_fit_by_their_count_is_no_answer() -> None:
    settings = {**SCENARIO.settings, "memory_capacity": 1e6}
    small = replace(SCENARIO, settings=settings)

    [evaluation] = PublishedEvaluator(small).evaluate([SCENARIO.baseline])

    assert [violation.constraint for violation in evaluation.violations] == ["memory"]


def test_a_baseline_beside_the_choices_is_kept() -> None:
    """What a search of other stacks holds need not be among the choices."""
    scenario = load_scenario("gpt3-13b-1024-devices-v1")

    [evaluation] = PublishedEvaluator(scenario).evaluate([scenario.baseline])

    assert scenario.space.violations(scenario.baseline)
    assert evaluation.feasible
