"""Leaders: what a study would rank, without keeping its trials."""

from hypothesis import given
from hypothesis import strategies as st

from cosmic.search.leaders import Leaders

# A few points, each of one score, as they come from one evaluator; None is infeasible.
SCORES = {"a": 1.0, "b": 2.0, "c": 2.0, "d": None, "e": -1.0, "f": float("-inf")}


@given(
    seen=st.lists(st.sampled_from(sorted(SCORES)), max_size=130), top=st.integers(0, 4)
)
def test_the_leaders_are_those_that_sorting_all_trials_finds(
    seen: list[str], top: int
) -> None:
    feasible = [(n, p, s) for n, p in enumerate(seen) if (s := SCORES[p]) is not None]
    leaders = Leaders(top)
    for number, point, score in feasible:
        leaders.see(number, point, score)

    first = {point: (-score, number) for number, point, score in reversed(feasible)}
    ranked = [number for _, number in sorted(first.values())]
    assert leaders.top == tuple(ranked[:top])
    assert leaders.scores() == {n: SCORES[seen[n]] for n in ranked[:top]}
    milestones = leaders.milestones(len(seen))
    sizes = [size for size in (1, 10, 100) if size < len(seen)] + [len(seen)]
    assert [m.trials for m in milestones] == (sizes if seen else [])
    for milestone in milestones:
        before = [(-s, n) for n, _, s in feasible if n < milestone.trials]
        assert milestone.best == (min(before)[1] if before else None)
