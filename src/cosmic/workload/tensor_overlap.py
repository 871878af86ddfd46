"""Tensor collectives behind the products that stand beside them.

A product whose input is gathered begins with the tokens that are there and goes on with
those of each other device as they come; one whose output is scattered sends each part
off while it computes the next. Of t devices a collective has t - 1 steps, so that all
but one of t pieces of the product can hide it, or be hidden by it.

In the backward pass of a product, the gradient of its output is gathered behind the
product for the input's gradient in the same way, and the input's gradient is scattered
behind the whole product for that of the weights.

Reference:
    NVIDIA, Transformer Engine documentation, "userbuffers" (`ub_overlap_ag`,
    `ub_overlap_rs`, `ub_bulk_dgrad`), which Megatron-LM calls `--tp-comm-overlap`; S.
    Wang et al., "Overlap communication with dependent computation via decomposition in
    large deep learning models", ASPLOS 2023.
"""

from collections.abc import Sequence
from dataclasses import replace

from cosmic.trace.node import (
    CollectiveKind,
    ComputeNode,
    Instruction,
    OperatorKind,
    Start,
    Wait,
)
from cosmic.workload.pieces import piece
from cosmic.workload.workload import Workload


def with_overlap(
    instructions: tuple[Instruction, ...], workload: Workload
) -> tuple[Instruction, ...]:
    """The same work, tensor collectives behind products where these stand beside them.

    A gathering must stand right before its product, or before the cast of its input; a
    scattering right behind it.
    """
    split = workload.parallelism
    if not split.tensor_overlap or split.tensor == 1:
        return instructions
    done: list[Instruction] = []
    rest = list(instructions)
    while rest:
        taken = _gathering(rest, split.tensor) or _scattering(rest, split.tensor)
        if taken is None:
            done.append(rest.pop(0))
            continue
        count, instead = taken
        done.extend(instead)
        del rest[:count]
    return tuple(done)


_Taken = tuple[int, list[Instruction]]  # so many instructions, and what replaces them


def _gathering(rest: Sequence[Instruction], parts: int) -> _Taken | None:
    """A gathering, perhaps a cast, and a product; None if the rest begins otherwise."""
    if not _is_blocking(rest[:2], CollectiveKind.ALL_GATHER):
        return None
    start, wait = rest[:2]
    behind = 3 if len(rest) > 3 and not _is_product(rest[2]) else 2
    product = rest[behind] if len(rest) > behind else None
    casts = rest[2:behind]
    if not isinstance(product, ComputeNode) or not _is_product(product):
        return None
    if not all(isinstance(cast, ComputeNode) for cast in casts):
        return None
    first, *weights = _products(product)
    most, last = piece(first, parts - 1, parts), piece(first, 1, parts)
    return behind + 1, [start, *casts, most, wait, last, *weights]


def _scattering(rest: Sequence[Instruction], parts: int) -> _Taken | None:
    """A product and a scattering; None if the rest begins otherwise."""
    product = rest[0]
    if not isinstance(product, ComputeNode) or not _is_product(product):
        return None
    if not _is_blocking(rest[1:3], CollectiveKind.REDUCE_SCATTER):
        return None
    start, wait = rest[1:3]
    first, *weights = _products(product)
    if weights:
        return 3, [first, start, *weights, wait]
    most, one = piece(first, parts - 1, parts), piece(first, 1, parts)
    return 3, [one, start, most, wait]


def _products(node: ComputeNode) -> list[ComputeNode]:
    """Each product of a node by itself; backward, that for the input comes first."""
    count = len(node.work)
    return [
        replace(
            node,
            flops=node.flops / count,
            nbytes=node.nbytes / count,
            work=(work,),
            kernels=1,
        )
        for work in node.work
    ]


def _is_product(instruction: Instruction) -> bool:
    return (
        isinstance(instruction, ComputeNode)
        and instruction.kind is OperatorKind.MATRIX
        and bool(instruction.work)
    )


def _is_blocking(pair: Sequence[Instruction], kind: CollectiveKind) -> bool:
    """Whether it is a collective of the tensor group that is awaited at once."""
    match pair:
        case [Start(node, token), Wait(awaited)]:
            return (node.kind, node.group, token) == (kind, "tensor", awaited)
        case _:
            return False
