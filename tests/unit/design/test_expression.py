"""What a formula may be, and how quickly and plainly everything else is refused."""

import pytest

from cosmic.design.constraint import Expression
from cosmic.design.evaluate import evaluate
from cosmic.design.expression import parse
from cosmic.errors import SpecError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 3000 + "1" + ")" * 3000, "6001 characters, more than the 2000 allowed"),
        ("(" * 900 + "1" + ")" * 900, "cannot read formula"),
        ("-" * 1500 + "a", "nested deeper than 100 levels"),
        ("not " * 400 + "a", "nested deeper than 100 levels"),
        ("+".join(["a"] * 900), "nested deeper than 100 levels"),
        ("9**9**9 > a", r"9 \*\* 387420489 has no value"),
        ("1 / 0 > a", "1 / 0 has no value"),
        ("__import__('os')", "no function named '__import__'"),
        ("prodct(v) > 1", "did you mean 'product'"),
        ("(lambda: 1)()", "no function named 'Lambda'"),
        ("a.__class__", "Attribute is not part of the language"),
        ("[x for x in v]", "ListComp is not part of the language"),
        ("f'{a}'", "JoinedStr is not part of the language"),
        ("a @ b", "MatMult is not part of the language"),
        ("a is b", "Is is not part of the language"),
        ("~a", "operator ~ is not part of the language"),
        ("v[1:2]", "a slice is not part of the language"),
        ("max(a, key=3)", "takes one or more plain arguments"),
        ("log2(a, b)", "takes 1 arguments, not 2"),
        ("{a: 1}[s]", "keys must be plain numbers or strings"),
        ("1e999 > a", "numbers must be finite"),
        ("None == a", "None is no number, string or truth value"),
        ("a <", "cannot read formula 'a <': invalid syntax"),
        ("a\x00b", "null bytes"),
        ("", "invalid syntax"),
    ],
)
def test_what_is_no_formula_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        parse(text)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_formula_is_text() -> None:
    with pytest.raises(SpecError, match="a formula is text, not 3"):
        parse(3)  # type: ignore[arg-type]  # as a careless caller would


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a / 2", 3),
        ("a / 4", 1.5),
        ("a // 4 + a % 4", 3),
        ("2 ** a - 1", 63),
        ("2 < a <= 6", True),
        ("not a > 6 and s == 'x'", True),
        ("product(v) * sum(v, 1)", 8 * 7),
        ("max(v) - min(v)", 2),
        ("len(v) + count(v == 2)", 3),
        ("v[1] if s == 'x' else v[0]", 4),
        ("{'x': a, 'y': 0}[s]", 6),
        ("gcd(a, 4) + floor(2.5) + ceil(2.5) + abs(-1) + log2(8)", 2 + 2 + 3 + 1 + 3),
        ("implies(s == 'y', 1 / (a - 6) > 1)", True),
        ("s in ('x', 'z') and s not in ('y', 'z')", True),
        ("any(v > 3) and not all(v > 3)", True),
        ("sum(v * 10 - 1)", 58),
        ("integer(a / 4)", False),
        ("+a", 6),
    ],
)
def test_a_formula_means_what_it_says(text: str, value: object) -> None:
    assert evaluate(parse(text), {"a": 6, "s": "x", "v": (2, 4)}) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s * 2", "arithmetic needs numbers, not 'x'"),
        ("s < a", "cannot put 'x' and 6 in order"),
        ("s and a", "a condition must be true or false, not a string"),
        ("v and a", "not a vector; use all"),
        ("a[0]", "only a vector has elements, and 6 is none"),
        ("v['x']", "the position in a vector is an integer, not 'x'"),
        ("a in (v, 1)", "a single value is needed"),
        ("b", "no name named 'b'"),
    ],
)
def test_kinds_that_do_not_fit_are_told(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        evaluate(parse(text), {"a": 6, "s": "x", "v": (2, 4)})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a / (a - 6) > 1", "a / (a - 6) > 1: a=6 has no value: 6 / 0 has no value"),
        (
            "v[a] == 1",
            "v[a] == 1: v=[2, 4], a=6 has no value: no element 6 in a vector",
        ),
        ("{'y': 1}[s] == 1", "has no value: the table has no row for 'x'"),
        ("a ** a ** a > 1", "a ** a ** a > 1: a=6 has no value: 6 ** 46656"),
        ("log2(a - 6) > 1", "has no value: log2(0) has no value"),
        ("v + (1, 2, 3) == v", "has no value: vectors of 2 and 3 elements"),
        ("not a", "not a: a=6 makes it false"),
    ],
)
def test_a_breach_says_what_came_out(text: str, sentence: str) -> None:
    breach = Expression(text).violation({"a": 6, "s": "x", "v": (2, 4)})

    assert breach is not None
    assert sentence in breach
