"""Bytes that one device must hold to answer, by part.

Nothing is kept for a backward pass, so that activations are those of one layer at work.
Caches of keys and values are as large as they ever get: room for all sequences of a
replica at their full length, as a batch that is answered together has it at its end.
"""

import math

from cosmic.units import Bytes
from cosmic.workload.workload import Workload

_LOGIT_BYTES = 4  # tokens are chosen in single precision


def cache(workload: Workload, layers: int) -> Bytes:
    """Keys and values of all sequences of a replica, in so many layers.

    A token's take 2 x key-value heads x head_dim elements in each layer; devices of
    the tensor axis share the heads, and copy them where there are too few. With latent
    attention they are one narrow vector and one rotated key for all heads, which every
    device of the tensor axis holds.

    Reference:
        R. Pope et al., "Efficiently scaling transformer inference", 2022, section 2.1;
        DeepSeek-AI, "DeepSeek-V2", 2024, table 1.
    """
    asked, split = workload.inference, workload.parallelism
    assert asked is not None
    sequences = workload.batch // split.data
    tokens = -(-asked.longest // split.sequence)
    latent, model = workload.model.latent, workload.model
    width = workload.key_value_heads * (model.head_dim + model.value_dim)
    if latent is not None:
        width = latent.key_value_rank + latent.rope_dim
    return workload.cache_bytes * sequences * tokens * width * layers


def pass_activations(workload: Workload) -> Bytes:
    """What a layer at work holds of a micro-batch.

    The residual stream, and what stands beside it at the widest place: queries, keys,
    values and context, or both sides of the activation; with experts for every row that
    they see, and the rows themselves.
    """
    model, tensor = workload.model, workload.parallelism.tensor
    key, value = workload.attended_dims
    attention = model.heads * (key + value) // tensor
    heads = 1 if workload.attends_to_latents else workload.key_value_heads
    attention += heads * (key + value)
    gated = 3 if model.feed_forward_kind.gated else 2
    widths = [gated * model.feed_forward // tensor]
    if model.experts is not None:
        one = model.hidden + gated * model.experts.feed_forward // tensor
        widths.append(math.ceil(model.experts.copies * one))
    width = 2 * model.hidden + max(attention, *widths)
    return float(workload.element_bytes * workload.tokens * width)


def answers(workload: Workload) -> Bytes:
    """Outputs over the vocabulary, come together, of the tokens that need them."""
    return float(_LOGIT_BYTES * workload.answered * workload.model.vocabulary)
