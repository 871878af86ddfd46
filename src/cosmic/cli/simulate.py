"""`cosmic simulate`: one design, and all that is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cosmic.cli.changes import breaches, design_of
from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, write_json
from cosmic.cli.references import find_scenario
from cosmic.cli.shared_simulation import simulate_shared
from cosmic.cli.simulated import Simulated
from cosmic.cli.simulation_document import document
from cosmic.cli.simulation_tables import show_simulation
from cosmic.design.parameter import PointValue
from cosmic.errors import SpecError
from cosmic.evaluation.evaluator import Evaluator, Inspection
from cosmic.evaluation.scenario import Scenario
from cosmic.evaluation.shared_scenario import SharedScenario
from cosmic.simulation.simulator import SIMULATORS

_IMPOSSIBLE = ("configuration", "simulation")  # violations that leave no answer


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateRequest:
    """What `cosmic simulate` is asked for.

    Attributes:
        reference: A scenario, or a study of one.
        changes: What differs from its baseline, as `name=value`.
        simulator: Name of the simulator.
        stages: Whether to show each pipeline stage.
        as_json: Whether to print JSON.
    """

    reference: str
    changes: tuple[str, ...]
    simulator: str
    stages: bool
    as_json: bool


def simulate(request: SimulateRequest) -> None:
    """Simulate a design and print what comes out.

    Raises:
        SpecError: The design cannot be simulated; says why.
    """
    scenario = find_scenario(request.reference)
    if isinstance(scenario, SharedScenario):
        with patience(remark):
            simulate_shared(
                scenario, request.changes, request.simulator, as_json=request.as_json
            )
        return
    design = design_of(scenario, request.changes)
    with patience(remark):
        inspection = _inspect(scenario, design, request.simulator)
    simulated = Simulated(
        scenario=scenario,
        design=design,
        baseline=design_of(scenario, ()),
        breaches=breaches(scenario, design),
        inspection=inspection,
        simulator=request.simulator,
    )
    if request.as_json:
        write_json(document(simulated))
    else:
        show_simulation(simulated, each_stage=request.stages)


def _inspect(
    scenario: Scenario, design: Mapping[str, PointValue], simulator: str
) -> Inspection:
    bare = replace(scenario, settings={})  # the design says all
    inspection = Evaluator(bare, SIMULATORS.get(simulator)()).inspect(design)
    for violation in inspection.evaluation.violations:
        if violation.constraint in _IMPOSSIBLE:
            raise SpecError(f"cannot simulate this design: {violation.message}")
    return inspection
