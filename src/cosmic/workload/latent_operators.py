"""The projections of multi-latent attention, on one device and for one micro-batch.

Every tensor-parallel device makes the narrow vectors of all tokens, and its own heads
out of them. A decode step does not make keys and values of the tokens that it attends
to: its queries go through the matrix of the keys and its context through that of the
values, which takes as many operations as the keys and values of one token.

Reference:
    DeepSeek-AI, "DeepSeek-V2", 2024, section 2.1 and appendix C.
"""

from cosmic.trace.node import OperatorKind
from cosmic.workload.layer_parts import LatentAttention
from cosmic.workload.operators import Operator, Operators
from cosmic.workload.workload import Workload


def latent_projections(
    workload: Workload, latent: LatentAttention
) -> tuple[Operator, ...]:
    """From the residual stream to queries, keys and values."""
    operators, model = Operators(workload), workload.model
    heads = model.heads // workload.parallelism.tensor
    normed = latent.query_rank + latent.key_value_rank
    return (
        operators.matrix("latent_down", model.hidden, latent.down_width),
        operators.pointwise(
            "latent_normalization",
            OperatorKind.NORMALIZATION,
            workload.tokens * normed,
            5,
            2,
            3,
        ),
        operators.matrix(
            "query_up", latent.query_rank or model.hidden, heads * latent.head_dim
        ),
        operators.matrix(
            "key_value_up",
            latent.key_value_rank,
            heads * (latent.nope_dim + latent.value_dim),
        ),
    )
