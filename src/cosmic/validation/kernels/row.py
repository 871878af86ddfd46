"""A row of a table of measured kernels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cosmic.errors import SpecError
from cosmic.trace.node import Attention, Product
from cosmic.trace.precision import Precision
from cosmic.units import Bytes, Seconds
from cosmic.validation.fields import count, flag, mapping, number, shown, text

Row = Mapping[str, object]

_DEVICES = {
    r"A100.*PCIe": "a100-pcie-80gb",
    r"A100": "a100-sxm-80gb",
    r"GH200": "gh200",
    r"H100.*PCIe": "h100-pcie",
    r"H100": "h100-sxm",
    r"H200": "h200-sxm",
    r"GB200": "gb200",
    r"GB300": "gb300",
    r"B200": "b200-sxm",
    r"B300": "b300-sxm",
    r"MI300X": "mi300x",
    r"V100": "v100-sxm",
}
_FORMATS = {"bf16": Precision.BF16, "fp16": Precision.FP16, "fp8": Precision.FP8}
_FUSED = {"FA1": "flash-1", "FA2": "flash-2", "VLLM": "flash-2"}  # by their library
_POINTWISE = ("gelu", "layernorm", "softmax")
_TOKENS, _WIDTH = 16_384, 2048  # of the benchmarks of FlashAttention
_STREAM = {"Copy": 2, "Mul": 2, "Add": 3, "Triad": 3, "Dot": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A measured kernel.

    Attributes:
        id: Of the row.
        source: Short name of where it is from.
        url: Where that is.
        device: The device preset; empty if there is none.
        gpu: What the source calls the device.
        kind: product, attention, decode, stream or pointwise.
        library: What ran it.
        precision: Format of the factors.
        work: One kernel, or a forward and a backward pass.
        nbytes: What it moves, where that is its work.
        seconds: How long it took; for a stream, a gigabyte.
        quality: A, B or C.
        assumed: What the source does not say.
        attention: Which kernels of fused attention it is, as flash-2.
    """

    id: str
    source: str
    url: str
    device: str
    gpu: str
    kind: str
    library: str
    precision: Precision
    work: tuple[Product | Attention, ...]
    nbytes: Bytes
    seconds: Seconds
    quality: str
    assumed: str = ""
    attention: str = ""


class NotComparedError(SpecError):
    """A row that is sound, but of something that is not modelled."""


def parse_kernel(row: Row) -> Kernel:
    """The kernel of a row.

    Raises:
        NotComparedError: It is no kernel that is modelled.
        SpecError: A field is missing, or not of its kind.
    """
    kind, shape, measured = (
        text(row, "kind"),
        mapping(row, "shape"),
        mapping(row, "measured"),
    )
    gpu = text(row, "gpu")
    plain = Kernel(
        id=text(row, "id"),
        source=text(row, "source"),
        url=text(row, "url", default=""),
        device=_device(gpu),
        gpu=gpu,
        kind=kind,
        library=text(row, "library", default=""),
        precision=_format(text(row, "dtype", default="bf16")),
        work=(),
        nbytes=0.0,
        seconds=0.0,
        quality=text(row, "quality", default="B"),
    )
    match kind:
        case "gemm":
            return _product(plain, shape, measured)
        case "attention":
            phase = text(row, "phase", default="fwd")
            return _attention(plain, phase, shape, measured)
        case "hbm_stream":
            return _stream(plain, shape, measured)
        case _ if kind in _POINTWISE:
            return _pointwise(plain, shape, measured)
        case _:
            raise NotComparedError(f"{kind} is no kernel by itself")


def _product(plain: Kernel, shape: Row, measured: Row) -> Kernel:
    product = Product(
        rows=_needed(shape, "m"),
        columns=_needed(shape, "n"),
        inner=_needed(shape, "k"),
        batch=count(shape, "batch") or 1,
    )
    seconds = _seconds(measured, product.flops)
    return replace(plain, kind="product", work=(product,), seconds=seconds)


def _attention(plain: Kernel, phase: str, shape: Row, measured: Row) -> Kernel:
    fused = [n for start, n in _FUSED.items() if plain.library.startswith(start)]
    if not fused:
        raise NotComparedError(f"attention of {plain.library} is not fused as ours is")
    if phase not in ("fwd", "fwd+bwd", "prefill", "decode"):
        raise NotComparedError("it does not say whether it went forward or backward")
    queries, width = _needed(shape, "seq"), _needed(shape, "head_dim")
    heads = count(shape, "heads") or _WIDTH // width
    said = count(shape, "batch") is not None and count(shape, "heads") is not None
    work = Attention(
        batch=count(shape, "batch") or max(1, _TOKENS // queries),
        queries=1 if phase == "decode" else queries,
        keys=count(shape, "kv_len") or queries,
        heads=heads,
        key_value_heads=count(shape, "kv_heads") or heads,
        head_dim=width,
        value_dim=width,
        causal=bool(flag(shape, "causal")),
    )
    both = (work, replace(work, backward=True)) if phase == "fwd+bwd" else (work,)
    flops = 4.0 * work.batch * work.queries * work.keys * heads * width
    flops *= (0.5 if work.causal else 1.0) * (3.5 if len(both) > 1 else 1.0)
    return replace(
        plain,
        kind="decode" if phase == "decode" else "attention",
        attention=fused[0],
        work=both,
        seconds=_seconds(measured, flops),
        assumed="" if said else f"{_TOKENS:,} tokens of width {_WIDTH:,}",
    )


def _stream(plain: Kernel, shape: Row, measured: Row) -> Kernel:
    if text(shape, "op") not in _STREAM:
        raise NotComparedError(f"stream {text(shape, 'op')} is not modelled")
    bandwidth = number(measured, "bandwidth_GBps")
    if not bandwidth:
        raise SpecError("measured has no bandwidth_GBps")
    return replace(plain, kind="stream", nbytes=1e9, seconds=1 / bandwidth)


def _pointwise(plain: Kernel, shape: Row, measured: Row) -> Kernel:
    elements = count(shape, "elems") or _needed(shape, "m") * _needed(shape, "n")
    rate = number(measured, "gelems_per_s")
    if not rate:
        raise SpecError("measured has no gelems_per_s")
    nbytes = 2.0 * plain.precision.nbytes * elements
    seconds = elements / (rate * 1e9)
    return replace(plain, kind="pointwise", nbytes=nbytes, seconds=seconds)


def _seconds(measured: Row, flops: float) -> Seconds:
    """The time, or what the rate says of it."""
    for key in ("time_us", "time_us_derived"):
        if found := number(measured, key):
            return found * 1e-6
    rate = number(measured, "tflops")
    if not rate:
        raise SpecError("measured has neither time_us nor tflops")
    return flops / (rate * 1e12)


def _device(gpu: str) -> str:
    """The device preset of a name; empty if there is none."""
    for pattern, name in _DEVICES.items():
        if re.search(pattern, gpu):
            return name
    return ""


def _format(name: str) -> Precision:
    first = name.split("/", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    return _FORMATS.get(first, Precision.BF16)


def _needed(row: Row, key: str) -> int:
    value = count(row, key)
    if value is None:
        raise SpecError(f"shape needs {key}, got {shown(row.get(key))}")
    return value
