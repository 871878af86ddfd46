"""Ways to write the choices of a parameter: ranges, powers, divisors, scales."""

from math import isfinite, isqrt, log

from cosmic.design.parameter import MAX_CHOICES, Value
from cosmic.errors import SpecError

BOOLEANS: tuple[Value, ...] = (False, True)
"""The choices of a switch."""


def integers(low: int, high: int, step: int = 1) -> tuple[Value, ...]:
    """All integers from `low` to `high`, both included, `step` apart.

    Raises:
        SpecError: The range is empty or has too many values.

    >>> integers(2, 8, step=3)
    (2, 5, 8)
    """
    if step < 1 or high < low:
        raise SpecError(f"no integers from {low} to {high} in steps of {step}")
    _check_count((high - low) // step + 1)
    return tuple(range(low, high + 1, step))


def powers_of_two(low: int, high: int) -> tuple[Value, ...]:
    """All powers of two from `low` to `high`, both included.

    Raises:
        SpecError: There are none, or `low` is below 1.

    >>> powers_of_two(1, 8)
    (1, 2, 4, 8)
    """
    if low < 1 or high > 2**62:
        raise SpecError(f"powers of two lie between 1 and 2**62, not {low} to {high}")
    powers = tuple(2**k for k in range(63) if low <= 2**k <= high)
    if not powers:
        raise SpecError(f"there is no power of two from {low} to {high}")
    return powers


def divisors(number: int) -> tuple[Value, ...]:
    """All numbers that divide a number, in order.

    Raises:
        SpecError: The number is not between 1 and 1e12.

    >>> divisors(96)
    (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 96)
    """
    if not 1 <= number <= 10**12:
        raise SpecError(f"divisors are of a number from 1 to 1e12, not {number}")
    small = [k for k in range(1, isqrt(number) + 1) if number % k == 0]
    large = [number // k for k in reversed(small) if k * k != number]
    return tuple(small + large)


def steps(low: float, high: float, step: float) -> tuple[Value, ...]:
    """Real numbers from `low` to `high`, both included, at equal distances.

    Rounded to 12 significant digits, so that a step of 0.1 gives 0.3 and not
    0.30000000000000004.

    Raises:
        SpecError: The range is empty, not finite or has too many values.

    >>> steps(0.1, 0.5, 0.2)
    (0.1, 0.3, 0.5)
    """
    if not all(map(isfinite, (low, high, step))) or step <= 0 or high < low:
        raise SpecError(f"no numbers from {low} to {high} in steps of {step}")
    count = int((high - low) / step * (1 + 1e-12)) + 1
    _check_count(count)
    return tuple(_rounded(low + k * step) for k in range(count))


def log_steps(low: float, high: float, count: int) -> tuple[Value, ...]:
    """`count` real numbers from `low` to `high`, at equal ratios.

    Raises:
        SpecError: The range is not positive and finite, or `count` is below 2.

    >>> log_steps(1, 1000, 4)
    (1.0, 10.0, 100.0, 1000.0)
    """
    if not (isfinite(low) and isfinite(high)) or not 0 < low < high or count < 2:
        raise SpecError(f"no {count} numbers at equal ratios from {low} to {high}")
    _check_count(count)
    ratio = log(high / low, 2) / (count - 1)
    return tuple(_rounded(low * 2 ** (ratio * k)) for k in range(count))


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")


def _check_count(count: int) -> None:
    if count > MAX_CHOICES:
        raise SpecError(f"{count} choices are more than the {MAX_CHOICES} allowed")
