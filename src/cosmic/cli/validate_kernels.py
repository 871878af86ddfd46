"""`cosmic validate kernels` and `cosmic calibrate`: kernels and calibrations."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.compute.calibration import Calibration
from cosmic.compute.device import Device
from cosmic.errors import SpecError, UnknownNameError
from cosmic.io.calibrations import calibration_text, load_calibration
from cosmic.io.presets import PresetKind, preset_names
from cosmic.io.systems import load_device
from cosmic.validation.kernels.calibrating import calibrate
from cosmic.validation.kernels.comparison import (
    ComparedKernel,
    KernelAccuracy,
    compare_kernels,
)
from cosmic.validation.kernels.row import Kernel
from cosmic.validation.kernels.table import KERNELS, read_kernels
from cosmic.validation.tables import Table

_HEADS = ("rows", "mean", "median", "bias", "roofline")
_DEVICE_KEYS = (
    "peak_flops memory_bandwidth memory_capacity peak_fp8 peak_tf32 peak_fp32"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelsRequest:
    """What `cosmic validate kernels` is asked for.

    Attributes:
        file: A table of the user's; empty for ours.
        source: The one source to compare with; empty for all.
        worst: How many of the worst rows to show.
        as_json: Whether to print JSON.
    """

    file: str
    source: str
    worst: int
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateRequest:
    """What `cosmic calibrate` is asked for.

    Attributes:
        device: A device preset or file.
        file: A table of measured kernels; empty for ours.
        sources: Those to use, separated by commas; all, if empty.
        processors: Of the device; that of the relative, if None.
        like: A calibration of a relative; empty for none.
        about: One sentence for the file.
        output: Where to write.
        held_out: Whether to leave out one source after the other, and print errors.
    """

    device: str
    file: str
    sources: str
    processors: int | None
    like: str
    about: str
    output: str
    held_out: bool


def validate_kernels(request: KernelsRequest) -> None:
    """Predict every kernel of a table and print how far that is off.

    Raises:
        SpecError: The table cannot be read, or has no such source.
    """
    table = _table(request.file)
    rows = [row for row in table.rows if request.source in ("", row.source)]
    if not rows:
        known = {row.source for row in table.rows}
        raise UnknownNameError(f"source in {table.name}", request.source, known)
    compared, skipped = compare_kernels(rows, _machines())
    if request.as_json:
        write_json(_document(table, compared, skipped))
    else:
        _show(table, compared, skipped, request.worst)


def calibrate_device(request: CalibrateRequest) -> None:
    """Fit a calibration and write it.

    Raises:
        SpecError: Too little was measured, or something cannot be read.
    """
    device, name = _device(request.device), Path(request.device).stem
    like = load_calibration(request.like) if request.like else None
    processors = request.processors or (like.processors if like else None)
    if processors is None:
        raise SpecError(
            "say how many --processors the device has, or a relative: --like"
        )
    wanted = {part for part in request.sources.split(",") if part}
    kernels = [
        kernel
        for kernel in _table(request.file).rows
        if (kernel.device == name or not kernel.gpu)
        and (not wanted or kernel.source in wanted)
    ]
    found = calibrate(name, device, kernels, processors=processors, like=like)
    compared, _ = compare_kernels(kernels, {"": (device, found), name: (device, found)})
    lines = _lines(compared, _kind)
    if lines:
        show_table("error on these kernels", ("kind", *_HEADS), lines)
    if request.held_out:
        _show_held_out(name, device, kernels, processors, like)
    text = calibration_text(found, request.about or f"Measured kernels of {name}")
    path = Path(request.output or f"{name}.yaml")
    path.write_text(text, encoding="utf-8")
    say(f"written: {path}")


def _show_held_out(
    name: str,
    device: Device,
    kernels: Sequence[Kernel],
    processors: int,
    like: Calibration | None,
) -> None:
    """Errors on each source of a calibration that was fitted to all others."""
    lines: list[tuple[str, ...]] = []
    for source in sorted({kernel.source for kernel in kernels}):
        others = [kernel for kernel in kernels if kernel.source != source]
        held = [kernel for kernel in kernels if kernel.source == source]
        try:
            found = calibrate(name, device, others, processors=processors, like=like)
        except SpecError as error:
            lines += [(source, f"{len(held):,}", str(error), "", "", "")]
            continue
        compared, _ = compare_kernels(
            held, {"": (device, found), name: (device, found)}
        )
        if compared:
            lines += [(source, *_cells(KernelAccuracy.of(compared)))]
    show_table("error on a source left out", ("source", *_HEADS), lines)


def _table(file: str) -> Table[Kernel]:
    """The kernels of a table; rows that are none are left out, and said where wrong."""
    table = read_kernels(Path(file)) if file else read_kernels(KERNELS)
    for problem in table.problems:
        if file and "no kernel by itself" not in problem:
            remark(problem)
    return table


def _device(reference: str) -> Device:
    settings = load_device(reference)
    return Device(**{key: float(str(value)) for key, value in settings.items()})


def _machines() -> dict[str, tuple[Device, Calibration]]:
    """The devices that have a calibration."""
    return {
        name: (_device(name), load_calibration(name))
        for name in preset_names(PresetKind.CALIBRATION)
        if name in preset_names(PresetKind.DEVICE)
    }


def _show(
    table: Table[Kernel],
    compared: Sequence[ComparedKernel],
    skipped: Mapping[tuple[str, str], int],
    worst: int,
) -> None:
    count = len(table.rows) + len(table.problems)
    say(f"{table.name}: {count:,} rows, {len(compared):,} compared")
    say(
        "Errors are those of the predicted time over the measured one; roofline is the "
        "mean error of the data sheet's peaks alone."
    )
    for title, key in (
        ("by device and format", _machine),
        ("by kind", _kind),
        ("by source", _source),
        ("by length", _size),
    ):
        show_table(title, (title.removeprefix("by "), *_HEADS), _lines(compared, key))
    if worst and compared:
        rows = sorted(compared, key=lambda row: -abs(row.error))[:worst]
        found = [
            (
                row.kernel.id,
                row.kernel.kind,
                f"{row.kernel.seconds * 1e6:.4g} us",
                f"{row.predicted * 1e6:.4g} us",
                f"{row.error:+.0%}",
            )
            for row in rows
        ]
        heads = ("row", "kind", "measured", "predicted", "error")
        show_table("worst rows", heads, found)
    reasons = [*((*key, number) for key, number in skipped.items())]
    left = Counter(problem.split(": ", 1)[-1] for problem in table.problems)
    reasons += [("", why, number) for why, number in left.items()]
    lines = [(source, f"{number:,}", why) for source, why, number in reasons]
    if lines:
        show_table("not compared", ("source", "rows", "why"), lines, words=(0, 2))


def _lines(
    rows: Iterable[ComparedKernel], key: Callable[[ComparedKernel], str]
) -> list[tuple[str, ...]]:
    groups: dict[str, list[ComparedKernel]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [(name, *_cells(KernelAccuracy.of(groups[name]))) for name in sorted(groups)]


def _cells(accuracy: KernelAccuracy) -> tuple[str, ...]:
    return (
        f"{accuracy.rows:,}",
        f"{accuracy.mean:.1%}",
        f"{accuracy.median:.1%}",
        f"{accuracy.bias:+.1%}",
        f"{accuracy.roofline:.1%}",
    )


def _machine(row: ComparedKernel) -> str:
    return f"{row.kernel.device} {row.kernel.precision.value}"


def _kind(row: ComparedKernel) -> str:
    return row.kernel.kind


def _source(row: ComparedKernel) -> str:
    return row.kernel.source


def _size(row: ComparedKernel) -> str:
    large = row.kernel.seconds > 1e-4
    return (
        f"{row.kernel.kind}, {'0.1 ms and longer' if large else 'shorter than 0.1 ms'}"
    )


def _document(
    table: Table[Kernel],
    compared: Sequence[ComparedKernel],
    skipped: Mapping[tuple[str, str], int],
) -> dict[str, object]:
    devices: dict[str, list[ComparedKernel]] = {}
    for row in compared:
        devices.setdefault(_machine(row), []).append(row)
    return {
        "table": table.name,
        "problems": table.problems,
        "devices": {n: asdict(KernelAccuracy.of(r)) for n, r in devices.items()},
        "skipped": [
            {"source": source, "why": why, "rows": number}
            for (source, why), number in skipped.items()
        ],
        "rows": [
            {
                "id": row.kernel.id,
                "source": row.kernel.source,
                "url": row.kernel.url,
                "device": row.kernel.device,
                "kind": row.kernel.kind,
                "measured": row.kernel.seconds,
                "predicted": row.predicted,
                "roofline": row.roofline,
                "error": row.error,
                "assumed": row.kernel.assumed,
            }
            for row in compared
        ],
    }
