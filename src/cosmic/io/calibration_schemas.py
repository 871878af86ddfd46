"""The shape of calibration files: what was measured of a device's kernels."""

from typing import Annotated, Literal

from pydantic import Field

from cosmic.io.spec_models import LatencyField, SpecModel

Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(ge=0)]


class ProductCurveSpec(SpecModel):
    """How long products take in one format; `compute.calibration` has the formula.

    Attributes:
        source: Where the numbers are from.
        efficiency: Share of the peak that a tile of 128 x 128 reaches.
        edge: How much is lost as tiles get smaller.
        fill: Steps of the inner dimension that beginning and ending a tile are worth.
        delay: From one kernel to the next.
        bandwidth: Share of the memory bandwidth that the matrices travel with.
    """

    source: str
    efficiency: Share
    edge: Positive
    fill: Positive
    delay: LatencyField
    bandwidth: Share


class AttentionCurveSpec(SpecModel):
    """How long fused attention takes; `compute.calibration` has the formula.

    Attributes:
        source: Where the numbers are from.
        forward: Share of the peak that wide heads reach with many keys.
        backward: The same on the way back.
        fill: Keys that beginning and ending is worth.
        width: Width of heads that reach half of the share.
        delay: From one kernel to the next.
        bandwidth: Share of the memory bandwidth where few queries meet many keys.
    """

    source: str
    forward: Share
    backward: Share
    fill: Positive
    width: Positive
    delay: LatencyField
    bandwidth: Share


class MovingSpec(SpecModel):
    """How long kernels take that only move data.

    Attributes:
        source: Where the numbers are from.
        delay: From one kernel to the next.
        bandwidth: Share of the memory bandwidth that they reach.
    """

    source: str
    delay: LatencyField
    bandwidth: Share


class SustainedSpec(SpecModel):
    """How many times as long operators take in a training step.

    Attributes:
        source: Where the number is from.
        factor: Over kernels measured by themselves.
    """

    source: str
    factor: Annotated[float, Field(gt=0)]


class CalibrationSpec(SpecModel):
    """What was measured of a device's kernels.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        processors: Of the device, each making one tile of a product at a time.
        products: By format; those left out are taken to be like bf16.
        attention: Fused attention.
        attention_kernels: Fused attention by other kernels, such as flash-1.
        moving: Kernels that only move data.
        sustained: What a training step adds to kernels; nothing if left out.
    """

    kind: Literal["calibration"]
    about: str = ""
    processors: Annotated[int, Field(ge=1)]
    products: dict[Literal["bf16", "fp16", "fp8", "tf32", "fp32"], ProductCurveSpec]
    attention: AttentionCurveSpec
    attention_kernels: dict[str, AttentionCurveSpec] = Field(default_factory=dict)
    moving: MovingSpec
    sustained: SustainedSpec | None = None
