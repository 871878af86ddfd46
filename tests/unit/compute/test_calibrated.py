"""Operators timed by measured kernels, against calculations by hand."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.compute.calibrated import Calibrated, attention_time, product_time
from cosmic.compute.calibration import AttentionCurve, Calibration, ProductCurve
from cosmic.compute.calibration_fit import Measured, fit_attention, fit_products
from cosmic.compute.cost_model import Roofline
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError, SpecError
from cosmic.trace.node import Attention, ComputeNode, OperatorKind, Product
from cosmic.trace.precision import Precision

BF16 = Precision.BF16
DEVICE = Device(
    peak_flops=1e14,
    memory_bandwidth=1e12,
    memory_capacity=1e10,
    peak_fp8=2e14,
    peak_tf32=5e13,
    peak_fp32=1e13,
)
CURVE = ProductCurve(efficiency=0.5, edge=0.0, fill=0.0, delay=1e-6, bandwidth=1.0)
ATTENTION = AttentionCurve(
    forward=0.5, backward=0.25, fill=0.0, width=0.0, delay=1e-6, bandwidth=0.5
)
CALIBRATION = Calibration(
    name="made",
    processors=100,
    products={BF16: CURVE},
    attention=ATTENTION,
    delay=2e-6,
    bandwidth=0.5,
    provenance={},
)
ALONE = Calibrated(CALIBRATION)
SIZES = st.integers(1, 5000)


def seconds(product: Product, curve: ProductCurve = CURVE, **changes: float) -> float:
    """On 100 processors of 1 TFLOP/s and memory of 1 TB/s, unless changed."""
    given = {"peak": 1e12, "bandwidth": 1e12} | changes
    peak, bandwidth = given["peak"], given["bandwidth"]
    return product_time(product, BF16, curve, 100, peak, bandwidth)


def node(work: Product | Attention, precision: Precision = BF16) -> ComputeNode:
    """A node of one kernel whose bytes do not count."""
    flops = work.flops if isinstance(work, Product) else 1.0
    kind = OperatorKind.MATRIX
    return ComputeNode(
        name="work", kind=kind, flops=flops, nbytes=1.0, work=(work,),
        precision=precision,
    )  # fmt: skip


def test_a_hundred_tiles_take_one_wave() -> None:
    """10 x 10 tiles of 256 x 128: one for each processor, at half of its peak."""
    product = Product(rows=2560, columns=1280, inner=8192)

    by_hand = 2 * 256 * 128 * 8192 / 0.5e12
    assert seconds(product, bandwidth=inf) == pytest.approx(1e-6 + by_hand, rel=1e-12)


def test_one_tile_more_takes_another_wave_of_the_best_cut() -> None:
    """101 tiles of any size are two waves; smaller ones lose less of the second."""
    product = Product(rows=101 * 256, columns=128, inner=4096)

    whole = 2 * 256 * 128 * 4096 / 0.5e12
    found = seconds(product, bandwidth=inf) - 1e-6
    assert found < 2 * whole
    tiles = -(-101 * 256 // 32)  # of 32 x 64, two for each row of tiles
    assert found <= -(-tiles * 2 // 100) * 2 * 32 * 64 * 4096 / 0.5e12 * (1 + 1e-12)


def test_a_long_inner_dimension_is_cut_into_parts() -> None:
    """One tile of 256 x 128 would keep one processor busy; 16 parts keep 16."""
    product = Product(rows=32, columns=64, inner=160_000)

    alone = 2 * 32 * 64 * 160_000 / 0.5e12
    assert seconds(product, bandwidth=inf) == pytest.approx(1e-6 + alone / 16)


def test_a_thin_product_waits_for_its_bytes() -> None:
    product = Product(rows=1, columns=8192, inner=8192)

    nbytes = 2 * (8192 + 8192 * 8192 + 8192)
    assert seconds(product, peak=inf) == pytest.approx(1e-6 + nbytes / 1e12)


def test_numbers_of_a_curve_do_what_they_say() -> None:
    product = Product(rows=2560, columns=1280, inner=1000)
    plain = seconds(product, bandwidth=inf) - 1e-6

    filled = replace(CURVE, fill=100.0)
    assert seconds(product, filled, bandwidth=inf) - 1e-6 == pytest.approx(1.1 * plain)
    edge = replace(CURVE, edge=0.4)  # 1 + 0.4 x (64/256 + 64/128 - 1)
    assert seconds(product, edge, bandwidth=inf) - 1e-6 == pytest.approx(0.9 * plain)
    late = replace(CURVE, delay=1e-3)
    assert seconds(product, late, bandwidth=inf) == pytest.approx(1e-3 + plain)


@given(rows=SIZES, columns=SIZES, inner=SIZES, batch=st.integers(1, 9))
def test_no_product_is_faster_than_its_roofline(
    rows: int, columns: int, inner: int, batch: int
) -> None:
    product = Product(rows=rows, columns=columns, inner=inner, batch=batch)
    one = node(product)

    [measured], [roof] = ALONE.times([one], DEVICE), Roofline().times([one], DEVICE)
    assert measured >= roof


@given(rows=SIZES, columns=SIZES, inner=SIZES)
def test_more_steps_or_copies_never_take_less(
    rows: int, columns: int, inner: int
) -> None:
    product = Product(rows=rows, columns=columns, inner=inner)

    once = seconds(product)
    assert seconds(replace(product, inner=inner + 1)) >= once * (1 - 1e-12)
    assert seconds(replace(product, batch=2)) >= once


def test_attention_by_hand() -> None:
    """8 heads of 2 x 1,280 queries: 160 blocks on 100 processors, 128 wide."""
    work = Attention(
        batch=2, queries=1280, keys=1280, heads=8, key_value_heads=8,
        head_dim=128, value_dim=128,
    )  # fmt: skip

    def taken(one: Attention) -> float:
        return attention_time(one, ATTENTION, 100, 1e12, inf) - 1e-6

    block = 4 * 128 * 128 * 1280
    assert taken(work) == pytest.approx(1.6 * block / 0.5e12)
    assert taken(replace(work, backward=True)) == pytest.approx(
        1.6 * 2.5 * block / 0.25e12
    )
    seen = 1280 - (1280 - 128) / 2
    assert taken(replace(work, causal=True)) == pytest.approx(
        1.6 * block * seen / 1280 / 0.5e12
    )


@given(queries=st.integers(1, 600), keys=st.integers(1, 600))
def test_a_causal_mask_never_costs_time(queries: int, keys: int) -> None:
    work = Attention(
        batch=1, queries=queries, keys=keys, heads=4, key_value_heads=4,
        head_dim=64, value_dim=64,
    )  # fmt: skip

    plain = attention_time(work, ATTENTION, 10, 1e12, 1e12)
    masked = attention_time(replace(work, causal=True), ATTENTION, 10, 1e12, 1e12)
    assert masked <= plain


def test_one_query_waits_for_keys_and_values() -> None:
    work = Attention(
        batch=4, queries=1, keys=1000, heads=8, key_value_heads=2,
        head_dim=64, value_dim=64,
    )  # fmt: skip

    nbytes = 2 * 4 * 64 * (2 * 1 * 8 + 2 * 1000 * 2)
    found = attention_time(work, ATTENTION, 100, 1e12, 1e12)
    assert found == pytest.approx(1e-6 + nbytes / 0.5e12)


def test_what_only_moves_data_takes_its_bytes_and_a_delay() -> None:
    moving = ComputeNode(
        name="norm", kind=OperatorKind.NORMALIZATION, flops=10.0, nbytes=1e6, kernels=3
    )
    nothing = replace(moving, flops=0.0, nbytes=0.0)

    found = ALONE.times([moving, nothing], DEVICE)
    assert found == pytest.approx([3 * 2e-6 + 1e6 / 0.5e12, 0.0])


def test_lasting_load_stretches_everything_alike() -> None:
    busy = Calibrated(
        Calibration(
            **{name: getattr(CALIBRATION, name) for name in _FIELDS}, sustained=1.25
        )
    )
    nodes = [node(Product(rows=n, columns=n, inner=n)) for n in (10, 1000)]

    assert busy.times(nodes, DEVICE) == pytest.approx(1.25 * ALONE.times(nodes, DEVICE))
    rested = replace(busy, sustained=False)
    assert (rested.times(nodes, DEVICE) == ALONE.times(nodes, DEVICE)).all()


_FIELDS = (
    *("name", "processors", "products", "attention", "delay", "bandwidth"),
    "provenance",
)


def test_another_format_has_its_own_peak() -> None:
    big = Product(rows=25_600, columns=12_800, inner=8192)

    half, eight, single = (
        float(ALONE.times([node(big, kind)], DEVICE)[0])
        for kind in (BF16, Precision.FP8, Precision.TF32)
    )
    assert half / eight == pytest.approx(2, rel=1e-3)
    assert single / half == pytest.approx(2, rel=1e-3)


def test_an_unknown_peak_is_said_to_be_unknown() -> None:
    plain = replace(DEVICE, peak_fp8=None)

    with pytest.raises(ConsistencyError, match="in fp8: give peak_fp8"):
        ALONE.times([node(Product(rows=9, columns=9, inner=9), Precision.FP8)], plain)


def test_a_fit_comes_back_to_the_curve_that_made_the_times() -> None:
    made = ProductCurve(
        efficiency=0.7, edge=0.2, fill=150.0, delay=4e-6, bandwidth=0.75
    )
    rng = np.random.default_rng(0)
    shapes = (2 ** rng.uniform(3, 13, (300, 3))).astype(int).tolist()
    products = [Product(rows=m, columns=n, inner=k) for m, n, k in shapes]
    measured = [
        Measured((p,), product_time(p, BF16, made, 100, 1e12, 1e12)) for p in products
    ]

    found = fit_products(measured, BF16, DEVICE, 100)
    again = [product_time(p, BF16, found, 100, 1e12, 1e12) for p in products]
    errors = [abs(a / one.seconds - 1) for a, one in zip(again, measured, strict=True)]
    assert sum(errors) / len(errors) < 0.01
    for name in ("efficiency", "delay", "bandwidth"):
        assert getattr(found, name) == pytest.approx(getattr(made, name), rel=0.05)


def test_a_fit_of_attention_tells_both_shares_apart() -> None:
    made = replace(ATTENTION, fill=100.0, width=10.0, delay=5e-6)
    measured = []
    for tokens in (256, 512, 1024, 4096):
        for width in (64, 128):
            for both in (False, True):
                one = Attention(
                    batch=8, queries=tokens, keys=tokens, heads=16, key_value_heads=16,
                    head_dim=width, value_dim=width, causal=tokens > 600,
                )  # fmt: skip
                work = (one, replace(one, backward=True)) if both else (one,)
                times = (attention_time(w, made, 100, 1e12, 1e12) for w in work)
                measured.append(Measured(work, sum(times)))

    found = fit_attention(measured, DEVICE, 100, {"bandwidth": 0.5})
    errors = [
        sum(attention_time(w, found, 100, 1e12, 1e12) for w in one.work) / one.seconds
        for one in measured
    ]
    assert errors == pytest.approx([1.0] * len(errors), abs=0.05)
    assert found.forward == pytest.approx(made.forward, rel=0.1)
    assert found.backward == pytest.approx(made.backward, rel=0.1)


def test_too_few_kernels_are_refused() -> None:
    measured = [Measured((Product(rows=9, columns=9, inner=9),), 1.0)] * 7

    with pytest.raises(SpecError, match="7 measured kernels are too few"):
        fit_products(measured, BF16, DEVICE, 100)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"efficiency": 1.2}, "efficiency must be above 0 and at most 1"),
        ({"fill": -1.0}, "fill must be finite and not negative"),
        ({"bandwidth": 0.0}, "bandwidth must be above 0"),
    ],
)
def test_numbers_out_of_range_are_refused(change: dict[str, float], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        replace(CURVE, **change)
