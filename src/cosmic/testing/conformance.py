"""Kits for those who extend the library: each checks the promises of one protocol."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from threading import Thread
from typing import assert_never

import numpy as np

from cosmic.collective.algorithm import (
    AnyStep,
    CollectiveAlgorithm,
    ShiftStep,
    Step,
    SwitchStep,
)
from cosmic.design.constraint import Constraint
from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, PointValue, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import ConsistencyError, SpecError
from cosmic.evaluation.evaluation import Evaluation, Violation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import Objective, Term
from cosmic.search.agent import Agent
from cosmic.search.study import Study
from cosmic.search.trial import Trial, score_of
from cosmic.simulation.result import Breakdown, SimulationResult
from cosmic.simulation.simulator import Simulator
from cosmic.system.system import System
from cosmic.testing.player import ContentsOf, play
from cosmic.trace.execution_graph import ExecutionGraph
from cosmic.trace.node import CollectiveKind

MakeAgent = Callable[[DesignSpace, int], Agent]

_TRIALS = 70  # more than one generation of most agents
_PATIENCE = 60.0  # seconds for what takes a good agent milliseconds
_POINTS = 512  # that a constraint is asked about
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_COST = Objective(name="cost", terms=(Term(("cost",)),))
_ROUNDING = 1e-9  # of a step, for sums of floats


def check_agent(make: MakeAgent, space: DesignSpace) -> None:
    """Check that an agent keeps the promises of `Agent`.

    It asks for feasible points only, and for no more than it was asked; one seed
    gives one sequence of points; it goes on, or ends, when it is told nothing, only
    infeasible trials, or trials that it did not ask for, and in spaces of one point
    and of three.

    Args:
        make: Builds the agent from a space and a seed.
        space: Any space; a small one will do.

    Raises:
        AssertionError: Naming the promise that was broken.
    """
    _check_repeats_itself(make, space)
    _check_counts(make, space)
    _check_all_infeasible(make, space)
    _check_strangers(make, space)
    for size in (1, 3):
        _check_tiny_space(make, size)


def _check_repeats_itself(make: MakeAgent, space: DesignSpace) -> None:
    """Two agents of one seed, asked in turn, must not disturb each other."""
    first, second = make(space, 1), make(space, 1)
    for start in range(0, _TRIALS, 7):
        points, again = first.ask(7), second.ask(7)
        _check_feasible(points, space)
        assert _digests(points) == _digests(again), (
            "one seed must give one sequence of points, but the points differ "
            f"after {start} trials"
        )
        first.tell(_tried(points, start))
        second.tell(_tried(again, start))


def _check_counts(make: MakeAgent, space: DesignSpace) -> None:
    """Ask for all kinds of counts, without telling anything."""
    agent = make(space, 2)
    for count in (0, 1, 3, 100, 1):
        points = agent.ask(count)
        assert len(points) <= count, f"gave {len(points)} points when asked for {count}"
        _check_feasible(points, space)


def _check_all_infeasible(make: MakeAgent, space: DesignSpace) -> None:
    evaluator = FunctionEvaluator(_nothing_fits, _COST)
    study = Study(evaluator)
    study.run(make(space, 3), trials=_TRIALS, batch=8)
    assert len(study) > 0, "asked for no point at all"
    _check_feasible([trial.point for trial in study.trials], space)


def _check_strangers(make: MakeAgent, space: DesignSpace) -> None:
    """Tell trials that another agent might have asked for, some of them twice."""
    agent = make(space, 4)
    strangers = space.points(space.sample(np.random.default_rng(0), 20))
    agent.tell(_tried(strangers, 0))
    points = agent.ask(5)
    agent.tell(_tried([*points, *strangers[:3], *points], 20))
    agent.tell([])
    _check_feasible(agent.ask(5), space)


def _check_tiny_space(make: MakeAgent, size: int) -> None:
    only = Parameter(name="only", stack=Stack.NETWORK, choices=tuple(range(size)))
    space = DesignSpace(ParameterSet(name="tiny", parameters=(only,)))
    study = Study(FunctionEvaluator(_cost, _COST))
    agent = make(space, 5)
    thread = Thread(target=study.run, args=(agent, _TRIALS, 8), daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    what = f"in a space of {size} points"
    assert not thread.is_alive(), f"{what}: no answer within {_PATIENCE} s"
    assert len(study) > 0, f"{what}: asked for no point at all"
    _check_feasible([trial.point for trial in study.trials], space)


def _check_feasible(points: Sequence[DesignPoint], space: DesignSpace) -> None:
    for point in points:
        assert point in space, f"asked for a forbidden point: {point}"


def _tried(points: Sequence[DesignPoint], start: int) -> list[Trial]:
    """Trials of points as a study would tell them; about a third is infeasible."""
    found = [_cost(point) for point in points]
    return [
        Trial(number=start + i, point=p, evaluation=e, score=score_of(e, _COST))
        for i, (p, e) in enumerate(zip(points, found, strict=True))
    ]


def _cost(point: DesignPoint) -> Evaluation:
    """A toss of the dice, but the same for the same point on every machine."""
    toss = int(point.digest, 16)
    return _nothing_fits(point) if toss % 3 == 0 else Evaluation({"cost": toss / 2**64})


def _nothing_fits(point: DesignPoint) -> Evaluation:
    message = f"{len(point)} values are too many"
    return Evaluation({}, (Violation("patience", message),))


def _digests(points: Sequence[DesignPoint]) -> list[str]:
    return [point.digest for point in points]


def check_algorithm(
    algorithm: CollectiveAlgorithm,
    contents: ContentsOf,
    sizes: Iterable[int] = range(1, 18),
) -> None:
    """Check that a collective algorithm does what its steps say.

    A group of one sends nothing. Messages stay in the group, nobody sends to itself,
    and sizes are positive. Played on numbers, message by message, a device sends only
    what it has, and every device ends with what the collective promises. A size or kind
    that the algorithm refuses with a `SpecError` is passed over.

    Args:
        algorithm: The algorithm.
        contents: What its messages hold, for a kind of collective and a size of group;
            the steps only tell how much. It is asked only for what is not refused.
        sizes: Sizes of groups; at least one must not be refused.

    Raises:
        AssertionError: Naming the promise that was broken.
    """
    played = 0
    for kind, size in product(CollectiveKind, sizes):
        try:
            steps = algorithm.steps(kind, size)
        except SpecError:
            continue
        try:
            _check_steps(steps, size)
            if size > 1:
                play(kind, size, steps, contents(kind, size))
        except AssertionError as error:
            what = f"{kind.value} among {size}"
            raise AssertionError(f"{what}: {error}") from None
        played += 1
    assert played, "refuses every kind and size"


def _check_steps(steps: Sequence[AnyStep], size: int) -> None:
    assert size > 1 or not steps, "a group of one must send nothing"
    for step in steps:
        assert step.repeat >= 1, f"a step is repeated {step.repeat} times"
        match step:
            case SwitchStep():
                for ports in (step.up, step.down):
                    assert len(ports) == size, f"{len(ports)} ports for {size} devices"
                    assert (ports >= 0).all(), "less than nothing goes through a port"
            case Step() | ShiftStep():
                ends, count = (step.sources, step.destinations), len(step.fractions)
                for devices in ends:
                    assert len(devices) == count, "a message lacks its size or an end"
                    assert (devices >= 0).all(), "a message leaves the group"
                    assert (devices < size).all(), "a message leaves the group"
                assert (ends[0] != ends[1]).all(), "a device sends to itself"
                assert (step.fractions > 0).all(), "a message is empty"
            case _:
                assert_never(step)


def check_constraint(constraint: Constraint, parameter_set: ParameterSet) -> None:
    """Check that a constraint keeps the promises of `Constraint`.

    It names all that it depends on; of the same values it says the same, in one line,
    and leaves them alone; its `repr` tells what it is, for digests; and a design space
    with it holds just the points that keep it.

    Args:
        constraint: The constraint.
        parameter_set: Parameters that it can be about; a few with a few choices will
            do. Other constraints of the set are left out.

    Raises:
        AssertionError: Naming the promise that was broken.
        UnknownNameError: The set has none of a name that the constraint depends on.
    """
    shown = repr(constraint)
    assert not _ADDRESS.search(shown), f"its repr must tell what it is, not {shown}"
    ruled = replace(parameter_set, constraints=(constraint,))
    points = _some_points(DesignSpace(replace(parameter_set, constraints=())))
    values = [parameter_set.evaluated(point)[0] for point in points]
    told = [_answer(constraint, known) for known in values]
    try:
        kept = DesignSpace(ruled)
    except ConsistencyError:
        kept = None
    for point, sentence in zip(points, told, strict=True):
        inside = kept is not None and point in kept
        assert inside == (sentence is None), (
            f"says {sentence!r} of {point}, but the design space "
            f"{'has' if inside else 'has not'} this point"
        )


def _some_points(space: DesignSpace) -> list[DesignPoint]:
    if space.count <= _POINTS:
        return list(map(space.point, space.enumerate()))
    return space.points(space.sample(np.random.default_rng(0), _POINTS))


def _answer(constraint: Constraint, values: Mapping[str, PointValue]) -> str | None:
    """What a constraint says of values, once its answer has been looked at."""
    needed = {name: values[name] for name in constraint.names}
    given = dict(needed)
    try:
        sentence = constraint.violation(given)
    except KeyError as error:
        raise AssertionError(
            f"depends on {error}, which is none of its names"
        ) from None
    assert given == needed, "changed the values that it was given"
    for again in (needed, values):
        told = constraint.violation(again)
        assert told == sentence, f"says {told!r} where it said {sentence!r}"
    right = sentence is None or (sentence.strip() and "\n" not in sentence)
    assert right, f"must say None or one line, not {sentence!r}"
    return sentence


def check_simulator(
    simulator: Simulator, graph: ExecutionGraph, system: System
) -> None:
    """Check that a simulator keeps the promises of `Simulator`.

    It gives the same answer every time; the answer tells of every stage, group and
    dimension; the parts of a step are times that sum to it; a graph for another number
    of devices is refused.

    Args:
        simulator: The simulator.
        graph: Any graph; a small one will do.
        system: A system that it fits.

    Raises:
        AssertionError: Naming the promise that was broken.
    """
    result = simulator.run(graph, system)
    assert simulator.run(graph, system) == result, "two runs must give one answer"
    _check_complete(result, graph, system)
    for breakdown in result.stages:
        _check_breakdown(breakdown, result.makespan)
    other = replace(graph, devices=2 * graph.devices)
    try:
        simulator.run(other, system)
    except ConsistencyError:
        return
    raise AssertionError("ran a graph for more devices than there are")


def _check_complete(
    result: SimulationResult, graph: ExecutionGraph, system: System
) -> None:
    stages, dimensions = len(graph.stages), len(system.cluster.topology.dimensions)
    for name, told in (("breakdowns", result.stages), ("bytes sent", result.sent)):
        assert len(told) == stages, f"{len(told)} {name} for {stages} stages"
    for sent in result.sent:
        assert len(sent) == dimensions, f"bytes sent must be of {dimensions} dimensions"
        assert all(0 <= b < float("inf") for b in sent), f"sent {sent} bytes"
    groups = sorted(group.name for group in graph.groups)
    for breakdown in result.stages:
        told_of = sorted(breakdown.exposed)
        assert told_of == groups, f"tells of groups {told_of}, but there are {groups}"


def _check_breakdown(breakdown: Breakdown, makespan: float) -> None:
    rounding = _ROUNDING * makespan
    assert 0 <= makespan < float("inf"), f"the step takes {makespan} s"
    assert abs(breakdown.total - makespan) <= rounding, (
        f"the parts of a step sum to {breakdown.total} s, but it takes {makespan} s"
    )
    parts = (
        breakdown.compute,
        breakdown.optimizer,
        breakdown.bubble,
        *breakdown.exposed.values(),
    )
    assert min(parts) >= -rounding, f"a part of the step takes {min(parts)} s"
