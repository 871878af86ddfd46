"""Bytes that one device must hold to answer, by part.

Nothing is kept for a backward pass, so that activations are those of one layer at work.
Caches of keys and values are as large as they ever get: room for all sequences of a
replica at their full length, as a batch that is answered together has it at its end.
"""

from cosmic.units import Bytes
from cosmic.workload.workload import Workload

_LOGIT_BYTES = 4  # tokens are chosen in single precision


def cache(workload: Workload, layers: int) -> Bytes:
    """Keys and values of all sequences of a replica, in so many layers.

    A token's take 2 x key-value heads x head_dim elements in each layer; devices of
    the tensor axis share the heads, and copy them where there are too few.

    Reference:
        R. Pope et al., "Efficiently scaling transformer inference", 2022, section 2.1.
    """
    asked, split = workload.inference, workload.parallelism
    assert asked is not None
    sequences = workload.batch // split.data
    tokens = -(-asked.longest // split.sequence)
    width = 2 * workload.key_value_heads * workload.model.head_dim
    return workload.cache_bytes * sequences * tokens * width * layers


def pass_activations(workload: Workload) -> Bytes:
    """What a layer at work holds of a micro-batch.

    The residual stream, and what stands beside it at the widest place: queries, keys,
    values and context, or both sides of the activation.
    """
    model, tensor = workload.model, workload.parallelism.tensor
    attention = 2 * model.query_width // tensor
    attention += 2 * workload.key_value_heads * model.head_dim
    gated = 3 if model.feed_forward_kind.gated else 2
    widest = max(attention, gated * model.feed_forward // tensor)
    width = 2 * model.hidden + widest
    return float(workload.element_bytes * workload.tokens * width)


def answers(workload: Workload) -> Bytes:
    """Outputs over the vocabulary, come together, of the tokens that need them."""
    return float(_LOGIT_BYTES * workload.answered * workload.model.vocabulary)
