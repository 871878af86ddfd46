"""Chunks, phases and messages of a collective, by hand."""

from typing import Any

import pytest

from cosmic.errors import ConsistencyError, SpecError
from cosmic.simulation.astra_sim import kernel
from cosmic.simulation.astra_sim.collective_plan import (
    PlannedPhase,
    chunks_of,
    group_ring,
    logical_rings,
    plan_phases,
)
from cosmic.simulation.astra_sim.inputs import Inputs
from cosmic.simulation.astra_sim.network_input import (
    Joint,
    NetworkDimension,
    NetworkInput,
)
from cosmic.simulation.astra_sim.system_input import (
    Optimization,
    SystemInput,
    parse_implementation,
)
from cosmic.trace.rank_trace import CommType

REDUCE = CommType.ALL_REDUCE


def inputs(sizes: tuple[int, ...], names: tuple[str, ...], **system: Any) -> Inputs:
    entries = tuple(parse_implementation(name) for name in names)
    given: dict[str, Any] = {
        "implementations": dict.fromkeys(CommType, entries),
        "splits": 4,
        "optimization": Optimization.LOCAL_BW_AWARE,
    }
    dimensions = tuple(
        NetworkDimension(joint=Joint.SWITCH, size=n, bandwidth=100.0, latency=500.0)
        for n in sizes
    )
    return Inputs(
        network=NetworkInput(dimensions=dimensions),
        system=SystemInput(**given | system),
    )


def phases(kind: CommType, chunk: int, given: Inputs) -> tuple[PlannedPhase, ...]:
    return plan_phases(kind, chunk, logical_rings(kind, given), given)


def test_an_all_reduce_scatters_out_reduces_and_gathers_back() -> None:
    planned = phases(REDUCE, 4096, inputs((4, 8, 2), ("ring", "ring", "ring")))

    assert [p.dimension for p in planned] == [0, 1, 2, 1, 0]
    # 4096/4 a message, then 1024/8, then 128/2, and back: 128, 1024 gathered
    assert [p.message for p in planned] == [1024, 128, 64, 128, 1024]
    assert [p.steps for p in planned] == [3, 7, 2, 7, 3]
    assert [p.final for p in planned] == [1024, 128, 128, 1024, 4096]
    assert [p.lane for p in planned] == [1, 1, 1, 2, 2]


def test_a_baseline_all_reduce_is_a_whole_one_in_each_dimension() -> None:
    given = inputs((4, 8), ("ring", "ring"), optimization=Optimization.BASELINE)

    planned = phases(REDUCE, 4096, given)

    assert [p.message for p in planned] == [1024, 512]
    assert [p.steps for p in planned] == [6, 14]


def test_an_all_gather_comes_in_from_the_last_dimension() -> None:
    planned = phases(CommType.ALL_GATHER, 100, inputs((4, 8), ("ring", "ring")))

    assert [(p.dimension, p.message) for p in planned] == [(1, 100), (0, 800)]


def test_halving_and_doubling_loses_what_its_halves_lose() -> None:
    (phase,) = phases(REDUCE, 44, inputs((4,), ("halvingDoubling",)))

    # 44/2 = 22, 22/2 = 11; back from 11/2 = 5, doubled: 10, 20
    assert phase.halving == ((1, 22), (2, 11), (2, 10), (1, 20))


def test_a_double_binary_tree_reduces_everything_whatever_it_is_for() -> None:
    given = inputs((8,), ("doubleBinaryTree",))

    (phase,) = phases(CommType.ALL_GATHER, 100, given)

    assert (phase.message, phase.final) == (100, 100)


def test_one_ring_takes_all_ranks_and_ends_the_list() -> None:
    rings = logical_rings(REDUCE, inputs((4, 8, 2), ("ring", "oneRing", "ring")))

    assert [(r.size, r.stride) for r in rings] == [(4, 1), (64, 1)]


def test_a_part_of_the_ranks_takes_a_ring_unless_one_algorithm_is_listed() -> None:
    several = group_ring(REDUCE, 3, inputs((4, 8), ("direct", "direct")))
    single = group_ring(REDUCE, 3, inputs((4, 8), ("direct2",)))

    assert several.implementation == parse_implementation("ring")
    assert single.implementation == parse_implementation("direct2")
    (phase,) = plan_phases(REDUCE, 300, (single,), inputs((4, 8), ("direct2",)))
    assert phase.endpoint == 10  # whatever endpoint-delay says
    assert phase.cycle == 2 + 2 * 2  # 2 packets unreduced, then 2 * (3 - 1) reduced


@pytest.mark.parametrize(
    ("nbytes", "kind", "expected"),
    [
        (4096, REDUCE, (4, 1024)),
        (4099, REDUCE, (5, 1024)),  # a remainder makes one more whole chunk
        (5, REDUCE, (4, 32)),  # at least a byte a rank
        (5, CommType.ALL_GATHER, (5, 1)),
    ],
)
def test_chunks_are_whole_and_not_too_small(
    nbytes: int, kind: CommType, expected: tuple[int, int]
) -> None:
    assert chunks_of(kind, nbytes, inputs((4, 8), ("ring", "ring"))) == expected


@pytest.mark.parametrize(
    ("names", "kind", "message"),
    [
        (("halvingDoubling",), CommType.ALL_TO_ALL, "has no all-to-all"),
        (("halvingDoubling",), REDUCE, "among 6 ranks, not a power of 2"),
    ],
)
def test_an_algorithm_that_does_not_exist_is_refused(
    names: tuple[str, ...], kind: CommType, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        phases(kind, 4096, inputs((6,), names))


def test_more_algorithms_than_dimensions_are_refused() -> None:
    with pytest.raises(ConsistencyError, match="lists 2 algorithms, but the network"):
        logical_rings(REDUCE, inputs((4,), ("ring", "ring")))


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ({"splits": None}, "preferred-dataset-splits is not given"),
        ({"implementations": {}}, "no all-reduce-implementation is given"),
        ({"optimization": None}, "collective-optimization is not given"),
    ],
)
def test_what_astra_sim_leaves_open_is_refused_where_it_is_needed(
    system: dict[str, Any], message: str
) -> None:
    given = inputs((4,), ("ring",), **system)

    with pytest.raises(SpecError, match=message):
        phases(REDUCE, chunks_of(REDUCE, 4096, given)[1], given)


def test_what_grows_out_of_hand_is_refused() -> None:
    given = inputs((4,), ("ring",), splits=3_000_000)

    with pytest.raises(SpecError, match="more than 1000000 are not supported"):
        chunks_of(REDUCE, 10**9, given)
    with pytest.raises(SpecError, match="a chunk grows to"):
        phases(CommType.ALL_GATHER, 2**52, given)


def test_the_codes_of_algorithms_are_those_of_the_kernel() -> None:
    names = ("ring", "direct", "halvingDoubling", "doubleBinaryTree")

    codes = [phases(REDUCE, 64, inputs((4,), (name,)))[0].algorithm for name in names]

    assert codes == [kernel.RING, kernel.DIRECT, kernel.HALVING, kernel.TREE]
