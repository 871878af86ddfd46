"""A parameter set: what may be chosen and what must hold, the contract with agents."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from cosmic.design.arithmetic import Result, UndefinedError, truth
from cosmic.design.constraint import Constraint
from cosmic.design.derived import Derived
from cosmic.design.design_point import canonical_text, digest_of
from cosmic.design.evaluate import evaluate
from cosmic.design.expression import INDEX_NAME, Node, at_dimension, names, parse
from cosmic.design.limit import Limit
from cosmic.design.parameter import (
    Parameter,
    PointValue,
    Stack,
    check_name,
    check_value,
)
from cosmic.errors import ConsistencyError, SpecError, UnknownNameError

MAX_TOTAL = 2**17
"""Choices of all genes together."""

_NOTHING: Mapping[str, PointValue] = MappingProxyType({})
_NO_LENGTHS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """Parameters by stack, what follows from them, and the rules that tie them.

    Attributes:
        name: For people.
        parameters: In the order in which points list them.
        constraints: Rules that every design point keeps.
        constants: Names that formulas may use, with their values.
        lengths: For constants of which the first few elements count: the name of the
            parameter or constant that says how many.
        derived: Values that follow from the parameters.
        limits: Bounds on what only a simulation can tell; for the evaluation.
        order: Names of parameters and derived values, each after those that it
            depends on.
    """

    name: str
    parameters: tuple[Parameter, ...]
    constraints: tuple[Constraint, ...] = ()
    constants: Mapping[str, PointValue] = field(default_factory=lambda: _NOTHING)
    derived: tuple[Derived, ...] = ()
    limits: tuple[Limit, ...] = ()
    lengths: Mapping[str, str] = field(default_factory=lambda: _NO_LENGTHS)
    order: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("parameters", "constraints", "derived", "limits"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        constants = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.constants.items()
        }
        object.__setattr__(self, "constants", MappingProxyType(constants))
        object.__setattr__(self, "lengths", MappingProxyType(dict(self.lengths)))
        for name, value in self.constants.items():
            check_name("constant", name)
            for item in value if isinstance(value, tuple) else (value,):
                check_value(f"constant {name!r}", item)
        _check_unique(self)
        _check_size(self)
        _check_mentions(self)
        _check_lengths(self)
        object.__setattr__(self, "order", _ordered(_dependencies(self)))

    @override
    def __reduce__(self) -> tuple[Callable[..., "ParameterSet"], tuple[object]]:
        """How it is sent to another process, which knows no read-only mappings."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if one.init}
        given |= {name: dict(given[name]) for name in ("constants", "lengths")}
        return _restored, (given,)

    def parameter(self, name: str) -> Parameter:
        """The parameter of a name.

        Raises:
            UnknownNameError: There is none.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise UnknownNameError("parameter", name, [p.name for p in self.parameters])

    def on(self, *stacks: Stack) -> tuple[Parameter, ...]:
        """Parameters that belong to some stacks."""
        return tuple(p for p in self.parameters if p.stack in stacks)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change with any part of the set but its name.

        A constraint counts by its `repr`.
        """
        parts = [
            *map(repr, self.parameters),
            *map(repr, self.constraints),
            *map(repr, self.derived),
            *map(repr, self.limits),
            canonical_text(self.constants),
        ]
        if self.lengths:
            parts.append(canonical_text(self.lengths))
        return digest_of("\n".join(parts))

    def values(self, point: Mapping[str, PointValue]) -> Mapping[str, PointValue]:
        """What was chosen, and what follows from it; constants are left out.

        Raises:
            ConsistencyError: A derived value has no value at this point.
        """
        values, failures = self.evaluated(point)
        if failures:
            raise ConsistencyError(next(iter(failures.values())))
        kept = [p.name for p in self.parameters] + [d.name for d in self.derived]
        return {name: values[name] for name in kept if name in values}

    def canonical(self, point: Mapping[str, PointValue]) -> dict[str, PointValue]:
        """The same design with its meaningless values at their canonical ones.

        An inactive parameter gets its `canonical` value, given or not, so that
        designs which mean the same are equal. Names that are no parameters stay.
        """
        values = dict(point)
        by_name = {p.name: p for p in self.parameters}
        for name in self.order:
            if name in by_name and by_name[name].active_if is not None:
                known, _ = self.evaluated(values)
                canonical = _canonical(by_name[name], known)
                if canonical is not None:
                    values[name] = canonical
        return values

    def evaluated(
        self, point: Mapping[str, PointValue]
    ) -> tuple[dict[str, Result], dict[str, str]]:
        """Every name's value at a point, and a sentence for each that has none.

        A derived value that must be an integer and is not keeps its value and gets a
        sentence; one that needs a value which is missing is left out, and so is a
        constant whose length is missing.
        """
        values: dict[str, Result] = {**self.constants, **point}
        for name, length in self.lengths.items():
            _shorten(name, values, values.get(length))
        failures: dict[str, str] = {}
        by_name = {d.name: d for d in self.derived}
        for name in self.order:
            if name in by_name:
                _derive(by_name[name], values, failures)
        return values, failures


def _restored(given: Mapping[str, Any]) -> ParameterSet:
    return ParameterSet(**given)


def _shorten(name: str, values: dict[str, Result], length: Result | None) -> None:
    whole = values[name]
    if isinstance(length, int) and isinstance(whole, tuple):
        values[name] = whole[:length]
    else:
        del values[name]


def _canonical(parameter: Parameter, known: Mapping[str, Result]) -> Result | None:
    condition = parse(parameter.active_if or "True")
    if any(n not in known for n in names(condition) if n != INDEX_NAME):
        return None
    if parameter.length is None:
        return None if _active(condition, known) else parameter.canonical
    given = known.get(parameter.name)
    length = parameter.length
    if isinstance(parameter.dimensions, str):
        held = known.get(parameter.dimensions)
        length = min(held, length) if isinstance(held, int) else length
    active = [_active(at_dimension(condition, i), known) for i in range(length)]
    if not isinstance(given, tuple):
        return None if any(active) else (parameter.canonical,) * length
    if len(given) != length:
        return None
    pairs = zip(given, active, strict=True)
    return tuple(v if meant else parameter.canonical for v, meant in pairs)


def _active(condition: Node, known: Mapping[str, Result]) -> bool:
    try:
        return truth(evaluate(condition, known))
    except UndefinedError:
        return False


def _derive(
    derived: Derived, values: dict[str, Result], failures: dict[str, str]
) -> None:
    node = parse(derived.formula)
    if any(n not in values for n in names(node) if n != INDEX_NAME):
        return
    rule = f"{derived.name} = {derived.formula}"
    try:
        value = _vector(derived, node, values) if derived.length else None
        values[derived.name] = evaluate(node, values) if value is None else value
    except UndefinedError as error:
        failures[derived.name] = f"{rule}: {error}"
        return
    got = values[derived.name]
    wrong = [x for x in (got if isinstance(got, tuple) else (got,)) if not _whole(x)]
    if derived.integer and wrong:
        inputs = [n for n in names(node) if n != INDEX_NAME]
        listed = ", ".join(f"{n}={values[n]}" for n in inputs)
        failures[derived.name] = (
            f"{rule} must be an integer: {listed} gives {wrong[0]:.6g}"
            if isinstance(wrong[0], float)
            else f"{rule} must be an integer: {listed} gives {wrong[0]!r}"
        )


def _vector(derived: Derived, node: Node, values: Mapping[str, Result]) -> Result:
    length = derived.length or 0
    if isinstance(derived.dimensions, str):
        held = values[derived.dimensions]
        length = held if isinstance(held, int) else 0
    items = [evaluate(at_dimension(node, i), values) for i in range(length)]
    for item in items:
        if isinstance(item, tuple):
            raise SpecError(f"derived value {derived.name!r} is a vector of vectors")
    return tuple(item for item in items if not isinstance(item, tuple))


def _whole(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _check_unique(parameter_set: ParameterSet) -> None:
    seen: dict[str, str] = dict.fromkeys(parameter_set.constants, "constant")
    named = [("parameter", p.name) for p in parameter_set.parameters]
    named += [("derived value", d.name) for d in parameter_set.derived]
    if not parameter_set.parameters:
        raise SpecError(f"parameter set {parameter_set.name!r} has no parameters")
    for kind, name in named:
        if name in seen:
            raise SpecError(
                f"{kind} {name!r}: there already is a {seen[name]} so named"
            )
        seen[name] = kind


def _check_size(parameter_set: ParameterSet) -> None:
    total = sum(len(p.choices) * (p.length or 1) for p in parameter_set.parameters)
    if total > MAX_TOTAL:
        raise SpecError(
            f"parameter set {parameter_set.name!r} has {total} choices in all its "
            f"genes, more than the {MAX_TOTAL} allowed"
        )


def _known(parameter_set: ParameterSet) -> list[str]:
    return [
        *(p.name for p in parameter_set.parameters),
        *(d.name for d in parameter_set.derived),
        *parameter_set.constants,
    ]


def _check_mentions(parameter_set: ParameterSet) -> None:
    known = _known(parameter_set)
    for constraint in parameter_set.constraints:
        _check_names(constraint.names, known)
    for derived in parameter_set.derived:
        _check_formula(derived.formula, derived.length, known)
    for parameter in parameter_set.parameters:
        for formula in (parameter.active_if, parameter.follows):
            if formula is not None:
                _check_formula(formula, parameter.length, known)


def _check_formula(formula: str, length: int | None, known: list[str]) -> None:
    mentioned = names(parse(formula))
    if length is not None:
        mentioned = tuple(name for name in mentioned if name != INDEX_NAME)
    _check_names(mentioned, known)


def _check_names(mentioned: tuple[str, ...], known: list[str]) -> None:
    for name in mentioned:
        if name not in known:
            raise UnknownNameError("parameter, derived value or constant", name, known)


def _check_lengths(parameter_set: ParameterSet) -> None:
    owners: list[Parameter | Derived] = [
        *parameter_set.parameters,
        *parameter_set.derived,
    ]
    for owner in owners:
        if isinstance(owner.dimensions, str):
            limit = owner.length or 0
            ending = f"max_dimensions = {limit}"
            _check_length(parameter_set, owner.name, owner.dimensions, limit, ending)
    for name, length in parameter_set.lengths.items():
        value = parameter_set.constants.get(name)
        if not isinstance(value, tuple):
            raise SpecError(f"{name!r} is no constant with several values to count")
        ending = f"{len(value)}, the values of that constant"
        _check_length(parameter_set, name, length, len(value), ending)


def _check_length(
    parameter_set: ParameterSet, owner: str, name: str, limit: int, ending: str
) -> None:
    for length in _lengths(parameter_set, name):
        if isinstance(length, bool) or not isinstance(length, int):
            raise SpecError(f"{owner!r}: a length is an integer, not {length!r}")
        if not 1 <= length <= limit:
            raise SpecError(
                f"{owner!r}: {name} = {length} is not a length from 1 to {ending}"
            )


def _lengths(parameter_set: ParameterSet, name: str) -> tuple[object, ...]:
    if name in parameter_set.constants:
        return (parameter_set.constants[name],)
    parameter = parameter_set.parameter(name)
    if parameter.length is not None:
        raise SpecError(f"{name!r} is a vector and cannot be the length of another")
    return parameter.choices


def _dependencies(parameter_set: ParameterSet) -> dict[str, tuple[str, ...]]:
    graph: dict[str, tuple[str, ...]] = {}
    for p in parameter_set.parameters:
        formulas = [f for f in (p.active_if, p.follows) if f is not None]
        needs = [n for formula in formulas for n in names(parse(formula))]
        graph[p.name] = (*needs, *_length_name(p.dimensions))
    for derived in parameter_set.derived:
        needs = list(names(parse(derived.formula)))
        graph[derived.name] = (*needs, *_length_name(derived.dimensions))
    return {k: tuple(n for n in v if n in graph) for k, v in graph.items()}


def _length_name(dimensions: int | str | None) -> Iterator[str]:
    if isinstance(dimensions, str):
        yield dimensions


def _ordered(graph: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    done: dict[str, None] = {}
    waiting = dict(graph)
    while waiting:
        ready = [n for n, needs in waiting.items() if all(x in done for x in needs)]
        if not ready:
            raise ConsistencyError(f"values follow from each other: {_cycle(waiting)}")
        for name in ready:
            done[name] = None
            del waiting[name]
    return tuple(done)


def _cycle(graph: Mapping[str, tuple[str, ...]]) -> str:
    path = [next(iter(graph))]
    while path.count(path[-1]) == 1:
        path.append(next(n for n in graph[path[-1]] if n in graph))
    return " <- ".join(path[path.index(path[-1]) :])
