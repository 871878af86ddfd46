"""Measured kernels beside what a calibration and the roofline say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from cosmic.compute.calibrated import Calibrated
from cosmic.compute.calibration import Calibration
from cosmic.compute.cost_model import CostModel, Roofline
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError
from cosmic.trace.node import Attention, ComputeNode, OperatorKind
from cosmic.units import Bytes, Flops, Seconds
from cosmic.validation.kernels.row import Kernel

_PASSES = 2.5  # of a backward pass, over its forward pass


@dataclass(frozen=True, slots=True)
class ComparedKernel:
    """A measured kernel with its predictions.

    Attributes:
        kernel: What was measured.
        predicted: What the calibration says.
        roofline: What the data sheet's peaks say.
    """

    kernel: Kernel
    predicted: Seconds
    roofline: Seconds

    @property
    def error(self) -> float:
        """Predicted over measured, less one."""
        return self.predicted / self.kernel.seconds - 1

    @property
    def roofline_error(self) -> float:
        """The same of the roofline."""
        return self.roofline / self.kernel.seconds - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelAccuracy:
    """How far predictions are off over some kernels; all but the count are fractions.

    Attributes:
        rows: How many.
        mean: Mean absolute error.
        median: Median absolute error.
        bias: Median error with its sign.
        roofline: Mean absolute error of the roofline.
    """

    rows: int
    mean: float
    median: float
    bias: float
    roofline: float

    @classmethod
    def of(cls, rows: Sequence[ComparedKernel]) -> "KernelAccuracy":
        """That of some rows, of which there is at least one."""
        errors = [row.error for row in rows]
        return cls(
            rows=len(rows),
            mean=mean(map(abs, errors)),
            median=median(map(abs, errors)),
            bias=median(errors),
            roofline=mean(abs(row.roofline_error) for row in rows),
        )


def compare_kernels(
    kernels: Sequence[Kernel],
    machines: Mapping[str, tuple[Device, Calibration]],
) -> tuple[list[ComparedKernel], dict[tuple[str, str], int]]:
    """Predict kernels.

    Args:
        kernels: Measured ones.
        machines: Device preset to what it can do and what was measured of it.

    Returns:
        The kernels with their predictions, and why others have none: source and
        reason to how many.
    """
    rows: list[ComparedKernel] = []
    skipped: dict[tuple[str, str], int] = {}
    for kernel in kernels:
        reason = ""
        if kernel.device not in machines:
            reason = f"there is no calibration of {kernel.gpu}"
        else:
            device, calibration = machines[kernel.device]
            try:
                model = Calibrated(
                    calibration, sustained=False, attention=kernel.attention
                )
                predicted = seconds_of(kernel, model, device)
                bound = seconds_of(kernel, Roofline(), device)
            except ConsistencyError as error:
                reason = str(error)
        if reason:
            key = kernel.source, reason
            skipped[key] = skipped.get(key, 0) + 1
        else:
            rows.append(ComparedKernel(kernel, predicted, bound))
    return rows, skipped


def seconds_of(kernel: Kernel, model: CostModel, device: Device) -> Seconds:
    """What a cost model says of a kernel, or of its passes together.

    Raises:
        ConsistencyError: Nothing says how fast the device is in its format.
    """
    return float(model.times(_nodes(kernel), device).sum())


def _nodes(kernel: Kernel) -> list[ComputeNode]:
    if not kernel.work:
        return [
            ComputeNode(
                name=kernel.id,
                kind=OperatorKind.ELEMENTWISE,
                flops=0.0,
                nbytes=kernel.nbytes,
            )
        ]
    return [
        ComputeNode(
            name=kernel.id,
            kind=OperatorKind.ATTENTION
            if isinstance(work, Attention)
            else OperatorKind.MATRIX,
            flops=_flops(work) if isinstance(work, Attention) else work.flops,
            nbytes=_moved(work)
            if isinstance(work, Attention)
            else kernel.precision.nbytes
            * float(work.batch)
            * (work.rows * work.inner + work.inner * work.columns),
            work=(work,),
            precision=kernel.precision,
        )
        for work in kernel.work
    ]


def _flops(work: Attention) -> Flops:
    """Of the products of a fused attention, half of them if it is causal."""
    products = 2.0 * work.batch * work.heads * work.queries * work.keys
    products *= work.head_dim + work.value_dim
    if work.causal and work.queries > 1:
        products /= 2
    return products * (_PASSES if work.backward else 1.0)


def _moved(work: Attention) -> Bytes:
    """Queries and their context, keys and values, in numbers of two bytes."""
    queries = work.queries * work.heads * (work.head_dim + work.value_dim)
    keys = work.keys * work.key_value_heads * (work.head_dim + work.value_dim)
    return 2.0 * work.batch * (queries + keys)
