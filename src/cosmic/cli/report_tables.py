"""The sections of a report on a study that are tables, one function each."""

import shlex
from collections.abc import Iterator, Mapping

from cosmic.cli.designs import metric_head
from cosmic.cli.studied import Studied, mapping
from cosmic.cli.wording import Values, gain, genes, metric_text, ratio_text
from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.setting import SETTINGS
from cosmic.report.page_parts import Section, Table
from cosmic.search.agent import AGENTS, hyper_parameters

_DEGREES = ("dp", "pp", "sp", "tp")


def design_section(study: Studied) -> Section | None:
    """The best design beside the baseline; None without a feasible trial."""
    if study.best is None:
        return None
    best = dict(genes(study.values(study.best.point)))
    start = dict(genes(_baseline_values(study)))
    heads = ("parameter", "stack", *(("baseline",) if start else ()), "best")
    names = sorted(best, key=lambda gene: gene not in _DEGREES)  # these first
    rows = [
        (name, _stack(name), *((start.get(name, "–"),) if start else ()), best[name])
        for name in names
    ]
    changed = [row for row in rows if start and row[-2] != row[-1]]
    same = [row for row in rows if row not in changed]
    words = tuple(range(len(heads)))
    tables = [
        Table(
            heads=heads,
            rows=tuple(changed or rows),
            words=words,
            marked=frozenset(range(len(changed))),
            look="designs",
        )
    ]
    if changed and same:
        folded = f"The {len(same)} single values in which they are the same"
        tables.append(
            Table(
                heads=heads,
                rows=tuple(same),
                words=words,
                folded=folded,
                look="designs",
            )
        )
    said = f"Trial {study.best.number:,}, point {study.best.digest}."
    if start and not changed:
        said += " It is the baseline itself."
    elif start:
        said = (
            f"The best design is trial {study.best.number:,}. It differs from the "
            f"baseline in {len(changed)} of {len(rows)} single values."
        )
    return Section(
        name="design",
        title="The best design" + (" beside the baseline" if start else ""),
        words=(said,),
        blocks=(*tables, _metrics_table(study)),
    )


def breaches_section(study: Studied) -> Section | None:
    """What stood against designs; None if nothing did."""
    counts: dict[str, int] = {}
    first: dict[str, str] = {}
    for trial in study.trials:
        for name in dict.fromkeys(v.constraint for v in trial.evaluation.violations):
            counts[name] = counts.get(name, 0) + 1
        for violation in trial.evaluation.violations:
            first.setdefault(violation.constraint, violation.message)
    if not counts:
        return None
    rows = [
        (name, f"{count:,}", first[name])
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    heads = ("constraint", "trials", "the first of them")
    table = Table(heads=heads, rows=tuple(rows), words=(0, 2), look="prose")
    return Section(name="breaches", title="What stood against designs", blocks=(table,))


def provenance_section(study: Studied) -> Section:
    """How the study was made, and how to make it again."""
    heads = ("", "")
    table = Table(
        heads=heads, rows=tuple(_provenance(study)), words=(0, 1), look="prose"
    )
    return Section(
        name="provenance",
        title="How the study was made",
        words=("The same command with the same version gives the same trials:",),
        code=_command(study),
        blocks=(table,),
    )


def _baseline_values(study: Studied) -> Values:
    scenario = study.scenario
    if scenario is None or scenario.space.baseline is None:
        return {}
    return study.values(scenario.baseline)


def _stack(gene: str) -> str:
    name = gene.partition("[")[0]
    return SETTINGS[name].stack.value if name in SETTINGS else ""


def _metrics_table(study: Studied) -> Table:
    """All metrics, and by what factor they differ."""
    assert study.best is not None
    after, before = study.best.evaluation.metrics, study.start
    rows = []
    for name in [*METRICS, *(n for n in after if n not in METRICS)]:
        if name not in after:
            continue
        cells = [metric_head(name)]
        if before:
            cells.append(_cell(name, before))
        cells.append(_cell(name, after))
        if before:
            cells.append(_factor(before.get(name), after[name]))
        rows.append(tuple(cells))
    if study.objective and (times := gain(study.objective, before, after)):
        old, new = study.value(before), study.value(after)
        label = f"{study.objective.name} (value)"
        rows.append((label, f"{old:.4g}", f"{new:.4g}", f"{ratio_text(times)}× better"))
    heads = ("metric", "baseline", "best", "change") if before else ("metric", "best")
    return Table(heads=heads, rows=tuple(rows), folded="What comes out: all metrics")


def _cell(name: str, metrics: Mapping[str, float]) -> str:
    return metric_text(name, metrics[name]) if name in metrics else "–"


def _factor(old: float | None, new: float) -> str:
    if not old or not new:
        return "–" if old != new else "the same"
    if abs(new / old - 1) < 0.0005:
        return "the same"
    return f"{new / old:.3g}×"


def _provenance(study: Studied) -> Iterator[tuple[str, str]]:
    header = study.header
    scenario, agent = mapping(header, "scenario"), mapping(header, "agent")
    yield "study", str(header.get("study", "?"))
    yield "scenario", f"{scenario.get('name', '?')}, digest {scenario.get('digest')}"
    yield "scope", str(header.get("scope") or "all stacks")
    yield "design space", f"digest {header.get('space')}"
    if study.scenario is not None:
        yield "designs in it", f"{study.scenario.space.count:,}"
    about = f": {study.objective.about}" if study.objective else ""
    yield "objective", f"{header.get('objective')}{about}"
    options = mapping(agent, "options").items()
    listed = "".join(f", {name} {value}" for name, value in options)
    yield "agent", f"{agent.get('name', '?')}{listed}"
    yield "seed", str(header.get("seed"))
    yield "batch", str(header.get("batch"))
    yield "budget", f"{mapping(header, 'budget').get('trials', '?')} trials"
    yield "trials in the log", f"{len(study.trials):,}"
    if "shard" in header:
        shard = mapping(header, "shard")
        yield "shard", f"{shard.get('index')} of {shard.get('of')}"
    if "shards" in header:
        yield "merged from", f"{mapping(header, 'shards').get('of', 'several')} shards"
    yield "written by", f"cosmic {header.get('cosmic', '?')}"
    yield "log", study.log


def _command(study: Studied) -> str:
    """The search that writes this log."""
    header = study.header
    agent, scenario = mapping(header, "agent"), mapping(header, "scenario")
    name = str(agent.get("name", "?"))
    known = hyper_parameters(name) if name in AGENTS.names() else {}
    words = ["cosmic", "search", str(header.get("study", scenario.get("name", "?")))]
    for option in ("scope", "objective"):
        if header.get(option):
            words += [f"--{option}", str(header[option])]
    words += ["--agent", name]
    for key, value in mapping(agent, "options").items():
        if known.get(key) != value:
            words += ["--option", f"{key}={value}"]
    words += ["--trials", str(mapping(header, "budget").get("trials", "?"))]
    words += ["--seed", str(header.get("seed")), "--batch", str(header.get("batch"))]
    if "shard" in header:
        shard = mapping(header, "shard")
        words += ["--shard", f"{shard.get('index')}/{shard.get('of')}"]
    return shlex.join([*words, "--output", study.log])
