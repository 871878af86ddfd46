"""What the model says of a run, and what simpler models say.

The simplest is one line: the operations that the step carries out, at half of peak,
times one plus the pipeline's bubble.
"""

from dataclasses import dataclass, replace
from functools import cache

from cosmic.compute.calibrated import Calibrated
from cosmic.compute.cost_model import Roofline
from cosmic.io.calibrations import calibrated_device, has_calibration
from cosmic.simulation.result import Breakdown
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.units import Seconds
from cosmic.validation.training.row import TrainingRow
from cosmic.validation.training.setup import Setup, setup_of
from cosmic.workload.lowering import lower
from cosmic.workload.parallelism import Recompute

_HALF = 0.5
_BUSY = {Recompute.NONE: 3.0, Recompute.SELECTIVE: 3.0, Recompute.FULL: 4.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the models say, and where that comes from.

    Attributes:
        step: Of the simulation with calibrated operators, if the device has a
            calibration, else of the roofline.
        kernels: The same without what a training step adds to kernels measured by
            themselves, the calibration's `sustained`.
        roofline: Of the simulation with operators at their roofline.
        formula: Of one line: operations at half of peak, and the bubble.
        flops: Operations that the model needs of one device in a step.
        breakdown: Where the time of `step` goes.
        cost_model: Which one `step` has.
        preset: The system.
        framework: Whose defaults stood in.
        assumed: What the source does not say, with what was taken for it.
    """

    step: Seconds
    kernels: Seconds
    roofline: Seconds
    formula: Seconds
    flops: float
    breakdown: Breakdown
    cost_model: str
    preset: str
    framework: str
    assumed: tuple[str, ...]


def predict(row: TrainingRow) -> Prediction:
    """The prediction for a run.

    Raises:
        NotEvaluatedError: The source does not say enough, or what it says is not
            modelled.
        SpecError: What the source says does not fit together.
    """
    setup = setup_of(row)
    graph = lower(setup.workload())
    simulator = SymmetricSimulator()
    roofline = simulator.run(graph, setup.configuration(Roofline()).system)
    calibrated = calibrated_for(setup.machine.preset)
    best = kernels = roofline
    if calibrated is not None:
        calibrated = replace(calibrated, attention=setup.framework.attention)
        best = simulator.run(graph, setup.configuration(calibrated).system)
        alone = replace(calibrated, sustained=False)
        kernels = simulator.run(graph, setup.configuration(alone).system)
    return Prediction(
        step=best.makespan,
        kernels=kernels.makespan,
        roofline=roofline.makespan,
        formula=formula(setup),
        flops=setup.workload().model_flops / row.split.devices,
        breakdown=best.breakdown,
        cost_model=named(calibrated),
        preset=setup.machine.preset,
        framework=setup.framework.name,
        assumed=setup.assumed,
    )


@cache
def calibrated_for(preset: str, *, sustained: bool = True) -> Calibrated | None:
    """What was measured of a system's device; None if nothing was.

    Args:
        preset: The system.
        sustained: Whether devices are busy for minutes on end, as in training.
    """
    if not has_calibration(preset):
        return None
    return calibrated_device(preset, sustained=sustained)


def named(calibrated: Calibrated | None) -> str:
    """The cost model, and where its curves are from."""
    if calibrated is None:
        return "roofline"
    return f"calibration {calibrated.calibration.name}"


def formula(setup: Setup) -> Seconds:
    """Operations at half of peak, a third more for recomputation, and the bubble."""
    workload = setup.workload()
    busy = _BUSY[workload.recompute] / _BUSY[Recompute.NONE]
    system = setup.configuration(Roofline()).system
    available = system.cluster.devices * system.cluster.device.peak_flops * _HALF
    return workload.model_flops * busy / available * (1 + setup.bubble)
