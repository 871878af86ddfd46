"""How many weights one device holds of each part of the model."""

from cosmic.workload.layer_parts import LayerKind
from cosmic.workload.workload import Workload


def layer_weights(workload: Workload, kind: LayerKind = LayerKind.DENSE) -> int:
    """Weights of one layer on one tensor-parallel device, before any sharding.

    Matrices are split over the tensor group, and so are the biases of their outputs
    where these are split; norms, routers, the matrices into latent vectors and the
    other biases are copied. Routed experts are spread over the expert group.
    """
    model, split = workload.model, workload.parallelism
    count = model.shared_weights(kind, split.tensor)
    if kind is LayerKind.EXPERTS:
        count += model.expert_weights(split.tensor, split.expert)
    return count


def spread_weights(workload: Workload, kind: LayerKind) -> int:
    """Those of them that other devices of the expert group do not hold."""
    model, split = workload.model, workload.parallelism
    if kind is LayerKind.DENSE or split.expert == 1:
        return 0
    return model.expert_weights(split.tensor, split.expert)


def embedding_weights(workload: Workload) -> int:
    """Weights before the first layer on one device; the vocabulary is padded.

    The projection of patches is copied.
    """
    model = workload.model
    if not model.vocabulary:
        return model.embedding_weights if model.has_ends else 0
    rows = -(-model.vocabulary // workload.parallelism.tensor)
    beside = model.embedding_weights - model.vocabulary * model.hidden
    return rows * model.hidden + beside


def head_weights(workload: Workload) -> int:
    """Weights after the last layer on one device.

    A tied matrix is the embedding's own where one stage holds both ends of the model,
    and a copy where they lie apart. A classifier is copied.
    """
    model, split = workload.model, workload.parallelism
    if not model.vocabulary:
        return model.head_weights
    if model.tied_embeddings and split.pipeline == 1:
        return 0
    return -(-model.vocabulary // split.tensor) * model.hidden


def stage_weights(workload: Workload, stage: int) -> int:
    """Weights of one pipeline stage on one device, before any sharding.

    The last stage also holds the final norm.
    """
    count = sum(
        layers * layer_weights(workload, kind)
        for part in workload.kinds_of(stage)
        for kind, layers in part
    )
    if stage == 0:
        count += embedding_weights(workload)
    if stage == workload.parallelism.pipeline - 1:
        count += head_weights(workload) + workload.model.final_norm_weights
    return count


def stage_spread_weights(workload: Workload, stage: int) -> int:
    """Those of them that other devices of the expert group do not hold."""
    return sum(
        layers * spread_weights(workload, kind)
        for part in workload.kinds_of(stage)
        for kind, layers in part
    )
