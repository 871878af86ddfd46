"""Explanations: what a parameter is tied to, and which designs are near a wrong one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, PointValue, Value
from cosmic.design.symbols import Gene


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a person may want to know of a parameter.

    Attributes:
        parameter: Its name, stack, choices and unit.
        searched: Whether this space searches it.
        tied_to: Other parameters that some rule ties it to directly.
        rules: What these rules say.
        possible: For each gene the choices that some feasible point makes.
    """

    parameter: Parameter
    searched: bool
    tied_to: tuple[str, ...]
    rules: tuple[str, ...]
    possible: tuple[tuple[Value, ...], ...]


def explain(space: DesignSpace, name: str) -> Explanation:
    """Say what a parameter of a space is tied to.

    Raises:
        UnknownNameError: There is no such parameter.
    """
    parameter = space.parameter_set.parameter(name)
    genes = [i for i, g in enumerate(space.gene_table) if g.parameter == name]
    rules = [rule for rule in space.rules if set(genes) & set(rule.scope)]
    tied = {space.gene_table[gene].parameter for rule in rules for gene in rule.scope}
    return Explanation(
        parameter=parameter,
        searched=bool(genes),
        tied_to=tuple(
            p.name for p in space.parameter_set.parameters if p.name in tied - {name}
        ),
        rules=tuple(dict.fromkeys(rule.text for rule in rules)),
        possible=tuple(space.possible(gene) for gene in genes),
    )


def nearest(
    space: DesignSpace, values: Mapping[str, PointValue], count: int = 3
) -> list[DesignPoint]:
    """Feasible designs near some values, nearest first.

    The first is the nearest of all; the others are its neighbors that are nearest to
    the values. A number between two choices counts as lying between them; a value
    that is missing or cannot be placed counts as the baseline's, or else the first.

    Args:
        space: Where to look.
        values: Any values, feasible or not.
        count: How many to give, at most.
    """
    target = _target(space, values)
    best = space.project(target)
    found = np.concatenate([best[np.newaxis], space.neighbors(best)])
    ordinal = np.array([gene.ordinal for gene in space.gene_table])
    gaps = np.abs(found - target)
    distances = np.where(ordinal, gaps, gaps > 0).sum(axis=1)
    distances[0] = -1
    order = np.argsort(distances, kind="stable")[:count]
    return space.points(found[order])


def _target(
    space: DesignSpace, values: Mapping[str, PointValue]
) -> npt.NDArray[np.float64]:
    known = {**(space.baseline or {}), **values}
    places = []
    for gene in space.gene_table:
        value = known.get(gene.parameter)
        if gene.position is not None and isinstance(value, tuple | list):
            inside = gene.position < len(value)
            value = value[gene.position] if inside else None
        places.append(_place(gene, value))
    return np.array(places)


def _place(gene: Gene, value: object) -> float:
    if isinstance(value, bool | int | float | str) and value in gene.choices:
        return float(gene.choices.index(value))
    numbers = [c for c in gene.choices if isinstance(c, int | float)]
    rising = len(numbers) == len(gene.choices) and numbers == sorted(numbers)
    if not rising or not isinstance(value, int | float):
        return 0.0
    return float(np.interp(value, numbers, np.arange(len(numbers))))
