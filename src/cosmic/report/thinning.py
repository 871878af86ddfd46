"""Which of many points to draw, so that the picture stays the same."""

import numpy as np
import numpy.typing as npt

_FINEST = 256  # cells on a side: finer than the dots that are drawn


def thinned(
    values: npt.NDArray[np.float64], most: int, kept: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Rows that stand for all: of a grid, the first row in each cell.

    The grid is made coarser until few enough cells hold something. So lonely points
    stay, and crowds are thinned.

    Args:
        values: Two columns, finite, as they are drawn.
        most: How many rows there may be, without those that are kept.
        kept: Rows to draw in any case.

    Returns:
        Row numbers, rising; all of them if there are no more than `most`.

    >>> thinned(np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]]), 2, np.array([1]))
    array([0, 1, 2])
    """
    if len(values) <= most:
        return np.arange(len(values))
    low, high = values.min(axis=0), values.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    side = _FINEST
    while True:
        cells = np.minimum((values - low) / width * side, side - 1).astype(np.int64)
        _, first = np.unique(cells[:, 0] * side + cells[:, 1], return_index=True)
        if len(first) <= most or side == 1:
            return np.unique(np.concatenate([first, kept]))
        side //= 2
