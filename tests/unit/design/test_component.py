"""Compiling rules: which kinds do not fit, and which ways lead to the same space."""

import pytest

from cosmic.design.constraint import Expression
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import ConsistencyError, SpecError

CONSTANTS: dict[str, PointValue] = {"k": 3, "offsets": (0, 1)}


def space_of(*rules: str, length: int = 2) -> DesignSpace:
    parameters = (
        Parameter(name="a", stack=Stack.COMPUTE, choices=(1, 2, 3)),
        Parameter(name="s", stack=Stack.COMPUTE, choices=("x", "y")),
        Parameter(name="m", stack=Stack.COMPUTE, choices=("x", 2)),
        Parameter(
            name="v", stack=Stack.NETWORK, choices=tuple(range(10)), dimensions=length
        ),
        Parameter(
            name="w", stack=Stack.NETWORK, choices=(0.25, 0.5), dimensions=length
        ),
    )
    return DesignSpace(
        ParameterSet(
            name="x",
            parameters=parameters,
            constraints=tuple(map(Expression, rules)),
            constants=CONSTANTS,
        )
    )


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("v", "not a vector; use all"),
        ("s", "a condition must be true or false, not a string"),
        ("m or a > 1", "a condition must be true or false, not a string"),
        ("s * 2 > a", "arithmetic needs numbers, not 'x'"),
        ("s < a", "cannot put a string and a number in order"),
        ("a[0] == 1", "only a vector has elements"),
        ("v[s] == 1", "the position in a vector is an integer"),
        ("v in (1, 2)", "a single value is needed, not a vector"),
        ("sum(v if a > 1 else w) > 1", "chooses between single values"),
        ("{}[a] == 1", "a table needs at least one row"),
    ],
)
def test_a_rule_whose_kinds_do_not_fit_is_refused_with_its_text(
    rule: str, message: str
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        space_of(rule)

    assert str(caught.value).startswith(rule)


def test_a_rule_on_constants_alone_is_kept_or_leaves_nothing() -> None:
    assert space_of("k > 2").count == space_of().count
    with pytest.raises(ConsistencyError, match="satisfies 'k > 3', with k = 3"):
        space_of("k > 3")


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        # Of 100 pairs: sums of at most 3 are 1 + 2 + 3 + 4.
        ("sum(v) <= 3", 10),
        ("3 >= sum(v)", 10),
        ("sum(v) + 1 < 5", 10),
        ("sum(v + offsets) <= 4", 10),
        ("sum(v + (0, 1)) <= k + 1", 10),
        ("v[0] + v[1] in (0, 1, 2, 3)", 10),
        # Sums of 15 or more: 4 + 3 + 2 + 1.
        ("sum(v) >= 15", 10),
        ("sum(-v) <= -15", 10),
        ("max(v) - min(v) >= 9", 2),
        ("max(v) <= 1", 4),
        ("product(v) == 0", 19),
        ("product(v) == 12", 4),  # 2 x 6, 3 x 4 and back
        ("product(v - 1) < 0", 16),  # a 0 and a number of 2..9, either way round
        ("sum(w) >= 1", 25),  # one of 4, beside all 100 pairs
        ("min(w) > 0.25", 25),
        ("all(v == (4, 5))", 1),
        ("product(10 / v) >= 10 / v[0] * 10", 0),  # a quotient by 0 has no value
    ],
)
def test_a_rule_gives_one_count_in_a_table_and_in_a_machine(
    rule: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = _count(rule)
    monkeypatch.setattr("cosmic.design.component.MAX_CELLS", 1)

    assert _count(rule) == listed
    if count:
        assert listed == count * 3 * 2 * 2 * 4


def _count(rule: str) -> int:
    try:
        return space_of(rule).count
    except ConsistencyError:
        return 0


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("w[1] + a * 0.1 + w[0] < 1", "added or multiplied out of order"),
        ("sum(v * w) < 8", None),
        ("product(v ** 100) < 8", None),
    ],
)
def test_a_machine_is_exact_or_refuses(
    rule: str, message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = space_of(rule).count
    monkeypatch.setattr("cosmic.design.component.MAX_CELLS", 1)

    if message is None:
        assert space_of(rule).count == listed
    else:
        with pytest.raises(SpecError, match=message):
            space_of(rule)


def test_values_of_the_wrong_kind_are_told_beside_the_others() -> None:
    space = space_of("a + v[0] > 100 - 99", "sum(v) < 4")
    values: dict[str, PointValue] = {
        "a": "one",
        "s": "x",
        "m": 2,
        "v": (1, 1),
        "w": (0.5, 0.5),
    }

    assert space.violations(values) == (
        "a = one is not among its choices: 1, 2, 3",
        "a + v[0] > 100 - 99: arithmetic needs numbers, not 'one'",
    )


@pytest.mark.parametrize(
    "rules",
    [
        ["(a + b) ** 20 % 97 == 3"],  # 4e6 combinations of wide numbers
        [f"a + b != {5000 + k}" for k in range(300)],
        [" + ".join(["a * b"] * 90) + " > 5"],
    ],
)
def test_rules_that_take_long_together_are_refused_and_the_worst_is_named(
    rules: list[str],
) -> None:
    wide = tuple(
        Parameter(name=name, stack=Stack.WORKLOAD, choices=tuple(range(1, 2001)))
        for name in "ab"
    )
    constraints = tuple(map(Expression, rules))

    with pytest.raises(SpecError, match=r"steps to work out, more than 134217728; mo"):
        DesignSpace(ParameterSet(name="x", parameters=wide, constraints=constraints))
