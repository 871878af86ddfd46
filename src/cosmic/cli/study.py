"""`cosmic study`: what a study came to, from its log alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cosmic.cli.console import remark, say, show_pairs, show_table, write_json
from cosmic.cli.designs import metric_head, shown_metrics
from cosmic.cli.wording import (
    SCORE_UNITS,
    better,
    changed_genes,
    metric_text,
    objective_value,
    percent,
    unfinished_text,
    value_text,
)
from cosmic.io.study_summary import StudySummary, summarize_study
from cosmic.search.trial import RecordedTrial


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRequest:
    """What `cosmic study` is asked for.

    Attributes:
        log: A trial log.
        objective: What the designs are ranked by; what was sought, if None.
        top: How many designs are shown.
        as_json: Whether to print JSON.
    """

    log: str
    objective: str | None
    top: int
    as_json: bool


def show_study(request: StudyRequest) -> None:
    """Print what a study came to.

    Raises:
        StudyError: The log cannot be read.
        SpecError: The objective is not known, or reads what was not evaluated.
    """
    summary = summarize_study(request.log, request.objective, request.top)
    if summary.unfinished:
        remark(unfinished_text(request.log, summary.unfinished))
    if request.as_json:
        write_json(_document(summary))
    else:
        _show(summary)


def _show(summary: StudySummary) -> None:
    header = summary.header
    share = summary.feasible / max(summary.trials, 1)
    say(
        f"{header.get('study', 'a study')}: {summary.trials:,} trials, "
        f"{summary.feasible:,} feasible ({percent(share)})"
    )
    show_pairs(_described(summary))
    if summary.feasible:
        _show_milestones(summary)
        _show_top(summary)
    _show_breaches(summary)


def _described(summary: StudySummary) -> Iterator[tuple[str, str]]:
    """The header in words."""
    header = summary.header
    scenario, agent = _mapping(header, "scenario"), _mapping(header, "agent")
    budget = _mapping(header, "budget").get("trials")
    options = _mapping(agent, "options")
    listed = ", ".join(f"{name} {value}" for name, value in options.items())
    yield "scenario", f"{scenario.get('name', '?')}, {header.get('scope') or 'all'}"
    yield (
        "agent",
        f"{agent.get('name', '?')}, seed {header.get('seed')}, batches of "
        f"{header.get('batch')}" + (f"; {listed}" if listed else ""),
    )
    if isinstance(budget, int):
        yield "budget", f"{budget:,} trials"
    if "shard" in header:
        shard = _mapping(header, "shard")
        yield "shard", f"{shard.get('index')} of {shard.get('of')}"
    if "shards" in header:
        sizes = _mapping(header, "shards").get("trials")
        counts = [f"{n:,}" for n in sizes] if isinstance(sizes, list) else []
        yield "merged from", f"{len(counts)} searches, of {', '.join(counts)} trials"
    sought = str(header.get("objective"))
    if summary.objective and summary.objective.name != sought:
        yield "sought", f"{sought}; ranked here by {summary.objective.name}"
    elif summary.objective:
        about = summary.objective.about
        yield "sought", f"{sought}: {about}, {better(summary.objective)}"
    else:
        yield "sought", f"{sought}, of which the recorded scores are shown"
    yield "written by", f"cosmic {header.get('cosmic', '?')}"


def _show_milestones(summary: StudySummary) -> None:
    rows = [
        (
            f"{milestone.trials:,}",
            "-" if milestone.best is None else f"{milestone.best:,}",
            _value_text(summary, milestone.best),
        )
        for milestone in summary.milestones
    ]
    show_table("Best so far", ("after trials", "trial", "value"), rows, words=())


def _show_top(summary: StudySummary) -> None:
    best = [summary.leaders[number] for number in summary.top]
    objective = summary.objective
    names = shown_metrics(objective) if objective else ("runtime",)
    had = [name for name in names if any(name in t.evaluation.metrics for t in best)]
    rows = [
        (
            f"{rank}, trial {trial.number:,}",
            *(_metric(trial, name) for name in had),
            _value_text(summary, trial.number),
        )
        for rank, trial in enumerate(best, start=1)
    ]
    by = f" by {objective.name}, {better(objective)}" if objective else ""
    show_table(f"Best designs{by}", ("design", *map(metric_head, had), "value"), rows)
    if not best:
        return
    design = [(name, value_text(name, value)) for name, value in best[0].point.items()]
    show_table("The best design", ("", "value"), design, words=(0, 1))
    if others := changed_genes([trial.point for trial in best]):
        heads = ("", *(str(rank) for rank in range(1, len(best) + 1)))
        words = range(len(heads))
        show_table("Where the others differ", heads, others, words=words)


def _show_breaches(summary: StudySummary) -> None:
    if summary.breaches:
        rows = [
            (one.constraint, f"{one.trials:,}", one.example) for one in summary.breaches
        ]
        heads = ("constraint", "trials", "the first of them")
        show_table("What stood against designs", heads, rows, words=(0, 2))


def _metric(trial: RecordedTrial, name: str) -> str:
    metrics = trial.evaluation.metrics
    return metric_text(name, metrics[name]) if name in metrics else "-"


def _value_text(summary: StudySummary, number: int | None) -> str:
    value = _value(summary, number)
    return "-" if value is None else f"{value:.4g}"


def _value(summary: StudySummary, number: int | None) -> float | None:
    """What people compare, or the score where that is not known."""
    if number is None:
        return None
    trial = summary.leaders[number]
    if summary.objective is None:
        return trial.score
    return objective_value(summary.objective, trial.evaluation.metrics)


def _document(summary: StudySummary) -> dict[str, object]:
    return {
        "header": summary.header,
        "objective": summary.objective.name if summary.objective else None,
        "trials": summary.trials,
        "feasible": summary.feasible,
        "unfinished_bytes": summary.unfinished,
        "best_so_far": [
            {
                "trials": milestone.trials,
                "number": milestone.best,
                "value": _value(summary, milestone.best),
                "score": None if milestone.best is None else milestone.score,
            }
            for milestone in summary.milestones
        ],
        "best": [
            _trial_document(summary, summary.leaders[number]) for number in summary.top
        ],
        "violations": [
            {"constraint": b.constraint, "trials": b.trials, "example": b.example}
            for b in summary.breaches
        ],
        "units": SCORE_UNITS,
    }


def _trial_document(summary: StudySummary, trial: RecordedTrial) -> dict[str, object]:
    return {
        "number": trial.number,
        "digest": trial.digest,
        "value": _value(summary, trial.number),
        "score": trial.score,
        "metrics": trial.evaluation.metrics,
        "design": trial.point,
    }


def _mapping(header: Mapping[str, object], key: str) -> Mapping[str, object]:
    """What a header holds under a key, which a stranger's header may lack."""
    found = header.get(key)
    return found if isinstance(found, dict) else {}
