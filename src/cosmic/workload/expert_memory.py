"""Activations of feed-forward parts, experts and latent vectors for a backward pass.

The router's shares are taken to be multiplied with what stands between an expert's
products, so that what its second product gives need not be kept.
"""

from cosmic.units import Bytes
from cosmic.workload.workload import Workload

_SCORE_BYTES = 4  # the router's scores are in single precision


def around_activation(workload: Workload, width: int) -> int:
    """What is kept of a token around the activation of a feed-forward part so wide."""
    between = width // workload.parallelism.tensor
    inputs = workload.model.feed_forward_matrices
    return (workload.element_bytes * inputs + workload.product_bytes) * between


def expert_activations(workload: Workload, routed: float) -> Bytes:
    """What the experts of a layer keep of a micro-batch.

    The router's scores of so many `routed` tokens; of every row that the experts see,
    the row and what is around the activation; and the latter of shared experts.
    """
    model = workload.model
    mixture = model.experts
    assert mixture is not None
    row = workload.product_bytes * model.hidden
    row += around_activation(workload, mixture.feed_forward)
    shared = around_activation(workload, mixture.shared_feed_forward)
    scores = _SCORE_BYTES * mixture.experts * routed
    return scores + workload.tokens * (mixture.copies * row + shared)


def latents(workload: Workload) -> int:
    """What is kept of a token's narrow vectors, before and after their norms."""
    latent = workload.model.latent
    if latent is None:
        return 0
    normed = latent.query_rank + latent.key_value_rank
    return workload.element_bytes * latent.down_width + workload.product_bytes * normed
