"""The system file: how a rank computes, and how it takes collectives apart."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cosmic.errors import SpecError, UnknownNameError
from cosmic.trace.rank_trace import CommType

_NAMES = {
    "ring": (False, "ring"),
    "oneRing": (True, "ring"),
    "direct": (False, "direct"),
    "oneDirect": (True, "direct"),
    "halvingDoubling": (False, "halvingDoubling"),
    "oneHalvingDoubling": (True, "halvingDoubling"),
    "doubleBinaryTree": (False, "doubleBinaryTree"),
}

_WINDOW = re.compile(r"(direct|oneDirect)\s*([+-]?\d{1,5})")


class Optimization(enum.Enum):
    """How an all-reduce goes through several dimensions, as the system file names it.

    BASELINE: it is a whole all-reduce in each. LOCAL_BW_AWARE: it scatters on the way
    out, reduces in the last, and gathers on the way back.
    """

    BASELINE = "baseline"
    LOCAL_BW_AWARE = "localBWAware"


class Algorithm(enum.Enum):
    """What the ranks of a ring do."""

    RING = "ring"
    DIRECT = "direct"
    HALVING_DOUBLING = "halvingDoubling"
    DOUBLE_BINARY_TREE = "doubleBinaryTree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """One entry of an implementation list.

    Attributes:
        algorithm: What the ranks do.
        one: Whether one ring takes all ranks of the network.
        window: Packets that `direct` sends at once; all if none is given.
    """

    algorithm: Algorithm
    one: bool = False
    window: int | None = None


def parse_implementation(name: str) -> Implementation:
    """Read an entry such as `ring`, `direct4` or `oneHalvingDoubling`.

    Raises:
        UnknownNameError: There is no such algorithm.
        SpecError: The window is not positive, where ASTRA-sim would hang.

    >>> parse_implementation("direct4").window
    4
    """
    found = _WINDOW.match(name)
    window = None
    known = name
    if found is not None:
        known, window = found[1], int(found[2])
        if window == -1:
            window = None
        elif window < 1:
            raise SpecError(f"{name!r}: a window is at least 1, or ASTRA-sim hangs")
    if known not in _NAMES:
        raise UnknownNameError("collective implementation", name, _NAMES)
    one, algorithm = _NAMES[known]
    return Implementation(algorithm=Algorithm(algorithm), one=one, window=window)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInput:
    """A system file, in its own units.

    What ASTRA-sim leaves uninitialized where the file does not give it is None here,
    and refused where it is needed.

    Attributes:
        implementations: For each kind of collective, one entry a dimension.
        optimization: How an all-reduce goes through dimensions.
        scheduled: Whether a scheduling policy is given; none of them changes anything,
            as a rank never has two collectives under way.
        splits: Chunks to split a collective into.
        active_chunks: Chunks that a dimension serves at once.
        endpoint_delay: Before a packet leaves, in ns.
        local_memory_bandwidth: In GB/s of 1e9 bytes; 0 if not given.
        roofline: Whether compute nodes take what the roofline says.
        peak: Of the roofline, in TFLOPS; 0 if not given.
        replay_only: Whether all nodes take what the trace says.

    Raises:
        SpecError: A number is out of range.
    """

    implementations: Mapping[CommType, tuple[Implementation, ...]] = field(
        default_factory=dict
    )
    optimization: Optimization | None = None
    scheduled: bool = False
    splits: int | None = None
    active_chunks: int = 1
    endpoint_delay: int = 10
    local_memory_bandwidth: float = 0.0
    roofline: bool = False
    peak: float = 0.0
    replay_only: bool = False

    def __post_init__(self) -> None:
        if self.active_chunks < 1:
            raise SpecError(
                "active-chunks-per-dimension must be at least 1, "
                f"not {self.active_chunks}"
            )
        if self.splits is not None and self.splits < 1:
            raise SpecError(
                f"preferred-dataset-splits must be at least 1, not {self.splits}"
            )
        for name, value in (
            ("endpoint-delay", self.endpoint_delay),
            ("local-mem-bw", self.local_memory_bandwidth),
            ("peak-perf", self.peak),
        ):
            if not 0 <= value < float("inf"):
                raise SpecError(f"{name} must be finite and not negative, not {value}")
