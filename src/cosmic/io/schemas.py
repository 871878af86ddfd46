"""The shape of every spec file: what keys it has, and what they hold.

Each file says what it is with `kind`. A key that names another spec takes the name of a
preset or a path, which is relative to the file that it stands in.
"""

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from cosmic.errors import UnknownNameError
from cosmic.evaluation.setting import AXIS_ORDERS
from cosmic.io.model_schemas import Count
from cosmic.io.spec_models import (
    BandwidthField,
    BytesField,
    FlopRateField,
    LatencyField,
    RentField,
    SpecModel,
)

Scalar = bool | int | float | str
Shape = Literal["Ring", "FullyConnected", "Switch", "Mesh", "Hypercube", "Torus"]
Algorithms = tuple[str, ...]


def _one_or_several(value: object) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


Sizes = Annotated[
    Annotated[Count, Tag("one")]
    | Annotated[tuple[Count, ...], Field(min_length=1), Tag("several")],
    Discriminator(_one_or_several),
]


def _known_order(words: str) -> str:
    if words not in AXIS_ORDERS:
        raise UnknownNameError("order of axes", words, AXIS_ORDERS)
    return words


AxisOrder = Annotated[
    str, AfterValidator(_known_order), WithJsonSchema({"enum": list(AXIS_ORDERS)})
]


class DimensionSpec(SpecModel):
    """One dimension of a network: the bandwidth of a link, or of a device's links.

    A torus stands for several dimensions, which are rings of equal links.

    Attributes:
        topology: How the devices of this dimension are joined.
        npus_count: Devices along this dimension; of a torus a list, with the size of
            each of its rings, innermost first.
        bandwidth: What one device can send into this dimension over all its links; give
            this or `link_bandwidth`.
        link_bandwidth: What one link carries; give this or `bandwidth`.
        latency: Time for a first byte to cross one link.
        oversubscription: What all ports of a Switch could send, over what its core
            carries; 1 if left out.
        asymmetry: Bandwidth of the links towards lower positions (of a Switch: down to
            the devices) over that of the others; 1 if left out.
        link: The kind of link, as the system's communication library knows it, such as
            nvlink, pcie or network.
    """

    topology: Shape
    npus_count: Sizes
    bandwidth: BandwidthField | None = None
    link_bandwidth: BandwidthField | None = None
    latency: LatencyField
    oversubscription: Annotated[float, Field(ge=1, le=1e3)] | None = None
    asymmetry: Annotated[float, Field(ge=1e-3, le=1e3)] | None = None
    link: str | None = None

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.torus and isinstance(self.npus_count, int):
            raise ValueError("a Torus has a list of sizes: npus_count: [4, 4, 4]")
        if not self.torus and not isinstance(self.npus_count, int):
            raise ValueError(
                f"a {self.topology} has one size: npus_count: 4; a list is for a Torus"
            )
        return self

    @property
    def torus(self) -> bool:
        """Whether it stands for several rings."""
        return self.topology == "Torus"

    @property
    def shape(self) -> str:
        """The shape of the network's dimensions that it stands for."""
        return "Ring" if self.torus else self.topology

    @property
    def sizes(self) -> tuple[int, ...]:
        """Devices along each of the network's dimensions that it stands for."""
        sizes = self.npus_count
        return sizes if isinstance(sizes, tuple) else (sizes,)


class DeviceSpec(SpecModel):
    """One accelerator.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        source: Where the numbers are from.
        peak_flops: Floating-point operations a second in bf16 or fp16, not sparse.
        memory_bandwidth: Bytes a second to and from its memory.
        memory_capacity: Bytes that it can hold.
        peak_fp8: Operations a second in fp8; unknown if left out.
        peak_tf32: Likewise in tf32.
        peak_fp32: Likewise in fp32.
        calibration: Measured kernels that hold for it, a preset or a file; one of its
            own name by default.
    """

    kind: Literal["device"] = "device"
    about: str = ""
    source: str = ""
    peak_flops: FlopRateField
    memory_bandwidth: BandwidthField
    memory_capacity: BytesField
    peak_fp8: FlopRateField | None = None
    peak_tf32: FlopRateField | None = None
    peak_fp32: FlopRateField | None = None
    calibration: str | None = None


class CollectiveSpec(SpecModel):
    """How collectives are carried out; `algorithms` stands for all four kinds.

    The other keys are settings, which `evaluation.setting` explains.

    Attributes:
        algorithms: Of all kinds of collectives: one for each dimension, innermost
            first; a torus has one for all its rings.
        library: The communication library, a preset or a file, whose protocols carry
            the messages; without one, a link has its bandwidth and its latency.
    """

    algorithms: Algorithms | None = None
    library: str | None = None
    all_reduce_algorithm: Algorithms | None = None
    all_gather_algorithm: Algorithms | None = None
    reduce_scatter_algorithm: Algorithms | None = None
    all_to_all_algorithm: Algorithms | None = None
    scheduling_policy: Literal["LIFO", "FIFO"] | None = None
    chunks: Count | None = None
    multi_dim_optimization: Literal["baseline", "localBWAware", "themis"] | None = None
    active_chunks: Count | None = None
    flat_rings: bool | None = None
    endpoint_delay: LatencyField | None = None


class SystemSpec(SpecModel):
    """A machine: network, device, collectives.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        source: Where the numbers are from.
        dimensions: Those of the network, innermost first.
        device: A preset, a file, or the device itself.
        collective: How collectives are carried out.
    """

    kind: Literal["system"]
    about: str = ""
    source: str = ""
    dimensions: Annotated[tuple[DimensionSpec, ...], Field(min_length=1, max_length=16)]
    device: str | DeviceSpec
    collective: CollectiveSpec


class RangeSpec(SpecModel):
    """Values from one to another, both included.

    Attributes:
        start: The first: a number, a quantity with its unit, or a constant's name.
        stop: The last, if the steps meet it.
        step: From one to the next; 1 if left out, where the choices are whole numbers.
        count: How many quantities at equal ratios, in the place of a step.
    """

    start: Annotated[int | float | str, Field(alias="from")]
    stop: Annotated[int | float | str, Field(alias="to")]
    step: int | float | str | None = None
    count: Count | None = None


class ParameterSpec(SpecModel):
    """One thing that may be chosen; exactly one key says among what.

    Attributes:
        stack: The stack that it belongs to.
        values: The choices, one by one.
        powers_of_two: The choices: all powers of two in a range.
        range: The choices: everything in a range, in steps.
        divisors_of: The choices: all divisors of a number or of a constant.
        per_dimension: Whether it has one value for each dimension of the network.
        active_if: A formula; where it is false, the parameter means nothing and is not
            searched.
        inactive: Its value while it means nothing; the first choice if left out.
        follows: A formula for its value while its stack is not searched; without one,
            it keeps the baseline's. `d` is the dimension's number.
        about: One sentence for people.
    """

    stack: Literal["workload", "collective", "network", "compute"]
    values: tuple[Scalar, ...] | None = None
    powers_of_two: RangeSpec | None = None
    range: RangeSpec | None = None
    divisors_of: Count | str | None = None
    per_dimension: bool = False
    active_if: str | None = None
    inactive: Scalar | None = None
    follows: str | None = None
    about: str = ""


class ParameterSetSpec(SpecModel):
    """What may be chosen, and what must hold.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        source: Where the numbers are from.
        parameters: What may be chosen, by the names of settings.
        derived: Formulas of values that follow, such as tp; they must come out as
            integers.
        constants: More names for formulas, with their values.
        constraints: Formulas that every design must make true.
        limits: The most that a metric may be, such as memory; a quantity has its unit.
        scopes: Names for sets of stacks that are searched together.
    """

    kind: Literal["parameter_set"]
    about: str = ""
    source: str = ""
    parameters: Annotated[dict[str, ParameterSpec], Field(min_length=1)]
    derived: dict[str, str] = Field(default={})
    constants: dict[str, Scalar] = Field(default={}, max_length=1000)
    constraints: tuple[str, ...] = ()
    limits: dict[str, float | str] = Field(default={})
    scopes: dict[
        str, tuple[Literal["workload", "collective", "network", "compute"], ...]
    ] = Field(default={})


class WorkloadSpec(SpecModel):
    """How a scenario's workload is split and run before anything is searched.

    Each key is a setting, which `evaluation.setting` explains.
    """

    dp: Count | None = None
    tp: Count | None = None
    pp: Count | None = None
    sp: Count | None = None
    ep: Count | None = None
    weight_sharding: Literal[0, 1, 2, 3] | None = None
    weight_sharded: Literal[0, 1] | None = None
    micro_batch: Count | None = None
    recompute: Literal["none", "selective", "full"] | None = None
    fused_attention: bool | None = None
    sequence_method: Literal["all_gather", "ulysses", "ring"] | None = None
    tensor_sequence: bool | None = None
    precision: Literal["fp32", "tf32", "bf16", "fp16", "fp8"] | None = None
    gradient_precision: Literal["auto", "bf16", "fp32"] | None = None
    recompute_layers: Annotated[int, Field(ge=0, le=2**40)] | None = None
    dropout: bool | None = None
    logit_bytes: Annotated[int, Field(ge=0, le=64)] | None = None
    sharding_group: Annotated[int, Field(ge=0, le=2**40)] | None = None
    gradient_overlap: bool | None = None
    prefetch: Annotated[int, Field(ge=0, le=64)] | None = None
    tensor_overlap: bool | None = None
    schedule: Literal["1f1b", "gpipe", "zb-h1"] | None = None
    virtual_stages: Count | None = None
    first_stage_layers: Annotated[int, Field(ge=0, le=2**40)] | None = None
    last_stage_layers: Annotated[int, Field(ge=0, le=2**40)] | None = None
    axis_order: AxisOrder | None = None
    placement: Literal["inner_first", "outer_first", "fastest_first"] | None = None
    micro_batches: Annotated[int, Field(ge=0, le=2**40)] | None = None
    weight_bits: Literal[4, 8, 16] | None = None
    cache_bits: Literal[4, 8, 16] | None = None


class LevelPricesSpec(SpecModel):
    """Prices of one network level, in dollars for each GB/s.

    Attributes:
        name: For people.
        link: Of a link.
        switch: Of a switch; without it, this level has none.
        network_card: Of a device's network card.
    """

    name: str
    link: Annotated[float, Field(ge=0)]
    switch: Annotated[float, Field(ge=0)] | None = None
    network_card: Annotated[float, Field(ge=0)] = 0.0


class DevicePricesSpec(SpecModel):
    """Prices of what devices are made of, in dollars.

    Attributes:
        compute: For each TFLOP/s of the peak in bf16 or fp16.
        memory_bandwidth: For each GB/s to and from memory.
        memory: For each GB of memory.
        base: For a device, whatever it can do, with its share of the host.
    """

    compute: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    memory_bandwidth: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    memory: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    base: Annotated[float, Field(ge=0, le=1e9)] = 0.0


class ScenarioSpec(SpecModel):
    """What is held fixed while searching.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        source: Where the numbers are from.
        model: What is trained: a preset, a file, or a Hugging Face config.json.
        sequence: Tokens of a sequence, where they are not as many as the model's file
            says, or where that says none, as a config.json does.
        system: The machine of the baseline: a preset or a file.
        batch: Sequences in a step, or answered together.
        devices: As many of the system's devices: its outermost dimension grows or
            shrinks to it. As many as the system has, if left out.
        task: What is done: train, prefill, decode (one token for each sequence) or
            serve (whole requests).
        prompt: Tokens of each prompt, for prefill and serve.
        output: Tokens of each answer, for serve.
        context: Tokens that a decode step attends to, itself included, for decode.
        device_price: What a device costs while it is used; unknown if left out.
        limits: The most that a metric may be, such as ttft; beside those of the
            parameter set.
        workload: How the baseline splits and runs the model.
        parameter_set: What may be chosen: a preset or a file.
        objective: What is sought, where a study says nothing else.
        cost_model: How the time of operators is found.
        network_prices: Prices of each network level, innermost first; the paper's if
            left out.
        device_prices: What devices cost to buy; unknown if left out.
    """

    kind: Literal["scenario"]
    about: str = ""
    source: str = ""
    model: str
    sequence: Count | None = None
    system: str
    batch: Count
    devices: Count | None = None
    task: Literal["train", "prefill", "decode", "serve"] = "train"
    prompt: Count | None = None
    output: Count | None = None
    context: Count | None = None
    device_price: RentField | None = None
    limits: dict[str, float | str] = Field(default={})
    workload: WorkloadSpec = WorkloadSpec()
    parameter_set: str
    objective: str = "runtime"
    cost_model: str = "roofline"
    network_prices: tuple[LevelPricesSpec, ...] | None = None
    device_prices: DevicePricesSpec | None = None
