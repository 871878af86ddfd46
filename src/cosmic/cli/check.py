"""`cosmic check`: whether a spec file can be used, with all that it refers to."""

from pathlib import Path

from cosmic.cli.console import say, write_json
from cosmic.cli.references import check_no_folder
from cosmic.cli.wording import count_text
from cosmic.design.design_space import DesignSpace
from cosmic.io.specs import check_spec, load_scenario, load_study
from cosmic.search.agent import make_agent


def check(file: str, *, as_json: bool) -> None:
    """Read a file and say what it is.

    Raises:
        SpecError: Something in it cannot be right.
    """
    path = Path(file)
    check_no_folder(path)
    noun = check_spec(path)
    space = _space(noun, path)
    if as_json:
        counts = {"points": space.count, "raw_points": space.raw_count} if space else {}
        write_json({"file": file, "ok": True, "kind": noun, **counts})
        return
    points = (
        f", {count_text(space.count)} of {count_text(space.raw_count)} points feasible"
        if space
        else ""
    )
    say(f"{file}: ok (a {noun}{points})")


def _space(noun: str, path: Path) -> DesignSpace | None:
    """The design space of a scenario or a study, whose agent is made to test it."""
    match noun:
        case "scenario":
            return load_scenario(path).space
        case "study":
            plan = load_study(path)
            make_agent(plan.agent, plan.scenario.space, plan.seed, plan.options)
            return plan.scenario.space
        case _:
            return None
