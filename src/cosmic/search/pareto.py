"""Several objectives at once: the Pareto front, its hypervolume and its knee."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cosmic.errors import SpecError

Values = npt.NDArray[np.float64]
"""A row for each design and a column for each objective, each the lower the better."""


def pareto_front(values: Values) -> list[int]:
    """The rows that no other row beats: nowhere worse, and somewhere better.

    Of equal rows the first one counts. They come in the order of the first column.

    >>> pareto_front(np.array([[1.0, 9.0], [2.0, 9.0], [3.0, 1.0]]))
    [0, 2]

    Raises:
        SpecError: If a value is not a number.
    """
    _check(values)
    front: list[int] = []
    for row in np.lexsort(values.T[::-1]).tolist():  # no later row beats an earlier
        one = values[row]
        if not front or not np.any(np.all(values[front] <= one, axis=1)):
            front.append(row)
    return front


def hypervolume(values: Values, reference: Sequence[float]) -> float:
    """The volume that some rows beat, up to a reference that is worse than they.

    Rows that are not better than the reference everywhere count for nothing. Found
    by slices along the last column, one below the other.

    Reference:
        E. Zitzler and L. Thiele, "Multiobjective evolutionary algorithms: a
        comparative case study and the strength Pareto approach", IEEE Transactions on
        Evolutionary Computation 3(4), 1999.

    >>> hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), (3.0, 3.0))
    3.0

    Raises:
        SpecError: If a value is not a number, or the reference has another length.
    """
    _check(values)
    if len(reference) != values.shape[1]:
        raise SpecError(
            f"{len(reference)} values of reference for {values.shape[1]} objectives"
        )
    bounds = np.asarray(reference, dtype=np.float64)
    return _volume(values[np.all(values < bounds, axis=1)], bounds)


def knee(values: Values) -> int | None:
    """The row of a front that is farthest below the plane through its ends.

    Each column is taken from 0 at its best to 1 at its worst, on a logarithmic scale
    where all its values are above 0, so that it stands for ratios. The farther below
    the plane sum = 1, the more a design gains everywhere for what it gives up
    anywhere. None for a front of fewer than three rows, which has no middle.

    Args:
        values: Of the front alone.

    Reference:
        I. Das, "On characterizing the knee of the Pareto curve based on normal-boundary
        intersection", Structural Optimization 18, 1999.

    >>> knee(np.array([[1.0, 100.0], [2.0, 2.0], [100.0, 1.0]]))
    1
    """
    _check(values)
    if len(values) < 3:
        return None
    scaled = np.where(
        (values > 0).all(axis=0), np.log(np.maximum(values, 1e-300)), values
    )
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    return int(((scaled - low) / width).sum(axis=1).argmin())


def _volume(values: Values, bounds: Values) -> float:
    if not len(values):
        return 0.0
    if values.shape[1] == 1:
        return float(bounds[0] - values.min())
    ordered = values[np.argsort(values[:, -1], kind="stable")]
    ends = np.append(ordered[1:, -1], bounds[-1])
    heights = ends - ordered[:, -1]
    return float(
        sum(
            height * _volume(ordered[: place + 1, :-1], bounds[:-1])
            for place, height in enumerate(heights.tolist())
            if height > 0
        )
    )


def _check(values: Values) -> None:
    if np.isnan(values).any():
        raise SpecError("a value to compare is not a number")
