"""`cosmic calibrate` and `cosmic validate kernels`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosmic.compute.calibrated import product_time
from cosmic.io.calibrations import load_calibration
from cosmic.trace.node import Product
from cosmic.trace.precision import Precision

Cosmic = Callable[..., Any]  # the fixture that calls the command line
HEAD = "kind,dtype,m,n,k,time_us\n"


def measured_as_an_h100() -> str:
    """Products with the times that the H100's calibration gives, as a CSV."""
    curve = load_calibration("h100-sxm").products[Precision.BF16]
    lines = []
    for m in (64, 512, 4096):
        for n in (1024, 8192):
            for k in (512, 8192):
                product = Product(rows=m, columns=n, inner=k)
                taken = product_time(
                    product, Precision.BF16, curve, 132, 989.5e12 / 132, 3.35e12
                )
                lines.append(f"gemm,bf16,{m},{n},{k},{taken * 1e6:.6f}\n")
    return HEAD + "".join(lines)


def test_a_table_of_my_own_becomes_a_calibration(cosmic: Cosmic) -> None:
    Path("mine.csv").write_text(measured_as_an_h100())
    options = ("--file", "mine.csv", "--like", "h100-sxm", "--output", "mine.yaml")

    answer = cosmic("calibrate", "h100-sxm", *options)

    assert answer.code == 0, answer.err
    assert "written: mine.yaml" in answer.out
    found = load_calibration("mine.yaml", Path())
    relative = load_calibration("h100-sxm")
    big = Product(rows=4096, columns=4096, inner=4096)
    times = [
        product_time(big, Precision.BF16, curve, 132, 7.5e12, 3.35e12)
        for curve in (found.products[Precision.BF16], relative.products[Precision.BF16])
    ]
    assert times[0] == pytest.approx(times[1], rel=0.02)
    assert found.provenance["products in bf16"] == "12 of mine"
    assert "not measured: as h100-sxm" in found.provenance["attention"]
    assert cosmic("check", "mine.yaml").code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            HEAD + "gemm,bf16,8,8,8,1\n",
            "of which a curve takes 8 at least; or name a relative",
        ),
        ("kind,tiem_us\n", "no column 'tiem_us'"),
        (HEAD + "gemm,bf16,many,8,8,1\n", "m must be a number, not 'many'"),
        (HEAD, "is empty"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(
    cosmic: Cosmic, text: str, words: str
) -> None:
    Path("mine.csv").write_text(text)

    answer = cosmic("calibrate", "h100-sxm", "--file", "mine.csv", "--processors", "9")

    assert answer.code == 2
    assert words in answer.err
    assert answer.err.count("\n") <= 2


def test_the_measured_kernels_that_come_along_are_predicted(cosmic: Cosmic) -> None:
    """Mean errors of products on A100 and H100 as the documentation tells them."""
    found = cosmic("validate", "kernels", "--source", "aic-gemm", "--json").document

    devices = found["devices"]
    assert devices["a100-sxm-80gb bf16"]["mean"] < 0.07
    assert devices["h100-sxm bf16"]["mean"] < 0.05
    for one in devices.values():
        assert one["mean"] < one["roofline"]


def test_a_source_that_is_not_there_is_named(cosmic: Cosmic) -> None:
    answer = cosmic("validate", "kernels", "--source", "aic-gem")

    assert answer.code == 2
    assert "did you mean 'aic-gemm'" in answer.err
