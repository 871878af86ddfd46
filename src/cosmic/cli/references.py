"""What a word on the command line names: a scenario, a study, or a file with one."""

from dataclasses import replace
from pathlib import Path

from cosmic.errors import SpecError, UnknownNameError
from cosmic.evaluation.objective import objective_named
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.shared_scenario import SharedScenario
from cosmic.io.presets import PresetKind, preset_names
from cosmic.io.spec_files import spec_kind
from cosmic.io.specs import StudyPlan, load_scenario, load_study
from cosmic.search.agent import hyper_parameters
from cosmic.search.study import BATCH

_FILE_ENDINGS = (".yaml", ".yml", ".json")
_TRIALS = 1000


def find_scenario(reference: str, *, shared: bool = True) -> Scenario:
    """The scenario of a preset or a file; that of its study, where it is one.

    Args:
        reference: A preset or a file.
        shared: Whether several workloads may share it.

    Raises:
        SpecError: There is none, or it says what cannot be right.
    """
    match reference_kind(reference):
        case PresetKind.STUDY:
            found = load_study(reference).whole
        case _:
            found = load_scenario(reference)
    if not shared:
        check_alone(found)
    return found


def check_alone(scenario: Scenario) -> None:
    """Refuse a scenario that several workloads share.

    Raises:
        SpecError: It is one; says what to take instead.
    """
    if isinstance(scenario, SharedScenario):
        names = ", ".join(member.scenario.name for member in scenario.members)
        raise SpecError(
            f"{scenario.name} is of several workloads, and this looks at one: take "
            f"one of {names}"
        )


def find_plan(reference: str) -> StudyPlan:
    """The study of a preset or a file; one of everything, where it is a scenario.

    Raises:
        SpecError: There is none, or it says what cannot be right.
    """
    match reference_kind(reference):
        case PresetKind.STUDY:
            return load_study(reference)
        case _:
            return _plan_of(load_scenario(reference))


def sought(scenario: Scenario, objective: str | None) -> Scenario:
    """The scenario, seeking another objective where one is named.

    Raises:
        UnknownNameError: There is no such objective.
    """
    if objective is None:
        return scenario
    return scenario.seeking(objective_named(objective))


def with_agent(
    plan: StudyPlan, agent: str | None, options: tuple[str, ...]
) -> StudyPlan:
    """The plan with another agent and options, as `--agent` and `--option` say.

    Raises:
        UnknownNameError: There is no such agent or option.
        SpecError: An option is not of the form key=value.
    """
    name = agent or plan.agent
    known = hyper_parameters(name)
    given = dict(plan.options) if name == plan.agent else {}
    for option in options:
        key, equals, text = option.partition("=")
        if not equals:
            raise SpecError(f"--option {option}: write key=value")
        if key not in known:
            raise UnknownNameError(f"option of agent {name!r}", key, known)
        given[key] = _option(text, str if isinstance(known[key], str) else None)
    return replace(plan, agent=name, options=given)


def _option(text: str, wanted: type[str] | None) -> bool | int | float | str:
    if wanted is str:
        return text
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _plan_of(scenario: Scenario) -> StudyPlan:
    return StudyPlan(
        name=scenario.name,
        whole=scenario,
        scenario=scenario,
        scope="",
        agent="genetic",
        options={},
        trials=_TRIALS,
        seed=0,
        batch=BATCH,
    )


def reference_kind(reference: str) -> PresetKind:
    """Whether a reference names a scenario or a study.

    Raises:
        SpecError: It names neither.
    """
    studies = preset_names(PresetKind.STUDY)
    scenarios = preset_names(PresetKind.SCENARIO)
    scenarios += preset_names(PresetKind.SHARED_SCENARIO)
    if reference in studies:
        return PresetKind.STUDY
    if reference in scenarios:
        return PresetKind.SCENARIO
    path = Path(reference)
    check_no_folder(path)
    if not reference.endswith(_FILE_ENDINGS) and not _exists(path):
        raise UnknownNameError("scenario or study", reference, scenarios + studies)
    kind = spec_kind(path)
    if kind is PresetKind.SHARED_SCENARIO:
        return PresetKind.SCENARIO
    if kind not in (PresetKind.STUDY, PresetKind.SCENARIO):
        raise SpecError(f"{path}: is a {kind.noun}; give a scenario or a study")
    return kind


def check_no_folder(path: Path) -> None:
    """Refuse a folder.

    Raises:
        SpecError: It is one.
    """
    try:
        folder = path.is_dir()
    except (OSError, ValueError):  # too long a name, or one with a zero byte
        folder = False
    if folder:
        raise SpecError(f"{path}: is a folder, not a file")


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
