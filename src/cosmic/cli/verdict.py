"""Whether a design is a point of a design space, why not, and which ones are near."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cosmic.cli.changes import constants_of, design_of, length_fault
from cosmic.cli.console import say, show_table
from cosmic.cli.references import check_alone
from cosmic.cli.wording import changed, changed_genes, value_text
from cosmic.design.checking import constraint_faults
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.explanation import explain, nearest
from cosmic.design.parameter import PointValue
from cosmic.design.symbols import Gene
from cosmic.errors import SpecError
from cosmic.evaluation.scenario import Scenario

_NEAREST = 5
_MOST_CHOICES = 6  # that a sentence lists

Values = Mapping[str, PointValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be said of one design.

    Attributes:
        scenario: Whose design it is; its space is that of the scope.
        scope: Stacks that are searched together; None for all.
        values: The design: a value for each parameter.
        broken: Rules that it breaks, one sentence each.
        outside: Changes that are not among the choices, one sentence each.
        baseline_outside: The same of what the baseline says, unchanged.
        nearest: Feasible designs near it, nearest first; none if it is feasible.
    """

    scenario: Scenario
    scope: str | None
    values: Values
    broken: tuple[str, ...]
    outside: tuple[str, ...]
    baseline_outside: tuple[str, ...]
    nearest: tuple[DesignPoint, ...]

    @property
    def feasible(self) -> bool:
        """Whether it is a point of the space."""
        return not (self.broken or self.outside or self.baseline_outside)


def judge(whole: Scenario, scope: str | None, changes: tuple[str, ...]) -> Verdict:
    """Hold the baseline with some changes against a scenario's rules and choices.

    Args:
        whole: The scenario with all its parameters.
        scope: Stacks that are searched together; all of them, if left out.
        changes: As `design_of` takes them.

    Raises:
        SpecError: A change cannot be made at all.
    """
    check_alone(whole)
    before, design = design_of(whole, ()), design_of(whole, changes)
    moved = {name for name in design if _moved(before.get(name), design[name])}
    _check_changeable(whole, design, moved)
    scenario = _with_constants(whole, design)
    scenario = scenario.scope(scope) if scope else scenario
    space = scenario.space
    parameters = space.parameter_set.parameters
    values = {p.name: design[p.name] for p in parameters if p.name in design}
    strange = list(_strange(space, values))
    own = [line for gene, line in strange if gene.parameter not in moved]
    outside = [line for gene, line in strange if gene.parameter in moved]
    outside += _not_searched(space, values, moved)
    broken = tuple(constraint_faults(space.parameter_set, values))
    near = _nearest(space, values, moved, bool(broken or outside))
    return Verdict(
        scenario=scenario,
        scope=scope,
        values=values,
        broken=broken,
        outside=tuple(outside),
        baseline_outside=tuple(own),
        nearest=near if broken or strange or outside else (),
    )


def show_verdict(verdict: Verdict) -> None:
    """Print whether a design is feasible, and if not, why and what is near."""
    say(f"{verdict.scenario.name}: {_headline(verdict)}")
    for title, lines in (
        ("It breaks:", verdict.broken),
        ("Outside the choices:", verdict.outside),
        ("Outside the choices too, as the baseline has it:", verdict.baseline_outside),
    ):
        if lines:
            say()
            say(title)
        for line in lines:
            say(f"  {line}")
    if verdict.nearest:
        _show_nearest(verdict)


def verdict_document(verdict: Verdict) -> dict[str, object]:
    """The verdict as JSON can hold it."""
    return {
        "scenario": verdict.scenario.name,
        "scope": verdict.scope,
        "feasible": verdict.feasible,
        "broken": verdict.broken,
        "outside_choices": verdict.outside,
        "baseline_outside_choices": verdict.baseline_outside,
        "design": verdict.values,
        "nearest": [
            {
                "changed": {
                    name: {"from": old, "to": new}
                    for name, (old, new) in changed(verdict.values, point).items()
                },
                "design": point,
            }
            for point in verdict.nearest
        ],
    }


def _moved(old: PointValue | None, new: PointValue) -> bool:
    """Whether a value was changed, and not just cut to fewer dimensions."""
    if isinstance(old, tuple) and isinstance(new, tuple):
        return old[: len(new)] != new
    return old != new


def _check_changeable(scenario: Scenario, design: Values, moved: set[str]) -> None:
    fault = length_fault(scenario.space.parameter_set, design)
    if fault is not None:
        raise SpecError(f"--set {fault}")
    for derived in scenario.space.parameter_set.derived:
        if derived.name in moved:
            raise SpecError(
                f"--set {derived.name}: it is no choice but follows, as "
                f"{derived.name} = {derived.formula}; change what it follows from"
            )


def _with_constants(scenario: Scenario, design: Values) -> Scenario:
    """The scenario with the design's values for what nobody chooses."""
    parameter_set = scenario.space.parameter_set
    held = constants_of(parameter_set, design)
    if held == dict(parameter_set.constants):
        return scenario
    rules = replace(parameter_set, constants=held)
    space = DesignSpace(rules, scenario.baseline)
    return replace(scenario, space=space).seeking(scenario.objective)


def _strange(space: DesignSpace, values: Values) -> Iterator[tuple[Gene, str]]:
    """The genes whose value is not among their choices, with a sentence."""
    for gene in space.gene_table:
        value = values.get(gene.parameter)
        if isinstance(value, tuple) and gene.position is not None:
            if gene.position >= len(value):
                continue  # there is no such dimension
            value = value[gene.position]
        if value is None:
            yield gene, f"{gene.name} has no value"
        elif value not in gene.choices:
            texts = [value_text(gene.parameter, choice) for choice in gene.choices]
            if len(texts) > _MOST_CHOICES:
                texts = [*texts[:3], "...", texts[-1]]
            shown = value_text(gene.parameter, value)
            yield gene, f"{gene.name} {shown} is none of {', '.join(texts)}"


def _not_searched(space: DesignSpace, values: Values, moved: set[str]) -> list[str]:
    """What was changed though it is held, or follows, while others are searched."""
    searched = {gene.parameter for gene in space.gene_table}
    lines = []
    for parameter in space.parameter_set.parameters:
        name = parameter.name
        if name in searched or name not in moved or name not in values:
            continue
        shown = value_text(name, values[name])
        if name in space.followed:
            lines.append(f"{name} {shown}: it follows {parameter.follows}")
        else:
            lines.append(f"{name} {shown}: it is not searched, but held as it was")
    return lines


def _nearest(
    space: DesignSpace, values: Values, moved: set[str], several: bool
) -> tuple[DesignPoint, ...]:
    """Feasible designs near some values, which differ in what the changes are tied to.

    The nearest of all; and if several are asked for, its neighbors with all else as
    it has it, as other changes would only lead further away.
    """
    [best] = nearest(space, values, 1)
    if not several:
        return (best,)
    free = _tied(space, moved)
    searched = {gene.parameter for gene in space.gene_table}
    if not free & searched:
        return (best,)
    fixed = {name: best[name] for name in searched - free}
    narrow = space.fix(**fixed) if fixed else space
    return tuple(nearest(narrow, values, _NEAREST))


def _tied(space: DesignSpace, moved: set[str]) -> set[str]:
    """Parameters that rules tie to what was changed, directly or not."""
    names = [parameter.name for parameter in space.parameter_set.parameters]
    ties = {name: explain(space, name) for name in names}
    found: set[str] = set()
    waiting = [name for name in names if name in moved]
    waiting = waiting or [name for name in names if ties[name].rules]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += ties[name].tied_to
    return found


def _headline(verdict: Verdict) -> str:
    where = f"of {verdict.scope}" if verdict.scope else "of the design space"
    if verdict.feasible:
        return f"feasible, a point {where}"
    if verdict.broken:
        count = len(verdict.broken)
        return f"not feasible, {count} rule{'s' if count > 1 else ''} broken"
    if verdict.outside:
        return f"no point {where}, though it keeps every rule"
    return f"every change can be made and keeps the rules, but it is no point {where}"


def _show_nearest(verdict: Verdict) -> None:
    designs = [verdict.values, *verdict.nearest]
    heads = ("", "asked", *(str(rank) for rank in range(1, len(designs))))
    rows = changed_genes(designs)
    title = "Nearest feasible designs, and what they change"
    show_table(title, heads, rows, words=range(len(heads)))
