"""`cosmic compare`: single-stack searches against full-stack, on equal budgets."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

from cosmic.cli.comparison import EXHAUSTIVE, Comparison, Contest, Search, run_contest
from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.cli.designs import (
    baseline_document,
    metric_head,
    show_changes,
    shown_metrics,
    trial_document,
)
from cosmic.cli.fitting import check_some_design_fits
from cosmic.cli.gains import where_gain_comes_from
from cosmic.cli.progress import TrialProgress
from cosmic.cli.references import find_plan, sought, with_agent
from cosmic.cli.wording import (
    SCORE_UNITS,
    better,
    metric_text,
    ratio_text,
    value_of_objective,
)
from cosmic.errors import SpecError
from cosmic.evaluation.evaluator import Evaluator
from cosmic.search.trial import Trial

_TRIALS = 2000
_MOST_SEEDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """What `cosmic compare` is asked for; None where the study decides.

    Attributes:
        reference: A scenario, or a study of one.
        objective: What is sought.
        agent: Who searches.
        options: Hyper-parameters of the agent, as `key=value`.
        trials: Designs that each search may try.
        seed: From which every agent draws.
        seeds: Several of them, as `0,1,2`.
        as_json: Whether to print JSON.
    """

    reference: str
    objective: str | None
    agent: str | None
    options: tuple[str, ...]
    trials: int | None
    seed: int | None
    seeds: str | None
    as_json: bool


def compare(request: CompareRequest) -> None:
    """Search every scope and print how they compare.

    Raises:
        SpecError: Something in the request cannot be right.
    """
    plan = with_agent(find_plan(request.reference), request.agent, request.options)
    scenario = sought(plan.whole, request.objective)
    contest = Contest(
        agent=plan.agent,
        options=plan.options,
        trials=request.trials or _TRIALS,
        seeds=_seeds(request.seed, request.seeds, plan.seed),
    )
    check_some_design_fits(scenario)
    evaluator = Evaluator(scenario)
    start = monotonic()
    with patience(remark):
        baseline = evaluator.inspect(scenario.baseline)
    with TrialProgress() as progress:
        comparison = run_contest(scenario, contest, evaluator, progress.watch)
    seconds = monotonic() - start
    messages = [violation.message for violation in baseline.evaluation.violations]
    if request.as_json:
        write_json(_document(comparison, contest, messages, seconds))
    else:
        _show(comparison, contest, messages, seconds)


def _seeds(one: int | None, several: str | None, default: int) -> tuple[int, ...]:
    if several is None:
        return (default if one is None else one,)
    if one is not None:
        raise SpecError("give --seed or --seeds, not both")
    texts = [text.strip() for text in several.split(",")]
    if not all(text.isdecimal() and len(text) < 19 for text in texts):
        raise SpecError(f"--seeds {several}: write whole numbers, such as 0,1,2")
    seeds = tuple(dict.fromkeys(map(int, texts)))
    if len(seeds) > _MOST_SEEDS:
        raise SpecError(f"--seeds: at most {_MOST_SEEDS} seeds, not {len(seeds)}")
    return seeds


def _show(
    comparison: Comparison, contest: Contest, messages: list[str], seconds: float
) -> None:
    scenario, objective = comparison.scenario, comparison.scenario.objective
    say(f"{scenario.name}: {_fairness(comparison, contest)}")
    for message in messages:
        say(f"The baseline is no answer itself: {message}.")
    metrics = shown_metrics(objective)
    columns = ("scope", "designs", "tried", "feasible", *map(metric_head, metrics))
    columns += (
        "value",
        "times better",
        f"{comparison.full.replace('_', ' ')} beats it",
    )
    rows = [_baseline_row(comparison), *_rows(comparison)]
    if len(contest.seeds) > 1:
        columns += ("range",)
        rows = [(*row, _range(comparison, row[0])) for row in rows]
    title = f"Best by {objective.name}: {objective.about}, {better(objective)}"
    show_table(title, columns, rows)
    full = comparison.typical(comparison.full)
    if full.best is None:
        say(f"No design that {comparison.full} tried is feasible; try more --trials.")
        return
    show_changes(scenario, [(comparison.full, full.best)])
    say()
    for sentence in _verdict(comparison, full.best):
        say(sentence)
    say(f"({seconds:.1f} s)")


def _fairness(comparison: Comparison, contest: Contest) -> str:
    listed = ", ".join(map(str, contest.seeds))
    seeds = f"seed {listed}" if len(contest.seeds) == 1 else f"seeds {listed}; medians"
    small = [
        scope
        for scope, searches in comparison.searches.items()
        if searches[0].agent == EXHAUSTIVE
    ]
    text = (
        f"equal budgets of {contest.trials:,} designs for each search, "
        f"agent {contest.agent}, {seeds}"
    )
    return text + (f"; every design of {', '.join(small)} is tried" if small else "")


def _baseline_row(comparison: Comparison) -> tuple[str, ...]:
    objective, found = comparison.scenario.objective, comparison.baseline
    texts = (
        metric_text(m, found[m]) if m in found else "-"
        for m in shown_metrics(objective)
    )
    value = value_of_objective(objective, found)
    return ("baseline", "", "", "", *texts, value, "", "")


def _rows(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    objective = comparison.scenario.objective
    metrics = shown_metrics(objective)
    for scope in comparison.searches:
        search = comparison.typical(scope)
        found = search.best.evaluation.metrics if search.best else {}
        yield (
            scope,
            f"{search.points:,}" if search.points < 10**7 else f"{search.points:.2e}",
            f"{search.trials:,}",
            f"{search.feasible:,}",
            *(metric_text(m, found[m]) if m in found else "-" for m in metrics),
            value_of_objective(objective, found),
            _times(comparison.times_better(search)),
            "" if scope == comparison.full else _times(comparison.lead(scope)),
        )


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio_text(ratio)} x"


def _range(comparison: Comparison, scope: str) -> str:
    """The range over seeds of how many times better than the baseline."""
    searches = comparison.searches.get(scope, ())
    found = [comparison.times_better(search) for search in searches]
    known = [ratio for ratio in found if ratio is not None]
    if len(known) < 2:
        return ""
    return f"{ratio_text(min(known))}-{ratio_text(max(known))}"


def _verdict(comparison: Comparison, best: Trial) -> Iterator[str]:
    objective, after = comparison.scenario.objective, best.evaluation.metrics
    times = comparison.times_better(comparison.typical(comparison.full))
    explained = where_gain_comes_from(objective, comparison.baseline, after)
    beats = "cannot be held against" if times is None else f"is {_better(times)}"
    yield f"{comparison.full} {beats} the baseline: {explained}"
    closest = comparison.closest
    if closest is not None and closest.best is not None:
        lead = comparison.lead(closest.scope)
        before = closest.best.evaluation.metrics
        explained = where_gain_comes_from(objective, before, after)
        yield (
            f"It is {_better(lead)} the best single-stack search, {closest.scope}: "
            f"{explained}"
        )


def _better(ratio: float | None) -> str:
    """How many times better, or worse, than something that is named next."""
    if ratio is None or ratio == 1:
        return "as good as"
    if ratio > 1:
        return f"{ratio_text(ratio)} times better than"
    return f"{ratio_text(1 / ratio)} times worse than"


def _document(
    comparison: Comparison, contest: Contest, messages: list[str], seconds: float
) -> dict[str, object]:
    scenario, full = comparison.scenario, comparison.typical(comparison.full)
    return {
        "scenario": scenario.name,
        "objective": scenario.objective.name,
        "agent": contest.agent,
        "options": contest.options,
        "trials": contest.trials,
        "seeds": contest.seeds,
        "seconds": seconds,
        "baseline": baseline_document(scenario, comparison.baseline, messages),
        "searches": [
            _search_document(comparison, search)
            for searches in comparison.searches.values()
            for search in searches
        ],
        "full_stack": comparison.full,
        "full_stack_times_better_than": {
            scope: comparison.lead(scope)
            for scope in comparison.searches
            if scope != comparison.full
        },
        "explanation": list(_verdict(comparison, full.best)) if full.best else [],
        "units": SCORE_UNITS,
    }


def _search_document(comparison: Comparison, search: Search) -> dict[str, object]:
    scenario, baseline = comparison.scenario, comparison.baseline
    best = trial_document(scenario, search.best, baseline) if search.best else None
    return {
        "scope": search.scope,
        "seed": search.seed,
        "agent": search.agent,
        "points": search.points,
        "trials": search.trials,
        "feasible": search.feasible,
        "best": best,
    }
