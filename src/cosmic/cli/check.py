"""`cosmic check`: whether a file or a preset is sound, with all that it refers to."""

from pathlib import Path

from cosmic.cli.console import say, write_json
from cosmic.cli.references import check_no_folder
from cosmic.cli.wording import count_text
from cosmic.design.design_space import DesignSpace
from cosmic.io.comparisons import check_comparison
from cosmic.io.presets import PresetKind, is_file, preset_names, preset_path
from cosmic.io.specs import check_spec, load_scenario, load_study
from cosmic.search.agent import make_agent


def check(reference: str, *, as_json: bool) -> None:
    """Read a file or a preset and say what it is.

    A name that presets of several kinds share means all of them.

    Raises:
        SpecError: Something in it cannot be right.
    """
    paths = _paths(reference)
    nouns = [check_spec(path) for path in paths]
    for path, kind in zip(paths, nouns, strict=True):
        if kind == PresetKind.COMPARISON.noun:
            check_comparison(path)
    noun = " and a ".join(nouns)
    space = _space(noun, paths[0])
    if as_json:
        counts = {"points": space.count, "raw_points": space.raw_count} if space else {}
        write_json({"file": reference, "ok": True, "kind": noun, **counts})
        return
    points = (
        f", {count_text(space.count)} of {count_text(space.raw_count)} points feasible"
        if space
        else ""
    )
    say(f"{reference}: ok (a {noun}{points})")


def _paths(reference: str) -> list[Path]:
    """The file that is meant, or those of the presets of that name."""
    path = Path(reference)
    check_no_folder(path)
    if not is_file(path):
        kinds = [kind for kind in PresetKind if reference in preset_names(kind)]
        if kinds:
            return [preset_path(kind, reference) for kind in kinds]
    return [path]


def _space(noun: str, path: Path) -> DesignSpace | None:
    """The design space of a scenario or a study, whose agent is made to test it."""
    match noun:
        case "scenario" | "shared scenario":
            return load_scenario(path).space
        case "study":
            plan = load_study(path)
            make_agent(plan.agent, plan.scenario.space, plan.seed, plan.options)
            return plan.scenario.space
        case _:
            return None
