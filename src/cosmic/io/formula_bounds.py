"""How much a parameter set's formulas may be, so that no file takes long to read.

One formula is bounded where it is read; here, all of them together are: their number,
their length, and how deep they lead through values that follow from each other.
"""

from cosmic.design.constraint import Expression
from cosmic.design.expression import MAX_DEPTH, Node, children, names, parse
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import SpecError
from cosmic.io.schemas import ParameterSetSpec

MAX_FORMULAS = 500
MAX_CHARACTERS = 20_000
"""Of all formulas of a file together."""


def check_amount(spec: ParameterSetSpec) -> None:
    """Check that the formulas of a file are not too many, and not too long together.

    Raises:
        SpecError: They are.
    """
    formulas = [*spec.derived.values(), *spec.constraints]
    for parameter in spec.parameters.values():
        formulas += [f for f in (parameter.active_if, parameter.follows) if f]
    if len(formulas) > MAX_FORMULAS:
        raise SpecError(
            f"holds {len(formulas)} formulas, more than the {MAX_FORMULAS} allowed"
        )
    length = sum(map(len, formulas))
    if length > MAX_CHARACTERS:
        raise SpecError(
            f"its formulas have {length} characters together, more than the "
            f"{MAX_CHARACTERS} allowed"
        )


def check_depth(parameter_set: ParameterSet) -> None:
    """Check that no formula leads too deep through what it mentions.

    Raises:
        SpecError: One does.
    """
    texts = {derived.name: [derived.formula] for derived in parameter_set.derived}
    for parameter in parameter_set.parameters:
        given = (parameter.active_if, parameter.follows)
        texts[parameter.name] = [text for text in given if text is not None]
    depths: dict[str, int] = {}
    for name in parameter_set.order:
        depths[name] = max((_depth(parse(t), depths) for t in texts[name]), default=0)
        _check(name, depths[name])
    for constraint in parameter_set.constraints:
        if isinstance(constraint, Expression):
            _check(constraint.text, _depth(constraint.node, depths))


def _depth(node: Node, depths: dict[str, int]) -> int:
    """Levels of a formula, and of the deepest value that it mentions."""
    return _levels(node) + max((depths.get(name, 0) for name in names(node)), default=0)


def _levels(node: Node) -> int:
    return 1 + max(map(_levels, children(node)), default=0)


def _check(name: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SpecError(
            f"{name}: with the values that it follows from, the formula is nested "
            f"deeper than {MAX_DEPTH} levels"
        )
