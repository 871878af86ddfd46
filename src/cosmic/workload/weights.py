"""How many weights one device holds of each part of the model."""

from cosmic.workload.model import FeedForward
from cosmic.workload.workload import Workload


def layer_weights(workload: Workload) -> int:
    """Weights of one layer on one tensor-parallel device, before any sharding.

    Matrices are split over the tensor group, and so are the biases of their outputs
    where these are split; norms and the other biases are copied.
    """
    model, tensor = workload.model, workload.parallelism.tensor
    query = model.query_width // tensor
    keys_and_values = 2 * workload.key_value_heads * model.head_dim
    feed_forward = model.feed_forward // tensor
    into = model.feed_forward_matrices * feed_forward
    matrices = model.hidden * (2 * query + keys_and_values + into + feed_forward)
    norms = 2 * model.norm_weights
    if model.feed_forward_kind is FeedForward.SWIGLU:
        return matrices + norms
    split_biases = query + keys_and_values + feed_forward
    return matrices + split_biases + 2 * model.hidden + norms


def embedding_weights(workload: Workload) -> int:
    """Weights before the first layer on one device; the vocabulary is padded."""
    model = workload.model
    if not model.vocabulary:
        return 0
    positions = model.sequence if model.learned_positions else 0
    rows = -(-model.vocabulary // workload.parallelism.tensor) + positions
    return rows * model.hidden


def head_weights(workload: Workload) -> int:
    """Weights after the last layer on one device.

    A tied matrix is the embedding's own where one stage holds both ends of the model,
    and a copy where they lie apart.
    """
    model, split = workload.model, workload.parallelism
    if not model.vocabulary or (model.tied_embeddings and split.pipeline == 1):
        return 0
    return -(-model.vocabulary // split.tensor) * model.hidden


def stage_weights(workload: Workload, stage: int) -> int:
    """Weights of one pipeline stage on one device, before any sharding.

    The last stage also holds the final norm.
    """
    count = sum(workload.layers_of(stage)) * layer_weights(workload)
    if stage == 0:
        count += embedding_weights(workload)
    if stage == workload.parallelism.pipeline - 1:
        count += head_weights(workload) + workload.model.norm_weights
    return count
