"""The shape of every spec file: what keys it has, and what they hold.

Each file says what it is with `kind`. A key that names another spec takes the name of a
preset or a path, which is relative to the file that it stands in.
"""

from typing import Annotated, Literal

from pydantic import Field

from cosmic.io.spec_models import (
    BandwidthField,
    BytesField,
    FlopRateField,
    LatencyField,
    SpecModel,
)

Count = Annotated[int, Field(ge=1, le=2**40)]
Scalar = bool | int | float | str
Shape = Literal["Ring", "FullyConnected", "Switch"]
Algorithms = tuple[str, ...]


class ModelSpec(SpecModel):
    """A model's shape."""

    kind: Literal["model"]
    about: str = ""
    source: str = ""
    layers: Count
    hidden: Count
    heads: Count
    key_value_heads: Count | None = None
    head_dim: Count | None = None
    feed_forward: Count
    feed_forward_kind: Literal["gelu", "swiglu"] = "gelu"
    sequence: Count
    vocabulary: Annotated[int, Field(ge=0, le=2**40)] = 0
    tied_embeddings: bool = True
    learned_positions: bool = True


class DimensionSpec(SpecModel):
    """One dimension of a network: the bandwidth of a link, or of a device's links."""

    topology: Shape
    npus_count: Count
    bandwidth: BandwidthField | None = None
    link_bandwidth: BandwidthField | None = None
    latency: LatencyField


class DeviceSpec(SpecModel):
    """One accelerator."""

    kind: Literal["device"] = "device"
    about: str = ""
    source: str = ""
    peak_flops: FlopRateField
    memory_bandwidth: BandwidthField
    memory_capacity: BytesField


class CollectiveSpec(SpecModel):
    """How collectives are carried out; `algorithms` stands for all four kinds."""

    algorithms: Algorithms | None = None
    all_reduce_algorithm: Algorithms | None = None
    all_gather_algorithm: Algorithms | None = None
    reduce_scatter_algorithm: Algorithms | None = None
    all_to_all_algorithm: Algorithms | None = None
    scheduling_policy: Literal["LIFO", "FIFO"] | None = None
    chunks: Count | None = None
    multi_dim_optimization: Literal["baseline", "localBWAware"] | None = None
    endpoint_delay: LatencyField | None = None


class SystemSpec(SpecModel):
    """A machine: network, device, collectives."""

    kind: Literal["system"]
    about: str = ""
    source: str = ""
    dimensions: Annotated[tuple[DimensionSpec, ...], Field(min_length=1, max_length=16)]
    device: str | DeviceSpec
    collective: CollectiveSpec


class RangeSpec(SpecModel):
    """Values from one to another, both included."""

    start: Annotated[int | float | str, Field(alias="from")]
    stop: Annotated[int | float | str, Field(alias="to")]
    step: int | float | str | None = None


class ParameterSpec(SpecModel):
    """One thing that may be chosen; exactly one key says among what."""

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
    """What may be chosen, and what must hold."""

    kind: Literal["parameter_set"]
    about: str = ""
    source: str = ""
    parameters: Annotated[dict[str, ParameterSpec], Field(min_length=1)]
    derived: dict[str, str] = Field(default={})
    constants: dict[str, Scalar] = Field(default={})
    constraints: tuple[str, ...] = ()
    limits: dict[str, float | str] = Field(default={})
    scopes: dict[
        str, tuple[Literal["workload", "collective", "network", "compute"], ...]
    ] = Field(default={})


class WorkloadSpec(SpecModel):
    """How a scenario's workload is split and run before anything is searched."""

    dp: Count | None = None
    tp: Count | None = None
    pp: Count | None = None
    sp: Count | None = None
    weight_sharding: Literal[0, 1, 2, 3] | None = None
    weight_sharded: Literal[0, 1] | None = None
    micro_batch: Count | None = None
    recompute: Literal["none", "selective", "full"] | None = None
    fused_attention: bool | None = None
    sequence_method: Literal["all_gather", "ulysses"] | None = None
    tensor_sequence: bool | None = None
    schedule: Literal["1f1b", "gpipe"] | None = None


class LevelPricesSpec(SpecModel):
    """Prices of one network level, in dollars for each GB/s."""

    name: str
    link: Annotated[float, Field(ge=0)]
    switch: Annotated[float, Field(ge=0)] | None = None
    network_card: Annotated[float, Field(ge=0)] = 0.0


class ScenarioSpec(SpecModel):
    """What is held fixed while searching."""

    kind: Literal["scenario"]
    about: str = ""
    source: str = ""
    model: str
    system: str
    batch: Count
    workload: WorkloadSpec = WorkloadSpec()
    parameter_set: str
    objective: str = "runtime"
    network_prices: tuple[LevelPricesSpec, ...] | None = None


class AgentSpec(SpecModel):
    """Who searches; further keys are the agent's hyper-parameters."""

    name: str = "genetic"
    options: dict[str, Scalar] = Field(default={})


class StudySpec(SpecModel):
    """A search to run."""

    kind: Literal["study"]
    about: str = ""
    scenario: str
    scope: str | None = None
    objective: str | None = None
    agent: AgentSpec = AgentSpec()
    trials: Count = 1000
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    batch: Count = 32


AnySpec = Annotated[
    ModelSpec | DeviceSpec | SystemSpec | ParameterSetSpec | ScenarioSpec | StudySpec,
    Field(discriminator="kind"),
]
