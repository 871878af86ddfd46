"""Translation between index vectors and design points."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cosmic.design.arithmetic import scalar
from cosmic.design.checking import (
    choice_fault,
    constraint_faults,
    name_faults,
    shape_fault,
)
from cosmic.design.component import Component
from cosmic.design.constraint import show
from cosmic.design.design_point import DesignPoint
from cosmic.design.evaluate import evaluate
from cosmic.design.expression import at_dimension, names, parse
from cosmic.design.moves import IndexVector
from cosmic.design.parameter import Parameter, PointValue, Value
from cosmic.design.symbols import Symbols
from cosmic.design.view import View
from cosmic.errors import SpecError

_REMEMBERED = 4096  # values of formulas


class Translation:
    """Turns index vectors of a view into design points, and back."""

    def __init__(
        self, view: View, symbols: Symbols, components: Sequence[Component]
    ) -> None:
        self._view = view
        self._set = view.parameter_set
        self._symbols = symbols
        self._components = tuple(components)
        self._choices = [gene.choices for gene in symbols.genes]
        self._places: list[dict[Value, int]] = [
            {choice: i for i, choice in enumerate(gene.choices)}
            for gene in symbols.genes
        ]
        self._late = [
            p
            for name in self._set.order
            for p in self._set.parameters
            if p.name == name and p.name in view.followed
        ]
        self._mentioned = {p.name: self._mentions(p) for p in self._late}
        self._remembering: dict[tuple[object, ...], PointValue] = {}
        self._varying = [
            p for p in self._set.parameters if isinstance(p.dimensions, str)
        ]
        self._plain = not self._late and not any(
            p.name in view.held and p.active_if is not None
            for p in self._set.parameters
        )

    def point(self, vector: Sequence[int]) -> DesignPoint:
        """The design point of a feasible vector."""
        return DesignPoint(self._values(vector))

    def vector(self, point: Mapping[str, PointValue]) -> IndexVector:
        """The vector of a point, which may lack what is not searched.

        Raises:
            SpecError: The point is not in the space.
        """
        vector = self._vector(self._completed(point))
        if vector is None:
            faults = self.violations(point)
            raise SpecError(faults[0] if faults else "the point is not in this space")
        return vector

    def contains(self, point: Mapping[str, PointValue]) -> bool:
        """Whether a point is one of the space's own, in its canonical form."""
        vector = self._vector(point)
        return vector is not None and self._values(vector.tolist()) == dict(point)

    def violations(self, values: Mapping[str, PointValue]) -> tuple[str, ...]:
        """Why values are no point of the space."""
        completed = self._completed(values)
        faults = [*name_faults(self._set, completed), *self._value_faults(completed)]
        fit = {k: v for k, v in completed.items() if not self._form_fault(k, completed)}
        return (*faults, *constraint_faults(self._set, fit))

    def _values(self, vector: Sequence[int]) -> dict[str, PointValue]:
        values: dict[str, PointValue] = {}
        for p in self._set.parameters:
            binding = self._symbols.bindings[p.name]
            if binding.genes:
                items = [self._choices[g][vector[g]] for g in binding.genes]
                values[p.name] = tuple(items) if binding.vector else items[0]
            elif binding.value is not None:
                values[p.name] = binding.value
        values = self._shortened(values)
        return values if self._plain else self._shortened(self._follow(values))

    def _shortened(self, values: dict[str, PointValue]) -> dict[str, PointValue]:
        """The same, without what stands beyond the end of a vector."""
        for p in self._varying:
            value = values.get(p.name)
            if isinstance(value, tuple):
                values[p.name] = value[: self._length(p, values)]
        return values

    def _follow(self, values: dict[str, PointValue]) -> dict[str, PointValue]:
        for parameter in self._late:
            values[parameter.name] = self._remembered(parameter, values)
        if any(p.active_if is not None for p in self._set.parameters):
            values = self._set.canonical(values)
        return {p.name: values[p.name] for p in self._set.parameters}

    def _remembered(
        self, parameter: Parameter, values: dict[str, PointValue]
    ) -> PointValue:
        """What a parameter follows to; formulas of parameters alone are done once."""
        mentioned = self._mentioned[parameter.name]
        if mentioned is None:
            return self._followed(parameter, values)
        length = self._length(parameter, values)
        key = (parameter.name, length, *[values.get(name) for name in mentioned])
        found = self._remembering.get(key)
        if found is None:
            if len(self._remembering) >= _REMEMBERED:
                self._remembering.clear()
            found = self._remembering[key] = self._followed(parameter, values)
        return found

    def _followed(
        self, parameter: Parameter, values: dict[str, PointValue]
    ) -> PointValue:
        known, _ = self._set.evaluated(values)
        node = parse(parameter.follows or "")
        if parameter.length is None:
            return scalar(evaluate(node, known))
        return tuple(
            scalar(evaluate(at_dimension(node, i), known))
            for i in range(self._length(parameter, values) or 0)
        )

    def _mentions(self, parameter: Parameter) -> tuple[str, ...] | None:
        """The parameters that a formula speaks of; None if of derived values, too."""
        mentioned = names(parse(parameter.follows or ""))
        if {derived.name for derived in self._set.derived} & set(mentioned):
            return None
        parameters = {p.name for p in self._set.parameters}
        return tuple(name for name in mentioned if name in parameters)

    def _length(
        self, parameter: Parameter, values: Mapping[str, PointValue]
    ) -> int | None:
        if not isinstance(parameter.dimensions, str):
            return parameter.length
        constants = self._set.constants
        length = values.get(parameter.dimensions, constants.get(parameter.dimensions))
        return length if isinstance(length, int) else None

    def _completed(self, values: Mapping[str, PointValue]) -> dict[str, PointValue]:
        completed = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in {**self._held(values), **values}.items()
        }
        canonical = self._set.canonical(completed)
        missing = [p for p in self._late if p.name not in canonical]
        if not missing or self._vector(canonical) is None:
            return canonical
        vector = self._vector(canonical)
        assert vector is not None, "checked just above"
        return {**self._values(vector.tolist()), **canonical}

    def _held(self, values: Mapping[str, PointValue]) -> dict[str, PointValue]:
        """What is not searched, as long as some values say."""
        held = self._shortened({**values, **self._view.held})
        return {name: held[name] for name in self._view.held}

    def _vector(self, point: Mapping[str, PointValue]) -> IndexVector | None:
        vector = np.zeros(len(self._places), dtype=np.int32)
        for number, gene in enumerate(self._symbols.genes):
            value = self._gene_value(gene.parameter, gene.position, point)
            place = self._places[number].get(value) if value is not None else None
            if place is None:
                return None
            vector[number] = place
        row = vector.tolist()
        feasible = all(
            c.diagram.contains([row[g] for g in c.genes]) for c in self._components
        )
        return vector if feasible else None

    def _gene_value(
        self, name: str, position: int | None, point: Mapping[str, PointValue]
    ) -> Value | None:
        value = point.get(name)
        if position is None or value is None:
            return None if isinstance(value, tuple) else value
        if not isinstance(value, tuple):
            return None
        if position < len(value):
            return value[position]
        parameter = self._set.parameter(name)
        varies = isinstance(parameter.dimensions, str)
        return parameter.canonical if varies else None

    def _form_fault(self, name: str, values: Mapping[str, PointValue]) -> str | None:
        by_name = {p.name: p for p in self._set.parameters}
        if name not in by_name:
            return f"{name} is no parameter"
        parameter = by_name[name]
        return shape_fault(parameter, values[name], self._length(parameter, values))

    def _value_faults(self, values: Mapping[str, PointValue]) -> Iterator[str]:
        for parameter in self._set.parameters:
            if parameter.name in values:
                fault = self._form_fault(parameter.name, values)
                if fault is not None:
                    yield fault
                else:
                    yield from self._choice_faults(parameter, values)

    def _choice_faults(
        self, parameter: Parameter, values: Mapping[str, PointValue]
    ) -> Iterator[str]:
        name, value = parameter.name, values[parameter.name]
        if name in self._view.held:
            held = self._held(values)[name]
            if value != held:
                yield f"{name} = {show(value)}, but it is held at {show(held)}"
            return
        items = value if isinstance(value, tuple) else (value,)
        for number, item in zip(
            self._symbols.bindings[name].genes, items, strict=False
        ):
            gene = self._symbols.genes[number]
            fault = choice_fault(gene.name, item, gene.choices)
            if fault is not None:
                yield fault
