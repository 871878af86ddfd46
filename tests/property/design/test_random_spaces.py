"""Laws of every space: whatever comes out of it is what brute force finds."""

from collections import Counter
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.design.automaton import Automaton, automaton_of_truth
from cosmic.design.constraint import Expression
from cosmic.design.derived import Derived
from cosmic.design.design_space import DesignSpace
from cosmic.design.diagram import build
from cosmic.design.encoding import Encoding, Form
from cosmic.design.machine import automaton_of_formula
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.design.rule import rules_of
from cosmic.design.symbols import bind
from cosmic.errors import ConsistencyError, SpecError

CHOICES: tuple[tuple[bool | int | float | str, ...], ...] = (
    (1, 2, 4, 8),
    (1, 2, 3),
    (3, 5),
    (0, 1),
    (0.5, 1.5, 2.0),
    (4,),
)
RULES = (
    "a * b <= 8",
    "product(v) == 4",
    "sum(v) <= a + 3",
    "a % b == 0",
    "a / b != 2",
    "v[0] <= v[1]",
    "c == 'x' or a > 1",
    "implies(c == 'y', product(v) > b)",
    "{'x': 1, 'y': 2}[c] <= b",
    "count(v == 1) >= 1",
    "12 // a >= b",
    "half < 4 and half != b",
    "max(v) in (1, 2, b)",
    "not (a == 1 and c == 'z')",
    "(a if c == 'x' else b) <= 4",
    "12 % (b - 1) == 0",
    "min(v, a) ** 2 < 9",
    "all(v <= a) or any(v == b)",
    "sum(v * 2) - a >= 3",
    "a * product(v) * 2 >= 8 + b",
    "len(v) + a != b",
    "product(v) < 6",
    "min(v) > 0.5",
    "half * a <= max(v) * 3",
    "sum(v) + 2 - b <= 6",
    "3 < product(v)",
    "sum(v) >= 5",
    "max(v) >= 4 or b == 2",
    "count(v * 2 == link) == 2",
    "max(link) <= 4 and sum(link) > 3",
    "any(v == link)",
    "a * b * 0.5 < 3",
    "min(v) == 1",
    "v[0] + (v[1] - b) < 3",
    "all(v + link > 2)",
)


@st.composite
def parameter_sets(draw: st.DrawFn) -> ParameterSet:
    numbers = st.sampled_from(CHOICES)
    parameters = (
        Parameter(name="a", stack=Stack.WORKLOAD, choices=draw(numbers)),
        Parameter(
            name="v",
            stack=Stack.NETWORK,
            choices=draw(st.sampled_from([(1, 2), (1, 2, 4)])),
            dimensions=draw(st.integers(2, 3)),
        ),
        Parameter(name="b", stack=Stack.WORKLOAD, choices=draw(numbers)),
        Parameter(
            name="c",
            stack=Stack.COLLECTIVE,
            choices=("x", "y", "z")[: draw(st.integers(2, 3))],
        ),
        Parameter(
            name="e",
            stack=Stack.COMPUTE,
            choices=(7, 8, 9),
            active_if=draw(st.sampled_from([None, "a > 1", "c == 'x'", "sum(v) > 4"])),
        ),
    )
    derived = draw(st.integers(1, 2))
    known = [rule for rule in RULES if derived == 2 or "link" not in rule]
    rules = draw(st.lists(st.sampled_from(known), max_size=4, unique=True))
    return ParameterSet(
        name="random",
        parameters=parameters,
        constraints=tuple(map(Expression, rules)),
        derived=(
            Derived(name="half", formula="b * 2 / a", integer=draw(st.booleans())),
            Derived(
                name="link",
                formula="v[d] * 2 / (a + d - 1)",
                integer=False,
                dimensions=parameters[1].dimensions,
            ),
        )[:derived],
    )


def brute_force(parameter_set: ParameterSet) -> Iterator[dict[str, PointValue]]:
    """Every feasible canonical point, by trying all."""
    ranges: list[list[PointValue]] = []
    for p in parameter_set.parameters:
        vectors = product(p.choices, repeat=p.length or 1)
        ranges.append([v if p.length else v[0] for v in vectors])
    for values in product(*ranges):
        names = [p.name for p in parameter_set.parameters]
        point = dict(zip(names, values, strict=True))
        if parameter_set.canonical(point) != point:
            continue
        known, failures = parameter_set.evaluated(point)
        keeps = (
            c.violation(known) is None
            for c in parameter_set.constraints
            if not any(n in failures for n in c.names)
        )
        if not failures and all(keeps):
            yield point


@settings(max_examples=50, deadline=None)
@given(parameter_set=parameter_sets(), seed=st.integers(0, 2**32 - 1))
def test_whatever_a_space_gives_is_what_brute_force_finds(
    parameter_set: ParameterSet, seed: int
) -> None:
    expected = {tuple(point.values()) for point in brute_force(parameter_set)}
    try:
        space = DesignSpace(parameter_set)
    except ConsistencyError:
        assert not expected
        return
    rng = np.random.default_rng(seed)

    listed = list(space.enumerate())
    points = space.points(np.array(listed))

    assert len(points) == space.count == len(expected)
    assert {tuple(point.values()) for point in points} == expected
    assert [space.index_of(vector) for vector in listed] == list(range(space.count))
    first, second = space.sample(rng, 2)
    given_numbers = rng.random(len(space.genes)) * (space.radices + 1) - 1
    moved = [
        first,
        space.mutate(first, rng, 0.5),
        space.crossover(first, second, rng),
        space.project(given_numbers),
        *space.neighbors(first),
    ]
    for vector in moved:
        assert tuple(space.point(vector).values()) in expected
        assert space.point(vector) in space
        assert space.violations(space.point(vector)) == ()
        assert (space.vector(space.point(vector)) == vector).all()


@settings(max_examples=30, deadline=None)
@given(parameter_set=parameter_sets(), seed=st.integers(0, 2**32 - 1))
def test_a_projection_is_the_nearest_of_all_feasible_vectors(
    parameter_set: ParameterSet, seed: int
) -> None:
    try:
        space = DesignSpace(parameter_set)
    except ConsistencyError:
        return
    rng = np.random.default_rng(seed)
    target = rng.integers(0, space.radices)
    ordinal = np.array([gene.ordinal for gene in space.gene_table])
    listed = np.array(list(space.enumerate()))

    gaps = np.abs(listed - target)
    distances = np.where(ordinal, gaps, gaps > 0).sum(axis=1)
    projected = space.project(target)
    found = distances[space.index_of(projected)]

    assert found == distances.min()


@settings(max_examples=20, deadline=None)
@given(
    parameter_set=parameter_sets(),
    seed=st.integers(0, 2**32 - 1),
    form=st.sampled_from(Form),
)
def test_decoding_what_was_encoded_gives_it_back(
    parameter_set: ParameterSet, seed: int, form: Form
) -> None:
    try:
        space = DesignSpace(parameter_set)
    except ConsistencyError:
        return
    rng = np.random.default_rng(seed)
    encoding = Encoding(space, form)
    vectors = space.sample(rng, 8)

    assert encoding.encode(vectors).shape == (8, encoding.width)
    assert (encoding.decode(encoding.encode(vectors)) == vectors).all()
    anywhere = rng.normal(size=(4, encoding.width)) * 3
    assert all(space.feasible(vector) for vector in encoding.decode(anywhere))


@settings(max_examples=20, deadline=None)
@given(parameter_set=parameter_sets(), data=st.data())
def test_values_that_break_something_are_told_why(
    parameter_set: ParameterSet, data: st.DataObject
) -> None:
    expected = {tuple(point.values()) for point in brute_force(parameter_set)}
    if not expected:
        return
    space = DesignSpace(parameter_set)
    point = {
        p.name: (
            tuple(data.draw(st.sampled_from(p.choices)) for _ in range(p.length))
            if p.length
            else data.draw(st.sampled_from(p.choices))
        )
        for p in parameter_set.parameters
    }
    canonical = tuple(parameter_set.canonical(point).values())

    assert (not space.violations(point)) == (canonical in expected)


@pytest.mark.parametrize("table", [True, False])
def test_samples_are_uniform(table: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chi-square on 91 points, 20 000 draws: the 99.9 % quantile of 90 is 137.2."""
    if not table:
        monkeypatch.setattr("cosmic.design.component.MAX_TABLE", 0)
    degrees = [
        Parameter(name=n, stack=Stack.WORKLOAD, choices=tuple(2**k for k in range(13)))
        for n in ("x", "y", "z")
    ]
    rule = Expression("x * y * z == 4096")
    space = DesignSpace(
        ParameterSet(name="u", parameters=tuple(degrees), constraints=(rule,))
    )
    drawn = space.sample(np.random.default_rng(1), 20_000)
    seen = Counter(space.index_of(vector) for vector in drawn)
    mean = 20_000 / 91

    assert space.count == 91
    assert sum((seen[i] - mean) ** 2 / mean for i in range(91)) < 137.2


@settings(max_examples=60, deadline=None)
@given(parameter_set=parameter_sets())
def test_rules_that_no_table_can_hold_give_the_same_space(
    parameter_set: ParameterSet,
) -> None:
    """Accumulators and truth tables are two ways to compile one rule."""
    symbols = bind(parameter_set, {}, frozenset(), {})
    for rule in rules_of(parameter_set, symbols):
        if rule.node is None or rule.unless is not None or not rule.scope:
            continue
        expected = automaton_of_truth(rule.scope, rule.truth(symbols))
        try:
            found = automaton_of_formula(rule.node, rule.scope, symbols)
        except SpecError:
            continue

        radices = [len(symbols.genes[gene].choices) for gene in rule.scope]
        moved = tuple(range(len(radices)))
        diagrams = [
            build(radices, [Automaton(moved, automaton.transitions)])
            for automaton in (expected, found)
        ]
        counts = [diagram.count for diagram in diagrams]
        assert counts[0] == counts[1]
        everything = np.arange(counts[0])
        assert (diagrams[0].at(everything) == diagrams[1].at(everything)).all()


@settings(max_examples=25, deadline=None)
@given(parameter_set=parameter_sets(), data=st.data())
def test_a_view_has_exactly_the_points_that_agree_with_what_it_holds(
    parameter_set: ParameterSet, data: st.DataObject
) -> None:
    every = list(brute_force(parameter_set))
    if not every or parameter_set.parameter("e").active_if is not None:
        return
    baseline = data.draw(st.sampled_from(every))
    stacks = data.draw(st.lists(st.sampled_from(Stack), min_size=1, unique=True))
    held = [p.name for p in parameter_set.parameters if p.stack not in stacks]
    view = DesignSpace(parameter_set, baseline).on(*stacks)

    agreeing = {
        tuple(point.values())
        for point in every
        if all(point[name] == baseline[name] for name in held)
    }
    points = view.points(np.array(list(view.enumerate())))
    assert {tuple(point.values()) for point in points} == agreeing
    assert view.count == len(agreeing)
    assert all(point in view for point in points)
