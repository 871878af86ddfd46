"""How fast it is: run with `make bench`; prints a table and asserts nothing.

Times are the median of several runs in this process. The reference is the pipeline of
the paper, measured on two cores: 341 s for one design of GPT-3 175B, all 96 layers, on
256 devices (268 s for traces and 73 s for the simulation), and 713 s on 1,024.
"""

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np

from cosmic.design.parameter import PointValue
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.scenario import Scenario
from cosmic.io.specs import load_scenario
from cosmic.search.agents.genetic import GeneticAlgorithm
from cosmic.search.study import Study
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.workload.lowering import lower

GPT3 = "gpt3-175b-1024-devices-v1"
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
    """Time of one simulation as one thing grows."""
    changes: Mapping[str, list[Mapping[str, PointValue]]] = {
        "chunks 2, 4, 8, 16": [{"chunks": chunks} for chunks in (2, 4, 8, 16)],
        "micro-batches 8, 64, 256": [
            {"dp": dp, "sp": 1, "pp": 4} for dp in (256, 32, 8)
        ],
        "stages 1, 2, 4": [{"pp": pp, "dp": 32 // pp} for pp in (1, 2, 4)],
    }
    for name, points in changes.items():
        times = [simulation(scenario, {**scenario.baseline, **p}) for p in points]
        show(f"  {name}", *times)
    devices = [load_scenario(f"gpt3-175b-{n}-devices-v1") for n in (512, 1024, 2048)]
    show("  devices 512, 1024, 2048", *(simulation(s, s.baseline) for s in devices))


def simulation(scenario: Scenario, point: Mapping[str, PointValue]) -> float:
    """Time of one simulation, warm."""
    configuration = scenario.configure(point)
    graph = lower(configuration.workload)
    simulator = SymmetricSimulator()
    return median(lambda: simulator.run(graph, configuration.system))


def designs(scenario: Scenario) -> None:
    """Designs a second, drawn at random and searched, each scope by itself."""
    for scope in scenario.scopes:
        searched = scenario.scope(scope)
        points = searched.space.points(
            searched.space.sample(np.random.default_rng(0), 500)
        )
        evaluator = Evaluator(searched)
        seconds = once(lambda e=evaluator, p=points: e.evaluate(p))  # type: ignore[misc]
        rate(f"random designs, {scope}", len(points), seconds)
        study = Study(Evaluator(searched))
        agent = GeneticAlgorithm(searched.space, seed=0)
        seconds = once(lambda s=study, a=agent: s.run(a, trials=1000))  # type: ignore[misc]
        rate(f"genetic study, {scope}", len(study), seconds)


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
