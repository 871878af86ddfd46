"""What the model says of an inference, and what simpler models say.

All figures follow from three times: of the prompts of a batch, of one prompt for each
replica, and of a decode step. The simplest model has these by one line: the larger of
operations over peak, and bytes of weights and cache over memory bandwidth.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cosmic.compute.cost_model import CostModel, Roofline
from cosmic.evaluation.answering import answer
from cosmic.simulation.result import SimulationResult
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.units import Seconds
from cosmic.validation.inference.row import Figure, InferenceRow, Load
from cosmic.validation.inference.setup import Setup, setup_of
from cosmic.validation.training.prediction import calibrated_for, named
from cosmic.workload.lowering import lower
from cosmic.workload.memory import memory_footprint
from cosmic.workload.model import TransformerModel
from cosmic.workload.passes import decode, prefill
from cosmic.workload.workload import Workload

Figures = Mapping[Figure, float]


@dataclass(frozen=True, slots=True)
class Times:
    """Of what a request is made of.

    Attributes:
        prompts: The prefill of a whole batch.
        one: The prefill of one prompt for each replica.
        step: A decode step of the batch, mean over the steps of a request.
    """

    prompts: Seconds
    one: Seconds
    step: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the models say, and where that comes from.

    Attributes:
        figures: Of the simulation with calibrated operators, if the device has a
            calibration, else of the roofline.
        roofline: Of the simulation with operators at their roofline.
        bound: Of one line.
        batch: Requests at a time.
        fits: Whether a device holds its part of weights and of the cache for all
            requests at their full length, by our count.
        cost_model: Which one `figures` have.
        preset: The system.
        assumed: What the source does not say, with what was taken for it.
    """

    figures: Figures
    roofline: Figures
    bound: Figures
    batch: int
    fits: bool
    cost_model: str
    preset: str
    assumed: tuple[str, ...]


def predict(row: InferenceRow) -> Prediction:
    """The prediction for a row.

    Raises:
        NotEvaluatedError: The source does not say enough, or what it says is not
            modelled.
        SpecError: What the source says does not fit together.
    """
    setup = setup_of(row)
    assert row.load is not None
    roofline = figures_of(simulated(setup, Roofline()), setup, row.load)
    calibrated = calibrated_for(setup.machine.preset, sustained=False)
    best = roofline
    if calibrated is not None:
        best = figures_of(simulated(setup, calibrated), setup, row.load)
    device = setup.system(Roofline()).cluster.device
    needed = memory_footprint(setup.workload())
    return Prediction(
        figures=best,
        roofline=roofline,
        bound=figures_of(bound(setup), setup, row.load),
        batch=setup.batch,
        fits=needed.weights + needed.cache <= device.memory_capacity,
        cost_model=named(calibrated),
        preset=setup.machine.preset,
        assumed=setup.assumed,
    )


def figures_of(times: Times, setup: Setup, load: Load) -> Figures:
    """What is measured of requests, from what they are made of.

    Where so many requests are always under way, a new prompt is served at once, in one
    pass with a step of the others; so each request waits for the prompts of all others
    between its own tokens.
    """
    steps = setup.asked.output - 1
    first, later = times.prompts, times.step
    if load is Load.LOOP:
        others = setup.batch / setup.replicas - 1
        first = times.one + times.step
        later += others * times.one / steps if steps else 0.0
    request = first + steps * later
    return {
        Figure.REQUEST: request,
        Figure.FIRST_TOKEN: first,
        Figure.PER_TOKEN: later,
        Figure.RATE: setup.batch * setup.asked.output / request,
    }


def simulated(setup: Setup, cost_model: CostModel) -> Times:
    """The times of the simulator."""
    system, simulator = setup.system(cost_model), SymmetricSimulator()

    def run(workload: Workload) -> tuple[ExecutionGraph, SimulationResult]:
        graph = lower(workload)
        return graph, simulator.run(graph, system)

    found = answer(setup.workload(), system, run)
    assert found.prefill is not None
    one = prefill(setup.workload(setup.replicas))
    return Times(
        prompts=found.prefill.makespan,
        one=run(one)[1].makespan,
        step=found.decode_seconds / max(1, len(setup.asked.contexts)),
    )


def bound(setup: Setup) -> Times:
    """The times of one line; a step's context is that in the middle."""
    system = setup.system(Roofline())

    def least(workload: Workload) -> Seconds:
        return _bound(workload, system)

    whole, contexts = setup.workload(), setup.asked.contexts
    middle = contexts[len(contexts) // 2] if contexts else setup.asked.prompt
    return Times(
        prompts=least(prefill(whole)),
        one=least(prefill(setup.workload(setup.replicas))),
        step=least(decode(whole, middle)),
    )


def _bound(workload: Workload, system: System) -> Seconds:
    """Operations over peak, or bytes over bandwidth, whichever takes longer."""
    device, split = system.cluster.device, workload.parallelism
    weights = _multiplied(workload.model) * workload.weight_bytes * split.data
    cache = workload.cache_bytes * workload.batch * workload.keys * _cached(workload)
    bytes_of_one = (weights + cache) / split.devices
    return max(
        workload.model_flops / (split.devices * device.peak(workload.precision)),
        bytes_of_one / device.memory_bandwidth,
    )


def _multiplied(model: TransformerModel) -> int:
    """Weights that are read whole: of the embedding, a row for each token is."""
    output = model.head_weights if model.tied_embeddings else 0
    return model.weight_count - model.embedding_weights + output


def _cached(workload: Workload) -> int:
    """Elements of keys and values of one token."""
    model = workload.model
    return 2 * model.layers * model.key_value_heads * model.head_dim
