"""Shard: one of several searches, on machines of their own, that make up a study.

Agents that learn nothing take every n-th batch of one sequence, so that all shards
together are the very study that one search would have been. An agent that learns
searches in each shard on its own, from a seed of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.errors import SpecError
from cosmic.search.agent import Agent, HyperParameter, learns, make_agent
from cosmic.search.trial import Trial


@dataclass(frozen=True, slots=True)
class Shard:
    """One of so many shards of a study.

    Attributes:
        index: Which one, from 1.
        of: How many there are.

    Raises:
        SpecError: If there is no such shard.
    """

    index: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.of:
            raise SpecError(
                f"there is no shard {self.index} of {self.of}; count them from 1"
            )

    @override
    def __str__(self) -> str:
        return f"{self.index}/{self.of}"

    def share(self, trials: int, batch: int, *, one_sequence: bool) -> int:
        """How many of the trials of the whole study are this shard's.

        Args:
            trials: The budget of the whole study.
            batch: How many points are asked for at a time.
            one_sequence: Whether shards take batches of one sequence in turn, or
                search on their own.

        >>> [Shard(k, 3).share(10, 4, one_sequence=True) for k in (1, 2, 3)]
        [4, 4, 2]
        >>> [Shard(k, 3).share(10, 4, one_sequence=False) for k in (1, 2, 3)]
        [4, 3, 3]
        """
        before = self.index - 1
        if not one_sequence:
            return trials // self.of + (before < trials % self.of)
        batches, rest = divmod(trials, batch)
        whole = len(range(before, batches, self.of))
        return whole * batch + (rest if batches % self.of == before else 0)

    def seed(self, seed: int) -> int:
        """A seed of its own, for an agent that learns.

        Reference:
            numpy.random.SeedSequence: seeds that differ in one bit, or in their spawn
            key, give independent streams.
        """
        sequence = np.random.SeedSequence(seed, spawn_key=(self.index,))
        return int(sequence.generate_state(1, np.uint64)[0])


def read_shard(text: str) -> Shard:
    """The shard that a text such as 3/8 names.

    Raises:
        SpecError: If it names none.
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text, re.ASCII)
    if found is None:
        raise SpecError(f"--shard {text}: write which of how many, as 3/8")
    try:
        return Shard(int(found[1]), int(found[2]))
    except SpecError as error:
        raise SpecError(f"--shard {text}: {error}") from error


def make_shard_agent(
    shard: Shard,
    name: str,
    space: DesignSpace,
    seed: int,
    values: Mapping[str, HyperParameter],
) -> Agent:
    """The agent of a shard.

    Args:
        shard: Which of how many.
        name: A name in `AGENTS`.
        space: Where it may look.
        seed: That of the whole study.
        values: Hyper-parameters that differ from their defaults.

    Raises:
        UnknownNameError: If no agent, or no hyper-parameter of it, has that name.
        SpecError: If a hyper-parameter cannot have that value.
    """
    if learns(name):
        return make_agent(name, space, shard.seed(seed), values)
    return EveryNthBatch(make_agent(name, space, seed, values), shard)


class EveryNthBatch(Agent):
    """Asks for every n-th batch of what another agent, which learns nothing, asks for.

    Args:
        agent: Gives the sequence; it is not told.
        shard: Which of how many batches.
    """

    def __init__(self, agent: Agent, shard: Shard) -> None:
        self._agent = agent
        self._skipped = shard.index - 1  # before the next batch
        self._between = shard.of - 1

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        for _ in range(self._skipped):
            self._agent.ask(count)
        self._skipped = self._between
        return self._agent.ask(count)

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        pass
