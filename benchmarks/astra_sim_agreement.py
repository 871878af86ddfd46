"""How we agree with ASTRA-sim on a folder of its runs, and how fast both are.

    python benchmarks/astra_sim_agreement.py FOLDER

FOLDER holds `collectives.jsonl`, `workloads.jsonl` and `edge_cases.jsonl`, one run a
line with its inputs, what ASTRA-sim gave and how long it took, and `traces/*.tar.gz`,
the traces of some workloads. Every run is carried out here and compared, rank by rank.
ASTRA-sim's time is that of its process, ours is without the reading of traces, which is
shown beside it.
"""

import json
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # where `tests` is found

from tests.agreement.astra_sim_graphs import traces_of  # noqa: E402
from tests.agreement.test_astra_sim_reference import inputs_of, nodes_of  # noqa: E402

from cosmic.errors import CosmicError  # noqa: E402 - needs the path above
from cosmic.io.astra_sim import read_groups  # noqa: E402
from cosmic.io.chakra import rank_files, read_rank_trace  # noqa: E402
from cosmic.simulation.astra_sim.engine import run_traces  # noqa: E402
from cosmic.simulation.astra_sim.inputs import Inputs  # noqa: E402
from cosmic.simulation.astra_sim.result import AstraSimResult  # noqa: E402
from cosmic.trace.rank_trace import RankTrace  # noqa: E402

Row = dict[str, Any]

NETWORK = ("topology", "npus_count", "bandwidth", "latency")


class Score:
    """Counts what came out, and adds up times."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.ours = self.theirs = 0.0
        self.slower: list[str] = []

    def take(self, row: Row, label: str, run: Any) -> None:
        """Carry out a run and compare it with what ASTRA-sim gave."""
        begun = time.perf_counter()
        try:
            result: AstraSimResult | None = run()
            said = ""
        except CosmicError as error:
            result, said = None, str(error)
        took = time.perf_counter() - begun
        outcome = _outcome(row, result, said)
        self.counts[outcome] += 1
        if result is None or row["status"] != "ok":
            return
        self.ours += took
        self.theirs += row["sim_wall_s"]
        if took > row["sim_wall_s"]:
            self.slower.append(f"{label} {took:.3f} s, {row['sim_wall_s']:.3f} s")
        if outcome == "UNEQUAL":
            print(f"  {label}: {result.finish.tolist()[:8]}")

    def show(self) -> None:
        """Print the score."""
        print(f"\n{self.name}")
        for outcome, count in sorted(self.counts.items()):
            print(f"  {count:4} {outcome}")
        if self.ours:
            ratio = self.theirs / self.ours
            print(f"  {self.ours:.2f} s here, {self.theirs:.2f} s there: {ratio:.1f} x")
        for line in self.slower:
            print(f"  slower here: {line}")


def _outcome(row: Row, result: AstraSimResult | None, said: str) -> str:
    """Equal, unequal, refused by both or only here, in a few words."""
    if result is None:
        why = said.partition(": ")[2] if said.startswith("rank") else said
        if row["status"] == "ok":
            return f"out of scope: {why[:90]}"
        return f"refused, and {row['status']} there"
    if row["status"] != "ok":
        return f"RUN HERE, but {row['status']} there"
    return "equal" if _equal(row, result) else "UNEQUAL"


def _equal(row: Row, result: AstraSimResult) -> bool:
    finish = result.finish.tolist()
    expected = row.get("finish_cycles_per_rank")
    if expected is None:
        expected = [row["cycles_sys0"], row["cycles_max"], row["cycles_min"]]
        finish = [finish[0], max(finish), min(finish)]
    statistics = {
        "exposed_comm_sys0": result.exposed,
        "comm_time_sys0": result.communication,
        "gpu_time_sys0": result.compute,
    }
    return finish == expected and all(
        row.get(name, column[0]) == column[0] for name, column in statistics.items()
    )


def rows(path: Path) -> Iterator[Row]:
    """The runs of a file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def collectives(folder: Path) -> Score:
    """Single collectives."""
    score = Score("collectives.jsonl")
    for row in rows(folder / "collectives.jsonl"):
        nodes = [nodes_of(row, rank) for rank in range(prod(row["npus_count"]))]
        traces = traces_of(nodes)

        def run(row: Row = row, traces: Any = traces) -> AstraSimResult:
            inputs = inputs_of(row, {name: row[name] for name in NETWORK})
            return run_traces(traces, inputs)

        score.take(row, row["id"], run)
    return score


def edge_cases(folder: Path) -> Score:
    """Tiny graphs."""
    score = Score("edge_cases.jsonl")
    for row in rows(folder / "edge_cases.jsonl"):
        row["rendezvous"] = bool(row["extra_args"])
        row["num_queues_per_dim"] = 1
        traces = _tiny(row)

        def run(row: Row = row, traces: Any = traces) -> AstraSimResult:
            return run_traces(traces, inputs_of(row, row["network"]))

        score.take(row, row["name"], run)
    return score


def workloads(folder: Path) -> Score:
    """Training traces, of which only some are at hand."""
    score = Score("workloads.jsonl")
    with TemporaryDirectory() as scratch:
        held: dict[str, tuple[list[RankTrace], Path]] = {}
        for row in rows(folder / "workloads.jsonl"):
            name = row["workload"]
            archive = folder / "traces" / f"{name}.tar.gz"
            if not archive.is_file():
                score.counts[f"no trace at hand, {row['status']} there"] += 1
                continue
            if name not in held:
                held = {name: _unpack(archive, Path(scratch))}

            def run(row: Row = row, held: Any = held[name]) -> AstraSimResult:
                traces, groups = held
                given = inputs_of(row, row["network"])
                inputs = Inputs(
                    network=given.network,
                    system=given.system,
                    groups=read_groups(groups),
                )
                return run_traces(traces, inputs)

            score.take(row, row["id"], run)
    return score


def _unpack(archive: Path, scratch: Path) -> tuple[list[RankTrace], Path]:
    with tarfile.open(archive) as tar:
        tar.extractall(scratch, filter="data")
    prefix = scratch / archive.name.removesuffix(".tar.gz") / "w"
    begun = time.perf_counter()
    traces = [
        read_rank_trace(path, rank) for rank, path in enumerate(rank_files(prefix))
    ]
    nodes = sum(len(trace.nodes) for trace in traces)
    took = time.perf_counter() - begun
    print(f"  {archive.name}: {nodes} nodes read in {took:.2f} s")
    return traces, prefix.with_suffix(".json")


def main() -> None:
    """Compare all runs of a folder."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    _warm(folder)
    for part in (collectives, edge_cases, workloads):
        part(folder).show()


def _warm(folder: Path) -> None:
    """Compile, or load what was compiled, before anything is timed."""
    row = next(rows(folder / "edge_cases.jsonl"))
    row["num_queues_per_dim"] = 1
    run_traces(_tiny(row), inputs_of(row, row["network"]))


def _tiny(row: Row) -> list[RankTrace]:
    """The traces of a tiny graph."""
    nodes = row["nodes_per_rank"]
    return traces_of([nodes[str(rank)] for rank in range(len(nodes))])


if __name__ == "__main__":
    main()
