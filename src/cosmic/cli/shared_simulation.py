"""`cosmic simulate` of several workloads on one system: each, and their mean."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cosmic.cli.changes import design_of
from cosmic.cli.console import say, show_pairs, show_table, write_json
from cosmic.cli.wording import metric_text, percent, split_text
from cosmic.design.parameter import PointValue
from cosmic.errors import SpecError
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import Evaluator, Inspection
from cosmic.evaluation.shared_scenario import Member, SharedScenario
from cosmic.simulation.simulator import SIMULATORS

_IMPOSSIBLE = ("configuration", "simulation")
_OF_SYSTEM = ("total_bandwidth", "network_cost", "system_cost")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Simulated:
    """A member with its design and what its simulation told."""

    member: Member
    design: Mapping[str, PointValue]
    inspection: Inspection

    @property
    def metrics(self) -> Mapping[str, float]:
        return self.inspection.evaluation.metrics

    @property
    def degrees(self) -> Mapping[str, PointValue]:
        assert self.inspection.configuration is not None
        split = self.inspection.configuration.workload.parallelism
        return {
            "dp": split.data,
            "pp": split.pipeline,
            "sp": split.sequence,
            "tp": split.tensor,
        }


def simulate_shared(
    scenario: SharedScenario,
    changes: Sequence[str],
    simulator: str,
    *,
    as_json: bool,
) -> None:
    """Simulate every member and print what comes out.

    A change of `dp_vit` is one of the member `vit`; a change of any other name holds
    for all members, so that they stay on one system.

    Raises:
        SpecError: A design cannot be simulated; says why.
    """
    found = [_simulated(scenario, m, changes, simulator) for m in scenario.members]
    whole = scenario.together([one.inspection.evaluation for one in found])
    if as_json:
        write_json(_document(scenario, found, whole))
    else:
        _show(scenario, found, whole)


def _simulated(
    scenario: SharedScenario, member: Member, changes: Sequence[str], simulator: str
) -> _Simulated:
    own = list(_changes_of(scenario, member, changes))
    design = design_of(member.scenario, own)
    bare = replace(member.scenario, settings={})  # the design says all
    inspection = Evaluator(bare, SIMULATORS.get(simulator)()).inspect(design)
    for violation in inspection.evaluation.violations:
        if violation.constraint in _IMPOSSIBLE:
            raise SpecError(
                f"cannot simulate this design: {member.label}: {violation.message}"
            )
    return _Simulated(member=member, design=design, inspection=inspection)


def _changes_of(
    scenario: SharedScenario, member: Member, changes: Sequence[str]
) -> Iterator[str]:
    """Those that hold for a member, in the names of its own scenario."""
    labels = sorted((m.label for m in scenario.members), key=len, reverse=True)
    for change in changes:
        match = re.match(r"\s*\w+", change)
        name = match[0].strip() if match else ""
        label = next((one for one in labels if name.endswith(f"_{one}")), None)
        if label is None:
            yield change
        elif label == member.label:
            yield change.replace(name, name.removesuffix(f"_{label}"), 1)


def _show(
    scenario: SharedScenario, found: Sequence[_Simulated], whole: Evaluation
) -> None:
    say(f"{scenario.name}: {len(found)} workloads on one system")
    total = sum(one.member.weight * one.metrics["runtime"] for one in found)
    rows = [
        (
            one.member.label,
            split_text(one.degrees),
            metric_text("runtime", one.metrics["runtime"]),
            percent(one.member.weight * one.metrics["runtime"] / total),
            metric_text("memory", one.metrics["memory"]),
            metric_text("compute_time", one.metrics["compute_time"]),
            metric_text("bubble", one.metrics["bubble"]),
        )
        for one in found
    ]
    heads = ("", "split", "time", "of the mean", "memory", "compute", "bubble")
    show_table("Each workload", heads, rows, words=(0, 1))
    say()
    show_pairs(_pairs(whole))
    for violation in whole.violations:
        say(f"no answer: {violation.message}")


def _pairs(whole: Evaluation) -> Iterator[tuple[str, str]]:
    yield "mean time", metric_text("runtime", whole.metrics["runtime"])
    yield "most memory", metric_text("memory", whole.metrics["memory"])
    for name in _OF_SYSTEM:
        if name in whole.metrics:
            yield name.replace("_", " "), metric_text(name, whole.metrics[name])


def _document(
    scenario: SharedScenario, found: Sequence[_Simulated], whole: Evaluation
) -> dict[str, object]:
    return {
        "scenario": scenario.name,
        "feasible": whole.feasible,
        "violations": [
            {"constraint": v.constraint, "message": v.message} for v in whole.violations
        ],
        "metrics": whole.metrics,
        "members": {
            one.member.label: {
                "scenario": one.member.scenario.name,
                "weight": one.member.weight,
                "degrees": one.degrees,
                "design": one.design,
                "metrics": one.metrics,
            }
            for one in found
        },
    }
