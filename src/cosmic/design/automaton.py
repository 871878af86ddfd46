"""Automata: one rule as a machine that reads genes one after another.

After some genes have been read, all that matters of them is which state the machine
is in; a rule on many combinations often has few states (for a fixed product: one for
each partial product). The machine here is the smallest there is for its rule and
order of genes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosmic.design.columns import Mask

States = npt.NDArray[np.int64]
"""Transitions of one gene: row = state, column = choice, entry = next state or -1."""

_WIDE = 64


@dataclass(frozen=True, slots=True)
class Automaton:
    """A rule, read gene by gene.

    Attributes:
        scope: The genes that it reads, in order.
        transitions: For each of them: row = state before, column = choice, entry =
            state after, or -1 where no further choice can keep the rule. The first
            has one row; the last leads to state 0.
    """

    scope: tuple[int, ...]
    transitions: tuple[States, ...]


def automaton_of_truth(scope: tuple[int, ...], truth: Mask) -> Automaton:
    """The smallest automaton for a rule given by its truth table.

    Args:
        scope: The genes, in order; at least one.
        truth: Where it holds, one axis for each gene.
    """
    codes: States = np.where(truth.reshape(-1), 0, -1).astype(np.int64)
    transitions: list[States] = []
    for radix in reversed(truth.shape):
        rows = codes.reshape(-1, radix)
        kept, codes = distinct_rows(rows)
        transitions.append(kept)
    return Automaton(scope, tuple(reversed(transitions)))


def distinct_rows(rows: States) -> tuple[States, States]:
    """Merge equal rows and drop those that are -1 throughout.

    Returns:
        The rows that are left, and for each row given the number of the one that it
        became, or -1.
    """
    alive = (rows >= 0).any(axis=1)
    number = np.full(len(rows), -1, dtype=np.int64)
    if not alive.any():
        return rows[:1] if len(rows) else rows, number
    keys = row_keys(rows[alive] + 1)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    number[alive] = inverse.reshape(-1)
    return rows[alive][first], number


def merged(following: States) -> tuple[States, States]:
    """Number the distinct joint states that some machines reach at once.

    Args:
        following: State before x choice x machine: the state after, or -1.

    Returns:
        For each state before and choice the number of the joint state after, or -1
        where a machine has none; and the joint states, one a row.
    """
    alive = (following >= 0).all(axis=2)
    layer = np.full(alive.shape, -1, dtype=np.int64)
    reached = following[alive]
    keys = row_keys(reached)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    layer[alive] = inverse.reshape(-1)
    return layer, reached[first]


def row_keys(rows: States) -> States:
    """One number for each row of natural numbers, equal for equal rows only."""
    if len(rows) > 1 and rows.shape[1] > _WIDE:
        whole = np.ascontiguousarray(rows).view(np.dtype((np.void, rows[0].nbytes)))
        _, numbers = np.unique(whole.reshape(-1), return_inverse=True)
        return numbers.astype(np.int64)
    keys = np.zeros(len(rows), dtype=np.int64)
    if len(rows) <= 1:
        return keys
    size = 1
    for column in rows.T:
        width = int(column.max(initial=0)) + 1
        if size * width >= 2**62:
            _, keys = np.unique(keys, return_inverse=True)
            keys = keys.reshape(-1).astype(np.int64)
            size = int(keys.max(initial=0)) + 1
        keys = keys * width + column
        size *= width
    return keys
