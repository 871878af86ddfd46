"""`cosmic report`: a study as one HTML file."""

from pathlib import Path

from cosmic import __version__
from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say
from cosmic.cli.gains import where_gain_comes_from
from cosmic.cli.report_figures import (
    convergence_section,
    front_section,
    memory_section,
    time_section,
)
from cosmic.cli.report_sensitivity import sensitivity_section
from cosmic.cli.report_tables import (
    breaches_section,
    design_section,
    provenance_section,
)
from cosmic.cli.report_trials import packed_trials
from cosmic.cli.studied import Studied, improvements, mapping, studied
from cosmic.cli.wording import gain, metric_text, percent, ratio_text
from cosmic.errors import StudyError
from cosmic.io.trial_log import read_trial_log
from cosmic.report.html_page import html_page
from cosmic.report.page_parts import Page, Section

_ENDINGS = (".html", ".htm")


def report(log: str, scenario: str | None, to: str | None) -> None:
    """Write the report of a trial log, and say where it is.

    Args:
        log: The trial log.
        scenario: Its scenario, where that is no preset.
        to: The HTML file; beside the log, if None.

    Raises:
        StudyError: The log cannot be read, is of another scenario, or the report
            cannot be written.
        SpecError: The scenario cannot be read.
        CosmicError: The extra is missing.
    """
    path = to or str(Path(log).with_suffix(".html"))
    with patience(remark):
        study = _write(log, path, scenario)
    if study.recorded.cut_off:
        remark(
            f"{log}: left out a last line that is not whole: it is being written, or "
            f"was cut off by a kill"
        )
    if study.why_none:
        remark(f"nothing is compared with the baseline: {study.why_none}")
    say(f"{path}: {Path(path).stat().st_size / 1e6:.1f} MB")


def write_report(
    log: str | Path, path: str | Path, scenario: str | Path | None = None
) -> None:
    """Write a study as one HTML file that needs nothing else, not even a network.

    The same log and scenario give the same file, byte by byte. Needs the extra
    cosmic[report].

    Args:
        log: The trial log.
        path: The HTML file; one that is there is replaced.
        scenario: A preset or a file; the preset of the name in the log, if None. Where
            there is none, the report says so, and compares nothing with a baseline.

    Raises:
        StudyError: The log cannot be read, is of another scenario, or the report
            cannot be written.
        SpecError: The scenario cannot be read.
        CosmicError: The extra is missing.
    """
    _write(str(log), str(path), None if scenario is None else str(scenario))


def _write(log: str, path: str, scenario: str | None) -> Studied:
    """Write a report; what it is of."""
    if not path.lower().endswith(_ENDINGS):
        raise StudyError(f"{path}: a report ends in .html")
    study = studied(read_trial_log(log), Path(log).name, scenario)
    text = html_page(_page(study))
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StudyError(f"{path}: cannot be written: {error.strerror}") from error
    return study


def _page(study: Studied) -> Page:
    before = [
        design_section(study),
        time_section(study),
        memory_section(study),
        front_section(study),
        convergence_section(study),
        sensitivity_section(study),
    ]
    after = [breaches_section(study), provenance_section(study)]
    first = [section for section in before if section is not None]
    last = [section for section in after if section is not None]
    scenario = mapping(study.header, "scenario").get("name", "?")
    scope = study.header.get("scope") or "all stacks"
    objective = study.header.get("objective", "?")
    return Page(
        title=str(study.header.get("study", "A study")),
        subtitle=f"{scenario}, {scope}, seeking {objective}",
        figures=tuple(_figures(study)),
        words=tuple(_summary(study)),
        sections=(*first, *last),
        trials=packed_trials(study),
        explorer=Section(name="trials", title="All trials", words=_trials_words(study)),
        explorer_at=len(first),
        written_by=f"cosmic {__version__}",
    )


def _figures(study: Studied) -> list[tuple[str, str]]:
    """The few numbers that count."""
    found = []
    if study.best is not None:
        metrics = study.best.evaluation.metrics
        if (times := _times_better(study)) is not None:
            word = "better" if times >= 1 else "worse"
            shown = ratio_text(max(times, 1 / times))
            found.append((f"{shown}×", f"{word} than the baseline"))
        read = study.objective.metrics if study.objective else ()
        for name in dict.fromkeys(("runtime", *read)):
            if name in metrics:
                old = study.start.get(name)
                was = f", baseline {metric_text(name, old)}" if old else ""
                shown = metric_text(name, metrics[name])
                found.append((shown, f"{_head(study, name)}{was}"))
    share = len(study.feasible) / max(1, len(study.trials))
    found.append((f"{len(study.trials):,}", f"trials, {percent(share)} feasible"))
    return found


def _summary(study: Studied) -> list[str]:
    if not study.trials:
        return ["The log holds no trials yet."]
    if study.best is None:
        return [
            f"None of the {len(study.trials):,} trials is feasible. What stood against "
            f"them is below."
        ]
    return [_lede(study), *_gain_words(study), *_last_improvement(study)]


def _lede(study: Studied) -> str:
    assert study.best is not None
    tried = (
        f"{len(study.trials):,} trials" if len(study.trials) > 1 else "the one trial"
    )
    sought = study.header.get("objective", "?")
    about = f" ({study.objective.about})" if study.objective else ""
    times = _times_better(study)
    if times is None:
        return (
            f"The best design of {tried} by {sought}{about} is trial "
            f"{study.best.number:,}."
        )
    if abs(times - 1) < 0.005:
        worth = "as good as the baseline"
    elif times > 1:
        worth = f"{ratio_text(times)} times better than the baseline"
    else:
        worth = f"{ratio_text(1 / times)} times worse than the baseline"
    return f"The best design of {tried} is {worth} by {sought}{about}."


def _gain_words(study: Studied) -> list[str]:
    assert study.best is not None
    if study.why_none:
        return [f"Nothing is compared with the baseline: {study.why_none}."]
    if study.objective is None or not study.start:
        return ["Nothing is compared with the baseline, which is no answer itself."]
    after = study.best.evaluation.metrics
    words = [
        f"Against the baseline, "
        f"{where_gain_comes_from(study.objective, study.start, after)}"
    ]
    assert study.baseline is not None
    for violation in study.baseline.evaluation.violations:
        words.append(f"The baseline itself is not feasible: {violation.message}.")
    return words


def _last_improvement(study: Studied) -> list[str]:
    steps = [trial.number for trial in improvements(study.trials)]
    if len(study.trials) < 2:
        return []
    share = len(study.trials) - 1 - steps[-1]
    return [
        f"The search found it at trial {steps[-1]:,} and tried {share:,} more "
        f"designs since."
    ]


def _times_better(study: Studied) -> float | None:
    if study.best is None or study.objective is None or not study.start:
        return None
    return gain(study.objective, study.start, study.best.evaluation.metrics)


def _trials_words(study: Studied) -> tuple[str, ...]:
    if not study.trials:
        return ("There are none yet.",)
    return (
        f"All {len(study.trials):,} trials are in this file. Each line of the chart is "
        f"a trial, on its way through what was chosen to what came out.",
    )


def _head(study: Studied, name: str) -> str:
    if name == "runtime":
        return f"{study.whole} time"
    return _HEADS.get(name, name.replace("_", " "))


_HEADS = {"total_bandwidth": "bandwidth of a device"}
