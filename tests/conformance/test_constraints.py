"""Every way to write a constraint is held to what a stranger's is."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from typing_extensions import override

from cosmic.design.constraint import (
    Constraint,
    Expression,
    Table,
    bounds,
    divides,
    implies,
    product_of,
    sum_of,
)
from cosmic.design.derived import Derived
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import UnknownNameError
from cosmic.testing.conformance import check_constraint

SET = ParameterSet(
    name="toy",
    parameters=(
        Parameter(name="dp", stack=Stack.WORKLOAD, choices=(1, 2, 4, 8)),
        Parameter(name="tp", stack=Stack.WORKLOAD, choices=(1, 2, 3)),
        Parameter(name="sizes", stack=Stack.NETWORK, choices=(1, 2), dimensions=2),
        Parameter(name="shape", stack=Stack.NETWORK, choices=("Ring", "Switch")),
    ),
    derived=(Derived(name="devices", formula="dp * tp"),),
    constants={"npus": 8},
)


class Even(Constraint):
    """Some sum is even: a rule without a formula."""

    names = ("dp", "devices")

    @override
    def __repr__(self) -> str:
        return "Even()"

    @override
    def violation(self, values: Mapping[str, PointValue]) -> str | None:
        total = int(str(values["dp"])) + int(str(values["devices"]))
        return f"{total} is odd" if total % 2 else None


@pytest.mark.parametrize(
    "constraint",
    [
        product_of("sizes", "dp", to="npus"),
        sum_of("sizes", to=3),
        divides("tp", "dp"),
        bounds("devices", at_least=3, at_most=16),
        implies("shape == 'Ring'", "sizes[0] == 2"),
        Expression("12 / (tp - 2) > dp"),
        Expression("dp > 99"),
        Table(("dp", "shape"), ((2, "Ring"), (4, "Switch"))),
        Even(),
    ],
    ids=repr,
)
def test_a_constraint_keeps_its_promises(constraint: Constraint) -> None:
    check_constraint(constraint, SET)


def test_a_constraint_must_be_about_the_parameters() -> None:
    with pytest.raises(UnknownNameError, match="'pp'"):
        check_constraint(Expression("pp == 1"), SET)


@dataclass(frozen=True)
class Says(Constraint):
    """A rule on dp that says whatever it is told to."""

    answer: Any
    names: tuple[str, ...] = ("dp",)

    @override
    def violation(self, values: Mapping[str, PointValue]) -> str | None:
        sentence: str | None = self.answer(values)
        return sentence

    @override
    def __repr__(self) -> str:
        return "Says()"


class Nameless(Even):
    """Shows its address instead of what it is."""

    __repr__ = object.__repr__


_TOLD = count()


@pytest.mark.parametrize(
    ("constraint", "promise"),
    [
        (Nameless(), "its repr must tell what it is, not <"),
        (Says(lambda values: ""), "must say None or one line, not ''"),
        (Says(lambda values: "no\nno"), "must say None or one line"),
        (Says(lambda values: str(next(_TOLD))), "says '.*' where it said '.*'"),
        (Says(lambda values: values.pop("dp") and None), "changed the values that"),
    ],
    ids=["address", "empty", "lines", "chance", "changes"],
)
def test_a_broken_promise_is_named(constraint: Constraint, promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_constraint(constraint, SET)


def test_a_constraint_that_depends_on_more_than_it_names_is_found_out() -> None:
    def secretive(values: Mapping[str, PointValue]) -> str | None:
        return None if values.get("tp", 1) == 1 else "tp is not 1"

    with pytest.raises(AssertionError, match="says 'tp is not 1' where it said None"):
        check_constraint(Says(secretive), SET)
    with pytest.raises(AssertionError, match="depends on 'tp', which is none of its"):
        check_constraint(Says(lambda values: values["tp"] and None), SET)
