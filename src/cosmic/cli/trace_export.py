"""`cosmic trace export`: a design as Chakra traces and ASTRA-sim's input files."""

import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import Progress

from cosmic.cli.changes import design_of
from cosmic.cli.console import remark, say, show_pairs, stderr, write_json
from cosmic.cli.references import find_scenario
from cosmic.errors import SpecError
from cosmic.evaluation.configuration import Configuration
from cosmic.io.astra_differences import differences
from cosmic.io.astra_inputs import write_inputs
from cosmic.io.chakra_export import TraceExport
from cosmic.units import format_quantity
from cosmic.workload.lowering import lower

_NAME = "trace"  # of the files with traces


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What `cosmic trace export` is asked for.

    Attributes:
        reference: A scenario, or a study of one.
        changes: What differs from its baseline, as `name=value`.
        output: The folder.
        as_json: Whether to print JSON.
    """

    reference: str
    changes: tuple[str, ...]
    output: str
    as_json: bool


def export(request: ExportRequest) -> None:
    """Write a design out and say what was written.

    Raises:
        SpecError: The design cannot be built, or the folder is not empty or too full.
        OSError: A file cannot be written.
    """
    scenario = find_scenario(request.reference, shared=False)
    design = design_of(scenario, request.changes)
    configuration = replace(scenario, settings={}).configure(design)
    folder = _folder(request.output)
    graph, system = lower(configuration.workload), configuration.system
    traces = TraceExport(graph, system)
    write_inputs(system, traces.groups, folder)
    nodes = _write(traces, folder, graph.devices)
    notes = differences(graph, system)
    (folder / "README.md").write_text(
        _readme(scenario.name, request.changes, folder, notes), encoding="utf-8"
    )
    if request.as_json:
        document = {
            "folder": str(folder),
            "devices": graph.devices,
            "nodes": nodes,
            "bytes": _size(folder),
            "groups": len(traces.groups),
            "differences": notes,
        }
        write_json(document)
    else:
        _show(configuration, folder, nodes, notes)


def _folder(output: str) -> Path:
    """The folder, made if it is not there.

    Raises:
        SpecError: It is a file, or not empty.
    """
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise SpecError(f"--output {output}: is not a folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise SpecError(f"--output {output}: is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(traces: TraceExport, folder: Path, devices: int) -> int:
    """Write all traces; gives the number of nodes."""
    nodes = 0
    console = stderr()
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("traces", total=devices)
        for index, count in enumerate(traces.write(folder / _NAME)):
            if index == 0:
                _check_room(folder, devices)
            nodes += count
            progress.advance(task)
    return nodes


def _check_room(folder: Path, devices: int) -> None:
    """Refuse to fill the disk, as the first trace tells.

    Raises:
        SpecError: It would be filled.
    """
    needed, free = _size(folder) * devices, shutil.disk_usage(folder).free
    if needed > free:
        raise SpecError(
            f"{folder}: {devices:,} traces take some {format_quantity(needed, 'B')}, "
            f"and {format_quantity(free, 'B')} are free; take fewer devices, layers or "
            "micro-batches"
        )
    if needed > 1e9:
        remark(f"{devices:,} traces, some {format_quantity(needed, 'B')} ...")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _commands(folder: Path) -> tuple[str, ...]:
    """How to run the traces, here and there."""
    files = {
        "workload-configuration": _NAME,
        "comm-group-configuration": "comm_group.json",
        "system-configuration": "system.json",
        "network-configuration": "network.yml",
        "remote-memory-configuration": "memory.json",
    }
    options = " ".join(
        f"--{option}={shlex.quote(str(folder / file))}"
        for option, file in files.items()
    )
    return (
        f"cosmic astra-sim {options}",
        f"AstraSim_Analytical_Congestion_Unaware {options}",
    )


def _readme(
    name: str, changes: tuple[str, ...], folder: Path, notes: tuple[str, ...]
) -> str:
    changed = f", changed by {', '.join(changes)}" if changes else ""
    commands = "\n".join(_commands(Path()))
    lines = "\n".join(f"- {note}" for note in notes)
    return (
        f"# {folder.name}: {name}{changed}\n\n"
        f"One step as `{_NAME}.<device>.et`, one Chakra trace (0.0.4) a device, with "
        "groups, system and network as ASTRA-sim reads them.\n\n"
        f"```console\n{commands}\n```\n\n"
        f"ASTRA-sim's times differ from cosmic's where\n\n{lines}\n"
    )


def _show(
    configuration: Configuration, folder: Path, nodes: int, notes: tuple[str, ...]
) -> None:
    devices = configuration.system.cluster.devices
    show_pairs(
        [
            ("traces", f"{devices:,} of {nodes:,} nodes: {folder / _NAME}.<device>.et"),
            (
                "also",
                "comm_group.json, system.json, network.yml, memory.json, README.md",
            ),
            ("size", format_quantity(_size(folder), "B")),
            ("run by", _commands(folder)[0]),
        ]
    )
    say()
    say("Where ASTRA-sim counts in another way:")
    for note in notes:
        say(f"- {note}")
