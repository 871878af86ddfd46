"""One parameter set for several workloads on one system.

What belongs to the system is chosen once. What belongs to a workload is chosen once for
each of them: its parameters, what follows from them and the constants that differ get
the workload's label, so that `heads % tp == 0` becomes `heads_vit % tp_vit == 0`.
"""

import io
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cosmic.design.constraint import Constraint, Expression
from cosmic.design.derived import Derived
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import ConsistencyError


def own_names(parameter_sets: Sequence[ParameterSet]) -> frozenset[str]:
    """Names that mean something else for each of several workloads.

    Args:
        parameter_sets: The same set, bound to the numbers of each workload.
    """
    first = parameter_sets[0]
    own = {parameter.name for parameter in first.on(Stack.WORKLOAD)}
    own |= {derived.name for derived in first.derived}
    for name in {name for one in parameter_sets for name in one.constants}:
        if len({repr(one.constants.get(name)) for one in parameter_sets}) > 1:
            own.add(name)
    return frozenset(own)


def labelled(name: str, label: str) -> str:
    """A name that belongs to one workload.

    >>> labelled("dp", "vit_base")
    'dp_vit_base'
    """
    return f"{name}_{label}"


def shared_parameter_set(
    name: str, parameter_sets: Mapping[str, ParameterSet]
) -> ParameterSet:
    """The set of what may be chosen about several workloads and their one system.

    Limits are left out: they are for what a simulation of each workload tells.

    Args:
        name: Of the new set.
        parameter_sets: By label, the same set bound to the numbers of each workload.

    Raises:
        ConsistencyError: They are not the same set.
    """
    sets = tuple(parameter_sets.values())
    first, own = sets[0], own_names(sets)
    constants: dict[str, PointValue] = {}
    parameters: dict[str, Parameter] = {}
    constraints: dict[str, Constraint] = {}
    derived: dict[str, Derived] = {}
    for label, one in parameter_sets.items():
        _check_same(first, one)
        names = {old: labelled(old, label) for old in own}
        constants |= {names.get(old, old): v for old, v in one.constants.items()}
        for parameter in one.parameters:
            made = _parameter(parameter, names)
            parameters[made.name] = made
        for each in one.derived:
            new = names[each.name]
            formula = renamed(each.formula, names)
            derived[new] = replace(each, name=new, formula=formula)
        for rule in one.constraints:
            assert isinstance(rule, Expression)  # as files have them
            text = renamed(rule.text, names)
            constraints[text] = Expression(text)
    return ParameterSet(
        name=name,
        parameters=tuple(parameters.values()),
        constraints=tuple(constraints.values()),
        constants=constants,
        derived=tuple(derived.values()),
        lengths=first.lengths,
    )


def _parameter(parameter: Parameter, names: Mapping[str, str]) -> Parameter:
    active_if, follows = parameter.active_if, parameter.follows
    return replace(
        parameter,
        name=names.get(parameter.name, parameter.name),
        active_if=None if active_if is None else renamed(active_if, names),
        follows=None if follows is None else renamed(follows, names),
    )


def _check_same(first: ParameterSet, other: ParameterSet) -> None:
    same = (
        first.constraints == other.constraints
        and first.derived == other.derived
        and first.lengths == other.lengths
        and first.parameters == other.parameters
    )
    if not same:
        raise ConsistencyError(
            f"all members need the same parameter set with the same choices, and "
            f"{other.name} differs from {first.name}"
        )


def renamed(formula: str, names: Mapping[str, str]) -> str:
    """A formula with other names; what stands in quotes stays.

    >>> renamed('heads % tp == 0 or shape == "tp"', {"tp": "tp_a", "heads": "heads_a"})
    'heads_a % tp_a == 0 or shape == "tp"'
    """
    line = " ".join(formula.split())
    found = tokenize.generate_tokens(io.StringIO(line).readline)
    spots = [t for t in found if t.type == tokenize.NAME and t.string in names]
    for token in reversed(spots):
        start, stop = token.start[1], token.end[1]
        line = line[:start] + names[token.string] + line[stop:]
    return line
