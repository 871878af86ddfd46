"""What the inputs of a run refuse."""

from collections.abc import Callable

import pytest

from cosmic.errors import CosmicError
from cosmic.simulation.astra_sim.inputs import Inputs, MemoryInput, MemoryKind
from cosmic.simulation.astra_sim.network_input import (
    Congestion,
    Joint,
    NetworkDimension,
    NetworkInput,
)
from cosmic.simulation.astra_sim.system_input import (
    Algorithm,
    Implementation,
    SystemInput,
    parse_implementation,
)


def dimension(
    size: int = 4, bandwidth: float = 100.0, latency: float = 5.0
) -> NetworkDimension:
    return NetworkDimension(
        joint=Joint.RING, size=size, bandwidth=bandwidth, latency=latency
    )


def network(size: int = 4) -> NetworkInput:
    return NetworkInput(dimensions=(dimension(size),))


def aware(*sizes: int) -> NetworkInput:
    return NetworkInput(
        dimensions=tuple(dimension(size) for size in sizes),
        congestion=Congestion.AWARE,
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dimension(size=1), "npus_count must be at least 2, not 1"),
        (lambda: dimension(bandwidth=0.0), "bandwidth must be positive"),
        (lambda: dimension(latency=-1.0), "latency must be finite and not negative"),
        (lambda: NetworkInput(dimensions=()), "at least one dimension"),
        (lambda: aware(4, 2), "networks of one dimension only, not of 2"),
        (lambda: aware(2), "aborts on a Ring of 2"),
        (lambda: SystemInput(active_chunks=0), "active-chunks-per-dimension must be"),
        (lambda: SystemInput(splits=0), "preferred-dataset-splits must be at least 1"),
        (lambda: SystemInput(endpoint_delay=-1), "endpoint-delay must be finite and"),
        (lambda: SystemInput(peak=float("inf")), "peak-perf must be finite"),
        (lambda: MemoryInput(kind=MemoryKind.POOL, latency=-1), "must not be negative"),
        (
            lambda: Inputs(network=network(), system=SystemInput(), queues=0),
            "num-queues-per-dim must be at least 1",
        ),
        (
            lambda: Inputs(network=network(), system=SystemInput(), groups={0: (1,)}),
            "group 0: numbers of groups begin at 1",
        ),
        (
            lambda: Inputs(network=network(), system=SystemInput(), groups={2: (1, 1)}),
            "group 2 names a rank twice",
        ),
        (
            lambda: Inputs(network=network(), system=SystemInput(), groups={2: (1, 4)}),
            "group 2 names rank 4, but the network has 4 ranks",
        ),
        (lambda: parse_implementation("direct0"), "a window is at least 1"),
        (lambda: parse_implementation("directory"), "no collective implementation"),
        (lambda: parse_implementation("rign"), "did you mean 'ring'"),
    ],
)
def test_what_is_out_of_range_is_refused(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(CosmicError, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ring", Implementation(algorithm=Algorithm.RING)),
        ("oneDirect3", Implementation(algorithm=Algorithm.DIRECT, one=True, window=3)),
        ("direct-1", Implementation(algorithm=Algorithm.DIRECT)),  # as ASTRA-sim's -1
        ("direct 2x", Implementation(algorithm=Algorithm.DIRECT, window=2)),  # C's stoi
        (
            "oneHalvingDoubling",
            Implementation(algorithm=Algorithm.HALVING_DOUBLING, one=True),
        ),
    ],
)
def test_an_entry_is_read_as_astra_sim_reads_it(
    name: str, expected: Implementation
) -> None:
    assert parse_implementation(name) == expected


def test_a_gigabyte_of_bandwidth_is_2_to_the_30_bytes() -> None:
    assert dimension(bandwidth=100.0).bytes_per_nanosecond == 107.3741824
