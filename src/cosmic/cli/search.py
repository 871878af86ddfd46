"""`cosmic search`: run a study, or go on with one, and show its best designs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, write_json
from cosmic.cli.designs import baseline_document, show_best, trial_document
from cosmic.cli.fitting import check_some_design_fits
from cosmic.cli.interrupts import Interrupts
from cosmic.cli.progress import TrialProgress
from cosmic.cli.references import find_plan, sought, with_agent
from cosmic.cli.study_log import default_log, header_of
from cosmic.cli.wording import SCORE_UNITS, count_text
from cosmic.cli.workers import workers_for
from cosmic.design.design_point import DesignPoint
from cosmic.errors import SpecError, StudyError
from cosmic.evaluation.evaluator import Evaluator, Inspection
from cosmic.io.specs import StudyPlan
from cosmic.io.trial_log import TrialLog, read_trial_log, repair
from cosmic.search.agent import Agent, learns, make_agent
from cosmic.search.shard import Shard, make_shard_agent, read_shard
from cosmic.search.study import Study
from cosmic.search.trial import WORST
from cosmic.search.warm_start import WarmStart, start_points

_STARTS = 10  # designs of a log with which a search begins
_INTERRUPTED = 130  # the exit code of a process that was told to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What `cosmic search` is asked for; None where the study decides.

    Attributes:
        reference: A study, or a scenario to search.
        scope: Name of the stacks that are searched.
        objective: What is sought.
        agent: Who searches.
        options: Hyper-parameters of the agent, as `key=value`.
        trials: How many designs are tried.
        seed: From which the agent draws.
        batch: Designs tried at a time.
        shard: Which of how many searches this is that make up the study, as 3/8.
        start: A log with whose best designs the search begins.
        workers: Processes that evaluate.
        ray: Address of the Ray cluster that evaluates.
        output: The trial log.
        resume: Whether to go on with that log.
        repair: Whether to set its damaged end aside before.
        top: How many designs are shown.
        as_json: Whether to print JSON.
    """

    reference: str
    scope: str | None
    objective: str | None
    agent: str | None
    options: tuple[str, ...]
    trials: int | None
    seed: int | None
    batch: int | None
    shard: str | None
    start: str | None
    workers: int | None
    ray: str | None
    output: str | None
    resume: bool
    repair: bool
    top: int
    as_json: bool


def search(request: SearchRequest) -> None:
    """Search, record every trial, and print the best designs.

    Raises:
        SpecError: Something in the request cannot be right.
        StudyError: The log cannot be used, or no trial was feasible.
    """
    plan = _plan(request)
    check_some_design_fits(plan.scenario)
    shard = read_shard(request.shard) if request.shard else None
    if shard is not None and request.start is not None:
        raise SpecError("--start is for a whole search, and --shard makes it a part")
    first = _first(request.start, plan)
    header = header_of(plan, shard, first)
    agent = _agent(plan, shard)
    if first:
        agent = WarmStart(agent, plan.scenario.space, first)
    path = Path(request.output) if request.output else default_log(plan, shard)
    plan = _share(plan, shard)
    with _log(request, header, path) as log:
        with patience(remark):
            baseline = Evaluator(plan.scenario).inspect(plan.scenario.baseline)
        with (
            workers_for(plan.scenario, request.workers, request.ray) as evaluator,
            TrialProgress() as progress,
        ):
            study = Study(evaluator, log, progress.watch(plan.name, plan.trials))
            finished = _run(study, agent, plan)
    if not finished:
        remark(
            f"interrupted after {len(study):,} trials; the log is {path}; go on with "
            f"the same command and --resume"
        )
        raise click.exceptions.Exit(_INTERRUPTED)
    if request.as_json:
        write_json(_document(plan, study, baseline, path, request.top))
    else:
        _show(plan, study, baseline, path, request.top)


def _plan(request: SearchRequest) -> StudyPlan:
    plan = with_agent(find_plan(request.reference), request.agent, request.options)
    whole = sought(plan.whole, request.objective)
    scope = plan.scope if request.scope is None else request.scope
    return replace(
        plan,
        whole=whole,
        scope=scope,
        scenario=whole.scope(scope) if scope else whole,
        trials=request.trials or plan.trials,
        seed=plan.seed if request.seed is None else request.seed,
        batch=request.batch or plan.batch,
    )


def _agent(plan: StudyPlan, shard: Shard | None) -> Agent:
    space = plan.scenario.space
    if shard is None:
        return make_agent(plan.agent, space, plan.seed, plan.options)
    return make_shard_agent(shard, plan.agent, space, plan.seed, plan.options)


def _first(log: str | None, plan: StudyPlan) -> tuple[DesignPoint, ...]:
    """The best designs of a log, or what is nearest to them here.

    Raises:
        StudyError: The log cannot be read, or has no feasible trial.
    """
    if log is None:
        return ()
    ranked = sorted(
        (trial for trial in read_trial_log(log).trials if trial.score > WORST),
        key=lambda trial: (-trial.score, trial.number),
    )
    if not ranked:
        raise StudyError(f"{log}: has no feasible trial to begin with")
    different = {trial.digest: trial.point for trial in reversed(ranked)}
    best = [different[d] for d in dict.fromkeys(t.digest for t in ranked)]
    return start_points(plan.scenario.space, best[:_STARTS])


def _share(plan: StudyPlan, shard: Shard | None) -> StudyPlan:
    """What is left to this search of the trials of a study."""
    if shard is None:
        return plan
    in_turn = not learns(plan.agent)
    share = shard.share(plan.trials, plan.batch, one_sequence=in_turn)
    if not share:
        raise SpecError(
            f"--shard {shard}: nothing is left for it of {plan.trials:,} trials in "
            f"batches of {plan.batch:,}; ask for more trials or fewer shards"
        )
    return replace(plan, trials=share)


def _log(request: SearchRequest, header: dict[str, object], path: Path) -> TrialLog:
    if request.repair:
        done = repair(path)
        moved = (
            f"moved {done.moved:,} bytes to {done.damaged}" if done.moved else "sound"
        )
        remark(f"{path}: {moved}; {done.kept:,} trials are kept")
    if request.resume or request.repair:
        log = TrialLog.resume(path, header)
        if log.set_aside is not None:
            done = log.set_aside
            remark(
                f"{path}: the last line was cut off, as by a kill; its {done.moved:,} "
                f"bytes are in {done.damaged}, and {done.kept:,} trials are kept"
            )
        return log
    if path.exists():
        raise StudyError(
            f"{path}: there is such a file already; go on with it by --resume, or give "
            f"another --output"
        )
    if not request.output:
        path.parent.mkdir(parents=True, exist_ok=True)
    return TrialLog.create(path, header)


def _run(study: Study, agent: Agent, plan: StudyPlan) -> bool:
    """Run the study; whether it came to its end.

    Compiled code turns an interruption into another exception at times.
    """
    with Interrupts() as interrupts:
        try:
            study.run(agent, trials=plan.trials, batch=plan.batch)
        except KeyboardInterrupt:
            return False
        except Exception:
            if not interrupts.noticed:
                raise
            return False
    return True


def _show(
    plan: StudyPlan, study: Study, baseline: Inspection, path: Path, top: int
) -> None:
    scenario, space = plan.scenario, plan.scenario.space
    study.best()  # or says why there is none
    say(
        f"{plan.name}: {len(study):,} trials of {count_text(space.count)} designs "
        f"({plan.scope or 'all stacks'}), {study.feasible_count:,} feasible; "
        f"agent {plan.agent}, seed {plan.seed}"
    )
    for violation in baseline.evaluation.violations:
        say(f"the baseline is no answer itself: {violation.message}")
    show_best(scenario, study.top(top), baseline.evaluation.metrics)
    say()
    say(f"log: {path}")
    say("to go on: the same command with --resume and more --trials")


def _document(
    plan: StudyPlan, study: Study, baseline: Inspection, path: Path, top: int
) -> Mapping[str, object]:
    study.best()  # or says why there is none
    metrics = baseline.evaluation.metrics
    messages = [violation.message for violation in baseline.evaluation.violations]
    return {
        "study": plan.name,
        "scenario": plan.scenario.name,
        "scope": plan.scope or None,
        "objective": plan.scenario.objective.name,
        "agent": plan.agent,
        "options": plan.options,
        "seed": plan.seed,
        "points": plan.scenario.space.count,
        "trials": len(study),
        "feasible": study.feasible_count,
        "log": str(path),
        "baseline": baseline_document(plan.scenario, metrics, messages),
        "best": [trial_document(plan.scenario, t, metrics) for t in study.top(top)],
        "units": SCORE_UNITS,
    }
