"""How fast it is: run with `make bench`; prints a table and asserts nothing.

Times are the median of several runs in this process. The reference is the pipeline of
the paper, measured on two cores: 341 s for one design of GPT-3 175B, all 96 layers, on
256 devices (268 s for traces and 73 s for the simulation), and 713 s on 1,024.
"""

import cProfile
import platform
import pstats
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cosmic.design.parameter import PointValue
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.scenario import Scenario
from cosmic.io.specs import load_scenario
from cosmic.io.trial_log import TrialLog
from cosmic.search.agents.genetic import GeneticAlgorithm
from cosmic.search.study import Study
from cosmic.simulation import kernels
from cosmic.simulation.collective_columns import collective_columns
from cosmic.simulation.durations import Durations
from cosmic.simulation.flat_graph import flat_graph
from cosmic.simulation.step_columns import step_columns
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.workload.lowering import lower

GPT3 = "gpt3-175b-1024-devices-v1"
PARTS = [  # label, file, function
    ("agent: ask", "agents/genetic.py", "ask"),
    ("agent: tell", "agents/genetic.py", "tell"),
    ("evaluator, all", "evaluation/evaluator.py", "evaluate"),
    ("  taking points apart", "evaluation/step_batch.py", "_look"),
    ("  building columns, compiled steps", "simulation/step_timer.py", "run"),
    ("    compiled steps", "simulation/kernels.py", "run_steps"),
    ("  lowering new workloads", "workload/lowering.py", "lower"),
    ("log", "io/trial_log.py", "write"),
]
_COLD = f"""
import time
start = time.perf_counter()
from cosmic.evaluation.evaluator import Evaluator
from cosmic.io.specs import load_scenario
scenario = load_scenario({GPT3!r})
Evaluator(scenario).inspect(scenario.baseline)
print(time.perf_counter() - start)
"""


def main() -> None:
    """Print every figure."""
    print(f"{platform.processor() or platform.machine()}, Python {sys.version[:6]}")
    scenario = load_scenario(GPT3)
    warm(scenario)
    cold()
    parts(scenario)
    growth(scenario)
    designs(scenario)
    shares(scenario)
    spaces(scenario)


def warm(scenario: Scenario) -> None:
    """One design again and again, its graph and its links known."""
    evaluator = Evaluator(scenario)
    show("one design, warm", median(lambda: evaluator.inspect(scenario.baseline)))


def cold() -> None:
    """One design in a fresh process, compiled code on disk."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", _COLD], capture_output=True, text=True, check=True
        )
        for _ in range(3)
    ]
    seconds = statistics.median(float(run.stdout) for run in runs)
    show("one design, new process, with imports", seconds)


def parts(scenario: Scenario) -> None:
    """Where the time of one design goes."""
    configuration = scenario.configure(scenario.baseline)
    graph = lower(configuration.workload)
    simulator = SymmetricSimulator()
    show("  configure", median(lambda: scenario.configure(scenario.baseline)))
    show("  lower (once a workload)", median(lambda: lower(configuration.workload)))
    show("  simulate", median(lambda: simulator.run(graph, configuration.system)))


def growth(scenario: Scenario) -> None:
    """Time of one simulation as one thing grows, its graph and its links known."""
    changes: Mapping[str, list[Mapping[str, PointValue]]] = {
        "chunks 2, 4, 8, 16": [{"chunks": chunks} for chunks in (2, 4, 8, 16)],
        "micro-batches 8, 64, 256": [
            {"dp": dp, "sp": 1, "pp": 4} for dp in (256, 32, 8)
        ],
        "stages 1, 2, 4": [{"pp": pp, "dp": 32 // pp} for pp in (1, 2, 4)],
    }
    for name, points in changes.items():
        times = [step(scenario, {**scenario.baseline, **p}) for p in points]
        show(f"  {name}", *times)
    devices = [load_scenario(f"gpt3-175b-{n}-devices-v1") for n in (512, 1024, 2048)]
    show("  devices 512, 1024, 2048", *(step(s, s.baseline) for s in devices))
    deeper = [
        replace(scenario, model=replace(scenario.model, layers=layers))
        for layers in (24, 48, 96, 192, 384)
    ]
    show("  layers 24, 48, 96, 192, 384", *(step(s, s.baseline) for s in deeper))
    show(
        "  dimensions 1, 2, 3, 4", *(step(scenario, p) for p in by_dimensions(scenario))
    )


def by_dimensions(scenario: Scenario) -> Iterator[Mapping[str, PointValue]]:
    """The baseline on 1,024 devices in networks of 1 to 4 dimensions."""
    for sizes in ((1024,), (32, 32), (8, 8, 16), (4, 8, 4, 8)):
        count = len(sizes)
        changed = {
            name: value[:count]
            for name, value in scenario.baseline.items()
            if isinstance(value, tuple)
        }
        latency = (7e-7,) * count
        held = {"npus_count": sizes, "latency": latency}
        yield {**scenario.baseline, **changed, **held}


def step(scenario: Scenario, point: Mapping[str, PointValue]) -> float:
    """Time of one compiled step, as a batch runs it; not of what leads to it."""
    configuration = scenario.configure(point)
    graph, system = lower(configuration.workload), configuration.system
    durations = Durations.of(graph, system)
    names = [group.name for group in graph.groups]
    collectives = collective_columns(
        durations.phases,
        (durations.phase_seconds, durations.link_seconds),
        [names.index(node.group) for node in flat_graph(graph).collectives],
        system,
    )
    collectives = collectives._replace(groups=len(names))
    columns, transfers = step_columns(graph), (durations.onward, durations.back)
    networks = kernels.idle_networks(columns, collectives)
    return median(
        lambda: kernels.run_step(
            columns, durations.computes, collectives, transfers, networks
        )
    )


def designs(scenario: Scenario) -> None:
    """Designs a second: drawn at random, and searched with a log, by scope.

    Scopes differ in how many parameters there are. The second figure of each is of what
    comes after the first few hundred, when most parts of designs are known.
    """
    for scope in scenario.scopes:
        searched = scenario.scope(scope)
        count = min(10_000, int(searched.space.count))
        rng = np.random.default_rng(0)
        points = searched.space.points(searched.space.sample(rng, count))
        evaluator, first = Evaluator(searched), count // 5
        begun = once(lambda e=evaluator, p=points[:first]: e.evaluate(p))  # type: ignore[misc]
        rest = once(lambda e=evaluator, p=points[first:]: e.evaluate(p))  # type: ignore[misc]
        genes = len(searched.space.gene_table)
        rate(f"random designs, {scope}, {genes} genes", count, begun + rest)
        rate("  but for the first fifth", count - first, rest)
        searches(searched, scope)


def searches(scenario: Scenario, scope: str) -> None:
    """Trials a second of a study with the genetic agent and a log on the disk."""
    with TemporaryDirectory() as folder:
        log = TrialLog.create(Path(folder, "log.jsonl"), {"agent": "genetic"})
        with log:
            study = Study(Evaluator(scenario), log)
            agent = GeneticAlgorithm(scenario.space, seed=0)
            begun = once(lambda: study.run(agent, trials=1000))
            first = len(study)
            rest = once(lambda: study.run(agent, trials=10_000))
    rate(f"genetic study with log, {scope}", len(study), begun + rest)
    if len(study) > first:
        rate("  but for the first 1,000", len(study) - first, rest)


def shares(scenario: Scenario) -> None:
    """Where the time of a full-stack study goes, by what it spends it in."""
    searched = scenario.scope("full_stack")
    with TemporaryDirectory() as folder:
        log = TrialLog.create(Path(folder, "log.jsonl"), {"agent": "genetic"})
        with log:
            study = Study(Evaluator(searched), log)
            agent = GeneticAlgorithm(searched.space, seed=0)
            study.run(agent, trials=1000)
            profile = cProfile.Profile()
            profile.enable()
            study.run(agent, trials=6000)
            profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    whole = max(row[3] for row in stats.values())
    print("where the time of a full-stack study goes (profiled, so Python weighs more)")
    for label, file, function in PARTS:
        spent = sum(
            row[3]
            for (path, _, name), row in stats.items()
            if path.endswith(file) and name == function
        )
        print(f"  {label:43s}{100 * spent / whole:12.1f} %")


def spaces(scenario: Scenario) -> None:
    """Compiling and sampling the full-stack space."""
    show("compile the full-stack space", median(lambda: scenario.scope("full_stack")))
    space, rng = scenario.scope("full_stack").space, np.random.default_rng(0)
    show("one sample", median(lambda: space.sample(rng, 1)))
    rate("samples", 100_000, once(lambda: space.sample(rng, 100_000)))


def once(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def median(call: Callable[[], object], runs: int = 31) -> float:
    """Median seconds of a call, after one that does not count."""
    call()
    return statistics.median(once(call) for _ in range(runs))


def show(name: str, *seconds: float) -> None:
    """One line of the table, in milliseconds."""
    print(f"{name:45s}" + "".join(f"{1e3 * s:12.3f} ms" for s in seconds))


def rate(name: str, count: int, seconds: float) -> None:
    """One line of the table, in things a second."""
    print(f"{name:45s}{count / seconds:12,.0f} /s")


if __name__ == "__main__":
    main()
