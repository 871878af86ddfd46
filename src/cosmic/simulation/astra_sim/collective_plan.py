"""How a collective is taken apart: chunks, phases over dimensions, messages.

What the compiled loop does with it stands in `kernel.py`; this is all that can be
worked out before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log2, prod
from typing import assert_never

from cosmic.errors import ConsistencyError, SpecError
from cosmic.simulation.astra_sim.inputs import Inputs
from cosmic.simulation.astra_sim.kernel import DIRECT, HALVING, RING, TREE
from cosmic.simulation.astra_sim.system_input import (
    Algorithm,
    Implementation,
    Optimization,
)
from cosmic.trace.rank_trace import CommType

_GROUP_DELAY = 10  # ns, whatever endpoint-delay says, among a part of the ranks
_MOST_CHUNKS = 1_000_000  # the streams of the next group are numbered from there
_LARGEST = 2**53

_ALL_QUEUES, _FIRST_HALF, _LAST_HALF = 0, 1, 2

CODES = {
    Algorithm.RING: RING,
    Algorithm.DIRECT: DIRECT,
    Algorithm.HALVING_DOUBLING: HALVING,
    Algorithm.DOUBLE_BINARY_TREE: TREE,
}
KINDS = (
    CommType.ALL_REDUCE,
    CommType.REDUCE_SCATTER,
    CommType.ALL_GATHER,
    CommType.ALL_TO_ALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalRing:
    """Ranks among which one phase runs.

    Attributes:
        dimension: Whose queues it takes.
        size: How many ranks.
        stride: Between them; 0 for a group that lists its ranks.
        implementation: What they do.
    """

    dimension: int
    size: int
    stride: int
    implementation: Implementation


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPhase:
    """One phase of a chunk. The fields are those of `tables.PHASE`, and two more.

    Attributes:
        final: Bytes of the chunk after it.
        halving: Distance and bytes of each step of halving and doubling.
    """

    algorithm: int
    dimension: int
    size: int
    stride: int
    message: int
    steps: int
    window: int
    cycle: int
    reduces: int
    barrier: int
    endpoint: int
    lane: int
    final: int
    halving: tuple[tuple[int, int], ...] = ()


def logical_rings(kind: CommType, inputs: Inputs) -> tuple[LogicalRing, ...]:
    """Rings of a collective of all ranks, one a dimension of its implementation list.

    Raises:
        SpecError: The list is missing.
        ConsistencyError: It is longer than the network has dimensions.
    """
    dimensions = inputs.network.dimensions
    entries = _entries(kind, inputs)
    if len(entries) > len(dimensions):
        raise ConsistencyError(
            f"{_label(kind)}-implementation lists {len(entries)} algorithms, but the "
            f"network has {len(dimensions)} dimensions"
        )
    rings: list[LogicalRing] = []
    stride = 1
    for dimension, entry in enumerate(entries):
        size = inputs.network.ranks if entry.one else dimensions[dimension].size
        rings.append(
            LogicalRing(
                dimension=dimension,
                size=size,
                stride=1 if entry.one else stride,
                implementation=entry,
            )
        )
        if entry.one:
            break
        stride *= dimensions[dimension].size
    return tuple(rings)


def group_ring(kind: CommType, size: int, inputs: Inputs) -> LogicalRing:
    """The ring of a group that does not have all ranks.

    Raises:
        SpecError: The implementation list is missing, or is of one double binary tree,
            which is undefined here.
    """
    entries = _entries(kind, inputs)
    entry = (
        entries[0] if len(entries) == 1 else Implementation(algorithm=Algorithm.RING)
    )
    if entry.algorithm is Algorithm.DOUBLE_BINARY_TREE:
        raise SpecError(
            "doubleBinaryTree among a part of the ranks is undefined in ASTRA-sim"
        )
    return LogicalRing(dimension=0, size=size, stride=0, implementation=entry)


def chunks_of(kind: CommType, nbytes: int, inputs: Inputs) -> tuple[int, int]:
    """How many chunks a collective is split into, and the bytes of each.

    Raises:
        SpecError: ASTRA-sim would crash, hang or mix up its groups.
    """
    splits = inputs.system.splits
    if splits is None:
        raise SpecError("preferred-dataset-splits is not given: ASTRA-sim crashes")
    chunk = nbytes // splits
    if kind is not CommType.ALL_GATHER and chunk < inputs.network.ranks:
        chunk = inputs.network.ranks
        nbytes = splits * chunk
    if chunk == 0:
        raise SpecError(
            f"an all-gather of {nbytes} bytes in {splits} splits has empty chunks: "
            "ASTRA-sim hangs"
        )
    count = -(-nbytes // chunk)
    if count > _MOST_CHUNKS:
        raise SpecError(f"{count} chunks; more than {_MOST_CHUNKS} are not supported")
    return count, chunk


def plan_phases(
    kind: CommType, chunk: int, rings: Sequence[LogicalRing], inputs: Inputs
) -> tuple[PlannedPhase, ...]:
    """Phases of a chunk over its rings, each of more than one rank.

    Raises:
        SpecError: An algorithm does not exist for a ring, a kind or a size.
    """
    optimization = inputs.system.optimization
    if optimization is None and kind is CommType.ALL_REDUCE:
        raise SpecError(
            "collective-optimization is not given: ASTRA-sim reads what happens to "
            "stand in memory"
        )
    planned: list[PlannedPhase] = []
    size = chunk
    for part, ring, lane in _route(kind, rings, optimization):
        planned.append(_phase(part, size, ring, lane, inputs))
        size = planned[-1].final
        if size > _LARGEST:
            raise SpecError(f"a chunk grows to {size} bytes")
    return tuple(planned)


def _route(
    kind: CommType, rings: Sequence[LogicalRing], optimization: Optimization | None
) -> Iterator[tuple[CommType, LogicalRing, int]]:
    """What a chunk does in turn: kind, ring, and which queues it may take."""
    if kind is CommType.ALL_GATHER:
        rings = rings[::-1]
    if kind is not CommType.ALL_REDUCE or optimization is Optimization.BASELINE:
        yield from ((kind, ring, _ALL_QUEUES) for ring in rings)
        return
    for ring in rings[:-1]:
        yield CommType.REDUCE_SCATTER, ring, _FIRST_HALF
    yield CommType.ALL_REDUCE, rings[-1], _FIRST_HALF
    for ring in rings[-2::-1]:
        yield CommType.ALL_GATHER, ring, _LAST_HALF


def _phase(
    kind: CommType, size: int, ring: LogicalRing, lane: int, inputs: Inputs
) -> PlannedPhase:
    n = ring.size
    entry = ring.implementation
    local = ring.stride == 0
    tree = entry.algorithm is Algorithm.DOUBLE_BINARY_TREE
    doubling = entry.algorithm is Algorithm.HALVING_DOUBLING
    if doubling:
        _check_halving(kind, n)
    whole = tree or kind is CommType.ALL_GATHER
    window, spared = _window(entry, n, local)
    steps = _steps(kind, entry.algorithm, n)
    return PlannedPhase(
        algorithm=CODES[entry.algorithm],
        dimension=ring.dimension,
        size=n,
        stride=ring.stride,
        message=size if whole else size // n,
        steps=steps,
        window=window,
        cycle=window + spared,
        reduces=_reduces(kind),
        barrier=n - 1
        if kind is CommType.ALL_REDUCE and entry.algorithm is Algorithm.DIRECT
        else -1,
        endpoint=_GROUP_DELAY if local else inputs.system.endpoint_delay,
        lane=lane,
        final=size if tree else _final(kind, size, n),
        halving=_halving(kind, size, n, steps) if doubling else (),
    )


def _steps(kind: CommType, algorithm: Algorithm, n: int) -> int:
    """Messages that a rank sends in a phase."""
    if algorithm is Algorithm.HALVING_DOUBLING:
        return int(2 * log2(n)) if kind is CommType.ALL_REDUCE else int(log2(n))
    if kind is CommType.ALL_REDUCE:
        return 2 * (n - 1)
    if kind is CommType.ALL_TO_ALL and algorithm is Algorithm.RING:
        return n * (n - 1) // 2
    return n - 1


def _window(entry: Implementation, n: int, local: bool) -> tuple[int, int]:
    """Packets at once, and how many reduced ones come between unreduced ones."""
    match entry.algorithm:
        case Algorithm.RING:
            return 1, n - 1
        case Algorithm.DIRECT:
            window = n - 1 if entry.window is None else min(entry.window, n - 1)
            return window, window * (n - 1) if local else window
        case Algorithm.HALVING_DOUBLING:
            return 1, int(log2(n) - 1)
        case Algorithm.DOUBLE_BINARY_TREE:
            return 1, 1
        case _:
            assert_never(entry.algorithm)


def _reduces(kind: CommType) -> int:
    if kind is CommType.REDUCE_SCATTER:
        return 2
    return 1 if kind is CommType.ALL_REDUCE else 0


def _final(kind: CommType, size: int, n: int) -> int:
    """Bytes of a chunk after a phase."""
    if kind is CommType.REDUCE_SCATTER:
        return size // n
    return size * n if kind is CommType.ALL_GATHER else size


def _halving(
    kind: CommType, size: int, n: int, steps: int
) -> tuple[tuple[int, int], ...]:
    """Distance and bytes of each step, rounded down at each as ASTRA-sim does.

    >>> _halving(CommType.ALL_REDUCE, 44, 4, 4)  # 11 is odd: one byte is lost
    ((1, 22), (2, 11), (2, 10), (1, 20))
    """
    growing = kind is CommType.ALL_GATHER
    distance, nbytes = (n // 2, size) if growing else (1, size // 2)
    found = []
    for _ in range(steps):
        found.append((distance, nbytes))
        distance, nbytes = (
            (distance // 2, nbytes * 2) if growing else (distance * 2, nbytes // 2)
        )
        if distance == n and kind is CommType.ALL_REDUCE:
            growing, distance, nbytes = True, n // 2, nbytes * 2
    return tuple(found)


def _check_halving(kind: CommType, n: int) -> None:
    if kind is CommType.ALL_TO_ALL:
        raise SpecError("halvingDoubling has no all-to-all")
    if kind is not CommType.ALL_GATHER and n & (n - 1):
        raise SpecError(
            f"halvingDoubling among {n} ranks, not a power of 2: ASTRA-sim hangs"
        )


def check_trees(rings: Sequence[LogicalRing], last: int, inputs: Inputs) -> None:
    """Check that double binary trees have all the ranks that their phases run on.

    Args:
        rings: Those that a collective goes through.
        last: The last dimension of its implementation list.
        inputs: The network is needed.

    Raises:
        SpecError: ASTRA-sim would crash.
    """
    covered = prod(d.size for d in inputs.network.dimensions[: last + 1])
    for ring in rings:
        if ring.implementation.algorithm is not Algorithm.DOUBLE_BINARY_TREE:
            continue
        if ring.size & (ring.size - 1):
            raise SpecError(
                f"doubleBinaryTree among {ring.size} ranks, not a power of 2: "
                "ASTRA-sim crashes"
            )
        if ring.dimension == last and covered < inputs.network.ranks:
            raise SpecError(
                "doubleBinaryTree as the last of fewer algorithms than dimensions: "
                "ASTRA-sim crashes"
            )


def _entries(kind: CommType, inputs: Inputs) -> tuple[Implementation, ...]:
    entries = inputs.system.implementations.get(kind, ())
    if not entries:
        raise SpecError(f"no {_label(kind)}-implementation is given")
    return entries


def _label(kind: CommType) -> str:
    return kind.name.lower().replace("_", "-")
