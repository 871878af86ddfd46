"""The phases of a collective over several dimensions."""

import pytest

from cosmic.collective.plan import plan
from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.trace.node import CollectiveKind

AR, AG, RS, A2A = (
    CollectiveKind.ALL_REDUCE,
    CollectiveKind.ALL_GATHER,
    CollectiveKind.REDUCE_SCATTER,
    CollectiveKind.ALL_TO_ALL,
)
EXTENTS = ((0, 4), (1, 8), (3, 2))  # the group is not spread over dimension 2


def policy(scheme: MultiDimensional) -> CollectivePolicy:
    return CollectivePolicy(
        all_reduce=("ring", "direct", "ring", "halvingDoubling"),
        all_gather=("direct",) * 4,
        reduce_scatter=("ring",) * 4,
        all_to_all=("direct",) * 4,
        multi_dimensional=scheme,
    )


def phases(
    kind: CollectiveKind,
    scheme: MultiDimensional = MultiDimensional.LOCAL_BW_AWARE,
    extents: tuple[tuple[int, int], ...] = EXTENTS,
) -> list[tuple[int, CollectiveKind, str, float]]:
    return [
        (phase.dimension, phase.kind, phase.algorithm, phase.fraction)
        for phase in plan(kind, extents, policy(scheme))
    ]


@pytest.mark.parametrize("scheme", MultiDimensional)
def test_a_reduce_scatter_shrinks_on_its_way_out(scheme: MultiDimensional) -> None:
    assert phases(RS, scheme) == [
        (0, RS, "ring", 1.0),
        (1, RS, "ring", 1 / 4),
        (3, RS, "ring", 1 / 32),  # 1 / (4 x 8)
    ]


@pytest.mark.parametrize("scheme", MultiDimensional)
def test_an_all_gather_grows_on_its_way_in(scheme: MultiDimensional) -> None:
    assert phases(AG, scheme) == [
        (3, AG, "direct", 1 / 32),
        (1, AG, "direct", 1 / 4),
        (0, AG, "direct", 1.0),
    ]


@pytest.mark.parametrize("scheme", MultiDimensional)
def test_an_all_to_all_moves_the_whole_buffer_in_every_dimension(
    scheme: MultiDimensional,
) -> None:
    assert phases(A2A, scheme) == [(d, A2A, "direct", 1.0) for d in (0, 1, 3)]


def test_a_baseline_all_reduce_is_whole_in_every_dimension() -> None:
    assert phases(AR, MultiDimensional.BASELINE) == [
        (0, AR, "ring", 1.0),
        (1, AR, "direct", 1.0),
        (3, AR, "halvingDoubling", 1.0),
    ]


def test_a_hierarchical_all_reduce_goes_out_and_back_by_its_own_algorithms() -> None:
    assert phases(AR) == [
        (0, RS, "ring", 1.0),
        (1, RS, "direct", 1 / 4),
        (3, AR, "halvingDoubling", 1 / 32),
        (1, AG, "direct", 1 / 4),
        (0, AG, "ring", 1.0),
    ]


@pytest.mark.parametrize("scheme", MultiDimensional)
def test_one_dimension_is_a_plain_all_reduce(scheme: MultiDimensional) -> None:
    assert phases(AR, scheme, ((1, 8),)) == [(1, AR, "direct", 1.0)]


@pytest.mark.parametrize("scheme", MultiDimensional)
@pytest.mark.parametrize("kind", CollectiveKind)
def test_a_group_of_one_has_no_phases(
    kind: CollectiveKind, scheme: MultiDimensional
) -> None:
    assert phases(kind, scheme, ()) == []
