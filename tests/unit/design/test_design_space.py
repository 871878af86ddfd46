"""Spaces small enough to count by hand, and large enough to need more than a table."""

from collections.abc import Mapping
from math import comb

import numpy as np
import pytest

from cosmic.design.constraint import Expression, Table, divides, product_of
from cosmic.design.derived import Derived
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.explanation import explain, nearest
from cosmic.design.parameter import Parameter, PointValue, Stack, Value
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import ConsistencyError, SpecError, UnknownNameError


def one(
    name: str,
    choices: tuple[Value, ...],
    stack: Stack = Stack.WORKLOAD,
    active_if: str | None = None,
) -> Parameter:
    return Parameter(name=name, stack=stack, choices=choices, active_if=active_if)


def space_of(
    *parameters: Parameter,
    rules: tuple[str, ...] = (),
    baseline: Mapping[str, PointValue] | None = None,
) -> DesignSpace:
    return DesignSpace(
        ParameterSet(
            name="test",
            parameters=parameters,
            constraints=tuple(map(Expression, rules)),
        ),
        baseline,
    )


def pipeline() -> DesignSpace:
    """pp = 1: one point. pp = 2 or 4: 3 each. Together 7 of 9."""
    return space_of(
        one("pp", (1, 2, 4)),
        one("virtual_stages", (1, 2, 4), active_if="pp > 1"),
    )


def network() -> DesignSpace:
    """Two lengths: 2^1 + 2^2 + 2^3 vectors = 14."""
    sizes = Parameter(
        name="sizes",
        stack=Stack.NETWORK,
        choices=(2, 4),
        dimensions="dims",
        max_dimensions=3,
    )
    return space_of(one("dims", (1, 2, 3), Stack.NETWORK), sizes)


class Odd:
    """A constraint without a formula."""

    names = ("a", "b")

    def violation(self, values: Mapping[str, PointValue]) -> str | None:
        a, b = values["a"], values["b"]
        assert isinstance(a, int)
        assert isinstance(b, int)
        return None if (a + b) % 2 else f"{a} + {b} is even"


def test_an_inactive_parameter_has_one_value_and_one_digest() -> None:
    space = pipeline()
    points = space.points(np.array(list(space.enumerate())))

    assert space.raw_count == 9
    assert space.count == len({point.digest for point in points}) == 7
    assert [p["virtual_stages"] for p in points if p["pp"] == 1] == [1]


def test_what_an_inactive_parameter_was_given_does_not_matter() -> None:
    space = pipeline()
    vector = space.vector({"pp": 1, "virtual_stages": 4})

    assert (vector == space.vector({"pp": 1})).all()
    assert space.violations({"pp": 1, "virtual_stages": 4}) == ()
    assert {"pp": 1, "virtual_stages": 4} not in space
    assert {"pp": 1, "virtual_stages": 1} in space


def test_a_vector_may_have_a_length_that_is_searched() -> None:
    space = network()
    points = space.points(np.array(list(space.enumerate())))

    assert space.count == len(set(points)) == 14
    assert {len(p["sizes"]) for p in points if isinstance(p["sizes"], tuple)} == {
        1,
        2,
        3,
    }
    assert all(point in space for point in points)
    assert all((space.vector(p) == space.vector(dict(p))).all() for p in points)


def test_a_fold_of_a_vector_stops_at_its_end() -> None:
    """Products of 8: 2 x 4, 4 x 2 and 2 x 2 x 2."""
    space = network()
    rule = Expression("product(sizes) == 8")
    tied = DesignSpace(
        ParameterSet(
            name="x", parameters=space.parameter_set.parameters, constraints=(rule,)
        )
    )

    assert sorted(
        point["sizes"] for point in tied.points(np.array(list(tied.enumerate())))
    ) == [(2, 2, 2), (2, 4), (4, 2)]
    assert tied.violations({"dims": 2, "sizes": (4, 4)}) == (
        "product(sizes) == 8: sizes=[4, 4] gives 16 == 8",
    )
    assert tied.violations({"dims": 2, "sizes": (2, 2, 2)}) == (
        "sizes has 2 values, not 3",
    )


def test_a_dimension_of_size_one_has_one_canonical_form() -> None:
    """Sizes 1 and 2 in two dimensions; only where 2 does the topology matter.

    1 + 2 ways for each dimension, 3 x 3 = 9 of 16.
    """
    topology = Parameter(
        name="topology",
        stack=Stack.NETWORK,
        choices=("Ring", "Switch"),
        dimensions=2,
        active_if="size[d] > 1",
    )
    size = Parameter(name="size", stack=Stack.NETWORK, choices=(1, 2), dimensions=2)
    space = space_of(topology, size)

    assert space.count == 9
    assert space.point(space.vector({"size": (1, 2), "topology": ("Switch",) * 2})) == {
        "topology": ("Ring", "Switch"),
        "size": (1, 2),
    }


def test_a_constraint_needs_no_formula() -> None:
    parameters = (one("a", (1, 2, 3)), one("b", (1, 2)))
    constraints = (Odd(), Table(("a", "b"), ((1, 2), (2, 1), (2, 2))))
    space = DesignSpace(
        ParameterSet(name="x", parameters=parameters, constraints=constraints)
    )

    assert space.points(np.array(list(space.enumerate()))) == [
        {"a": 1, "b": 2},
        {"a": 2, "b": 1},
    ]
    assert space.violations({"a": 3, "b": 1}) == (
        "3 + 1 is even",
        "(a, b) = (3, 1) is not in the table of 3 rows",
    )


def test_a_view_holds_the_rest_at_the_baseline_even_outside_the_choices() -> None:
    """dp x sp <= 8 with sp held at 3: dp in 1, 2."""
    full = space_of(
        one("dp", (1, 2, 4)),
        one("sp", (1, 2, 4), Stack.NETWORK),
        rules=("dp * sp <= 8",),
        baseline={"dp": 1, "sp": 3},
    )
    space = full.on(Stack.WORKLOAD)

    assert space.genes == ("dp",)
    assert space.count == 2
    assert space.point([1]) == {"dp": 2, "sp": 3}
    assert {"dp": 2, "sp": 3} in space
    assert {"dp": 2, "sp": 1} not in space
    assert space.violations({"dp": 4, "sp": 1}) == ("sp = 1, but it is held at 3",)
    assert (space.vector({"dp": 2}) == [1]).all()
    assert full.digest != space.digest


def test_views_of_views_add_up() -> None:
    space = space_of(
        one("a", (1, 2, 4)),
        one("b", (1, 2, 4)),
        one("c", (1, 2), Stack.COMPUTE),
        rules=("a * b * c <= 8",),
        baseline={"a": 1, "b": 1, "c": 2},
    )
    view = space.on(Stack.WORKLOAD).restrict("a", (4, 2)).fix(b=2)

    assert [view.point(vector) for vector in view.enumerate()] == [
        {"a": 2, "b": 2, "c": 2}
    ]
    assert view.baseline == DesignPoint({"a": 1, "b": 1, "c": 2})


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ({"dims": 1}, "baseline: sizes has no value"),
        ({"dims": 1, "sizes": (2,), "x": 1}, "baseline: no parameter named 'x'"),
        ({"dims": 2, "sizes": (2,)}, "baseline: sizes has 2 values, not 1"),
        ({"dims": (1,), "sizes": (2,)}, "baseline: dims is a single value"),
        ({"dims": 1, "sizes": 2}, "baseline: sizes has one value for each dimension"),
        ({"dims": 1, "sizes": (None,)}, "not NoneType"),
    ],
)
def test_a_baseline_that_does_not_fit_is_refused(
    baseline: dict[str, PointValue], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        DesignSpace(network().parameter_set, baseline)


def test_a_view_that_cannot_be_is_refused() -> None:
    space = space_of(one("a", (1, 2)), one("b", (1, 2), Stack.NETWORK))

    with pytest.raises(SpecError, match="b is not searched: give a baseline"):
        space.on(Stack.WORKLOAD)
    with pytest.raises(SpecError, match="nothing is searched on compute"):
        DesignSpace(space.parameter_set, {"a": 1, "b": 1}).on(Stack.COMPUTE)
    with pytest.raises(UnknownNameError, match="no parameter named 'aa'"):
        space.fix(aa=1)
    with pytest.raises(SpecError, match="a = 3 is not among its choices: 1, 2"):
        space.fix(a=3)
    with pytest.raises(SpecError, match="a is a single value"):
        space.fix(a=(1, 2))
    with pytest.raises(UnknownNameError, match="no parameter named 'c'"):
        space.restrict("c", (1,))
    with pytest.raises(SpecError, match="a: no choices are left"):
        space.restrict("a", ())
    with pytest.raises(SpecError, match="a = 7 is not among"):
        space.restrict("a", (7,))


def test_an_empty_space_names_a_small_conflict() -> None:
    with pytest.raises(ConsistencyError) as caught:
        space_of(
            *(one(name, (1, 2, 3)) for name in "abc"),
            rules=("a <= c", "a < b", "b + c > 2", "b < c", "c < a", "a != 7"),
        )

    assert str(caught.value) == (
        "no design point satisfies 'a <= c' and 'c < a', "
        "with a in (1, 2, 3); c in (1, 2, 3)"
    )


def test_a_wrong_vector_is_refused() -> None:
    space = pipeline()

    with pytest.raises(SpecError, match=r"the vector \[0, 1\] is not feasible"):
        space.index_of([0, 1])
    with pytest.raises(SpecError, match="no point 7: there are 7, from 0"):
        space.vector_at(7)
    with pytest.raises(SpecError, match="has 2 entries, not the shape"):
        space.project([1.0])
    with pytest.raises(SpecError, match="virtual_stages is NaN"):
        space.project([1.0, np.nan])
    with pytest.raises(SpecError, match="pp = 3 is not among its choices: 1, 2, 4"):
        space.vector({"pp": 3, "virtual_stages": 1})


@pytest.fixture(scope="module")
def billions() -> DesignSpace:
    """Sums of 40 dice: what no table could hold."""
    dice = Parameter(
        name="dice", stack=Stack.COMPUTE, choices=tuple(range(6)), dimensions=40
    )
    return space_of(dice, rules=("sum(dice) <= 5",))


def test_a_component_too_large_for_any_table_is_counted_exactly(
    billions: DesignSpace,
) -> None:
    """40 numbers of 0..5 with a sum of at most 5: C(45, 5), stars and bars."""
    assert billions.raw_count == 6**40
    assert billions.count == comb(45, 5) == 1_221_759


def test_moves_in_a_large_component_stay_inside(billions: DesignSpace) -> None:
    rng = np.random.default_rng(0)
    vectors = [
        *billions.sample(rng, 3),
        *billions.sample(rng, 100),
        billions.vector_at(billions.count - 1),
        billions.project(rng.random(40) * 5),
    ]
    vectors += [
        billions.mutate(vectors[0], rng, 0.2),
        billions.neighbors(vectors[1])[0],
    ]

    assert all(billions.feasible(vector) for vector in vectors)
    assert all(sum(vector) <= 5 for vector in vectors)
    for index in (0, 77, 10**6):
        assert billions.index_of(billions.vector_at(index)) == index


def test_counts_beyond_64_bits_are_exact_and_sampled_evenly() -> None:
    """x_1 + ... + x_60 even, each of 0..3: half of 4^60 = 2^119.

    Each choice of each gene is equally likely; of 4000 draws 1000, give or take
    5 standard deviations of sqrt(4000 x 1/4 x 3/4) = 27.4.
    """
    bits = Parameter(name="x", stack=Stack.COMPUTE, choices=(0, 1, 2, 3), dimensions=60)
    space = space_of(bits, rules=("sum(x) % 2 == 0",))
    drawn = space.sample(np.random.default_rng(0), 4000)
    shares = [(drawn[:, 0] == c).sum() for c in range(4)]

    assert space.count == 2**119
    assert (drawn.sum(axis=1) % 2 == 0).all()
    assert all(abs(share - 1000) < 137 for share in shares)
    assert space.index_of(space.vector_at(2**118 + 1)) == 2**118 + 1
    assert space.feasible(space.sample(np.random.default_rng(0), 1)[0])


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            ("sum(v * w) <= 20",),
            "cannot be compiled for 10.20 combinations",
        ),
        (
            tuple(f"v[{i}] != v[{j}]" for i in range(10) for j in range(i)),
            "tie 10 genes in too many ways",
        ),
        (("product(v) * product(w) % 9973 == 7",), "more than"),
    ],
)
def test_what_is_too_large_to_compile_is_refused_quickly(
    rules: tuple[str, ...], message: str
) -> None:
    choices = tuple(range(1, 11))
    vectors = [
        Parameter(name=name, stack=Stack.COMPUTE, choices=choices, dimensions=10)
        for name in ("v", "w")
    ]

    with pytest.raises(SpecError, match=message):
        space_of(*vectors, rules=rules)


def test_a_constraint_without_formula_on_too_many_is_refused() -> None:
    many = tuple(range(1000))
    parameters = (one("a", many), one("b", many))

    with pytest.raises(SpecError, match="without a formula only 262144"):
        DesignSpace(ParameterSet(name="x", parameters=parameters, constraints=(Odd(),)))


def degrees() -> DesignSpace:
    rules = (product_of("dp", "tp", relation="<=", to=8), divides("tp", 96))
    choices: tuple[Value, ...] = (1, 2, 4, 8)
    return DesignSpace(
        ParameterSet(
            name="x",
            parameters=(one("dp", choices), one("tp", choices), one("x", ("p", "q"))),
            constraints=rules,
        )
    )


def test_an_explanation_says_what_a_parameter_is_tied_to() -> None:
    space = degrees().fix(dp=4)
    told = explain(space, "tp")

    assert told.searched
    assert told.tied_to == ()
    assert told.rules == ("product(dp, tp) <= 8", "96 % tp == 0")
    assert told.possible == ((1, 2),)
    assert explain(degrees(), "tp").tied_to == ("dp",)
    assert not explain(space, "dp").searched


def test_the_nearest_designs_of_a_wrong_one_come_first() -> None:
    """dp = 8, tp = 8 is at (3, 3); of i + j <= 3 the first nearest is (0, 3)."""
    found = nearest(degrees(), {"dp": 8, "tp": 6.0, "x": "q"}, count=2)

    assert len(found) == 2
    assert all(point in degrees() for point in found)
    assert all(point["x"] == "q" for point in found)
    assert nearest(degrees(), {}, count=1) == [{"dp": 1, "tp": 1, "x": "p"}]


def test_the_link_bandwidth_follows_from_what_a_device_may_send() -> None:
    """A ring has 2 links a device, a switch 1, all-to-all n - 1 = 3.

    300 a device gives 150, 300 and 100 a link; 200 gives 100, 200 and 66.7, which is
    no integer and so not feasible. Links of at most 150: (Ring, 300), (Ring, 200) and
    (FullyConnected, 300), in two dimensions 3 x 3 = 9.
    """
    topology = Parameter(
        name="topology",
        stack=Stack.NETWORK,
        choices=("Ring", "Switch", "FullyConnected"),
        dimensions=2,
    )
    bandwidth = Parameter(
        name="bandwidth", stack=Stack.NETWORK, choices=(200, 300), dimensions=2
    )
    links = '{"Ring": 2, "Switch": 1, "FullyConnected": n - 1}[topology[d]]'
    parameter_set = ParameterSet(
        name="links",
        parameters=(topology, bandwidth),
        constraints=(Expression("max(link_bandwidth) <= 150"),),
        constants={"n": 4},
        derived=(
            Derived(
                name="link_bandwidth", formula=f"bandwidth[d] / {links}", dimensions=2
            ),
        ),
    )
    space = DesignSpace(parameter_set)
    point: dict[str, PointValue] = {
        "topology": ("Ring", "FullyConnected"),
        "bandwidth": (300, 300),
    }

    assert space.count == 9
    assert parameter_set.values(point)["link_bandwidth"] == (150, 100)
    assert space.violations({**point, "bandwidth": (200, 200)}) == (
        f"link_bandwidth = bandwidth[d] / {links} must be an integer: "
        "bandwidth=(200, 200), n=4, topology=('Ring', 'FullyConnected') gives 66.6667",
    )


def test_what_follows_may_have_a_varying_length() -> None:
    space = network()
    copy = Parameter(
        name="copy",
        stack=Stack.COLLECTIVE,
        choices=("small", "large"),
        dimensions="dims",
        max_dimensions=3,
        follows='"small" if sizes[d] == 2 else "large"',
    )
    doubled = Derived(
        name="doubled", formula="sizes[d] * 2", dimensions="dims", max_dimensions=3
    )
    parameter_set = ParameterSet(
        name="x",
        parameters=(*space.parameter_set.parameters, copy),
        constraints=(Expression("sum(doubled) == 12"),),
        derived=(doubled,),
    )
    followed = DesignSpace(parameter_set).on(Stack.NETWORK)

    assert [followed.point(vector) for vector in followed.enumerate()] == [
        {"dims": 2, "sizes": (2, 4), "copy": ("small", "large")},
        {"dims": 2, "sizes": (4, 2), "copy": ("large", "small")},
        {"dims": 3, "sizes": (2, 2, 2), "copy": ("small", "small", "small")},
    ]
    assert (followed.vector({"dims": 2, "sizes": (4, 2)}) == [1, 1, 0, 0]).all()
    assert {"dims": 2, "sizes": (4, 2), "copy": ("large", "large")} not in followed


def test_a_held_parameter_that_is_inactive_is_canonical_too() -> None:
    parameters = (
        one("pp", (1, 2)),
        one("stages", (1, 2, 4), Stack.NETWORK, active_if="pp > 1"),
    )
    space = space_of(*parameters, baseline={"pp": 2, "stages": 4})
    points = [space.on(Stack.WORKLOAD).point([i]) for i in (0, 1)]

    assert points == [{"pp": 1, "stages": 1}, {"pp": 2, "stages": 4}]
    assert all(point in space.on(Stack.WORKLOAD) for point in points)
