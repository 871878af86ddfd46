"""The memory of a run: tables laid out one after the other, and made longer."""

from collections.abc import Mapping

import numpy as np

from cosmic.simulation.astra_sim import kernel
from cosmic.simulation.astra_sim.kernel import Floats, Ints


class Memory:
    """Tables put one after the other; each is known by where it begins.

    Attributes:
        top: Where the next table begins.
    """

    def __init__(self) -> None:
        self.top = kernel.SCALARS
        self._tables: list[Ints] = []

    def put(self, table: Ints) -> int:
        """Put a table after the others; later changes of it still count.

        Returns:
            Where it begins.
        """
        self._tables.append(table)
        begin = self.top
        self.top += table.size
        return begin

    def join(self, scalars: Mapping[int, int], room: int) -> Ints:
        """Join all tables, and leave room after them."""
        memory = np.zeros(self.top + room, np.int64)
        for place, value in scalars.items():
            memory[place] = value
        at = kernel.SCALARS
        for table in self._tables:
            memory[at : at + table.size] = table.reshape(-1)
            at += table.size
        memory[kernel.TOP] = self.top
        return memory


def longer(memory: Ints) -> Ints:
    """The same run with more room: for records, for pending times, for hash chains."""
    count = int(memory[kernel.TIMES_COUNT])
    margin = int(memory[kernel.MARGIN])
    if memory[kernel.PENDING] + margin > count:
        times = int(memory[kernel.TIMES])
        held = memory[times : times + 2 * count]
        count = 2 * (count + margin)
        memory = _with_room(memory, 2 * count)
        memory[kernel.TIMES] = _claim(memory, 2 * count)
        memory[kernel.TIMES_COUNT] = count
        times = int(memory[kernel.TIMES])
        memory[times : times + len(held)] = held
    if memory[kernel.OPEN] > memory[kernel.CHAIN_COUNT]:
        chains, count = int(memory[kernel.CHAINS]), int(memory[kernel.CHAIN_COUNT])
        memory = _with_room(memory, 4 * count)
        memory[kernel.CHAINS] = _claim(memory, 4 * count)
        memory[kernel.CHAIN_COUNT] = 4 * count
        kernel.rehash(chains, count, memory)
    return _with_room(memory, 2 * margin)


def floats(memory: Ints) -> Floats:
    """The same memory seen as floats."""
    return memory.view(np.float64)


def _with_room(memory: Ints, room: int) -> Ints:
    """The memory with at least so much room after what is in use."""
    needed = int(memory[kernel.TOP]) + room
    if needed <= len(memory):
        return memory
    grown = np.zeros(max(needed, len(memory) + len(memory) // 2), np.int64)
    grown[: len(memory)] = memory
    return grown


def _claim(memory: Ints, size: int) -> int:
    begin = int(memory[kernel.TOP])
    memory[kernel.TOP] += size
    return begin
