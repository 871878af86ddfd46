"""A grid for times, on which sums are exact.

Which of two collectives goes first may hang on whether two times are equal. Sums of
floats in another order differ in the last bit, so all durations of a run are first
rounded to multiples of one tick, a power of two. The tick is so small, 2^-52 of a bound
on the step, that it does not show, and so large that every sum of durations is exact:
ties are ties whatever the order of summing.
"""

import math

import numpy as np
from numpy.typing import NDArray

from cosmic.units import Seconds

_BITS = 52


def tick(bound: Seconds) -> Seconds:
    """The tick for a run that lasts no longer than `bound`.

    >>> tick(1.0) == 2.0**-52
    True
    """
    if bound <= 0:
        return 2.0**-1000
    return 2.0 ** (math.ceil(math.log2(bound)) - _BITS)


def on_grid(seconds: NDArray[np.float64], unit: Seconds) -> NDArray[np.float64]:
    """Durations rounded to multiples of `unit`."""
    rounded: NDArray[np.float64] = np.rint(seconds / unit) * unit
    return rounded
