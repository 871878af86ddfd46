"""The ends of a vision transformer, on one device and for one micro-batch.

The projection of patches and the classifier are small, and copied over tensor-parallel
devices. The bytes of the one class token that the classifier of split tokens needs are
left out.
"""

from dataclasses import replace

from cosmic.trace.node import OperatorKind
from cosmic.workload.layer_parts import Patches
from cosmic.workload.operators import Operator, Operators
from cosmic.workload.workload import Workload


def patch_embedding(workload: Workload, patches: Patches) -> Operator:
    """The product of patches and their projection; backward, for its weights only."""
    split, sequence = workload.parallelism, workload.model.sequence
    tokens = workload.tokens // (split.tensor if split.tensor_sequence else 1)
    rows = tokens * (sequence - patches.class_token) // sequence
    hidden = workload.model.hidden
    product = _held(workload).matrix("patches", patches.pixels, hidden, rows)
    both = product.backward
    weights = replace(
        both,
        flops=both.flops / 2,
        nbytes=both.nbytes / 2,
        work=both.work[1:],
        kernels=1,
    )
    return Operator(product.forward, weights)


def classifier(workload: Workload, patches: Patches) -> tuple[Operator, ...]:
    """The classes of each image and the loss; nothing where there are none."""
    if not patches.classes:
        return ()
    images, operators = workload.micro_batch, _held(workload)
    return (
        operators.matrix("classes", workload.model.hidden, patches.classes, images),
        operators.pointwise(
            "loss", OperatorKind.LOSS, images * patches.classes, 5, 2, 4
        ),
    )


def _held(workload: Workload) -> Operators:
    return Operators(replace(workload, precision=workload.held_precision))
