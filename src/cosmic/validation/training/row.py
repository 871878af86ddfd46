"""A published training run, as a table holds it: what its source says, and no more.

What a source does not say is None or empty. How that is filled in is the business of
the rules (`cosmic.validation.training.rules`).
"""

from dataclasses import dataclass

from cosmic.errors import SpecError
from cosmic.units import GB, Bytes, GiB, Seconds
from cosmic.validation.fields import (
    Row,
    count,
    counts,
    first,
    flag,
    mapping,
    number,
    scaled,
    text,
    texts,
    words,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """A mixture of experts.

    Attributes:
        count: Experts of a layer.
        chosen: How many each token goes to.
        width: Feed-forward width of one.
        shared_width: That of what every token also goes through; 0 for none.
        dense_layers: First so many layers have no experts.
    """

    count: int
    chosen: int
    width: int
    shared_width: int
    dense_layers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The model, as the source says it.

    Attributes:
        name: Of the model.
        layers: How many.
        hidden: Width of the residual stream.
        heads: Attention heads.
        key_value_heads: Heads of keys and values.
        head_dim: Width of a head, where it is not hidden / heads.
        feed_forward: Width of the feed-forward part.
        vocabulary: Entries of the embedding.
        gated: Whether the feed-forward part has three matrices.
        sequence: Tokens of a sequence.
        attention: A word on attention of another kind, such as latent attention.
        experts: The mixture of experts, if it is one.
    """

    name: str
    layers: int | None
    hidden: int | None
    heads: int | None
    key_value_heads: int | None
    head_dim: int | None
    feed_forward: int | None
    vocabulary: int | None
    gated: bool | None
    sequence: int | None
    attention: str
    experts: Experts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How the work was split, as the source says it.

    Attributes:
        devices: That took part.
        tensor: Degree of tensor parallelism.
        pipeline: Of pipeline parallelism.
        data: Of data parallelism.
        context: Devices that share the tokens of a sequence.
        expert: Devices that share the experts.
        tensor_sequence: Whether tensor-parallel devices share the tokens, too.
        virtual: Stages of one device.
        micro_batch: Sequences of a micro-batch.
        batch: Sequences of a step.
        accumulation: Micro-batches of a replica in a step.
        sharding: Words on what is sharded.
        distributed_optimizer: Whether the optimizer is.
        recompute: Words on what is computed again.
        overlap: Words on what overlaps.
        stage_pieces: Layers of each stage, embedding and head counted.
        partition: Words on how layers were shared out.
        data_parallel: Which implementation of data parallelism.
    """

    devices: int
    tensor: int | None
    pipeline: int | None
    data: int | None
    context: int | None
    expert: int | None
    tensor_sequence: bool | None
    virtual: int | None
    micro_batch: int | None
    batch: int | None
    accumulation: int | None
    sharding: str
    distributed_optimizer: bool | None
    recompute: str
    overlap: str
    stage_pieces: tuple[int, ...]
    partition: str
    data_parallel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it ran, as the source says it.

    Attributes:
        gpu: The device.
        node: Devices of a node.
        nic: Words on network cards.
        place: Names of system and cluster.
        system: A system of ours, a preset or a file; empty if the rest is to tell.
    """

    gpu: str
    node: int | None
    nic: str
    place: str
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was measured.

    Attributes:
        step: Time of a step; None if it cannot be had.
        memory: Bytes of the fullest device; None if not said.
        fits: Whether it ran, or ran out of memory.
    """

    step: Seconds | None
    memory: Bytes | None
    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRow:
    """One row of a table.

    Attributes:
        id: Of the row.
        source: Short name of who measured.
        url: Where it is published.
        date: When, in the source's words.
        task: pretrain, sft or lora.
        group: Runs of one kind of model.
        quality: A, B or C, by how much the source says; empty if not judged.
        precision: Words on number formats.
        software: Words on the framework.
        counts_recompute: Whether the source's FLOP/s count a full recomputation.
        shape: The model.
        split: How it was split.
        machine: Where it ran.
        published: What was measured.
        unknown: What the source does not say, in the table's words.
    """

    id: str
    source: str
    url: str
    date: str
    task: str
    group: str
    quality: str
    precision: str
    software: str
    counts_recompute: bool
    shape: Shape
    split: Split
    machine: Machine
    published: Published
    unknown: tuple[str, ...]


def parse_training_row(row: Row) -> TrainingRow:
    """The training run of one row of a table.

    Raises:
        SpecError: Something is missing or of another kind than it should be.
    """
    shape, split = parse_shape(mapping(row, "model")), _split(mapping(row, "parallel"))
    return TrainingRow(
        id=text(row, "id"),
        source=text(row, "source"),
        url=text(row, "url", default=""),
        date=text(row, "date", default=""),
        task=text(row, "task", default="pretrain"),
        group=text(row, "group", default=shape.name),
        quality=text(row, "quality", default=""),
        precision=text(row, "precision", default=""),
        software=text(row, "software", default=""),
        counts_recompute=text(row, "flops_convention", default="")
        == "hardware_full_recompute",
        shape=shape,
        split=split,
        machine=parse_machine(mapping(row, "hardware")),
        published=_published(row, shape, split),
        unknown=texts(row, "unknown"),
    )


def parse_shape(row: Row) -> Shape:
    """The model of a row.

    Raises:
        SpecError: Something is of another kind than it should be.
    """
    return Shape(
        name=text(row, "name", default=""),
        layers=count(row, "layers"),
        hidden=count(row, "hidden"),
        heads=count(row, "heads"),
        key_value_heads=count(row, "kv_heads"),
        head_dim=count(row, "head_dim"),
        feed_forward=count(row, "ffn"),
        vocabulary=count(row, "vocab"),
        gated=flag(row, "gated_mlp"),
        sequence=count(row, "seq"),
        attention=text(row, "attention", default=""),
        experts=_experts(mapping(row, "moe")),
    )


def _experts(row: Row) -> Experts | None:
    if not row:
        return None
    found = count(row, "experts"), count(row, "topk"), count(row, "expert_ffn")
    if None in found:
        raise SpecError("moe needs experts, topk and expert_ffn")
    experts, chosen, width = (int(value or 0) for value in found)
    return Experts(
        count=experts,
        chosen=chosen,
        width=width,
        shared_width=int(number(row, "shared_ffn") or 0),
        dense_layers=int(number(row, "dense_layers") or 0),
    )


def _split(row: Row) -> Split:
    devices = count(row, "gpus")
    if devices is None:
        raise SpecError("parallel.gpus must be a whole number from 1 on, got nothing")
    return Split(
        devices=devices,
        tensor=count(row, "tp"),
        pipeline=count(row, "pp"),
        data=count(row, "dp"),
        context=count(row, "cp"),
        expert=count(row, "ep"),
        tensor_sequence=flag(row, "sp"),
        virtual=count(row, "vpp"),
        micro_batch=count(row, "mbs"),
        batch=count(row, "gbs"),
        accumulation=count(row, "ga"),
        sharding=text(row, "shard", default=""),
        distributed_optimizer=flag(row, "dist_opt"),
        recompute=text(row, "recompute", default=""),
        overlap=words(row, "overlap"),
        stage_pieces=counts(row, "layers_per_stage"),
        partition=text(row, "partition", default=""),
        data_parallel=text(row, "ddp_impl", default=""),
    )


def parse_machine(row: Row) -> Machine:
    """Where a row ran.

    Raises:
        SpecError: Something is of another kind than it should be.
    """
    names = (text(row, key, default="") for key in ("system", "cluster", "case"))
    return Machine(
        gpu=text(row, "gpu", default=""),
        node=count(row, "gpus_per_node"),
        nic=text(row, "nic", default=""),
        place=" ".join(name for name in names if name),
        system=text(row, "preset", default=""),
    )


def _published(row: Row, shape: Shape, split: Split) -> Published:
    measured, derived = mapping(row, "measured"), mapping(row, "derived")
    memory = [
        scaled(measured, "mem_gb_max", GB),
        scaled(measured, "mem_gib_max", GiB),
        scaled(measured, "mem_gib_alloc", GiB),
    ]
    fits, out_of_memory = flag(measured, "fits"), flag(measured, "oom")
    return Published(
        step=_step(measured, derived, shape, split),
        memory=first(memory),
        fits=fits if fits is not None else not out_of_memory,
    )


def _step(measured: Row, derived: Row, shape: Shape, split: Split) -> Seconds | None:
    """Said as it is, or told by a rate and the batch."""
    said = first(
        [
            scaled(measured, "iter_s", 1.0),
            scaled(derived, "iter_s", 1.0),
            scaled(derived, "iter_s_from_tflops", 1.0),
        ]
    )
    if said is not None or split.batch is None:
        return said
    tokens = split.batch * (shape.sequence or 0)
    rates = [
        (tokens, scaled(measured, "tokens_s", 1.0)),
        (tokens, scaled(measured, "tokens_s_gpu", float(split.devices))),
        (split.batch, scaled(measured, "samples_s", 1.0)),
    ]
    return first([work / rate for work, rate in rates if rate and work])
