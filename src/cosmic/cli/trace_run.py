"""`cosmic trace run`: traces from elsewhere on one of our systems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, show_pairs, show_table, write_json
from cosmic.cli.machine import machine_of
from cosmic.cli.wording import percent
from cosmic.io.astra_sim import read_groups
from cosmic.io.chakra import rank_files, read_rank_trace
from cosmic.simulation.trace_machine import TraceRun, run_traces
from cosmic.system.system import System
from cosmic.units import format_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What `cosmic trace run` is asked for.

    Attributes:
        prefix: What stands before the rank in the names of the traces.
        system: A system.
        changes: What differs from it, as `name=value`.
        groups: The file of groups; None if there is none.
        as_json: Whether to print JSON.
    """

    prefix: str
    system: str
    changes: tuple[str, ...]
    groups: str | None
    as_json: bool


def run(request: RunRequest) -> None:
    """Run traces and print when each rank is done.

    Raises:
        SpecError: The system or the groups cannot be right, or do not go together.
        TraceError: A trace is not sound, or does not fit the others.
    """
    system = machine_of(request.system, request.changes)
    groups = _groups(request.groups)
    files = rank_files(request.prefix)
    with patience(remark):
        traces = [read_rank_trace(file, rank) for rank, file in enumerate(files)]
        ran = run_traces(traces, groups, system)
    if request.as_json:
        write_json(_document(request, ran))
    else:
        _show(request, ran, system)


def _groups(path: str | None) -> Mapping[str, Sequence[int]]:
    if path is None:
        return {}
    return {str(name): ranks for name, ranks in read_groups(Path(path)).items()}


def _document(request: RunRequest, ran: TraceRun) -> dict[str, object]:
    return {
        "trace": request.prefix,
        "system": request.system,
        "finish": ran.finish,
        "compute": ran.compute,
        "sent": ran.sent,
    }


def _show(request: RunRequest, ran: TraceRun, system: System) -> None:
    finish, ranks = ran.finish, len(ran.finish)
    last = finish.index(max(finish))
    nodes = sum(len(ends) for ends in ran.ends)
    show_pairs(
        [
            ("trace", f"{request.prefix}: {ranks:,} ranks, {nodes:,} nodes"),
            ("system", request.system),
            ("time", f"{format_quantity(max(finish), 's')}, when rank {last} is done"),
        ]
    )
    idle = [end - busy for end, busy in zip(finish, ran.compute, strict=True)]
    rows = [
        _spread("done", finish),
        _spread("computes", ran.compute),
        _spread("waits", idle),
    ]
    show_table(
        "Time of a rank",
        ("", "least", "mean", "most", "of all"),
        [
            (*row, percent(sum(values) / max(sum(finish), 1e-300)))
            for row, values in zip(rows, (finish, ran.compute, idle), strict=True)
        ],
    )
    sent = [
        (
            f"{index}",
            dimension.shape.value,
            f"{dimension.size}",
            format_quantity(sum(rank[index] for rank in ran.sent) / ranks, "B"),
        )
        for index, dimension in enumerate(system.cluster.topology.dimensions)
    ]
    heads = ("dimension", "shape", "devices", "collectives send, a rank")
    show_table("Network", heads, sent, words=(0, 1))


def _spread(name: str, values: Sequence[float]) -> tuple[str, ...]:
    """Least, mean and most of the ranks."""
    mean = sum(values) / len(values)
    return name, *(format_quantity(v, "s") for v in (min(values), mean, max(values)))
