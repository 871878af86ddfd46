"""Bytes that one device must hold, by part.

Activations follow Korthikanti et al. (2022), equations 1 to 6, written out by tensor so
that they also hold for grouped keys, gated feed-forward parts and split sequences: for a
GPT layer at tensor degree 1 they come to s b h (34 + 5 a s / h).

Left out: fragmentation, the framework's own needs, and what lives only within an
operator.
"""

from dataclasses import dataclass, fields

from cosmic.trace.execution_graph import Schedule
from cosmic.units import Bytes
from cosmic.workload.model import FeedForward
from cosmic.workload.parallelism import Recompute, SequenceMethod
from cosmic.workload.weights import layer_weights, stage_weights
from cosmic.workload.workload import Workload

_LOGIT_BYTES = 4  # the loss is computed in single precision
_MASK_BYTES = 1  # a dropout mask


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFootprint:
    """What the fullest device of a stage holds at its fullest moment.

    Attributes:
        weights: The weights themselves.
        gradients: Their gradients.
        optimizer: Optimizer state.
        activations: What the backward pass needs of every micro-batch in flight.
        logits: Outputs over the vocabulary, on the last stage.
        buffers: Weights gathered for use, and gathered keys and values.
    """

    weights: Bytes
    gradients: Bytes
    optimizer: Bytes
    activations: Bytes
    logits: Bytes
    buffers: Bytes

    @property
    def total(self) -> Bytes:
        """All parts together."""
        return float(sum(getattr(self, field.name) for field in fields(self)))


def memory_footprint(workload: Workload) -> MemoryFootprint:
    """The footprint of the stage that needs most."""
    stages = range(workload.parallelism.pipeline)
    footprints = [stage_footprint(workload, stage) for stage in stages]
    return max(footprints, key=lambda footprint: footprint.total)


def stage_footprint(workload: Workload, stage: int) -> MemoryFootprint:
    """The footprint of one pipeline stage, counted from 0."""
    split, element = workload.parallelism, workload.element_bytes
    count = stage_weights(workload, stage)
    shared = count / split.replicas
    last = stage == split.pipeline - 1
    return MemoryFootprint(
        weights=element * (shared if split.weight_sharding >= 3 else count),
        gradients=element * (shared if split.weight_sharding >= 2 else count),
        optimizer=workload.optimizer_bytes
        * (shared if split.weight_sharding >= 1 else count),
        activations=_in_flight(workload, stage)
        * workload.layers_per_stage
        * layer_activations(workload)
        + _recomputed_layer(workload),
        logits=_logits(workload) if last else 0.0,
        buffers=_buffers(workload),
    )


def layer_activations(workload: Workload) -> Bytes:
    """What one layer keeps of one micro-batch for the backward pass.

    Reference:
        V. Korthikanti et al., "Reducing activation recomputation in large transformer
        models", 2022, equations 1 to 6.
    """
    if workload.recompute is Recompute.FULL:
        return float(workload.element_bytes * _tokens_kept(workload) * workload.model.hidden)
    return _all_of_a_layer(workload)


def _all_of_a_layer(workload: Workload) -> Bytes:
    model, element = workload.model, workload.element_bytes
    tensor = workload.parallelism.tensor
    # inputs of two norms and of the two first products, and two dropout masks
    copied = (4 * element + 2 * _MASK_BYTES) * model.hidden * _tokens_kept(workload)
    keys_and_values = 2 * workload.key_value_heads * model.head_dim
    # queries and context, keys and values, inputs and output of the activation
    gated = 3 if model.feed_forward_kind is FeedForward.SWIGLU else 2
    width = 2 * model.query_width // tensor + keys_and_values
    width += gated * model.feed_forward // tensor
    kept = float(copied + element * width * workload.tokens)
    if workload.fused_attention or workload.recompute is Recompute.SELECTIVE:
        return kept
    return kept + _scores(workload)


def _scores(workload: Workload) -> Bytes:
    """Softmax outputs, its dropout mask and the dropout's output: 5 a s^2 b in bf16."""
    heads = workload.model.heads // workload.parallelism.tensor
    elements = heads * workload.tokens * workload.model.sequence
    return float((2 * workload.element_bytes + _MASK_BYTES) * elements)


def _tokens_kept(workload: Workload) -> float:
    """Tokens of the residual stream on one device."""
    split = workload.parallelism
    return workload.tokens / (split.tensor if split.tensor_sequence else 1)



def _in_flight(workload: Workload, stage: int) -> int:
    """Micro-batches whose activations a stage holds at once."""
    if workload.schedule is Schedule.GPIPE:
        return workload.micro_batches
    return min(workload.micro_batches, workload.parallelism.pipeline - stage)


def _recomputed_layer(workload: Workload) -> Bytes:
    """The one layer that full recomputation has brought back."""
    if workload.recompute is not Recompute.FULL:
        return 0.0
    return _all_of_a_layer(workload)


def _logits(workload: Workload) -> Bytes:
    part = -(-workload.model.vocabulary // workload.parallelism.tensor)
    return float(_LOGIT_BYTES * workload.tokens * part)


def _buffers(workload: Workload) -> Bytes:
    """The layer at work and the one fetched ahead; keys and values of all tokens."""
    split, element = workload.parallelism, workload.element_bytes
    buffers = 0.0
    if split.weight_sharding == 3 and split.replicas > 1:
        buffers += 2 * element * layer_weights(workload)
    if split.sequence > 1 and split.sequence_method is SequenceMethod.ALL_GATHER:
        width = 2 * workload.key_value_heads * workload.model.head_dim
        buffers += element * workload.tokens * split.sequence * width
    return buffers
