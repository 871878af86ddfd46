"""Curves from measured kernels: the numbers that come nearest to their times.

What is made small is the mean absolute logarithm of predicted over measured, so that
twice too long counts as much as half too short, and no outlier rules the others. The
search goes along one number after the other by ever smaller factors: the same
on every machine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosmic.compute.calibrated import attention_time, product_times
from cosmic.compute.calibration import AttentionCurve, ProductCurve
from cosmic.compute.device import Device
from cosmic.errors import SpecError
from cosmic.trace.node import Attention, Product
from cosmic.trace.precision import Precision
from cosmic.units import Seconds

_FIRST_FACTOR = 1.5
_LAST_FACTOR = 1.001
_FEWEST = 8  # kernels, for the five or six numbers of a curve

Range = tuple[float, float, float]  # first try, least, most

_PRODUCT: Mapping[str, Range] = {
    "efficiency": (0.8, 0.05, 1.0),
    "edge": (0.2, 1e-3, 1.0),
    "fill": (100.0, 1.0, 4000.0),
    "delay": (5e-6, 1e-7, 1e-4),
    "bandwidth": (0.8, 0.05, 1.0),
}
_ATTENTION: Mapping[str, Range] = {
    "forward": (0.6, 0.02, 1.0),
    "backward": (0.5, 0.02, 1.0),
    "fill": (100.0, 1.0, 4000.0),
    "width": (10.0, 0.1, 400.0),
    "delay": (5e-6, 1e-7, 1e-4),
    "bandwidth": (0.7, 0.05, 1.0),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Kernels that ran one after the other, and how long they took.

    Attributes:
        work: One kernel, or a forward and a backward pass.
        seconds: All of them together.
    """

    work: tuple[Product | Attention, ...]
    seconds: Seconds


def fit_products(
    measured: Sequence[Measured],
    precision: Precision,
    device: Device,
    processors: int,
    held: Mapping[str, float] | None = None,
) -> ProductCurve:
    """The curve that comes nearest to measured products of one format.

    Args:
        measured: Products, one each.
        precision: Format of their factors.
        device: On which they ran.
        processors: It has.
        held: Numbers of the curve that are known already.

    Raises:
        SpecError: If there are too few to tell.
    """
    products = [work for one in measured for work in one.work]
    sizes = np.array(
        [
            (p.rows, p.columns, p.inner, p.batch)
            for p in products
            if isinstance(p, Product)
        ]
    )
    seconds = np.array([one.seconds for one in measured])
    _check_enough(len(sizes), held)
    peak = device.peak(precision) / processors

    def predicted(values: Mapping[str, float]) -> NDArray[np.float64]:
        curve = ProductCurve(**values)
        both, bandwidth = (precision.nbytes,) * 2, device.memory_bandwidth
        return product_times(sizes, both, curve, processors, peak, bandwidth)

    return ProductCurve(**_nearest(predicted, seconds, _PRODUCT, held))


def fit_attention(
    measured: Sequence[Measured],
    device: Device,
    processors: int,
    held: Mapping[str, float] | None = None,
) -> AttentionCurve:
    """The curve that comes nearest to measured attention.

    Args:
        measured: Forward passes, or forward and backward passes together.
        device: On which they ran.
        processors: It has.
        held: Numbers of the curve that are known already.

    Raises:
        SpecError: If there are too few to tell.
    """
    seconds = np.array([one.seconds for one in measured])
    _check_enough(len(seconds), held)
    peak = device.peak(Precision.BF16) / processors

    def predicted(values: Mapping[str, float]) -> NDArray[np.float64]:
        curve = AttentionCurve(**values)
        plain = attention_time.__wrapped__  # no try is made twice
        return np.array(
            [
                sum(
                    plain(work, curve, processors, peak, device.memory_bandwidth)
                    for work in one.work
                    if isinstance(work, Attention)
                )
                for one in measured
            ]
        )

    return AttentionCurve(**_nearest(predicted, seconds, _ATTENTION, held))


def error_of(predicted: NDArray[np.float64], measured: NDArray[np.float64]) -> float:
    """The mean absolute logarithm of predicted over measured."""
    return float(np.mean(np.abs(np.log(predicted / measured))))


def _nearest(
    predicted: Callable[[Mapping[str, float]], NDArray[np.float64]],
    measured: NDArray[np.float64],
    ranges: Mapping[str, Range],
    held: Mapping[str, float] | None,
) -> dict[str, float]:
    known = dict(held or {})
    values = {name: first for name, (first, _, _) in ranges.items()} | known
    free = [name for name in ranges if name not in known]
    best, factor = error_of(predicted(values), measured), _FIRST_FACTOR
    while factor > _LAST_FACTOR:
        moved = False
        for name in free:
            _, least, most = ranges[name]
            for times in (factor, 1 / factor):
                tried = {**values, name: min(max(values[name] * times, least), most)}
                error = error_of(predicted(tried), measured)
                if error < best:
                    values, best, moved = tried, error, True
        if not moved:
            factor **= 0.6
    return {name: float(f"{value:.4g}") for name, value in values.items()}


def _check_enough(count: int, held: Mapping[str, float] | None) -> None:
    least = 1 if held else _FEWEST
    if count < least:
        raise SpecError(f"{count} measured kernels are too few for a curve: {least}")
