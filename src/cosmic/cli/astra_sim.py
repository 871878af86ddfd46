"""`cosmic astra-sim`: ASTRA-sim's own input files, run as they are."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, write_json
from cosmic.errors import TraceError
from cosmic.io.astra_sim import read_groups, read_memory, read_network, read_system
from cosmic.io.chakra import rank_files, read_rank_trace
from cosmic.simulation.astra_sim.engine import run_traces
from cosmic.simulation.astra_sim.inputs import Inputs, MemoryInput
from cosmic.simulation.astra_sim.network_input import Congestion
from cosmic.simulation.astra_sim.result import AstraSimResult

_NO_GROUPS = "empty"  # what ASTRA-sim takes for no file


@dataclass(frozen=True, slots=True, kw_only=True)
class AstraSimRequest:
    """What the user asked for; the names are those of ASTRA-sim's options."""

    workload_configuration: str
    system_configuration: str
    network_configuration: str
    comm_group_configuration: str
    remote_memory_configuration: str | None
    num_queues_per_dim: int
    rendezvous_protocol: bool
    congestion: str
    as_json: bool


def astra_sim(request: AstraSimRequest) -> None:
    """Run ASTRA-sim's inputs and print what it would.

    Args:
        request: What the user asked for.

    Raises:
        SpecError: A file is not as it should be.
        TraceError: A trace is not, or ASTRA-sim would not get through it.
    """
    inputs = _read(request)
    files = _files(request.workload_configuration, inputs.network.ranks)
    begun = time.perf_counter()
    traces = [read_rank_trace(file, rank) for rank, file in enumerate(files)]
    read = time.perf_counter()
    with patience(remark, "cosmic.simulation.astra_sim.kernel"):
        result = run_traces(traces, inputs)
    nodes = sum(len(trace.nodes) for trace in traces)
    remark(
        f"{nodes} nodes of {len(traces)} ranks: read in {read - begun:.2f} s, "
        f"run in {time.perf_counter() - read:.2f} s"
    )
    if request.as_json:
        write_json(_document(result))
    else:
        print(*_lines(result), sep="\n")  # noqa: T201 - as wide as it is, to be parsed


def _read(request: AstraSimRequest) -> Inputs:
    """All files but the traces."""
    system, remarks = read_system(Path(request.system_configuration))
    for line in remarks:
        remark(line)
    groups, memory = (
        request.comm_group_configuration,
        request.remote_memory_configuration,
    )
    return Inputs(
        network=read_network(
            Path(request.network_configuration), Congestion(request.congestion)
        ),
        system=system,
        groups={} if groups == _NO_GROUPS else read_groups(Path(groups)),
        memory=read_memory(Path(memory)) if memory else MemoryInput(),
        queues=request.num_queues_per_dim,
        rendezvous=request.rendezvous_protocol,
    )


def _files(prefix: str, ranks: int) -> tuple[Path, ...]:
    """Traces of the first ranks; ASTRA-sim does not look at more."""
    files = rank_files(prefix)
    if len(files) < ranks:
        raise TraceError(
            f"{prefix}.{len(files)}.et: no such file; the network has {ranks} ranks"
        )
    return files[:ranks]


def _lines(result: AstraSimResult) -> Iterator[str]:
    """What ASTRA-sim logs about each rank, in the order in which they finish."""
    for rank in result.order.tolist():
        finish, exposed = int(result.finish[rank]), int(result.exposed[rank])
        yield (
            f"[workload] [info] sys[{rank}] finished, {finish} cycles, "
            f"exposed communication {exposed} cycles."
        )
        for what, time_ns in (
            ("Wall time", finish),
            ("GPU time", int(result.compute[rank])),
            ("Comm time", int(result.communication[rank])),
            ("Total compute-communication overlap", int(result.overlap[rank])),
        ):
            if time_ns or what == "Wall time":
                yield f"[statistics] [info] sys[{rank}], {what}: {time_ns}"


def _document(result: AstraSimResult) -> dict[str, object]:
    columns = ("finish", "compute", "communication", "overlap", "exposed")
    lists = {name: getattr(result, name).tolist() for name in columns}
    return {
        "unit": "ns",
        "finish": max(lists["finish"]),
        "ranks": [
            {"rank": rank} | {name: lists[name][rank] for name in columns}
            for rank in range(len(result.finish))
        ],
        "order": result.order.tolist(),
    }
