"""Laws of prefixes: a mask allows what some feasible point makes, and nothing else."""

from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.design.constraint import Expression
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.design.prefix import prefixes_of
from cosmic.errors import ConsistencyError, SpecError

NAMES = ("a", "b", "c", "e", "f")
RULES = (
    "a * b <= 8",
    "c % b == 0",
    "a + e != 5",
    "implies(f > 2, a == 1)",
    "a * c * f <= 12",
    "b == e or c > 1",
    "e % 2 == 1",
    "b + f == 4",
)

Vectors = set[tuple[int, ...]]


@st.composite
def parameter_sets(draw: st.DrawFn) -> ParameterSet:
    """Five numbers and some rules, the genes of one component between another's."""
    choices = st.sampled_from([(1, 2, 3, 4), (1, 2, 4), (2, 3), (1,), (4, 3, 2, 1)])
    return ParameterSet(
        name="random",
        parameters=tuple(
            Parameter(name=name, stack=Stack.WORKLOAD, choices=draw(choices))
            for name in NAMES
        ),
        constraints=tuple(
            Expression(rule)
            for rule in draw(st.lists(st.sampled_from(RULES), max_size=4, unique=True))
        ),
    )


def brute_force(parameter_set: ParameterSet) -> Vectors:
    """The index vectors of all combinations that keep every rule, one by one."""
    choices = [parameter.choices for parameter in parameter_set.parameters]
    found: Vectors = set()
    for vector in product(*(range(len(some)) for some in choices)):
        values: dict[str, PointValue] = {
            name: choices[gene][vector[gene]] for gene, name in enumerate(NAMES)
        }
        if not any(rule.violation(values) for rule in parameter_set.constraints):
            found.add(vector)
    return found


@settings(max_examples=60)
@given(parameter_sets())
def test_a_mask_allows_exactly_what_feasible_points_go_on_with(
    parameter_set: ParameterSet,
) -> None:
    feasible = brute_force(parameter_set)
    try:
        prefixes = prefixes_of(DesignSpace(parameter_set))
    except ConsistencyError:
        assert not feasible
        return

    for length in range(len(NAMES)):
        for prefix in {vector[:length] for vector in feasible}:
            allowed = np.flatnonzero(prefixes.allowed(prefix)).tolist()
            following = {v[length] for v in feasible if v[:length] == prefix}
            assert allowed == sorted(following)


@settings(max_examples=60)
@given(parameter_sets(), st.randoms(use_true_random=False))
def test_many_prefixes_at_once_have_the_masks_of_each(
    parameter_set: ParameterSet, random: Random
) -> None:
    try:
        prefixes = prefixes_of(DesignSpace(parameter_set))
    except ConsistencyError:
        return
    nodes, chosen = prefixes.start(4), np.zeros((4, 0), dtype=np.int64)

    for gene in range(len(NAMES)):
        masks = prefixes.masks(nodes, gene)
        alone = [prefixes.allowed(row) for row in chosen.tolist()]
        assert masks.tolist() == [mask.tolist() for mask in alone]
        choices = np.array([random.choice(np.flatnonzero(m)) for m in masks])
        nodes = prefixes.after(nodes, gene, choices)
        chosen = np.column_stack([chosen, choices])


def tiny() -> DesignSpace:
    degrees = tuple(
        Parameter(name=name, stack=Stack.WORKLOAD, choices=(1, 2, 3, 4))
        for name in ("dp", "tp")
    )
    rule = Expression("dp * tp == 4")
    return DesignSpace(
        ParameterSet(name="tiny", parameters=degrees, constraints=(rule,))
    )


def test_a_prefix_that_leads_nowhere_says_what_was_allowed() -> None:
    with pytest.raises(SpecError, match=r"dp: choice 2 does not.*allowed: 0, 1, 3$"):
        prefixes_of(tiny()).allowed([2])


@pytest.mark.parametrize("choice", [-1, 4])
def test_a_prefix_outside_the_choices_is_refused(choice: int) -> None:
    with pytest.raises(SpecError, match=rf"dp: choice {choice} does not go"):
        prefixes_of(tiny()).allowed([choice])


def test_a_whole_vector_is_no_prefix() -> None:
    with pytest.raises(SpecError, match="fewer entries than the 2 genes, not 2"):
        prefixes_of(tiny()).allowed([0, 3])
