"""`cosmic explain`: what a design space is made of, and why a design is not in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cosmic.cli.console import say, show_table, write_json
from cosmic.cli.nearby import Verdict, judge
from cosmic.cli.references import find_scenario
from cosmic.cli.wording import changed, count_text, genes, value_text
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.explanation import Explanation
from cosmic.design.explanation import explain as explain_parameter
from cosmic.design.parameter import Parameter, Value
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
            write_json(_verdict_document(verdict))
        else:
            _show_verdict(verdict)
        return
    scenario = whole.scope(request.scope) if request.scope else whole
    if request.as_json:
        write_json(_space_document(scenario, request.scope))
    else:
        _show_space(scenario, request.scope)


def _explanations(space: DesignSpace) -> list[Explanation]:
    names = [parameter.name for parameter in space.parameter_set.parameters]
    return [explain_parameter(space, name) for name in names]


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
        heads = ("", "what must hold, or follows", "ties")
        show_table("Rules", heads, laws, words=range(len(heads)))


def _head(scenario: Scenario, scope: str | None) -> str:
    return f"{scenario.name}, {scope}" if scope else scenario.name


def _counts(space: DesignSpace) -> str:
    feasible, raw = count_text(space.count), count_text(space.raw_count)
    return f"{feasible} of {raw} points feasible"


def _baseline(space: DesignSpace, explanation: Explanation) -> tuple[Value, ...] | Value:
    assert space.baseline is not None, "a scenario from a file has a baseline"
    return space.baseline[explanation.parameter.name]


def _choices(explanation: Explanation) -> str:
    """The choices of a parameter, and those that the rules leave of them."""
    parameter = explanation.parameter
    listed = _listed(parameter, parameter.choices)
    each = " each" if parameter.length is not None else ""
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
        text = getattr(constraint, "text", None) or repr(constraint)
        yield "constraint", text, ", ".join(n for n in constraint.names if n in chosen)
    for limit in parameter_set.limits:
        yield "limit", f"{limit.metric} <= {_bound(limit)}", ""
