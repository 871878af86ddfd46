"""A published measurement of a collective, as a table holds it.

Sizes follow nccl-tests: for an all-reduce and an all-to-all the buffer of one device,
for an all-gather and a reduce-scatter the buffer of the whole group. The bus bandwidth
is size over time, times 2(n-1)/n for an all-reduce, 1 for a transfer and (n-1)/n for
the others: what each link of a ring would carry.

Reference:
    NVIDIA, nccl-tests, doc/PERFORMANCE.md, for the definition of bus bandwidth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from typing_extensions import override

from cosmic.errors import SpecError, UnknownNameError
from cosmic.units import GB, US, Bytes, BytesPerSecond, KiB, MiB
from cosmic.validation.fields import count, mapping, scaled, text

_SIZE_CLASSES = (
    (64 * KiB, "up to 64 KiB"),
    (1 * MiB, "up to 1 MiB"),
    (32 * MiB, "up to 32 MiB"),
)
SIZE_CLASSES = (*(name for _, name in _SIZE_CLASSES), "larger", "asymptotic")
"""Names of size classes, from small to large."""


class Operation(Enum):
    """What was measured."""

    ALL_REDUCE = "all_reduce"
    ALL_GATHER = "all_gather"
    REDUCE_SCATTER = "reduce_scatter"
    ALL_TO_ALL = "alltoall"
    SEND_RECV = "send_recv"
    DISPATCH = "moe_dispatch"
    COMBINE = "moe_combine"
    DISPATCH_LOW_LATENCY = "moe_dispatch_lowlat"
    COMBINE_LOW_LATENCY = "moe_combine_lowlat"

    def bus_factor(self, ranks: int) -> float:
        """Bus bandwidth over size per time.

        >>> Operation.ALL_REDUCE.bus_factor(4)
        1.5
        """
        match self:
            case Operation.ALL_REDUCE:
                return 2 * (ranks - 1) / ranks
            case Operation.SEND_RECV:
                return 1.0
            case _:
                return (ranks - 1) / ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """Where it was measured, as the source says it.

    Attributes:
        gpu: The device.
        nic: The network cards; empty if not said.
        case: The machine; empty if not said.
        system: A system of ours, a preset or a file; empty if the rest is to tell.
    """

    gpu: str
    nic: str = ""
    case: str = ""
    system: str = ""

    @override
    def __str__(self) -> str:
        return self.case or self.gpu or self.system or "unknown hardware"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What was measured, and on what: all that a prediction needs.

    Attributes:
        operation: The collective.
        size: Bytes, as nccl-tests counts them; None for the bandwidth of sizes so large
            that they no longer matter.
        ranks: Devices that took part; None if not said.
        nodes: Machines that they were in; None if not said.
        hardware: What kind of machines.
        algorithm: Of the library; empty if not said.
        bottleneck: NVLink or RDMA, where the bandwidth is that of a device's links of
            this kind and not the bus bandwidth.
    """

    operation: Operation
    size: Bytes | None
    ranks: int | None
    nodes: int | None
    hardware: Hardware
    algorithm: str = ""
    bottleneck: str = ""

    @property
    def size_class(self) -> str:
        """How large the message is, for averages."""
        if self.size is None:
            return "asymptotic"
        found = (name for most, name in _SIZE_CLASSES if self.size <= most)
        return next(found, "larger")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One row of a table.

    Attributes:
        id: Of the row.
        source: Short name of who measured.
        url: Where it is published.
        library: Who carried it out.
        quality: A, B or C, by how much the source says; empty if not judged.
        setup: What was measured, and on what.
        bandwidth: Bus bandwidth, or that of the bottleneck.
    """

    id: str
    source: str
    url: str
    library: str
    quality: str
    setup: Setup
    bandwidth: BytesPerSecond


def parse_measurement(row: Mapping[str, object]) -> Measurement:
    """The measurement of one row of a table.

    Raises:
        SpecError: Something is missing or of another kind than it should be.
    """
    operation, ranks = _operation(text(row, "op")), count(row, "ranks")
    measured = {**mapping(row, "derived"), **mapping(row, "measured")}
    said = scaled(row, "size_bytes", 1.0)
    size, bandwidth = _bandwidth(operation, said, ranks, measured)
    return Measurement(
        id=text(row, "id"),
        source=text(row, "source"),
        url=text(row, "url", default=""),
        library=text(row, "library", default=""),
        quality=text(row, "quality", default=""),
        setup=Setup(
            operation=operation,
            size=size,
            ranks=ranks,
            nodes=count(row, "nodes"),
            hardware=_hardware(mapping(row, "hardware")),
            algorithm=text(row, "algo", default=""),
            bottleneck=text(measured, "bottleneck", default=""),
        ),
        bandwidth=bandwidth,
    )


def _hardware(row: Mapping[str, object]) -> Hardware:
    return Hardware(
        gpu=text(row, "gpu", default=""),
        nic=text(row, "nic", default=""),
        case=text(row, "case", default=""),
        system=text(row, "system", default=""),
    )


def _operation(name: str) -> Operation:
    try:
        return Operation(name)
    except ValueError:
        known = [operation.value for operation in Operation]
        raise UnknownNameError("collective", name, known) from None


def _bandwidth(
    operation: Operation,
    size: Bytes | None,
    ranks: int | None,
    measured: Mapping[str, object],
) -> tuple[Bytes | None, BytesPerSecond]:
    """The size and the bandwidth; a time says more than a rounded bandwidth does."""
    if ranks == 1:
        raise SpecError("one device sends nothing; ranks must be 2 or more")
    time = scaled(measured, "time_us", US)
    link = scaled(measured, "rdma_bw_GBps", GB)
    if link is not None and time is not None and size is None:
        size = link * time
    if size is not None and time is not None and ranks is not None:
        return size, size * operation.bus_factor(ranks) / time
    for name in ("busbw_GBps", "bottleneck_bw_GBps"):
        bandwidth = scaled(measured, name, GB)
        if bandwidth is not None:
            return size, bandwidth
    raise SpecError("measured needs time_us (with size_bytes and ranks) or busbw_GBps")
