"""What it takes to bring the inputs of products into FP8.

A product reads its left factor as rows and its backward pass reads it as columns, so
that a number is read once in its own format and written twice in one byte. A
normalization writes what follows it in FP8 itself. Weights are cast once a step, which
is left out.

Reference:
    NVIDIA, Transformer Engine documentation, "Using FP8 with Transformer Engine".
"""

from collections.abc import Iterable, Iterator

from cosmic.trace.node import ComputeNode, Instruction, OperatorKind, Product
from cosmic.trace.precision import Precision
from cosmic.workload.workload import Workload

_COPIES = 2  # as rows and as columns
_FLOPS = 2  # a product with the scale, and a maximum for the next one


def with_casts(
    instructions: Iterable[Instruction], workload: Workload
) -> tuple[Instruction, ...]:
    """The same instructions, each product in FP8 behind the cast of its left factor.

    Forward this factor is the input, backward the gradient of the output.
    """
    if workload.precision is not Precision.FP8:
        return tuple(instructions)
    return tuple(_cast(instructions, workload))


def _cast(
    instructions: Iterable[Instruction], workload: Workload
) -> Iterator[Instruction]:
    fused = False
    for instruction in instructions:
        if isinstance(instruction, ComputeNode):
            if instruction.precision is Precision.FP8 and not fused:
                yield _cast_of(instruction, workload)
            fused = instruction.kind is OperatorKind.NORMALIZATION
        yield instruction


def _cast_of(node: ComputeNode, workload: Workload) -> ComputeNode:
    factors = (w.batch * w.rows * w.inner for w in node.work if isinstance(w, Product))
    elements = next(factors)
    moved = workload.element_bytes + _COPIES * workload.product_bytes
    return ComputeNode(
        name=f"{node.name} cast",
        kind=OperatorKind.ELEMENTWISE,
        flops=float(_FLOPS * elements),
        nbytes=float(moved * elements),
        precision=workload.held_precision,
    )
