"""Published inference and its predictions: fields, rules, and sums by hand."""

from dataclasses import replace

import pytest

from cosmic.compute.cost_model import Roofline
from cosmic.errors import SpecError
from cosmic.validation.inference.comparison import Accuracy, compare
from cosmic.validation.inference.prediction import (
    Times,
    bound,
    figures_of,
    predict,
    simulated,
)
from cosmic.validation.inference.row import (
    Figure,
    InferenceRow,
    Load,
    parse_inference_row,
)
from cosmic.validation.inference.setup import setup_of
from cosmic.validation.machines import NotEvaluatedError
from cosmic.validation.training.prediction import calibrated_for

LLAMA = {
    "name": "llama3-8b",
    "layers": 32,
    "hidden": 4096,
    "heads": 32,
    "kv_heads": 8,
    "ffn": 14336,
    "vocab": 128256,
    "gated_mlp": True,
}
WEIGHTS = 8.03e9


def loop(requests: int = 5, osl: int = 101) -> dict[str, object]:
    return {"isl": 1000, "osl": osl, "concurrency": requests, "mode": "agg"}


def row(**changes: object) -> InferenceRow:
    """A batch of 4 on one H100, with some fields otherwise."""
    fields: dict[str, object] = {
        "id": "one",
        "source": "ours",
        "model": LLAMA,
        "hardware": {"gpu": "H100-SXM5-80GB", "gpus": 1, "gpus_per_node": 8},
        "parallel": {"tp": 1, "pp": 1},
        "precision": "bf16",
        "workload": {"isl": 1000, "osl": 101, "batch": 4, "mode": "static"},
        "engine": "some engine",
        "measured": {"latency_ms": 900.0},
        "quality": "A",
    }
    return parse_inference_row({**fields, **changes})


def test_figures_are_read_in_si() -> None:
    measured = {"ttft_ms": 20.0, "tok_latency_s_p50": 0.01, "out_tok_s_gpu": 300.0}
    eight = {"gpu": "H100-SXM5-80GB", "gpus": 8}

    found = row(measured=measured, hardware=eight).published

    assert dict(found) == {
        Figure.FIRST_TOKEN: 0.02,
        Figure.PER_TOKEN: 0.01,
        Figure.RATE: 2400.0,
    }


def test_a_rate_of_nobody_knows_how_many_counts_on_one_device_only() -> None:
    measured = {"out_tok_s_reported": 300.0}
    two = {"gpu": "H100-SXM5-80GB", "gpus": 2}

    assert row(measured=measured).published == ((Figure.RATE, 300.0),)
    assert row(measured=measured, hardware=two).published == ()


def test_a_request_of_a_loop_is_its_first_token_and_the_others() -> None:
    measured = {"ttft_ms": 200.0, "tpot_ms": 10.0}

    looped = dict(row(measured=measured, workload=loop()).published)

    assert looped[Figure.REQUEST] == pytest.approx(0.2 + 100 * 0.01)
    assert Figure.REQUEST not in dict(row(measured=measured).published)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"workload": {"isl": 8, "osl": 8, "mode": "ShareGPT"}}, "how requests come"),
        ({"workload": {"osl": 8, "batch": 1}}, "how long prompts"),
        ({"workload": {"isl": 8, "osl": 8}}, "say its batch"),
        ({"precision": "fp4"}, "FP4"),
        ({"workload": {**loop(8), "batch": 4}}, "more requests are under way"),
        ({"parallel": {"pp": 1}}, "how it was split"),
        ({"parallel": {"tp": 3}}, "does not make up 1 devices"),
        ({"model": {"name": "unheard-of"}}, "does not say its layers"),
        ({"hardware": {"gpu": "abacus", "gpus": 1}}, "abacus"),
        ({"parallel": {"tp": 1, "ep": 8}}, "experts over a part"),
    ],
)
def test_what_a_row_lacks_is_told(changes: dict[str, object], why: str) -> None:
    with pytest.raises(NotEvaluatedError, match=why):
        setup_of(row(**changes))


def test_a_row_without_devices_is_no_row() -> None:
    with pytest.raises(SpecError, match=r"hardware\.gpus"):
        row(hardware={"gpu": "H100-SXM5-80GB"})


def test_a_model_that_is_only_named_is_the_preset() -> None:
    setup = setup_of(row(model={"name": "Qwen/Qwen3-32B"}))

    assert setup.model.weight_count == 32_762_123_264
    assert setup.assumed == ("dimensions of preset qwen3-32b",)


def test_experts_lie_on_replicas_or_are_split_as_matrices_are() -> None:
    eight = {"gpu": "H200-SXM-141GB", "gpus": 8}
    whole = {"precision": "fp8", "hardware": eight, "model": {"name": "DeepSeek-R1"}}

    apart = setup_of(row(**whole, parallel={"tp": 1, "dp": 8, "ep": 8}))
    split = setup_of(row(**whole, parallel={"tp": 8, "ep": 8}))

    assert (apart.settings["ep"], apart.settings["dp"]) == (8, 8)
    assert "ep" not in split.settings
    assert "each expert split over tp, not whole experts" in split.assumed
    assert apart.model.latent == split.model.latent is not None


def test_formats_that_are_not_said_are_told() -> None:
    unsaid = setup_of(row(precision="not stated"))
    eight = setup_of(row(precision="fp8", engine="trtllm 1.0"))

    assert unsaid.settings["precision"] == "bf16"
    assert unsaid.assumed == ("precision bf16",)
    assert eight.settings["weight_bits"] == 8
    assert eight.assumed == ("keys and values in 8 bits",)


def test_the_memory_of_the_host_is_not_the_devices() -> None:
    setup = setup_of(row(hardware={"gpu": "GH200-480GB", "gpus": 1}))

    assert 90e9 < float(str(setup.settings["memory_capacity"])) < 150e9


def test_an_unbounded_batch_fills_what_weights_leave() -> None:
    asked = {"isl": 1000, "osl": 1000, "mode": "offline max-load"}
    setup = setup_of(row(workload=asked))

    # 80 GB less 2 bytes a weight; a token's keys and values take 2 x 8 x 128 x 32 x 2 B
    free = 80e9 - 2 * WEIGHTS
    assert setup.batch == int(0.9 * free / (131_072 * 1999))
    assert setup.assumed == (f"batch {setup.batch}, as keys and values fit",)


def test_figures_follow_from_three_times() -> None:
    setup, times = setup_of(row()), Times(prompts=0.4, one=0.1, step=0.01)

    static = figures_of(times, setup, Load.STATIC)

    assert static == {
        Figure.REQUEST: pytest.approx(0.4 + 100 * 0.01),
        Figure.FIRST_TOKEN: 0.4,
        Figure.PER_TOKEN: 0.01,
        Figure.RATE: pytest.approx(4 * 101 / 1.4),
    }


def test_in_a_loop_a_request_meets_every_prompt_once() -> None:
    setup = setup_of(row(workload=loop(5)))
    times = Times(prompts=0.5, one=0.1, step=0.01)

    looped = figures_of(times, setup, Load.LOOP)

    assert looped[Figure.FIRST_TOKEN] == pytest.approx(0.11)
    assert looped[Figure.PER_TOKEN] == pytest.approx(0.01 + 4 * 0.1 / 100)
    assert looped[Figure.REQUEST] == pytest.approx(5 * 0.1 + 101 * 0.01)


def test_one_line_is_operations_over_peak_or_bytes_over_bandwidth() -> None:
    setup = setup_of(row())
    device = setup.system(Roofline()).cluster.device

    found = bound(setup)

    flops = 4 * 1000 * 2 * 7.5e9  # the embedding is not multiplied
    flops += 4 * 32 * 4 * 1000 * 1000 * 4096 / 2 * 2  # scores and context, not causal
    nbytes = 2 * (WEIGHTS - 128_256 * 4096) + 4 * 1051 * 131_072
    # the head's half a billion weights multiply the last tokens only
    assert found.prompts == pytest.approx(flops / device.peak_flops, rel=0.08)
    assert found.step == pytest.approx(nbytes / device.memory_bandwidth, rel=1e-2)


def test_each_model_takes_longer_than_the_simpler_one() -> None:
    setup, prediction = setup_of(row()), predict(row())

    assert prediction.cost_model == "calibration h100-sxm"
    assert prediction.fits
    for figure in (Figure.REQUEST, Figure.FIRST_TOKEN, Figure.PER_TOKEN):
        assert prediction.bound[figure] < prediction.roofline[figure] * 1.001
        assert prediction.roofline[figure] < prediction.figures[figure]
    assert simulated(setup, Roofline()).one < simulated(setup, Roofline()).prompts


def test_a_cache_in_fewer_bits_makes_calibrated_steps_shorter() -> None:
    """Of a large batch with a long context, whose time is that of its cache."""
    asked = {"isl": 8000, "osl": 2, "batch": 32, "mode": "static"}
    setup = setup_of(row(workload=asked))
    eight = replace(setup, settings={**setup.settings, "cache_bits": 8})
    model = calibrated_for("dgx-h100-superpod", sustained=False)
    assert model is not None
    cache = 32 * 8001 * 131_072
    device = setup.system(model).cluster.device
    saved = simulated(setup, model).step - simulated(eight, model).step

    share = model.calibration.attention.bandwidth
    least = cache / 2 / device.memory_bandwidth
    assert saved == pytest.approx(least / share, rel=0.05)


def test_weights_in_fewer_bits_make_calibrated_steps_shorter() -> None:
    setup = setup_of(row(workload={"isl": 8, "osl": 2, "batch": 1, "mode": "static"}))
    four = replace(setup, settings={**setup.settings, "weight_bits": 4})
    model = calibrated_for("dgx-h100-superpod", sustained=False)
    assert model is not None
    whole, quarter = simulated(setup, model).step, simulated(four, model).step

    # delays of 129 products and what is no product stay
    assert 0.25 * whole < quarter < 0.6 * whole


def test_a_table_is_compared_figure_by_figure() -> None:
    measured = {"ttft_ms": 200.0, "tpot_ms": 10.0}
    rows = [
        row(id="static"),
        row(id="loop", measured=measured, workload=loop()),
        row(id="thin", quality="C"),
        row(id="mute", measured={}),
    ]

    found = compare(rows)

    assert [(one.row.id, one.figure) for one in found.rows] == [
        ("static", Figure.REQUEST),
        ("loop", Figure.PER_TOKEN),
        ("loop", Figure.REQUEST),
    ]
    reasons = {why for _, why in found.skipped}
    assert len(reasons) == 3
    assert any("in how many rounds" in why for why in reasons)
    assert found.fitting == (2, 2)


def test_one_request_at_a_time_waits_for_nobody() -> None:
    measured = {"ttft_ms": 30.0, "tpot_ms": 10.0}
    found = compare([row(measured=measured, workload=loop(1))])

    assert [one.figure for one in found.rows] == [
        Figure.FIRST_TOKEN,
        Figure.PER_TOKEN,
        Figure.REQUEST,
    ]


def test_errors_are_averaged_with_and_without_signs() -> None:
    [known] = compare([row()]).rows
    double = replace(known, published=known.predicted / 2)
    half = replace(known, published=known.predicted * 2)

    accuracy = Accuracy.of([double, half])

    assert accuracy.mean == pytest.approx(0.75)
    assert accuracy.bias == pytest.approx(0.25)
    assert accuracy.worst == pytest.approx(1.0)
