"""From measured kernels to a device's calibration."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median

from cosmic.compute.calibration import (
    AttentionCurve,
    Calibration,
    ProductCurve,
)
from cosmic.compute.calibration_fit import Measured, fit_attention, fit_products
from cosmic.compute.device import Device
from cosmic.errors import SpecError
from cosmic.trace.precision import Precision
from cosmic.validation.kernels.row import Kernel

_ENOUGH = 8  # kernels, to tell all the numbers of a curve
_QUANTISING = re.compile(r"TRTLLM|SGLang|VLLM", re.I)  # within the time of a product
_SHARED = {Precision.FP16: Precision.BF16}  # formats of one size are as fast


def calibrate(
    name: str,
    device: Device,
    kernels: Sequence[Kernel],
    *,
    processors: int,
    like: Calibration | None = None,
) -> Calibration:
    """The calibration that comes nearest to measured kernels of a device.

    Where few products of a format were measured, their efficiency alone is fitted, and
    the other numbers of the curve are those of a relative. What was not measured at
    all is the relative's. Rows of quality C are left out, and so are products in fp8 of
    serving software, whose time holds that of bringing the factors into that format;
    of other fp8 products the efficiency alone is fitted.

    Args:
        name: Of the device.
        device: What it can do.
        kernels: Measured on it.
        processors: It has.
        like: A calibration of a relative.

    Raises:
        SpecError: If something was not measured and there is no relative.
    """
    good = [kernel for kernel in kernels if kernel.quality != "C"]
    products, provenance = _all_products(good, device, processors, like)
    attention, words = _attention(good, device, processors, like, "flash-2")
    provenance["attention"] = words
    others: dict[str, AttentionCurve] = dict(like.attention_kernels) if like else {}
    for other in others:
        provenance[f"attention by {other}"] = (
            f"not measured: as {like.name if like else name}"
        )
    for other in sorted({k.attention for k in good} - {"", "flash-2"}):
        curve, words = _attention(good, device, processors, like, other)
        others[other], provenance[f"attention by {other}"] = curve, words
    delay = products[Precision.BF16].delay
    streams = [kernel for kernel in good if kernel.kind == "stream"]
    if streams:
        rates = [k.nbytes / k.seconds / device.memory_bandwidth for k in streams]
        bandwidth = float(f"{median(rates):.4g}")
        provenance["moving"] = (
            f"bandwidth: median of {_named(streams)}; delay: as of products in bf16"
        )
    elif like is not None:
        bandwidth = like.bandwidth
        provenance["moving"] = f"not measured: as {like.name}"
    else:
        raise SpecError(f"no memory stream was measured on {name}, and no relative")
    return Calibration(
        name=name,
        processors=processors,
        products=products,
        attention=attention,
        delay=delay,
        bandwidth=bandwidth,
        provenance=provenance,
        attention_kernels=others,
    )


def _all_products(
    kernels: Sequence[Kernel], device: Device, processors: int, like: Calibration | None
) -> tuple[dict[Precision, ProductCurve], dict[str, str]]:
    curves: dict[Precision, ProductCurve] = {}
    provenance: dict[str, str] = {}
    for precision in (Precision.BF16, Precision.FP8):
        here = [
            kernel
            for kernel in kernels
            if kernel.kind == "product"
            and _SHARED.get(kernel.precision, kernel.precision) is precision
            and not (precision is Precision.FP8 and _QUANTISING.match(kernel.library))
        ]
        key = f"products in {precision.value}"
        measured = [Measured(kernel.work, kernel.seconds) for kernel in here]
        relative = like.products.get(precision) if like else None
        if here and precision is Precision.FP8 and Precision.BF16 in curves:
            other = asdict(curves[Precision.BF16])
            held = {k: v for k, v in other.items() if k != "efficiency"}
            curves[precision] = fit_products(
                measured, precision, device, processors, held
            )
            provenance[key] = f"efficiency: {_named(here)}; the rest: as in bf16"
        elif len(here) >= _ENOUGH:
            curve = fit_products(measured, precision, device, processors)
            curves[precision], provenance[key] = curve, _named(here)
        elif here and relative and like:
            held = {k: v for k, v in asdict(relative).items() if k != "efficiency"}
            curve = fit_products(measured, precision, device, processors, held)
            curves[precision] = curve
            provenance[key] = (
                f"efficiency: {_named(here)}; the rest not measured: as {like.name}"
            )
        elif (
            relative
            and like
            and not (precision is Precision.FP8 and device.peak_fp8 is None)
        ):
            curves[precision] = relative
            provenance[key] = f"not measured: as {like.name}"
    if Precision.BF16 not in curves:
        raise SpecError(
            f"too few products in bf16 or fp16 were measured, of which a curve takes "
            f"{_ENOUGH} at least; or name a relative"
        )
    return curves, provenance


def _attention(
    kernels: Sequence[Kernel],
    device: Device,
    processors: int,
    like: Calibration | None,
    name: str,
) -> tuple[AttentionCurve, str]:
    here = [kernel for kernel in kernels if kernel.attention == name]
    if len(here) >= _ENOUGH:
        held: Mapping[str, float] = {}
        if like is not None and all(k.kind == "attention" for k in here):
            held = {"bandwidth": like.attention.bandwidth, "delay": like.delay}
        measured = [Measured(kernel.work, kernel.seconds) for kernel in here]
        curve = fit_attention(measured, device, processors, held)
        rest = f"; few queries: as {like.name}" if held and like else ""
        return curve, f"{_named(here)}{rest}"
    if like is None:
        raise SpecError("no fused attention was measured, and there is no relative")
    return like.attention, f"not measured: as {like.name}"


def _named(kernels: Sequence[Kernel]) -> str:
    """How many kernels, and from where."""
    counts: dict[str, int] = {}
    for kernel in kernels:
        counts[kernel.source] = counts.get(kernel.source, 0) + 1
    return ", ".join(f"{count:,} of {source}" for source, count in counts.items())
