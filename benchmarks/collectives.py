"""How fast one collective is worked out: run with `make bench`; asserts nothing.

An all-reduce of 1 GB among all devices of a torus, from the system to its time: its
routes, their phases' times, and the chunks played. Medians in this process, warm: the
first evaluation also routes the messages of each algorithm over each dimension, and
what it finds is remembered by shape, size and place.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from cosmic.collective.policy import CollectivePolicy, MultiDimensional
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.single_collective import time_collective
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.node import CollectiveKind

DEVICE = Device(peak_flops=1e15, memory_bandwidth=3e12, memory_capacity=80e9)


def main() -> None:
    """Print every table."""
    sizes = (8, 64, 512, 4096)
    table("devices of a ring", ((str(size), system((size,))) for size in sizes))
    grown = [(side, side, side) for side in (2, 4, 8, 16)]
    table("devices of three dimensions", ((by(s), system(s)) for s in grown))
    table("dimensions", ((by(s), system(s)) for s in ((16,), (4, 4), (4, 2, 2))))
    for scheme in MultiDimensional:
        counts = (1, 4, 16, 64, 256)
        chosen = replace(system((8, 8, 8)).policy, multi_dimensional=scheme)
        policies = [(str(c), replace(chosen, chunks=c)) for c in counts]
        machines = [(c, replace(system((8, 8, 8)), policy=p)) for c, p in policies]
        table(f"chunks, 8 x 8 x 8, {scheme.value}", machines)
    many = replace(system((8, 8, 8)).policy, chunks=64)
    served = [(str(n), replace(many, active_chunks=n)) for n in (1, 4, 16)]
    machines = [(n, replace(system((8, 8, 8)), policy=p)) for n, p in served]
    table("active chunks, of 64", machines)


def system(sizes: tuple[int, ...]) -> System:
    """A torus, with rings of these sizes."""
    rings = ("ring",) * len(sizes)
    dimensions = tuple(
        Dimension(shape=Shape.RING, size=n, link_bandwidth=1e11, latency=1e-6)
        for n in sizes
    )
    policy = CollectivePolicy(
        all_reduce=rings,
        all_gather=rings,
        reduce_scatter=rings,
        all_to_all=rings,
        chunks=4,
    )
    return System(Cluster(DEVICE, Topology(dimensions)), policy)


def by(sizes: tuple[int, ...]) -> str:
    """The sizes as people write them."""
    return " x ".join(map(str, sizes))


def table(name: str, systems: Iterable[tuple[str, System]]) -> None:
    """One row a system: what differs, and the time of an evaluation."""
    print(f"\n{name}")
    for label, machine in systems:

        def evaluate(machine: System = machine) -> object:
            return time_collective(CollectiveKind.ALL_REDUCE, 1e9, machine)

        evaluate()
        seconds = statistics.median(once(evaluate) for _ in range(101))
        print(f"  {label:34s}{1e6 * seconds:9,.1f} us")


def once(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
