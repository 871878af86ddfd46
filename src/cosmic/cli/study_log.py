"""Where the trial log of a study is, and what its header says."""

from collections.abc import Sequence
from pathlib import Path

from cosmic import __version__
from cosmic.design.design_point import DesignPoint, canonical_text, digest_of
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.shared_scenario import SharedScenario
from cosmic.io.specs import StudyPlan
from cosmic.search.agent import hyper_parameters, learns
from cosmic.search.shard import Shard

_FOLDER = Path("runs")


def default_log(plan: StudyPlan, shard: Shard | None = None) -> Path:
    """The log of a study where none is named, under the working folder."""
    part = f"-shard{shard.index}of{shard.of}" if shard else ""
    return _FOLDER / f"{plan.name}-{plan.scope or 'all'}-seed{plan.seed}{part}.jsonl"


def header_of(
    plan: StudyPlan, shard: Shard | None = None, start: Sequence[DesignPoint] = ()
) -> dict[str, object]:
    """All that the trials of a study depend on, and its budget."""
    whole: dict[str, object] = {
        "cosmic": __version__,
        "study": plan.name,
        "scenario": {"name": plan.scenario.name, "digest": scenario_digest(plan.whole)},
        "scope": plan.scope,
        "space": plan.scenario.space.digest,
        "objective": plan.scenario.objective.name,
        "agent": {
            "name": plan.agent,
            "options": {**hyper_parameters(plan.agent), **plan.options},
        },
        "seed": plan.seed,
        "batch": plan.batch,
        "budget": {"trials": plan.trials},
    }
    if start:
        whole["start"] = [point.digest for point in start]
    if shard is None:
        return whole
    in_turn = not learns(plan.agent)
    part = {"index": shard.index, "of": shard.of, "one_sequence": in_turn}
    return {**whole, "shard": part}


def scenario_digest(scenario: Scenario) -> str:
    """16 hexadecimal digits that change with what a scenario's points denote."""
    parts = (
        repr(scenario.model),
        str(scenario.batch),
        canonical_text(scenario.settings),
        canonical_text(scenario.baseline),
        scenario.space.parameter_set.digest,
        repr(scenario.prices),
        repr(scenario.cost_model),
        *map(repr, scenario.protocols),
        *_of_members(scenario),
        *([] if scenario.device_prices is None else [repr(scenario.device_prices)]),
    )
    return digest_of("\n".join(parts))


def _of_members(scenario: Scenario) -> list[str]:
    if not isinstance(scenario, SharedScenario):
        return []
    return [
        f"{member.label} {member.weight!r} {scenario_digest(member.scenario)}"
        for member in scenario.members
    ]
