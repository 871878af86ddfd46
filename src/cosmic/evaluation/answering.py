"""The time of an inference, out of the passes that it is made of.

A decode step is counted in the steady state. With several micro-batches, one follows
the other through the stages, and the next step of a micro-batch begins when its token
has come back to the first stage. A step then takes

    max(way of one micro-batch through all stages and back, micro-batches x slowest)

where the slowest is a stage or a transfer: the larger of the two circuits by which
something must wait for itself. Both follow from passes that are simulated: one of a
single micro-batch takes the way through, and every further one adds the slowest.

Decode steps of a request attend to one token more each. Their times are convex in the
context where operators are bound by arithmetic or by memory, with bends where one takes
over from the other. So a stretch of contexts whose middle lies on the chord of its ends
is straight, and is summed from its ends; others are halved.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from cosmic.simulation.communication import transfer_time
from cosmic.simulation.result import Breakdown, SimulationResult
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph, total_flops
from cosmic.units import Flops, Seconds
from cosmic.workload.passes import decode, one_micro_batch, prefill
from cosmic.workload.workload import Workload

_STRAIGHT = 1e-4  # of a step, by which a middle may lie off the chord of its ends
_FINEST = 32  # stretches into which contexts are cut at most
_TOKEN_BYTES = 4  # a token's number, on its way back to the first stage

Run = Callable[[Workload], tuple[ExecutionGraph, SimulationResult]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What the simulation of an inference tells.

    Attributes:
        prefill: The prefill; None where there is none.
        steps: The decode steps that were simulated, by their context.
        weights: How many of all decode steps each of them stands for.
        flops: What all devices together carried out.
        result: The whole inference.
    """

    prefill: SimulationResult | None
    steps: Mapping[int, SimulationResult]
    weights: Mapping[int, float]
    flops: Flops
    result: SimulationResult

    @property
    def decode_seconds(self) -> Seconds:
        """Time of all decode steps."""
        return sum(self.weights[c] * step.makespan for c, step in self.steps.items())


def answer(workload: Workload, system: System, run: Run) -> Answer:
    """Simulate an inference.

    Args:
        workload: What is asked.
        system: On what.
        run: Simulates a pass on the system.
    """
    asked = workload.inference
    assert asked is not None
    flops: dict[int, Flops] = {}

    @cache
    def step(context: int) -> SimulationResult:
        flops[context], found = _step(decode(workload, context), system, run)
        return found

    weights = stretched(lambda context: step(context).makespan, asked.contexts)
    steps = {context: step(context) for context in weights}
    parts = [(weights[context], steps[context]) for context in weights]
    total = sum(weights[context] * flops[context] for context in weights)
    first = None
    if asked.prefills:
        graph, first = run(prefill(workload))
        parts.append((1.0, first))
        total += total_flops(graph)
    return Answer(
        prefill=first,
        steps=steps,
        weights=weights,
        flops=total,
        result=_sum(parts),
    )


def stretched(seconds: Callable[[int], Seconds], contexts: range) -> dict[int, float]:
    """Weights of a few contexts by which the sum over all of them is had.

    Args:
        seconds: Time of the step at a context, convex in it.
        contexts: All of them.

    >>> weights = stretched(lambda context: 5.0 + context, range(10, 110))
    >>> weights, sum(weight * (5 + context) for context, weight in weights.items())
    ({10: 50.0, 109: 50.0}, 6450.0)
    """
    if not contexts:
        return {}
    first, last = contexts[0], contexts[-1]
    weights = {first: 0.5, last: 0.5} if first < last else {last: 1.0}
    finest = max(1, (last - first) // _FINEST)
    stretches = [(first, last)] if first < last else []
    while stretches:
        start, end = stretches.pop()
        middle = (start + end) // 2
        if end - start > finest and not _straight(seconds, start, middle, end):
            stretches += [(start, middle), (middle, end)]
            continue
        for context in (start, end):
            weights[context] = weights.get(context, 0.0) + (end - start) / 2
    return dict(sorted(weights.items()))


def _straight(
    seconds: Callable[[int], Seconds], start: int, middle: int, end: int
) -> bool:
    share = (middle - start) / (end - start)
    chord = (1 - share) * seconds(start) + share * seconds(end)
    return abs(seconds(middle) - chord) <= _STRAIGHT * chord


def _step(
    workload: Workload, system: System, run: Run
) -> tuple[Flops, SimulationResult]:
    """Operations and time of a decode step in the steady state."""
    graph, found = run(workload)
    flops = total_flops(graph)
    if len(graph.stages) == 1:
        return flops, found
    followers = workload.micro_batches - 1
    alone = run(one_micro_batch(workload))[1] if followers else found
    slowest = (found.makespan - alone.makespan) / followers if followers else 0.0
    ends = len(graph.stages) - 1, 0
    tokens = _TOKEN_BYTES * workload.micro_batch
    way = alone.makespan + transfer_time(graph.pipeline, ends, tokens, system)
    return flops, _lasting(found, max(way, workload.micro_batches * slowest))


def _lasting(result: SimulationResult, makespan: Seconds) -> SimulationResult:
    """The same work in another time, which waiting for other stages makes up."""
    more = makespan - result.makespan
    stages = (replace(stage, bubble=stage.bubble + more) for stage in result.stages)
    return replace(result, makespan=makespan, stages=tuple(stages))


def _sum(parts: list[tuple[float, SimulationResult]]) -> SimulationResult:
    """Results one after the other, each so many times."""
    _, some = parts[0]
    stages = range(len(some.stages))
    return SimulationResult(
        makespan=sum(times * part.makespan for times, part in parts),
        stages=tuple(
            _added([(t, part.stages[s]) for t, part in parts]) for s in stages
        ),
        sent=tuple(
            tuple(
                sum(times * part.sent[stage][dimension] for times, part in parts)
                for dimension in range(len(some.sent[stage]))
            )
            for stage in stages
        ),
    )


def _added(parts: list[tuple[float, Breakdown]]) -> Breakdown:
    return Breakdown(
        compute=sum(times * part.compute for times, part in parts),
        optimizer=0.0,
        exposed={
            name: sum(times * part.exposed[name] for times, part in parts)
            for name in parts[0][1].exposed
        },
        bubble=sum(times * part.bubble for times, part in parts),
    )
