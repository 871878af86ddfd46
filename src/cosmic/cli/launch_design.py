"""Which design is to be launched: a baseline with changes, or the best of a search."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from cosmic.cli.changes import design_of, with_changes
from cosmic.cli.references import check_alone, find_plan, reference_kind, sought
from cosmic.cli.study_log import default_log, scenario_digest
from cosmic.design.parameter import PointValue
from cosmic.errors import SpecError, StudyError
from cosmic.evaluation.configuration import values_by_dimension
from cosmic.evaluation.scenario import Scenario
from cosmic.io.presets import PresetKind
from cosmic.io.schemas import ScenarioSpec
from cosmic.io.spec_files import read_spec
from cosmic.io.specs import StudyPlan
from cosmic.io.study_schemas import StudySpec
from cosmic.io.systems import load_system_library
from cosmic.io.trial_log import read_trial_log
from cosmic.search.trial import WORST, RecordedTrial

_NETWORK = "network"  # the kind of link between nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenDesign:
    """A design, and where it is from.

    Attributes:
        scenario: Whose design it is.
        design: Every setting.
        origin: Where it is from, in words.
        node: Devices of a node; 0 where the system does not say.
    """

    scenario: Scenario
    design: Mapping[str, PointValue]
    origin: str
    node: int


def choose_design(
    reference: str, log: str | None, trial: int | None, changes: tuple[str, ...]
) -> ChosenDesign:
    """The design that a command line means.

    Args:
        reference: A scenario or a study. A study means the best trial of its log.
        log: A trial log, of which the best trial is meant.
        trial: Another trial of the log, by its number.
        changes: What differs, as `name=value`.

    Raises:
        SpecError: There is no such scenario, or a change cannot be made.
        StudyError: The log is none of this scenario, or has no such trial.
    """
    plan = find_plan(reference)
    whole = plan.whole
    check_alone(whole)
    path = Path(log) if log else _log_of(reference, plan)
    design = design_of(whole, ())
    origin = "baseline"
    if path is not None:
        found = _trial(path, whole, trial)
        design |= found.point
        origin = f"trial {found.number} of {path}"
    elif trial is not None:
        raise SpecError("--trial names a trial of a log: give --from LOG.jsonl too")
    design = with_changes(design, changes)
    if changes:
        origin += f" with {', '.join(changes)}"
    return ChosenDesign(
        scenario=whole,
        design=design,
        origin=origin,
        node=_node(reference, design),
    )


def _log_of(reference: str, plan: StudyPlan) -> Path | None:
    """The log of a study; None for a scenario, whose baseline is meant."""
    if reference_kind(reference) is not PresetKind.STUDY:
        return None
    path = default_log(plan)
    if not path.exists():
        raise StudyError(
            f"{path}: there is no such log of study {plan.name!r}; run cosmic search "
            f"first, give --from LOG.jsonl, or name the scenario"
        )
    return path


def _trial(path: Path, whole: Scenario, number: int | None) -> RecordedTrial:
    study = read_trial_log(path)
    _check_scenario(path, whole, study.header)
    if number is not None:
        if not 0 <= number < len(study.trials):
            raise StudyError(
                f"{path}: there are trials 0 to {len(study.trials) - 1}, not {number}"
            )
        return study.trials[number]
    best = max(study.trials, key=lambda t: (t.score, -t.number), default=None)
    if best is None or best.score == WORST:
        raise StudyError(f"{path}: none of its {len(study.trials)} trials is feasible")
    return best


def _check_scenario(path: Path, whole: Scenario, header: Mapping[str, object]) -> None:
    """Refuse a log of another scenario, or of this one as it was before."""
    said = header.get("scenario")
    name = said.get("name") if isinstance(said, dict) else None
    digest = said.get("digest") if isinstance(said, dict) else None
    if name != whole.name:
        raise StudyError(f"{path}: is a log of scenario {name!r}, not {whole.name!r}")
    objective = header.get("objective")
    searched = sought(whole, objective if isinstance(objective, str) else None)
    if digest not in (scenario_digest(whole), scenario_digest(searched)):
        raise StudyError(
            f"{path}: was written when scenario {name!r} said something else; search "
            f"again, or give its design with --set"
        )


def _node(reference: str, design: Mapping[str, PointValue]) -> int:
    """Devices inside a node; 0 where no library says which links leave it."""
    path, spec = read_spec(reference_kind(reference), reference, None)
    if isinstance(spec, StudySpec):
        path, spec = read_spec(PresetKind.SCENARIO, spec.scenario, path.parent)
    assert isinstance(spec, ScenarioSpec)
    linked = load_system_library(spec.system, path.parent)
    if linked is None:
        return 0
    sizes = values_by_dimension(design, "npus_count")
    inside = zip(sizes, linked.links, strict=False)
    return prod(int(size) for size, link in inside if link != _NETWORK)
