"""Bytes that one device must hold, by part.

Activations follow Korthikanti et al. (2022), equations 1 to 6, written out by tensor so
that they also hold for grouped keys, gated feed-forward parts and split sequences: for
a GPT layer at tensor degree 1 they come to s b h (34 + 5 a s / h).

Left out: fragmentation, the framework's own needs, and what lives only within an
operator.
"""

from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import assert_never

from cosmic.trace.execution_graph import Schedule
from cosmic.trace.precision import Precision
from cosmic.units import Bytes
from cosmic.workload.expert_memory import (
    around_activation,
    expert_activations,
    latents,
)
from cosmic.workload.in_flight import most_kept
from cosmic.workload.inference_memory import answers, cache, pass_activations
from cosmic.workload.layer_parts import LayerKind
from cosmic.workload.layers import head_unit, layer_unit
from cosmic.workload.parallelism import Recompute, SequenceMethod
from cosmic.workload.put_off import put_off_bytes
from cosmic.workload.weights import (
    embedding_weights,
    head_weights,
    layer_weights,
    spread_weights,
    stage_spread_weights,
    stage_weights,
)
from cosmic.workload.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFootprint:
    """What the fullest device of a stage holds at its fullest moment.

    Attributes:
        weights: The weights themselves.
        gradients: Their gradients.
        optimizer: Optimizer state.
        activations: What the backward pass needs of every micro-batch in flight.
        logits: Outputs over the vocabulary, on the last stage.
        buffers: Weights gathered for use, gradients not yet scattered, and gathered
            keys and values.
        cache: Keys and values of earlier tokens, in inference.
        recomputed: What recomputation has brought back of the one layer at work.
    """

    weights: Bytes
    gradients: Bytes
    optimizer: Bytes
    activations: Bytes
    logits: Bytes
    buffers: Bytes
    cache: Bytes = 0.0
    recomputed: Bytes = 0.0

    @property
    def total(self) -> Bytes:
        """All parts together."""
        return float(sum(getattr(self, field.name) for field in fields(self)))


def memory_footprint(workload: Workload) -> MemoryFootprint:
    """The footprint of the stage that needs most."""
    return max(stage_footprints(workload), key=lambda footprint: footprint.total)


def stage_footprints(workload: Workload) -> tuple[MemoryFootprint, ...]:
    """The footprint of every pipeline stage, from the first one on."""
    stages = range(workload.parallelism.pipeline)
    return tuple(stage_footprint(workload, stage) for stage in stages)


def stage_footprint(workload: Workload, stage: int) -> MemoryFootprint:
    """The footprint of one pipeline stage, counted from 0."""
    if workload.inference is not None:
        return _answering(workload, stage)
    split, element = workload.parallelism, workload.element_bytes
    count = stage_weights(workload, stage)
    spread = stage_spread_weights(workload, stage)
    shared = (count - spread) / split.shards + spread / split.expert_replicas
    last = stage == split.pipeline - 1
    return MemoryFootprint(
        weights=element * (shared if split.weight_sharding >= 3 else count),
        gradients=workload.gradient_bytes
        * (shared if split.weight_sharding >= 2 else count),
        optimizer=workload.optimizer_bytes
        * (shared if split.weight_sharding >= 1 else count),
        activations=most_kept(
            workload, stage, _kept(workload, stage), _put_off(workload, stage)
        ),
        logits=_logits(workload) if last else 0.0,
        buffers=_buffers(workload, stage),
        recomputed=_brought_back(workload, stage),
    )


def _answering(workload: Workload, stage: int) -> MemoryFootprint:
    """The footprint of a stage of a model that answers."""
    last = stage == workload.parallelism.pipeline - 1
    return MemoryFootprint(
        weights=workload.weight_bytes * stage_weights(workload, stage),
        gradients=0.0,
        optimizer=0.0,
        activations=pass_activations(workload),
        logits=answers(workload) if last else 0.0,
        buffers=_gathered_keys(workload),
        cache=cache(workload, sum(workload.layers_of(stage))),
    )


def _kept(workload: Workload, stage: int) -> list[Bytes]:
    """What the layers of each part of a stage keep of one micro-batch."""
    return [_kept_of(workload, part) for part in workload.kinds_of(stage)]


def _kept_of(workload: Workload, kinds: tuple[tuple[LayerKind, int], ...]) -> Bytes:
    """What layers in a row keep, of which the first compute something again."""
    left, kept = workload.recomputed_layers(sum(count for _, count in kinds)), 0.0
    for kind, count in kinds:
        again = min(left, count)
        some, every = layer_activations(workload, kind), _whole_layer(workload, kind)
        kept += again * some + (count - again) * every
        left -= again
    return kept


def _brought_back(workload: Workload, stage: int) -> Bytes:
    """What the layer at work has computed again."""
    kinds = {kind for part in workload.kinds_of(stage) for kind, _ in part}
    return max(
        _whole_layer(workload, k) - layer_activations(workload, k) for k in kinds
    )


def _put_off(workload: Workload, stage: int) -> Bytes:
    """What a stage keeps of one micro-batch for its gradients of weights alone."""
    if workload.schedule is not Schedule.ZB_H1:
        return 0.0
    kept = 0.0
    for kind, count in chain.from_iterable(workload.kinds_of(stage)):
        later = layer_unit(workload, kind).weight_backward
        kept += count * put_off_bytes(workload, later)
    if stage == workload.parallelism.pipeline - 1 and workload.model.has_ends:
        held = replace(workload, precision=workload.held_precision)
        kept += put_off_bytes(held, head_unit(workload).weight_backward)
    return kept


def layer_activations(workload: Workload, kind: LayerKind = LayerKind.DENSE) -> Bytes:
    """What one layer keeps of one micro-batch, if it computes the rest again.

    Reference:
        V. Korthikanti et al., "Reducing activation recomputation in large transformer
        models", 2022, equations 1 to 6.
    """
    match workload.recompute:
        case Recompute.NONE:
            return _whole_layer(workload, kind)
        case Recompute.SELECTIVE:
            return _layer_without_scores(workload, kind)
        case Recompute.FULL:
            width = workload.element_bytes * workload.model.hidden
            return float(width * _tokens_kept(workload))
        case _:
            assert_never(workload.recompute)


def _whole_layer(workload: Workload, kind: LayerKind) -> Bytes:
    """All that a backward pass needs; a fused core keeps no scores."""
    scores = 0.0 if workload.fused_attention else _scores(workload)
    return _layer_without_scores(workload, kind) + scores


def _layer_without_scores(workload: Workload, kind: LayerKind) -> Bytes:
    model, element = workload.model, workload.element_bytes
    product, tensor = workload.product_bytes, workload.parallelism.tensor
    # inputs of two norms and of the two first products, and two dropout masks
    each = 2 * element + 2 * product + 2 * _mask_bytes(workload)
    copied = each * model.hidden * _tokens_kept(workload)
    query, context = model.query_width // tensor, model.context_width // tensor
    # queries, keys and values; what attention hands on
    kept = element * (query + _key_value_width(workload))
    kept += _context_bytes(workload) * context + latents(workload)
    if kind is LayerKind.EXPERTS:
        behind = expert_activations(workload, _tokens_kept(workload))
    else:
        behind = around_activation(workload, model.feed_forward) * workload.tokens
    return float(copied + kept * workload.tokens + behind)


def _context_bytes(workload: Workload) -> int:
    """Of a number that attention hands on; a fused core needs it for itself, too."""
    both = workload.fused_attention and workload.precision is Precision.FP8
    return workload.product_bytes + (workload.element_bytes if both else 0)


def _key_value_width(workload: Workload) -> int:
    """Width of the keys and values that are kept of each token on this device."""
    heads = workload.key_value_heads
    split = workload.parallelism
    if split.sequence_method is SequenceMethod.ULYSSES:
        heads = split.sequence * workload.attended_key_value_heads
    return heads * (workload.model.head_dim + workload.model.value_dim)


def _scores(workload: Workload) -> Bytes:
    """Softmax outputs, its dropout mask and the dropout's output: 5 a s^2 b in bf16.

    Without dropout the softmax outputs alone.
    """
    heads = workload.model.heads // workload.parallelism.tensor
    elements = heads * workload.tokens * workload.model.sequence
    copies = 2 if workload.dropout else 1
    each = copies * workload.element_bytes + _mask_bytes(workload)
    return float(each * elements)


def _mask_bytes(workload: Workload) -> int:
    """Bytes of an element of a dropout mask."""
    return 1 if workload.dropout else 0


def _tokens_kept(workload: Workload) -> float:
    """Tokens of the residual stream on one device."""
    split = workload.parallelism
    return workload.tokens / (split.tensor if split.tensor_sequence else 1)


def _logits(workload: Workload) -> Bytes:
    part = -(-workload.model.vocabulary // workload.parallelism.tensor)
    return float(workload.logit_bytes * workload.tokens * part)


def _buffers(workload: Workload, stage: int) -> Bytes:
    """What other devices own, while it is here for use."""
    shards = workload.parallelism.shards
    others = (shards - 1) / shards
    return _whole_units(workload, stage) * others + _gathered_keys(workload)


def _owned_by_others(workload: Workload, kind: LayerKind) -> float:
    """Weights of a layer, spread experts counted as fewer if fewer devices own them."""
    split, spread = workload.parallelism, spread_weights(workload, kind)
    weights = layer_weights(workload, kind)
    if not spread:
        return weights
    ours, others = 1 / split.shards, 1 - 1 / split.expert_replicas
    return weights - spread + spread * others / (1 - ours)


def _whole_units(workload: Workload, stage: int) -> float:
    """Bytes of weights and gradients of whole units beside this device's shards.

    The gradients of the unit at work, before they are scattered (sharding 2 and 3); its
    weights and those of the units fetched ahead (sharding 3).
    """
    split = workload.parallelism
    reach = 1 + split.prefetch
    rows = [
        [
            layer
            for kind, layers in part
            for layer in [_owned_by_others(workload, kind)] * min(reach, layers)
        ]
        for part in workload.kinds_of(stage)
    ]
    if stage == 0:
        rows[0].insert(0, embedding_weights(workload))
    if stage == split.pipeline - 1:
        rows[-1].append(head_weights(workload))
    gradients = max(map(max, rows)) if split.weight_sharding >= 2 else 0
    windows = (sum(u[first : first + reach]) for u in rows for first in range(len(u)))
    weights = max(windows) if split.weight_sharding >= 3 else 0
    return workload.gradient_bytes * gradients + workload.element_bytes * weights


def _gathered_keys(workload: Workload) -> Bytes:
    """Keys and values of the tokens of other devices."""
    split = workload.parallelism
    if split.sequence_method is SequenceMethod.ULYSSES:
        return 0.0
    others = split.sequence - 1
    if split.sequence_method is SequenceMethod.RING:
        others = min(others, 2)  # those at work, and those that arrive
    tokens = workload.tokens * others
    return float(workload.element_bytes * tokens * _key_value_width(workload))
