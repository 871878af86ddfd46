"""One formula has one meaning: for a point at a time and for all at once."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.design.arithmetic import Result, UndefinedError
from cosmic.design.columns import value_at
from cosmic.design.evaluate import evaluate
from cosmic.design.evaluate_columns import evaluate_columns
from cosmic.design.expression import parse
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.design.symbols import Grid, bind
from cosmic.errors import SpecError

PARAMETERS = (
    Parameter(name="a", stack=Stack.WORKLOAD, choices=(-3, 0, 5)),
    Parameter(name="b", stack=Stack.WORKLOAD, choices=(0.1, 2.0)),
    Parameter(name="s", stack=Stack.NETWORK, choices=("x", "y")),
    Parameter(name="m", stack=Stack.NETWORK, choices=("x", 2)),
    Parameter(name="n", stack=Stack.NETWORK, choices=(1, 2)),
    Parameter(
        name="v",
        stack=Stack.NETWORK,
        choices=(2, 5),
        dimensions="n",
        max_dimensions=2,
    ),
    Parameter(name="f", stack=Stack.COMPUTE, choices=(False, True)),
)
SET = ParameterSet(name="formulas", parameters=PARAMETERS, constants={"k": 6})
SYMBOLS = bind(SET, {}, frozenset(), {})

numbers = st.sampled_from(["a", "b", "n", "k", "v[0]", "v[1]", "f", "3", "0", "0.5"])
conditions = st.sampled_from(["f", "s == 'x'", "m == 2", "m == s", "a < b", "True"])


def larger_numbers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])
    folds = st.sampled_from(["sum", "product", "min", "max", "len"])
    single = st.sampled_from(["-", "abs", "floor", "ceil", "log2"])
    return st.one_of(
        st.tuples(inner, signs, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(single, inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(folds, inner).map(lambda t: f"{t[0]}(v, {t[1]})"),
        st.tuples(folds, signs, inner).map(lambda t: f"{t[0]}(v {t[1]} {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"gcd({t[0]}, {t[1]})"),
        st.tuples(inner, conditions, inner).map(
            lambda t: f"({t[0]} if {t[1]} else {t[2]})"
        ),
        inner.map(lambda t: f"{{'x': {t}, 'y': 4}}[s]"),
        inner.map(lambda t: f"{{2: {t}}}[m]"),
    )


def larger_conditions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    number = st.recursive(numbers, larger_numbers, max_leaves=4)
    order = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    words = st.sampled_from(["and", "or"])
    return st.one_of(
        st.tuples(number, order, number).map(lambda t: f"{t[0]} {t[1]} {t[2]}"),
        st.tuples(number, order, number, order, number).map(" ".join),
        st.tuples(inner, words, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"(not {t})"),
        st.tuples(inner, inner).map(lambda t: f"implies({t[0]}, {t[1]})"),
        number.map(lambda t: f"{t} in (v[0], 3, b)"),
        number.map(lambda t: f"{t} not in v"),
        st.tuples(st.sampled_from(["all", "any", "count"]), order, number).map(
            lambda t: f"{t[0]}(v {t[1]} {t[2]})"
        ),
        number.map(lambda t: f"defined({t}) or integer({t})"),
    )


formulas = st.one_of(
    st.recursive(numbers, larger_numbers, max_leaves=6),
    st.recursive(conditions, larger_conditions, max_leaves=4),
)


def one_by_one(text: str) -> list[Result | None] | None:
    """The value at each combination; None for all where the kinds do not fit."""
    results: list[Result | None] = []
    node = parse(text)
    for values in product(*(gene.choices for gene in SYMBOLS.genes)):
        *firsts, n, v0, v1, f = values
        point = dict(zip(("a", "b", "s", "m"), firsts, strict=True))
        vector = (v0, v1) if n == 2 else (v0,)
        try:
            known = {**point, "n": n, "v": vector, "f": f, "k": 6}
            results.append(evaluate(node, known))
        except UndefinedError:
            results.append(None)
        except SpecError:
            return None
    return results


@settings(max_examples=120, deadline=None)
@given(formulas)
def test_columns_hold_what_each_point_gives(text: str) -> None:
    try:
        expected = one_by_one(text)
        grid = Grid(SYMBOLS, tuple(range(len(SYMBOLS.genes))))
        column = evaluate_columns(parse(text), grid)
    except SpecError:
        return
    if expected is None:
        return

    cells = product(*(range(size) for size in grid.shape))
    assert [value_at(column, cell) for cell in cells] == expected


def test_large_integers_stay_exact() -> None:
    """(2^61)^2 + 1 has 123 bits, of which a float would lose the last."""
    big = Parameter(name="big", stack=Stack.WORKLOAD, choices=(1, 2**61))
    symbols = bind(ParameterSet(name="x", parameters=(big,)), {}, frozenset(), {})
    column = evaluate_columns(parse("(big * big + 1) % 3"), Grid(symbols, (0,)))

    assert value_at(column, (1,)) == (2**122 + 1) % 3 == 2
