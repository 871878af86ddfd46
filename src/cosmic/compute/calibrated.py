"""Calibrated: operators take what measured kernels of the device take.

Reference:
    NVIDIA, "Matrix multiplication background user's guide", for tiles and waves; T.
    Dao, "FlashAttention-2", 2023, for how attention is cut; FlashDecoding for few
    queries. The form is simple on purpose: few numbers, each with a meaning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cosmic.compute.calibration import AttentionCurve, Calibration, ProductCurve
from cosmic.compute.cost_model import CostModel
from cosmic.compute.device import Device
from cosmic.trace.node import Attention, ComputeNode, Product
from cosmic.trace.precision import Precision
from cosmic.units import BytesPerSecond, FlopPerSecond, Seconds

_TILES = np.array(
    [
        *((256, 128), (128, 256), (128, 128), (128, 64)),
        *((64, 128), (64, 64), (64, 32), (32, 64)),
    ],
    dtype=np.float64,
)
_PARTS = np.array([1.0, 2.0, 4.0, 8.0, 16.0])  # of the inner dimension, added up later
_TILE_ROWS, _PART = (
    a.ravel() for a in np.meshgrid(_TILES[:, 0], _PARTS, indexing="ij")
)
_TILE_COLUMNS = np.repeat(_TILES[:, 1], len(_PARTS))
_SUM_BYTES = 8.0  # to write and read a partial sum in single precision

_QUERIES = 128  # of one head, a processor's work at a time
_FEW = 16  # queries: below, memory is what attention waits for
_CACHED = 2**16


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated(CostModel):
    """Times of kernels by shape and format, from a calibration of the device.

    Products are the fastest of all ways to cut them; what only moves data takes its
    bytes at the bandwidth that such kernels reach; every kernel costs a delay.

    Attributes:
        calibration: What was measured.
        sustained: Whether devices are busy for minutes on end, as in training, so that
            everything takes the calibration's `sustained` times as long.
        attention: Name of the attention kernels; the usual ones, if empty or unknown.
    """

    calibration: Calibration
    sustained: bool = True
    attention: str = ""

    @override
    def times(
        self, nodes: Sequence[ComputeNode], device: Device
    ) -> NDArray[np.float64]:
        """Seconds that each node takes, shape (nodes,).

        Raises:
            ConsistencyError: If nothing says how fast the device is in a format.
        """
        times = np.array([self._time(node, device) for node in nodes])
        return times * self.calibration.sustained if self.sustained else times

    def _time(self, node: ComputeNode, device: Device) -> Seconds:
        calibration = self.calibration
        arithmetic = 0.0
        for work in node.work:
            arithmetic += self._work_time(work, node.precision, device)
        moved = node.nbytes / (device.memory_bandwidth * calibration.bandwidth)
        if not node.work:
            peak = device.peak(node.precision)
            arithmetic = node.flops / peak if node.flops else 0.0
        if not (node.flops or node.nbytes):
            return 0.0
        if node.work:
            return max(arithmetic, moved)
        return node.kernels * calibration.delay + max(arithmetic, moved)

    def _work_time(
        self, work: Product | Attention, precision: Precision, device: Device
    ) -> Seconds:
        calibration = self.calibration
        bandwidth = device.memory_bandwidth
        if isinstance(work, Product):
            curve = calibration.product_curve(precision)
            peak = device.peak(precision) / calibration.processors
            return product_time(
                work, precision, curve, calibration.processors, peak, bandwidth
            )
        peak = device.peak(precision) / calibration.processors
        return attention_time(
            work,
            calibration.attention_curve(self.attention),
            calibration.processors,
            peak,
            bandwidth,
        )


@lru_cache(_CACHED)
def product_time(
    product: Product,
    precision: Precision,
    curve: ProductCurve,
    processors: int,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
) -> Seconds:
    """Seconds of one product, cut in the fastest way; see `product_times`."""
    sizes = np.array([[product.rows, product.columns, product.inner, product.batch]])
    left = precision.nbytes
    right = left if product.right_bytes is None else product.right_bytes
    nbytes = left, right
    return float(product_times(sizes, nbytes, curve, processors, peak, bandwidth)[0])


def product_times(
    sizes: NDArray[np.int64] | NDArray[np.float64],
    nbytes: tuple[float, float],
    curve: ProductCurve,
    processors: int,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
) -> NDArray[np.float64]:
    """Seconds of products, each cut in the fastest way, shape (products,).

    Args:
        sizes: Rows, columns, inner dimension and batch of each, shape (products, 4).
        nbytes: Of one number of the left factor, and of the right one.
        curve: What was measured of that format.
        processors: That make a tile each at a time.
        peak: Operations a second of one of them.
        bandwidth: Bytes a second of the device's memory.
    """
    rows, columns, inner, batch = (sizes[:, [i]].astype(np.float64) for i in range(4))
    travel = bandwidth * curve.bandwidth
    tiles = np.ceil(rows / _TILE_ROWS) * np.ceil(columns / _TILE_COLUMNS) * _PART
    waves = np.ceil(tiles * batch / processors)
    steps = np.ceil(inner / _PART) + curve.fill
    edge = 1 + curve.edge * (64 / _TILE_ROWS + 64 / _TILE_COLUMNS - 1)
    tile = 2 * _TILE_ROWS * _TILE_COLUMNS * steps / (curve.efficiency * peak) * edge
    result = rows * columns
    left, right = nbytes
    factors = left * rows * inner + right * inner * columns
    moved = batch * (factors + max(2, left) * result) / travel
    sums = np.where(_PART > 1, _PART * _SUM_BYTES, 0.0) * batch * result / travel
    ways = np.maximum(waves * tile, moved) + sums
    times: NDArray[np.float64] = curve.delay + ways.min(axis=1)
    return times


@lru_cache(_CACHED)
def attention_time(
    work: Attention,
    curve: AttentionCurve,
    processors: int,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
) -> Seconds:
    """Seconds of one fused attention kernel.

    Args:
        work: Its shape.
        curve: What was measured.
        processors: That serve 128 queries of a head each at a time.
        peak: Operations a second of one of them.
        bandwidth: Bytes a second of the device's memory.
    """
    width = (work.head_dim + work.value_dim) / 2
    queries = 2.0 * work.queries * work.heads
    keys = work.key_bytes * work.keys * work.key_value_heads
    moved = 2.0 * work.batch * width * (queries + keys)
    travel = moved / (bandwidth * curve.bandwidth)
    if work.queries <= _FEW:
        return curve.delay + travel
    seen = float(work.keys)
    if work.causal:
        seen -= max(0, min(work.queries, work.keys) - _QUERIES) / 2
    blocks = work.batch * work.heads * -(-work.queries // _QUERIES)
    turns = max(1.0, blocks / processors)
    share = curve.backward if work.backward else curve.forward
    share *= width / (width + curve.width)
    operations = 4 * _QUERIES * width * (seen + curve.fill)
    if work.backward:
        operations *= 2.5
    return curve.delay + max(turns * operations / (share * peak), travel)
