"""The direct algorithm: everybody sends to everybody else at once."""

import pytest

from cosmic.collective.direct import Direct
from cosmic.trace.node import CollectiveKind


@pytest.mark.parametrize("kind", CollectiveKind)
@pytest.mark.parametrize("size", [2, 3, 8])
def test_every_step_sends_one_slice_over_every_pair(
    kind: CollectiveKind, size: int
) -> None:
    every = {(i, j) for i in range(size) for j in range(size) if i != j}

    for step in Direct().steps(kind, size):
        pairs = list(zip(step.sources, step.destinations, strict=True))
        assert len(pairs) == len(every)
        assert set(pairs) == every
        assert set(step.fractions) == {1 / size}
        assert step.repeat == 1


@pytest.mark.parametrize(
    ("kind", "reduces"),
    [
        (CollectiveKind.ALL_REDUCE, [True, False]),
        (CollectiveKind.REDUCE_SCATTER, [True]),
        (CollectiveKind.ALL_GATHER, [False]),
        (CollectiveKind.ALL_TO_ALL, [False]),
    ],
)
def test_an_all_reduce_takes_two_steps_and_the_rest_one(
    kind: CollectiveKind, reduces: list[bool]
) -> None:
    assert [step.reduces for step in Direct().steps(kind, 4)] == reduces
