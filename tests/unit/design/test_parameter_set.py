"""What may be chosen: checked when it is written, with one plain line for a fault."""

import math
from collections.abc import Callable

import pytest

from cosmic.design.choices import divisors, integers, log_steps, powers_of_two, steps
from cosmic.design.constraint import Expression, Table, bounds, sum_of
from cosmic.design.derived import Derived
from cosmic.design.design_point import DesignPoint
from cosmic.design.limit import Limit
from cosmic.design.parameter import Parameter, Stack, Value
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import ConsistencyError, SpecError


def one(name: str = "a", choices: tuple[Value, ...] = (1, 2, 3)) -> Parameter:
    return Parameter(name=name, stack=Stack.WORKLOAD, choices=choices)


def vector(length: int | str, longest: int | None = None) -> Parameter:
    return Parameter(
        name="v",
        stack=Stack.NETWORK,
        choices=(1, 2),
        dimensions=length,
        max_dimensions=longest,
    )


def following(name: str, formula: str) -> Derived:
    return Derived(name=name, formula=formula)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: one(choices=()), "'a' has no choices"),
        (lambda: one(choices=(1, 1.0)), "lists the choice 1.0 twice"),
        (lambda: one(choices=(math.nan,)), "must be finite, not nan"),
        (lambda: one(choices=(10**30,)), "must not exceed 2"),
        (lambda: one(choices=tuple(range(10**6))), "1000000 choices, more than"),
        (lambda: one(choices=(None,)), "not NoneType"),  # type: ignore[arg-type]
        (lambda: one(choices="abc"), "a list of values"),  # type: ignore[arg-type]
        (lambda: one("a b"), "a plain identifier, not 'a b'"),
        (lambda: one("x " * 10**5), "a plain identifier, not 'x x"),
        (lambda: one("sum"), "formulas use that word"),
        (lambda: one("d"), "formulas use that word"),
        (lambda: vector(0), "1 to 64 dimensions, not 0"),
        (lambda: vector(10**9), "1 to 64 dimensions, not 1000000000"),
        (lambda: vector("n"), "max_dimensions goes with"),
        (
            lambda: Parameter(
                name="a",
                stack="net",  # type: ignore[arg-type]
                choices=(1,),
            ),
            "a stack is one of workload, collective",
        ),
        (
            lambda: Parameter(
                name="a", stack=Stack.COMPUTE, choices=(1, 2), inactive=3
            ),
            "the inactive value 3 is not among its choices",
        ),
        (lambda: integers(3, 1), "no integers from 3 to 1"),
        (lambda: integers(1, 10**9), "more than the 16384"),
        (lambda: powers_of_two(0, 4), "between 1 and"),
        (lambda: powers_of_two(5, 7), "no power of two from 5 to 7"),
        (lambda: divisors(0), "from 1 to 1e12, not 0"),
        (lambda: steps(0, 1, 0), "in steps of 0"),
        (lambda: log_steps(0, 1, 3), "at equal ratios from 0 to 1"),
        (lambda: bounds("a"), "give at_least, at_most or both"),
        (lambda: bounds("a", 3, 2), "nothing is in 3 to 2"),
        (lambda: sum_of("a", relation="=<", to=1), "no relation '=<' of a sum"),
        (lambda: Table(("a", "b"), ((1,),)), "has 2 values, not 1"),
        (lambda: Limit("memory", math.inf), "must be finite"),
    ],
)
def test_a_part_that_cannot_be_right_is_refused(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        make()

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": ()}, "has no parameters"),
        ({"parameters": (one(), one())}, "there already is a parameter so named"),
        ({"constants": {"a": 1}}, "there already is a constant so named"),
        ({"constants": {"k": math.nan}}, "constant 'k': a value must be finite"),
        ({"derived": (following("a", "1"),)}, "there already is a parameter so named"),
        ({"derived": (following("p", "p + 1"),)}, "follow from each other: p <- p"),
        (
            {"derived": (following("p", "q"), following("q", "p"))},
            "follow from each other: p <- q <- p",
        ),
        ({"constraints": (Expression("a > dq"),)}, "named 'dq'; known: a, dp"),
        ({"derived": (following("p", "a + d"),)}, "named 'd'"),
        (
            {"parameters": (one(), vector("a", 2))},
            "a = 3 is not a length from 1 to max_dimensions = 2",
        ),
        (
            {"parameters": (one("a", (0.5,)), vector("a", 2))},
            "a length is an integer, not 0.5",
        ),
        ({"parameters": (one(), vector("v", 2))}, "is a vector and cannot be"),
        (
            {"parameters": tuple(one(f"x{i}", tuple(range(16_384))) for i in range(9))},
            "choices in all its genes",
        ),
    ],
)
def test_parts_that_do_not_go_together_are_refused(
    change: dict[str, object], message: str
) -> None:
    parts: dict[str, object] = {"name": "x", "parameters": (one(), one("dp"))}

    with pytest.raises(SpecError, match=message):
        ParameterSet(**{**parts, **change})  # type: ignore[arg-type]


def test_a_derived_value_that_does_not_come_out_says_so() -> None:
    parameter_set = ParameterSet(
        name="x", parameters=(one(),), derived=(following("half", "a / 2"),)
    )

    assert parameter_set.values({"a": 2}) == {"a": 2, "half": 1}
    with pytest.raises(ConsistencyError, match=r"must be an integer: a=3 gives 1\.5"):
        parameter_set.values({"a": 3})


def test_values_derived_from_each_other_twice_do_not_take_forever() -> None:
    """2^60 steps, if each were worked out as often as it is mentioned."""
    chain = [following("p0", "a")]
    chain += [following(f"p{i}", f"p{i - 1} + p{i - 1}") for i in range(1, 60)]
    parameter_set = ParameterSet(name="x", parameters=(one(),), derived=tuple(chain))

    assert parameter_set.values({"a": 1})["p59"] == 2**59


def test_equal_designs_have_one_digest_whatever_their_order_and_types() -> None:
    first = DesignPoint({"a": 2, "b": ("x", 1.5)})
    second = DesignPoint({"b": ("x", 1.5), "a": 2.0})

    assert first == second
    assert hash(first) == hash(second)
    assert first.digest == second.digest == "7857fd25b028f6af"
    assert first.digest != DesignPoint({"a": 2, "b": ("x", 1.25)}).digest
    assert first.changed_from({"a": 1, "b": ("x", 1.5)}) == {"a": (1, 2)}


def test_the_digest_of_a_set_changes_with_each_part_but_the_name() -> None:
    plain = ParameterSet(name="x", parameters=(one(),))
    renamed = ParameterSet(name="y", parameters=(one(),))
    others = [
        ParameterSet(name="x", parameters=(one(choices=(1, 2)),)),
        ParameterSet(name="x", parameters=(one(),), constraints=(Expression("a > 1"),)),
        ParameterSet(name="x", parameters=(one(),), constants={"k": 1}),
        ParameterSet(name="x", parameters=(one(),), derived=(following("p", "a"),)),
        ParameterSet(name="x", parameters=(one(),), limits=(Limit("memory", 1),)),
    ]

    assert plain.digest == renamed.digest
    assert len({plain.digest, *(other.digest for other in others)}) == 6


def test_a_limit_is_for_the_evaluation() -> None:
    limit = Limit("cost", 100, "USD")

    assert limit.violation({"cost": 100}) is None
    assert limit.violation({}) is None
    assert limit.violation({"cost": 250}) == (
        "cost is 250 USD, more than the 100 USD allowed"
    )
