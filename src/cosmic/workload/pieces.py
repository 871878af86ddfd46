"""Operators in equal pieces, so that what travels hides behind some of them."""

from dataclasses import replace

from cosmic.trace.node import Attention, ComputeNode, Product


def piece(node: ComputeNode, count: int, parts: int) -> ComputeNode:
    """So many of `parts` equal pieces of an operator, each with kernels of its own.

    A product is cut along its rows, attention along its keys. That pieces read again
    what they share, such as a product's weights, is left out.

    >>> from cosmic.trace.node import OperatorKind
    >>> whole = ComputeNode(
    ...     name="product", kind=OperatorKind.MATRIX, flops=48.0, nbytes=8.0,
    ...     work=(Product(rows=4, columns=3, inner=2),),
    ... )
    >>> most = piece(whole, 3, 4)
    >>> most.flops, most.kernels, most.work[0].rows
    (36.0, 3, 1)
    """
    share = count / parts
    return replace(
        node,
        flops=node.flops * share,
        nbytes=node.nbytes * share,
        work=tuple(_cut(work, parts) for work in node.work) * count,
        kernels=node.kernels * count,
    )


def _cut(work: Product | Attention, parts: int) -> Product | Attention:
    if isinstance(work, Product):
        return replace(work, rows=max(1, work.rows // parts))
    return replace(work, keys=max(1, work.keys // parts))
