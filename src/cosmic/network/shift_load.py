"""The load of messages that all devices send alike, without routing every one.

Every group is a row of `extent` devices, `stride` positions apart, and each of its
devices sends to those at some distances further on, round the row. What that loads
follows from the distances alone, in time n log n for a row of n instead of n². It is
what `link_load` finds by routing every message of every group.
"""

from typing import assert_never

import numpy as np

from cosmic.network.routing import Floats, Ints, Load, core_load
from cosmic.network.wiring import Shape, Wiring


def shift_load(
    wiring: Wiring, extent: int, stride: int, distances: Ints, weights: Floats
) -> Load:
    """The load when every device of every group sends to those at some distances.

    Args:
        wiring: How the dimension's devices are joined.
        extent: Devices of a group.
        stride: Positions between them; groups fill the dimension.
        distances: How much further on in the group the receivers are, from 1 to
            extent - 1, shape (distances,).
        weights: Size of the message to each of them, in any unit, shape (distances,).
    """
    sent = np.bincount(distances, weights, extent).astype(np.float64)
    slower = max(1.0, 1 / wiring.asymmetry)
    match wiring.shape:
        case Shape.FULLY_CONNECTED:
            return Load(1, slower * float(sent.max()))
        case Shape.SWITCH:
            total = float(sent.sum())
            core = core_load(wiring, total * wiring.size)
            return Load(2, max(slower * total, core))
        case Shape.RING if extent * stride == wiring.size:
            return _ring_load(wiring, stride, distances, sent)
        case Shape.RING | Shape.MESH:  # nothing goes round the back of a part of a ring
            longest = int(np.maximum(distances, extent - distances).max())
            return Load(stride * longest, slower * stride * _line_load(sent))
        case Shape.HYPERCUBE:
            return Load(_most_digits(extent, distances), slower * _digit_load(sent))
        case _:
            assert_never(wiring.shape)


def _ring_load(wiring: Wiring, stride: int, distances: Ints, sent: Floats) -> Load:
    """All links of one direction carry the same: as many ways as each is long."""
    size = len(sent)
    clockwise = np.arange(size)
    share = np.where(2 * clockwise == size, 0.5, (2 * clockwise < size).astype(float))
    right = float((sent * share * clockwise).sum())
    left = float((sent * (1 - share) * (size - clockwise)).sum()) / wiring.asymmetry
    longest = int(np.minimum(distances, size - distances).max())
    return Load(stride * longest, stride * max(right, left))


def _line_load(sent: Floats) -> float:
    """Load of the busiest link when a row is a line, the same in both directions.

    Of the messages over a distance d, those of the first n - d devices go d links on;
    each link sees one more of them than the link before until the first arrives, and
    one less after the last has left. The others go n - d links back, as those over a
    distance of n - d go on. So the second differences of the load are known.
    """
    bends = -(sent + sent[-np.arange(len(sent))])
    bends[0] = sent.sum()
    return float(np.cumsum(np.cumsum(bends)).max())


def _most_digits(extent: int, distances: Ints) -> int:
    """Most binary digits in which a device and the one at a distance differ.

    Adding d changes its lowest 1, and for some device, by carrying, all digits above.
    """
    lowest = int((distances & -distances).min())
    return (extent // lowest).bit_length() - 1


def _digit_load(sent: Floats) -> float:
    """Load of the busiest link of a hypercube, the same in both directions.

    A message over d crosses the link of a digit if that digit of d is 1 and nothing is
    carried into it, or 0 and something is. It does so at a device whose lower digits v
    are those of the destination, and something was carried if v is less than those of
    d. So the load depends on v alone.
    """
    busiest = 0.0
    for digit in range(len(sent).bit_length() - 1):
        by_digit = sent.reshape(-1, 2, 1 << digit).sum(axis=0)
        unset, is_set = np.cumsum(by_digit, axis=1)
        busiest = max(busiest, float((is_set + unset[-1] - unset).max()))
    return busiest
