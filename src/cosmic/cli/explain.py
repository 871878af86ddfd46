"""`cosmic explain`: what a design space is made of, and why a design is not in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cosmic.cli.console import say, show_table, write_json
from cosmic.cli.references import find_scenario
from cosmic.cli.verdict import judge, show_verdict, verdict_document
from cosmic.cli.wording import count_text, metric_text, value_text
from cosmic.design.constraint import Constraint, Expression
from cosmic.design.design_space import DesignSpace
from cosmic.design.explanation import Explanation
from cosmic.design.explanation import explain as explain_parameter
from cosmic.design.expression import names, parse
from cosmic.design.parameter import Parameter, PointValue, Value
from cosmic.design.parameter_set import ParameterSet
from cosmic.evaluation.scenario import Scenario

_MOST_CHOICES = 5  # that a table lists one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRequest:
    """What `cosmic explain` is asked for.

    Attributes:
        reference: A scenario, or a study of one.
        changes: A design to explain, as `name=value` against the baseline; the whole
            space, where there are none.
        scope: Stacks that are searched together; all of them, if left out.
        as_json: Whether to print JSON.
    """

    reference: str
    changes: tuple[str, ...]
    scope: str | None
    as_json: bool


def explain(request: ExplainRequest) -> None:
    """Explain a scenario's design space, or one design.

    Raises:
        SpecError: Something in the request cannot be right.
    """
    whole = find_scenario(request.reference)
    if request.changes:
        verdict = judge(whole, request.scope, request.changes)
        if request.as_json:
            write_json(verdict_document(verdict))
        else:
            show_verdict(verdict)
        return
    scenario = whole.scope(request.scope) if request.scope else whole
    if request.as_json:
        write_json(_space_document(scenario, request.scope))
    else:
        _show_space(scenario, request.scope)


def _explanations(space: DesignSpace) -> list[Explanation]:
    parameters = space.parameter_set.parameters
    return [explain_parameter(space, parameter.name) for parameter in parameters]


def _state(space: DesignSpace, explanation: Explanation) -> str:
    """Whether a parameter is searched, and what becomes of it if not."""
    if explanation.searched:
        return "searched"
    return "follows" if explanation.parameter.name in space.followed else "held"


def _show_space(scenario: Scenario, scope: str | None) -> None:
    space = scenario.space
    say(f"{_head(scenario, scope)}: {_counts(space)}")
    rows = [
        (
            explanation.parameter.name,
            explanation.parameter.stack.value,
            _state(space, explanation),
            _choices(explanation),
            value_text(explanation.parameter.name, _baseline(space, explanation)),
            ", ".join(explanation.tied_to),
        )
        for explanation in _explanations(space)
    ]
    heads = ("parameter", "stack", "", "choices", "baseline", "tied to")
    show_table("Parameters", heads, rows, words=range(len(heads)))
    laws = list(_laws(space.parameter_set))
    if laws:
        columns = ("", "what must hold, or follows", "ties")
        show_table("Rules", columns, laws, words=range(len(columns)))


def _head(scenario: Scenario, scope: str | None) -> str:
    return f"{scenario.name}, {scope}" if scope else scenario.name


def _counts(space: DesignSpace) -> str:
    feasible, raw = count_text(space.count), count_text(space.raw_count)
    return f"{feasible} of {raw} points feasible"


def _baseline(space: DesignSpace, explanation: Explanation) -> PointValue:
    assert space.baseline is not None, "a scenario from a file has a baseline"
    return space.baseline[explanation.parameter.name]


def _choices(explanation: Explanation) -> str:
    """The choices of a parameter, and those that the rules leave of them."""
    parameter = explanation.parameter
    listed = _listed(parameter, parameter.choices)
    each = "" if parameter.length is None else " each"
    left = {choice for choices in explanation.possible for choice in choices}
    kept = [choice for choice in parameter.choices if choice in left]
    if not explanation.searched or len(kept) == len(parameter.choices):
        return listed + each
    return f"{listed}{each}; rules leave {_listed(parameter, kept)}"


def _listed(parameter: Parameter, choices: Sequence[Value]) -> str:
    texts = [value_text(parameter.name, choice) for choice in choices]
    if len(texts) > _MOST_CHOICES:
        count = len(texts)
        texts = [*texts[:2], "...", f"{texts[-1]} ({count} values)"]
    return ", ".join(texts)


def _laws(parameter_set: ParameterSet) -> Iterator[tuple[str, str, str]]:
    """Each rule: its kind, its text, and the names that it ties."""
    chosen = [parameter.name for parameter in parameter_set.parameters]
    chosen += [derived.name for derived in parameter_set.derived]
    for derived in parameter_set.derived:
        text = f"{derived.name} = {derived.formula}"
        yield "derived", text, _mentioned(derived.formula, chosen)
    for constraint in parameter_set.constraints:
        text = _text(constraint)
        yield "constraint", text, ", ".join(n for n in constraint.names if n in chosen)
    for limit in parameter_set.limits:
        yield (
            "limit",
            f"{limit.metric} <= {metric_text(limit.metric, limit.at_most)}",
            "",
        )
    for parameter in parameter_set.parameters:
        for word, formula in (
            ("active if", parameter.active_if),
            ("unless searched", parameter.follows),
        ):
            if formula is not None:
                sign = " = " if formula is parameter.follows else ": "
                text = f"{parameter.name}{sign}{formula}"
                yield word, text, _mentioned(formula, chosen)


def _mentioned(formula: str, chosen: Sequence[str]) -> str:
    return ", ".join(name for name in names(parse(formula)) if name in chosen)


def _text(constraint: Constraint) -> str:
    return constraint.text if isinstance(constraint, Expression) else repr(constraint)


def _space_document(scenario: Scenario, scope: str | None) -> dict[str, object]:
    space = scenario.space
    parameter_set = space.parameter_set
    return {
        "scenario": scenario.name,
        "scope": scope,
        "points": space.count,
        "raw_points": space.raw_count,
        "parameters": [_parameter_document(space, e) for e in _explanations(space)],
        "derived": {d.name: d.formula for d in parameter_set.derived},
        "constraints": [_text(c) for c in parameter_set.constraints],
        "limits": {limit.metric: limit.at_most for limit in parameter_set.limits},
    }


def _parameter_document(
    space: DesignSpace, explanation: Explanation
) -> dict[str, object]:
    parameter = explanation.parameter
    return {
        "name": parameter.name,
        "about": parameter.description,
        "stack": parameter.stack.value,
        "unit": parameter.unit,
        "dimensions": parameter.dimensions,
        "max_dimensions": parameter.max_dimensions,
        "choices": parameter.choices,
        "state": _state(space, explanation),
        "possible": explanation.possible,
        "baseline": _baseline(space, explanation),
        "tied_to": explanation.tied_to,
        "rules": explanation.rules,
        "active_if": parameter.active_if,
        "follows": parameter.follows,
    }
