"""Views: which part of a parameter set is searched, and what the rest is held at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cosmic.design.checking import choice_fault, name_faults, shape_fault
from cosmic.design.constraint import Constraint
from cosmic.design.design_point import DesignPoint, canonical_text, digest_of
from cosmic.design.expression import names, parse
from cosmic.design.parameter import Parameter, PointValue, Stack, Value, check_value
from cosmic.design.parameter_set import ParameterSet
from cosmic.design.symbols import Symbols, bind
from cosmic.errors import SpecError, UnknownNameError


@dataclass(frozen=True, slots=True)
class View:
    """What is searched of a parameter set.

    Attributes:
        parameter_set: What may be chosen at all.
        given: A value for each parameter, for `on` to hold.
        held: Parameters that keep one value.
        followed: Parameters that are computed by what they follow.
        choices: What genes may be, where that is less than their parameter allows.
    """

    parameter_set: ParameterSet
    given: Mapping[str, PointValue] | None = None
    held: Mapping[str, PointValue] = field(default_factory=dict)
    followed: frozenset[str] = frozenset()
    choices: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.given is not None:
            checked = checked_baseline(self.parameter_set, self.given)
            object.__setattr__(self, "given", checked)

    @property
    def baseline(self) -> DesignPoint | None:
        """The values that parameters are held at while they are not searched."""
        return None if self.given is None else DesignPoint(self.given)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change with the parameter set or the view."""
        parts = [
            self.parameter_set.digest,
            canonical_text(self.held),
            ",".join(sorted(self.followed)),
            canonical_text(self.choices),
        ]
        return digest_of("\n".join(parts))

    def symbols(self) -> Symbols:
        """What each name stands for in this view."""
        return bind(self.parameter_set, self.held, self.followed, self.choices)

    def on(self, stacks: Sequence[Stack]) -> "View":
        """Search some stacks and hold the rest."""
        searched = {
            p.name for p in self.parameter_set.on(*stacks) if self._is_searched(p.name)
        }
        held, followed = dict(self.held), set(self.followed)
        for parameter in self.parameter_set.parameters:
            name = parameter.name
            if name in searched or not self._is_searched(name):
                continue
            if self._must_follow(parameter, searched):
                followed.add(name)
            elif self.given is not None:
                held[name] = self.given[name]
            else:
                raise SpecError(
                    f"{name} is not searched: give a baseline to hold it at"
                )
        if not searched:
            raise SpecError(f"nothing is searched on {_listed(stacks)}")
        return replace(self, held=held, followed=frozenset(followed))

    def fix(self, values: Mapping[str, PointValue]) -> "View":
        """Hold some parameters at given values."""
        held = dict(self.held)
        for name, value in values.items():
            parameter = self.parameter_set.parameter(name)
            given = tuple(value) if isinstance(value, list) else value
            length = len(given) if isinstance(given, tuple) else None
            fits = length if isinstance(parameter.dimensions, str) else parameter.length
            fault = shape_fault(parameter, given, fits) or _length_fault(
                parameter, length
            )
            if fault is not None:
                raise SpecError(fault)
            _check_choices(parameter, given, self.choices)
            held[name] = given
        return replace(self, held=held, followed=self.followed - values.keys())

    def keeping(self, constraints: Iterable[Constraint]) -> "View":
        """Ask for more constraints to be kept, each once."""
        known = self.parameter_set.constraints
        more = tuple(c for c in constraints if c not in known)
        changed = replace(self.parameter_set, constraints=(*known, *more))
        return replace(self, parameter_set=changed) if more else self

    def restrict(self, name: str, values: tuple[Value, ...]) -> "View":
        """Leave a parameter, or one of its genes, fewer choices."""
        choices = dict(self.choices)
        matched = False
        for parameter in self.parameter_set.parameters:
            if name == parameter.name or name in parameter.gene_names:
                matched = True
                genes = parameter.gene_names if name == parameter.name else (name,)
                for gene in genes:
                    choices[gene] = _narrowed(parameter, gene, values, self.choices)
        if not matched:
            known = [g for p in self.parameter_set.parameters for g in p.gene_names]
            known += [p.name for p in self.parameter_set.parameters]
            raise UnknownNameError("parameter", name, set(known))
        return replace(self, choices=choices)

    def _is_searched(self, name: str) -> bool:
        return name not in self.held and name not in self.followed

    def _must_follow(self, parameter: Parameter, searched: set[str]) -> bool:
        if parameter.follows is None:
            return False
        return self.given is None or bool(self._reached(parameter.follows) & searched)

    def _reached(self, formula: str) -> set[str]:
        reached: set[str] = set()
        waiting = list(names(parse(formula)))
        formulas = {d.name: d.formula for d in self.parameter_set.derived}
        formulas |= {
            p.name: p.follows or ""
            for p in self.parameter_set.parameters
            if p.name in self.followed
        }
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += names(parse(formulas[name])) if name in formulas else ()
        return reached


def checked_baseline(
    parameter_set: ParameterSet, given: Mapping[str, PointValue]
) -> dict[str, PointValue]:
    """The baseline's values in the order of the parameters.

    It may lie outside the choices and break constraints, since it is only what is
    held; it must name every parameter and no other.

    Raises:
        SpecError: It does not fit the parameter set.
    """
    values = parameter_set.canonical(given)
    for sentence in name_faults(parameter_set, values):
        raise SpecError(f"baseline: {sentence}")
    result: dict[str, PointValue] = {}
    for parameter in parameter_set.parameters:
        value = values[parameter.name]
        value = tuple(value) if isinstance(value, list) else value
        length = values.get(str(parameter.dimensions), parameter.length)
        length = length if isinstance(length, int) else None
        fault = shape_fault(parameter, value, length) or _length_fault(
            parameter, length
        )
        if fault is not None:
            raise SpecError(f"baseline: {fault}")
        for item in value if isinstance(value, tuple) else (value,):
            check_value(f"baseline: {parameter.name}", item)
        result[parameter.name] = value
    return result


def _length_fault(parameter: Parameter, length: int | None) -> str | None:
    if length is None or parameter.length is None or length <= parameter.length:
        return None
    return f"{parameter.name} has at most {parameter.length} values, not {length}"


def _check_choices(
    parameter: Parameter,
    value: PointValue,
    narrowed: Mapping[str, tuple[Value, ...]],
) -> None:
    items = value if isinstance(value, tuple) else (value,)
    for gene, item in zip(parameter.gene_names, items, strict=False):
        fault = choice_fault(gene, item, narrowed.get(gene, parameter.choices))
        if fault is not None:
            raise SpecError(fault)


def _narrowed(
    parameter: Parameter,
    gene: str,
    values: tuple[Value, ...],
    narrowed: Mapping[str, tuple[Value, ...]],
) -> tuple[Value, ...]:
    choices = narrowed.get(gene, parameter.choices)
    if not values:
        raise SpecError(f"{gene}: no choices are left")
    for value in values:
        fault = choice_fault(gene, value, choices)
        if fault is not None:
            raise SpecError(fault)
    return tuple(choice for choice in choices if choice in values)


def _listed(stacks: Sequence[Stack]) -> str:
    return ", ".join(stack.value for stack in stacks) or "no stack"
