"""`cosmic count`: how many points each scope has, exactly."""

from cosmic.cli.console import show_table, write_json
from cosmic.cli.references import find_scenario
from cosmic.cli.wording import scientific


def count(reference: str, *, scope: str | None, as_json: bool) -> None:
    """Print raw and feasible points of a scenario's scopes.

    Args:
        reference: The scenario.
        scope: One scope; all of them, if left out.
        as_json: Whether to print JSON.

    Raises:
        SpecError: There is no such scenario or scope.
    """
    scenario = find_scenario(reference)
    names = (scope,) if scope else tuple(scenario.scopes)
    spaces = {name: scenario.scope(name).space for name in names}
    if not spaces:
        spaces = {"all": scenario.space}
    counts = {name: (space.raw_count, space.count) for name, space in spaces.items()}
    if as_json:
        found = {n: {"raw": raw, "feasible": kept} for n, (raw, kept) in counts.items()}
        write_json({"scenario": scenario.name, "scopes": found})
        return
    rows = [
        (name, f"{raw:,}", scientific(raw), f"{kept:,}", scientific(kept))
        for name, (raw, kept) in counts.items()
    ]
    title = f"Points of {scenario.name}"
    show_table(title, ("scope", "raw", "", "feasible", ""), rows)
