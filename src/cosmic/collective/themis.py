"""Themis: each chunk goes first to the dimension that has least to do so far.

A chunk shrinks on its way outward, so the first dimension carries most of it. Chunk by
chunk, the dimensions are taken in the order of their loads, the least loaded first, and
what the chunk takes of each is added to its load. Where the loads are all but even, the
chunk takes the order of the dimensions.

In two things this is not the paper's scheme. The loads are times with the latencies of
every chunk, where the paper counts them once a collective, at the start. And a chunk
takes the order of the dimensions also where that of the loads would leave the busiest
dimension no less busy: the paper sends the second chunk over the slowest dimension
first, however slow, since the first chunk has left it least to do. So no dimension has
more to do than the busiest one would have without Themis.

Reference:
    S. Rashidi, W. Won, S. Srinivasan, S. Sridharan and T. Krishna, "Themis: A network
    bandwidth-aware collective scheduling policy for distributed training of DL models",
    ISCA 2022.
"""

from collections.abc import Callable, Sequence

from cosmic.units import Seconds

Order = tuple[int, ...]


def balanced_orders(
    dimensions: Sequence[int],
    chunks: int,
    taken: Callable[[Order], Sequence[Seconds]],
    slight: Callable[[int], Seconds],
) -> dict[Order, int]:
    """How many chunks go outward over the spans of a group in each order.

    Args:
        dimensions: The dimension of each span, innermost first.
        chunks: How many chunks there are.
        taken: What a chunk that goes in an order takes of each dimension's time.
        slight: What a small part of a chunk takes of a span's dimension: loads that
            differ by no more than that in the least loaded one are even.

    Returns:
        The orders as they first come up, each with its chunks.

    >>> times = {(0, 1): (4, 1), (1, 0): (2, 4)}
    >>> balanced_orders((0, 1), 5, times.__getitem__, lambda span: 0.5)
    {(0, 1): 2, (1, 0): 3}

    The loads after each chunk are 4, 1; then 6, 5 (better than 8, 2); 8, 9; 12, 10;
    and 14, 14, where the order of the dimensions alone would come to 20, 5.
    """
    default = tuple(range(len(dimensions)))
    loads = [0.0] * (max(dimensions) + 1)
    orders: dict[Order, int] = {}

    def loaded(order: Order) -> list[Seconds]:
        return [load + more for load, more in zip(loads, taken(order), strict=True)]

    for _ in range(chunks):
        order = tuple(sorted(default, key=lambda span: loads[dimensions[span]]))
        least, most = loads[dimensions[order[0]]], loads[dimensions[order[-1]]]
        even = most - least <= slight(order[0])
        if even or max(loaded(order)) >= max(loaded(default)):
            order = default
        orders[order] = orders.get(order, 0) + 1
        loads = loaded(order)
    return orders
