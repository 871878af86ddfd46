"""Laws of vectors whose length is itself a parameter: what brute force finds."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.design.automaton import automaton_of_truth
from cosmic.design.by_length import automaton_by_length
from cosmic.design.constraint import Expression
from cosmic.design.design_space import DesignSpace
from cosmic.design.encoding import Encoding, Form
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.design.rule import rules_of
from cosmic.design.symbols import bind
from cosmic.errors import ConsistencyError, SpecError

RULES = (
    "product(sizes) == 8",
    "product(sizes) == 8 or dims == 1",
    "sum(sizes) <= 6",
    "max(sizes) > first",
    "min(sizes) * 2 <= first or dims == 2",
    "count(shapes == 'Ring') >= 1",
    "all(sizes >= 2)",
    "any(sizes == dims)",
    "shapes[0] != 'Switch'",
    "implies(dims == 3, shapes[1] == 'Ring')",
    "sizes[1] > 1 or dims == 1",
    "len(sizes) + first != 4",
    "sum(speeds) < 9",
    "sum(sizes * speeds) <= 20",
    "speeds[0] + sizes[0] < 7",
    "len(speeds) == dims",
)
SPEEDS = (3, 2, 4)


@st.composite
def varying_sets(draw: st.DrawFn) -> ParameterSet:
    """Two vectors as long as `dims`, which stands before, between or after them."""
    sizes, shapes = (
        Parameter(
            name=name,
            stack=Stack.NETWORK,
            choices=choices,
            dimensions="dims",
            max_dimensions=3,
        )
        for name, choices in (("sizes", (1, 2, 4)), ("shapes", ("Ring", "Switch")))
    )
    dims = Parameter(
        name="dims",
        stack=Stack.NETWORK,
        choices=draw(st.sampled_from([(1, 2, 3), (2, 3), (3, 1)])),
    )
    first = Parameter(name="first", stack=Stack.WORKLOAD, choices=(1, 2))
    rules = draw(st.lists(st.sampled_from(RULES), max_size=3, unique=True))
    return ParameterSet(
        name="varying",
        parameters=tuple(draw(st.permutations((first, dims, sizes, shapes)))),
        constraints=tuple(map(Expression, rules)),
        constants={"speeds": SPEEDS},
        lengths={"speeds": "dims"},
    )


def brute_force(parameter_set: ParameterSet) -> Iterator[dict[str, PointValue]]:
    """Every feasible point, each vector being exactly as long as `dims` says."""
    for dims in parameter_set.parameter("dims").choices:
        assert isinstance(dims, int)
        ranges: list[list[PointValue]] = []
        for p in parameter_set.parameters:
            if p.name == "dims":
                ranges.append([dims])
            elif p.length:
                ranges.append(list(product(p.choices, repeat=dims)))
            else:
                ranges.append(list(p.choices))
        for values in product(*ranges):
            names = [p.name for p in parameter_set.parameters]
            point = dict(zip(names, values, strict=True))
            known = {**point, "speeds": SPEEDS[:dims]}
            if all(c.violation(known) is None for c in parameter_set.constraints):
                yield point


def points_of(space: DesignSpace) -> set[tuple[PointValue, ...]]:
    """All points of a space."""
    points = space.points(np.array(list(space.enumerate())))
    return {tuple(point.values()) for point in points}


@settings(max_examples=40)
@given(parameter_set=varying_sets(), seed=st.integers(0, 2**32 - 1))
def test_a_space_of_varying_lengths_is_what_brute_force_finds(
    parameter_set: ParameterSet, seed: int
) -> None:
    expected = {tuple(point.values()) for point in brute_force(parameter_set)}
    try:
        space = DesignSpace(parameter_set)
    except ConsistencyError:
        assert not expected
        return
    rng = np.random.default_rng(seed)

    assert points_of(space) == expected
    assert space.count == len(expected)
    first, second = space.sample(rng, 2)
    moved = [
        space.mutate(first, rng, 0.5),
        space.crossover(first, second, rng),
        space.project(rng.random(len(space.genes)) * (space.radices + 1) - 1),
        *space.neighbors(first),
    ]
    for vector in moved:
        point = space.point(vector)
        assert tuple(point.values()) in expected
        assert point in space
        assert (space.vector(point) == vector).all()


@settings(max_examples=25)
@given(
    parameter_set=varying_sets(),
    form=st.sampled_from(Form),
    seed=st.integers(0, 2**32 - 1),
)
def test_vectors_of_varying_length_are_decoded_as_they_were(
    parameter_set: ParameterSet, form: Form, seed: int
) -> None:
    try:
        encoding = Encoding(DesignSpace(parameter_set), form)
    except ConsistencyError:
        return
    vectors = encoding.space.sample(np.random.default_rng(seed), 8)

    assert (encoding.decode(encoding.encode(vectors)) == vectors).all()


@settings(max_examples=50)
@given(parameter_set=varying_sets())
def test_a_rule_is_the_same_by_length_as_in_a_table(
    parameter_set: ParameterSet,
) -> None:
    symbols = bind(parameter_set, {}, frozenset(), {})
    for rule in rules_of(parameter_set, symbols):
        if rule.node is None or rule.unless is not None or not rule.scope:
            continue
        expected = automaton_of_truth(rule.scope, rule.truth(symbols))
        try:
            found = automaton_by_length(rule.node, rule.scope, symbols)
        except SpecError:
            continue

        pairs = zip(found.transitions, expected.transitions, strict=True)
        assert all(len(ours) == len(table) for ours, table in pairs)
        cells = product(*(range(len(symbols.genes[g].choices)) for g in rule.scope))
        for cell in cells:
            assert accepts(found.transitions, cell) == accepts(
                expected.transitions, cell
            )


def accepts(transitions: Any, cell: tuple[int, ...]) -> bool:
    """Whether an automaton reads all choices without getting stuck."""
    state = 0
    for table, choice in zip(transitions, cell, strict=True):
        state = int(table[state, choice])
        if state < 0:
            return False
    return True


def large_set(follows: str | None = None) -> ParameterSet:
    """Up to 7 sizes of 11 choices: more combinations than a table may have."""
    return ParameterSet(
        name="large",
        parameters=(
            Parameter(
                name="sizes",
                stack=Stack.NETWORK,
                choices=tuple(2**k for k in range(11)),
                dimensions="dims",
                max_dimensions=7,
            ),
            Parameter(
                name="dims",
                stack=Stack.COMPUTE,
                choices=(1, 2, 3, 4, 5, 6, 7),
                follows=follows,
            ),
            Parameter(name="first", stack=Stack.NETWORK, choices=(1, 2)),
        ),
        constraints=(Expression("product(sizes) == 1024"),),
    )


def test_a_product_over_a_varying_number_of_many_sizes_is_compiled() -> None:
    """Ordered products of n powers of two that come to 2^10.

    By stars and bars C(10 + n - 1, n - 1), which is 1, 11, 66, 286, 1001, 3003, 8008.
    """
    space = DesignSpace(large_set())
    counts = [1, 11, 66, 286, 1001, 3003, 8008]

    assert space.count == 2 * sum(counts)
    assert [space.fix(dims=n).count for n in (1, 2, 7)] == [2, 22, 2 * 8008]


def test_a_length_that_follows_is_refused_where_the_rule_is_too_large() -> None:
    baseline: dict[str, PointValue] = {"sizes": (1024,), "dims": 1, "first": 1}
    space = DesignSpace(large_set(follows="first"), baseline)

    with pytest.raises(
        SpecError, match="for 38974342 combinations of 8 genes: the len"
    ):
        space.on(Stack.NETWORK)


def test_joining_the_lengths_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cosmic.design.by_length.MAX_EDGES", 100)

    with pytest.raises(SpecError, match="it comes to more than 11 different states"):
        DesignSpace(large_set())


def small_set(*rules: str) -> ParameterSet:
    """Sizes as many as `dims` says, which is on another stack."""
    return ParameterSet(
        name="small",
        parameters=(
            Parameter(name="dims", stack=Stack.NETWORK, choices=(1, 2, 3)),
            Parameter(
                name="sizes",
                stack=Stack.COMPUTE,
                choices=(1, 2),
                dimensions="dims",
                max_dimensions=3,
            ),
        ),
        constraints=tuple(map(Expression, rules)),
    )


def test_what_is_held_is_cut_to_the_length_and_bounds_it() -> None:
    space = DesignSpace(small_set(), {"dims": 2, "sizes": (1, 2)})
    dims = space.on(Stack.NETWORK)

    assert points_of(dims) == {(1, (1,)), (2, (1, 2))}
    assert {"dims": 1, "sizes": (1,)} in dims
    assert dims.violations({"dims": 1, "sizes": (1,)}) == ()
    assert dims.violations({"dims": 1}) == ()
    assert dims.violations({"dims": 1, "sizes": (2,)}) == (
        "sizes = [2], but it is held at [1]",
    )
    with pytest.raises(SpecError, match="sizes has 3 values, not 2"):
        dims.vector({"dims": 3})


def test_a_rule_sees_of_what_is_held_as_much_as_counts() -> None:
    # (1, 2, 2) comes to 1, 2 and 4 in 1, 2 and 3 elements
    space = DesignSpace(small_set("product(sizes) == 2")).fix(sizes=(1, 2, 2))

    assert points_of(space) == {(2, (1, 2))}


def test_a_length_that_nothing_can_fill_is_told() -> None:
    space = DesignSpace(small_set("dims == 3"), {"dims": 2, "sizes": (1, 2)})

    with pytest.raises(
        ConsistencyError, match="dims <= 2, the values that sizes is held at"
    ):
        space.on(Stack.NETWORK)


def test_a_baseline_longer_than_a_vector_may_get_is_refused() -> None:
    with pytest.raises(SpecError, match="sizes has at most 3 values, not 4"):
        DesignSpace(small_set(), {"dims": 4, "sizes": (1, 1, 2, 2)})
    with pytest.raises(SpecError, match="sizes has at most 3 values, not 4"):
        DesignSpace(small_set()).fix(sizes=(1, 1, 2, 2))


@pytest.mark.parametrize(
    ("constants", "lengths", "message"),
    [
        ({"speeds": (1, 2)}, {"speeds": "dims"}, "dims = 3 is not a length from 1 "),
        ({"speeds": 1}, {"speeds": "dims"}, "'speeds' is no constant with several"),
        ({"speeds": (1, 2)}, {"speeds": "first"}, "no parameter named 'first'"),
    ],
)
def test_a_constant_of_varying_length_must_be_long_enough(
    constants: dict[str, PointValue], lengths: dict[str, str], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        ParameterSet(
            name="short",
            parameters=small_set().parameters,
            constants=constants,
            lengths=lengths,
        )
