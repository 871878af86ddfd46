"""How the devices of a cluster carry out their collectives."""

import enum
from dataclasses import dataclass
from typing import assert_never

from cosmic.collective.algorithm import make_algorithm
from cosmic.collective.protocol import Protocol, protocols_for
from cosmic.errors import SpecError
from cosmic.trace.node import CollectiveKind
from cosmic.units import Seconds


class SchedulingPolicy(enum.Enum):
    """Which of several collectives waiting for one dimension goes first.

    FIFO: the one handed over first. LIFO: the one handed over last, so that the
    gradients that the next step needs first, which are the last to be computed, are
    home first.
    """

    FIFO = "FIFO"
    LIFO = "LIFO"


class MultiDimensional(enum.Enum):
    """How a collective goes over several dimensions.

    BASELINE: a whole all-reduce in each dimension, one after the other.
    LOCAL_BW_AWARE: reduce-scatter on the way out, all-reduce in the last dimension,
    all-gather on the way back, so that outer dimensions carry less.
    THEMIS: the same, but each chunk goes first where there is least to do so far, so
    that all dimensions carry what they can. Reduce-scatters and all-gathers too.
    """

    BASELINE = "baseline"
    LOCAL_BW_AWARE = "localBWAware"
    THEMIS = "themis"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectivePolicy:
    """The collective stack: everything but the network itself.

    Attributes:
        all_reduce: Name of the algorithm for each dimension of the network.
        all_gather: The same for all-gathers and broadcasts.
        reduce_scatter: The same for reduce-scatters.
        all_to_all: The same for all-to-alls.
        chunks: Equal parts of a collective, which overlap between dimensions.
        scheduling: Who goes first.
        multi_dimensional: How a collective goes over several dimensions.
        active_chunks: Chunks that a dimension serves at once. One has the links and the
            memory; the others are done with these, and only wait for what comes after.
        endpoint_delay: Time that a device needs to take up a message.
        protocols: Ways to send; a phase takes the fastest. Without any, a link has its
            bandwidth and its latency, and nothing else costs time.
    """

    all_reduce: tuple[str, ...]
    all_gather: tuple[str, ...]
    reduce_scatter: tuple[str, ...]
    all_to_all: tuple[str, ...]
    chunks: int = 1
    scheduling: SchedulingPolicy = SchedulingPolicy.LIFO
    multi_dimensional: MultiDimensional = MultiDimensional.LOCAL_BW_AWARE
    active_chunks: int = 1
    endpoint_delay: Seconds = 0.0
    protocols: tuple[Protocol, ...] = ()

    def __post_init__(self) -> None:
        if self.chunks < 1:
            raise SpecError(f"a collective has at least 1 chunk, not {self.chunks}")
        if self.active_chunks < 1:
            raise SpecError(
                "a dimension serves at least 1 chunk at once, "
                f"but active chunks are {self.active_chunks}"
            )
        if not 0 <= self.endpoint_delay < float("inf"):
            raise SpecError(
                "endpoint delay must be finite and not negative, "
                f"but is {self.endpoint_delay} s"
            )
        if len({len(names) for names in self._all()}) != 1:
            raise SpecError(
                "every kind of collective needs one algorithm for each dimension, "
                f"but there are {', '.join(str(len(n)) for n in self._all())}"
            )
        for name in {name for names in self._all() for name in names}:
            make_algorithm(name)
        self._check_protocols()

    def _check_protocols(self) -> None:
        for protocol in self.protocols:
            if protocol.dimensions != self.dimensions:
                raise SpecError(
                    f"protocol {protocol.name!r} speaks of {protocol.dimensions} "
                    f"dimensions, the algorithms of {self.dimensions}"
                )
        for names in self._all():
            for dimension, name in enumerate(names):
                protocols_for(self.protocols, name, dimension)

    def algorithm(self, kind: CollectiveKind, dimension: int) -> str:
        """Name of the algorithm for one kind of collective in one dimension."""
        match kind:
            case CollectiveKind.ALL_REDUCE:
                return self.all_reduce[dimension]
            case CollectiveKind.ALL_GATHER | CollectiveKind.BROADCAST:
                return self.all_gather[dimension]
            case CollectiveKind.REDUCE_SCATTER:
                return self.reduce_scatter[dimension]
            case CollectiveKind.ALL_TO_ALL:
                return self.all_to_all[dimension]
            case _:
                assert_never(kind)

    @property
    def dimensions(self) -> int:
        """How many dimensions the policy speaks of."""
        return len(self.all_reduce)

    def _all(self) -> tuple[tuple[str, ...], ...]:
        return self.all_reduce, self.all_gather, self.reduce_scatter, self.all_to_all
