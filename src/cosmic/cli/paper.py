"""`cosmic paper`: the paper's comparison of single-stack with full-stack search."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cosmic.cli.console import say, show_table, stderr, write_json
from cosmic.cli.paper_runs import run_search, searches_of
from cosmic.cli.paper_surprises import Surprise, surprises
from cosmic.cli.wording import count_text, ratio_text
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.evaluation.published import LAYERS
from cosmic.io.comparisons import Comparison, load_comparison
from cosmic.io.trial_record import encode
from cosmic.search.standing import (
    AgentStanding,
    Outcome,
    Ratio,
    Reached,
    agent_standings,
    ratios,
    reached,
)
from cosmic.workers.tasks import done_by_processes

PAPER_RANGE = (1.50, 48.41)
"""How many times better full-stack search is: the abstract of arXiv 2505.15020."""

_FOLDER = Path("runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRequest:
    """What `cosmic paper` is asked for; None where the comparison decides.

    Attributes:
        reference: A comparison.
        quick: Whether to run only what it leaves of itself for a trial.
        models: Words of scenarios to keep, such as gpt3-13b; all if empty.
        systems: Numbers of devices to keep, such as 512; all if empty.
        trials: Designs that each search may try.
        seeds: How many seeds, from 0.
        workers: Processes that search.
        to: Folder of logs and tables.
        published: Whether everything is as the authors had it.
        surprising: How many surprising designs are shown.
        as_json: Whether to print JSON.
    """

    reference: str
    quick: bool
    models: tuple[str, ...]
    systems: tuple[str, ...]
    trials: int | None
    seeds: int | None
    workers: int
    to: str | None
    published: bool
    surprising: int
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """All that was found, and how long it took."""

    comparison: Comparison
    folder: Path
    outcomes: tuple[Outcome, ...]
    ratios: tuple[Ratio, ...]
    reached: tuple[Reached, ...]
    surprises: tuple[Surprise, ...]
    agents: tuple[AgentStanding, ...]
    seconds: float


def paper(request: PaperRequest) -> None:
    """Run every search of a comparison that is not recorded, and print what they show.

    Raises:
        SpecError: Something in the request cannot be right.
        StudyError: A record is of another search, or cannot be written.
    """
    found = _found(request)
    _write(found)
    if request.as_json:
        write_json(_document(request, found))
    else:
        _show(request, found)


def _comparison(request: PaperRequest) -> Comparison:
    whole = load_comparison(request.reference, quick=request.quick)
    for words in (request.models, [f"-{size}-" for size in request.systems]):
        if words:
            whole = whole.only(words)
    return replace(
        whole,
        trials=request.trials or whole.trials,
        seeds=whole.seeds if request.seeds is None else tuple(range(request.seeds)),
    )


def _found(request: PaperRequest) -> _Found:
    comparison = _comparison(request)
    name = comparison.name + ("-quick" if request.quick else "")
    name += "-as-published" if request.published else ""
    folder = Path(request.to) if request.to else _FOLDER / name
    start = perf_counter()
    tasks = list(searches_of(comparison, folder, published=request.published))
    outcomes: dict[int, Outcome] = {}
    with _progress() as progress:
        bar = progress.add_task("searches", total=len(tasks))
        for place, outcome in done_by_processes(run_search, tasks, request.workers):
            outcomes[place] = outcome
            progress.update(bar, completed=len(outcomes))
    ordered = tuple(outcomes[place] for place in range(len(tasks)))
    full = comparison.scopes[-1]
    first = comparison.agents[0]
    held = [o for o in ordered if o.exhaustive or _who(o) == first]
    return _Found(
        comparison=comparison,
        folder=folder,
        outcomes=ordered,
        ratios=tuple(ratios(held, OBJECTIVES, full)),
        reached=tuple(reached(held, OBJECTIVES)),
        surprises=surprises(
            comparison, held, published=request.published, most=request.surprising
        ),
        agents=agent_standings(ordered, OBJECTIVES),
        seconds=perf_counter() - start,
    )


def _who(outcome: Outcome) -> tuple[str, tuple[tuple[str, object], ...]]:
    return outcome.agent, tuple(outcome.options.items())


def _progress() -> Progress:
    console = stderr()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _show(request: PaperRequest, found: _Found) -> None:
    one = found.comparison
    say(
        f"{one.name}: {len(found.outcomes)} searches of {one.trials:,} designs each, "
        f"{_agents_text(one)}, {len(one.seeds)} seeds"
    )
    if request.published:
        say(
            f"as the authors had it: {LAYERS} layers, their estimate of memory, groups "
            f"as flat rings, constraints looked at after the draw"
        )
    if _singles(one):
        heads = ("model and system", "objective", *_singles(one))
        title = "How many times better full-stack search is: median (range) over seeds"
        show_table(title, heads, list(_ratio_rows(found)), words=(0, 1))
        say(_verdict(found))
    if found.reached:
        _show_reached(found)
    if len(found.agents) > 1:
        _show_agents(found)
    for number, surprise in enumerate(found.surprises, start=1):
        say(f"{number}. {surprise.text}")
    spent = sum(outcome.seconds for outcome in found.outcomes)
    say(
        f"searches took {spent:,.0f} s of their processes, this command "
        f"{found.seconds:,.0f} s; logs and tables: {found.folder}"
    )


def _agents_text(comparison: Comparison) -> str:
    [first, *others] = comparison.agents
    return f"{len(others) + 1} agents" if others else f"agent {first[0]}"


def _show_agents(found: _Found) -> None:
    rows = [
        (
            one.agent,
            ", ".join(f"{name} {value}" for name, value in one.options.items()),
            ratio_text(one.median) if one.ratios else "-",
            f"{ratio_text(min(one.ratios))} .. {ratio_text(max(one.ratios))}"
            if one.ratios
            else "-",
            f"{one.lost:,}",
            f"{one.seconds:.1f}",
        )
        for one in found.agents
    ]
    heads = ("agent", "hyper-parameters", "times worse", "range", "lost", "s")
    title = "Agents, by how far they stay behind the best design that any found"
    show_table(title, heads, rows, words=(0, 1))


def _singles(comparison: Comparison) -> tuple[str, ...]:
    return comparison.scopes[:-1]


def _ratio_rows(found: _Found) -> Iterator[tuple[str, ...]]:
    by_place = {(r.scenario, r.objective, r.scope): r for r in found.ratios}
    for scenario in dict.fromkeys(o.scenario for o in found.outcomes):
        for objective in found.comparison.objectives:
            cells = (
                by_place.get((scenario, objective, scope))
                for scope in _singles(found.comparison)
            )
            yield scenario, objective, *map(_ratio_cell, cells)


def _ratio_cell(ratio: Ratio | None) -> str:
    if ratio is None:
        return "-"
    low, high = ratio_text(min(ratio.ratios)), ratio_text(max(ratio.ratios))
    return f"{ratio_text(ratio.median)} ({low} .. {high})"


def _verdict(found: _Found) -> str:
    low, high = PAPER_RANGE
    theirs = f"the paper reports {low:.2f} to {high:.2f}"
    if not found.ratios:
        return (
            f"no ratio: no search of a single stack found a design that fits; {theirs}"
        )
    medians = [ratio.median for ratio in found.ratios]
    inside = sum(low <= ratio <= high for ratio in medians)
    return (
        f"medians reach from {ratio_text(min(medians))} to {ratio_text(max(medians))}; "
        f"{theirs}, and {inside} of {len(medians)} medians lie there"
    )


def _show_reached(found: _Found) -> None:
    rows = [
        (
            one.scenario,
            one.objective,
            one.scope,
            count_text(one.points),
            f"{one.feasible:,}",
            f"{one.best:.4g}",
            f"{max(one.ratios) - 1:.1%}" if one.ratios else "-",
            f"{max(one.found_at):,}" if one.found_at else "-",
        )
        for one in found.reached
    ]
    heads = (
        *("model and system", "objective", "scope", "designs", "fit", "best of all"),
        *("agent, worst seed: off by", "trials"),
    )
    show_table("Spaces of which every design was tried", heads, rows, words=(0, 1, 2))


def _write(found: _Found) -> None:
    """Tables into the folder of the logs."""
    found.folder.mkdir(parents=True, exist_ok=True)
    _table(
        found.folder / "ratios.csv",
        ("scenario", "objective", "scope", "median", "lowest", "highest", "exhaustive"),
        [
            (
                r.scenario,
                r.objective,
                r.scope,
                r.median,
                min(r.ratios),
                max(r.ratios),
                r.exhaustive,
            )
            for r in found.ratios
        ],
    )
    _table(
        found.folder / "searches.csv",
        (
            *("scenario", "objective", "scope", "agent", "options", "seed", "points"),
            *("trials", "feasible", "value", "found_at", "seconds"),
        ),
        [
            (
                *(o.scenario, o.objective, o.scope, o.agent),
                " ".join(f"{name}={value}" for name, value in o.options.items()),
                *(o.seed, o.points, o.trials, o.feasible, o.value, o.found_at),
                o.seconds,
            )
            for o in found.outcomes
        ],
    )
    best = encode({"outcomes": [asdict(outcome) for outcome in found.outcomes]})
    (found.folder / "searches.json").write_bytes(best)


def _table(path: Path, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([heads, *rows])


def _document(request: PaperRequest, found: _Found) -> Mapping[str, object]:
    comparison = found.comparison
    return {
        "comparison": comparison.name,
        "as_published": request.published,
        "agent": comparison.agents[0][0],
        "options": dict(comparison.agents[0][1]),
        "trials": comparison.trials,
        "seeds": comparison.seeds,
        "seconds": found.seconds,
        "search_seconds": sum(outcome.seconds for outcome in found.outcomes),
        "paper_range": PAPER_RANGE,
        "ratios": [{**asdict(r), "median": r.median} for r in found.ratios],
        "exhaustive": [asdict(each) for each in found.reached],
        "agents": [
            {**asdict(one), "median": one.median if one.ratios else None}
            for one in found.agents
        ],
        "surprising": [asdict(each) for each in found.surprises],
        "searches": [asdict(outcome) for outcome in found.outcomes],
        "folder": str(found.folder),
    }
