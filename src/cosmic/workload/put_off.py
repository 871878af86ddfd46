"""A backward without the gradients of weights, which the schedule puts off.

Of the two products of a matrix's backward pass, the one for the gradient of the input
stays, and the one for that of the weights is left for later, as is the gradient of the
embedding. What else has weights, such as norms, has so few that theirs stay.

Reference:
    P. Qi et al., "Zero bubble pipeline parallelism", 2023, section 1 and figure 1.
"""

from collections.abc import Iterable
from dataclasses import replace

from cosmic.trace.execution_graph import Schedule
from cosmic.trace.node import ComputeNode, Instruction, OperatorKind, Product
from cosmic.workload.workload import Workload

Instructions = tuple[Instruction, ...]


def put_off(
    backward: Iterable[Instruction], workload: Workload
) -> tuple[Instructions, Instructions]:
    """What is done at once, and what later: nothing, if the schedule leaves it so."""
    if workload.schedule is not Schedule.ZB_H1:
        return tuple(backward), ()
    now: list[Instruction] = []
    later: list[Instruction] = []
    for instruction in backward:
        match instruction:
            case ComputeNode(kind=OperatorKind.EMBEDDING):
                later.append(instruction)
            case ComputeNode(kind=OperatorKind.MATRIX, work=[_, _, *_]):
                for_input, for_weights = _halves(instruction)
                now.append(for_input)
                later.append(for_weights)
            case _:
                now.append(instruction)
    return tuple(now), tuple(later)


def put_off_bytes(workload: Workload, later: Iterable[Instruction]) -> float:
    """What must be kept for later: the inputs, and the gradients of the outputs.

    With `tensor_sequence` devices share the tokens of what is as wide as the model.
    """
    split = workload.parallelism
    shared = split.tensor if split.tensor_sequence else 1
    products = [
        work
        for node in later
        if isinstance(node, ComputeNode)
        for work in node.work
        if isinstance(work, Product)
    ]
    hidden = workload.model.hidden
    numbers = sum(
        work.batch * work.inner * width / (shared if width == hidden else 1)
        for work in products
        for width in (work.rows, work.columns)
    )
    return workload.product_bytes * numbers


def _halves(node: ComputeNode) -> tuple[ComputeNode, ComputeNode]:
    """The products for inputs and those for weights, which take turns in a node."""
    first, second = (
        replace(
            node,
            name=f"{node.name}, {of}",
            flops=node.flops / 2,
            nbytes=node.nbytes / 2,
            work=node.work[place::2],
            kernels=max(1, node.kernels // 2),
        )
        for place, of in enumerate(("input", "weights"))
    )
    return first, second
