"""The part of a design space whose networks have a price."""

from collections.abc import Iterator

from cosmic.design.constraint import Expression, implies
from cosmic.design.design_space import DesignSpace
from cosmic.errors import ConsistencyError
from cosmic.evaluation.network_cost import NetworkPrices
from cosmic.network.wiring import Shape


def priced_space(space: DesignSpace, prices: NetworkPrices) -> DesignSpace:
    """The space without switches where none is priced, nor more dimensions than levels.

    Levels depend on the number of dimensions; so where that is a parameter, the shape
    of a dimension is tied to it by a constraint. What is held stays as it is.

    Raises:
        ConsistencyError: No network that may be chosen has a price.
    """
    if any(p.name == "dimensions" for p in space.parameter_set.parameters):
        return _of_varying_dimensions(space, prices)
    choices = {gene.name: gene.choices for gene in space.gene_table}
    dimensions = sum(name.startswith("topology[") for name in choices)
    for dimension in range(dimensions):
        name = f"topology[{dimension}]"
        if prices.level(dimension, dimensions).switch is None:
            priced = [shape for shape in choices[name] if shape != Shape.SWITCH.value]
            space = space.restrict(name, priced)
    return space


def _of_varying_dimensions(space: DesignSpace, prices: NetworkPrices) -> DesignSpace:
    searched = {gene.parameter: gene.choices for gene in space.gene_table}
    if "dimensions" in searched:
        counts = [int(count) for count in searched["dimensions"]]
        priced = [count for count in counts if _has_prices(count, prices)]
        if not priced:
            prices.level(0, counts[0])  # which says why there are none
        space = space.restrict("dimensions", priced)
    if not {"dimensions", "topology"} & searched.keys():
        return space
    return space.keeping(_constraints(space, prices))


def _has_prices(dimensions: int, prices: NetworkPrices) -> bool:
    try:
        prices.level(0, dimensions)
    except ConsistencyError:
        return False
    return True


def _constraints(space: DesignSpace, prices: NetworkPrices) -> Iterator[Expression]:
    """No switch at a level where none is priced, for every number of dimensions."""
    parameter_set = space.parameter_set
    names = {parameter.name for parameter in parameter_set.parameters}
    if "topology" not in names | parameter_set.constants.keys():
        return
    counts = dict.fromkeys(parameter_set.parameter("dimensions").choices)
    if space.baseline is not None:
        counts[int(str(space.baseline["dimensions"]))] = None
    for count in map(int, counts):
        for dimension in range(count) if _has_prices(count, prices) else ():
            if prices.level(dimension, count).switch is None:
                shape = f"topology[{dimension}] != {Shape.SWITCH.value!r}"
                yield implies(f"dimensions == {count}", shape)
