"""The command line's front: verbs, their arguments, errors as one line, exit codes.

A verb loads what it needs when it is called, so that help stays fast. Exit codes: 0 for
an answer, 2 for a mistake of the user, 130 for an interruption, 1 for a defect.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from cosmic import __version__
from cosmic.cli.comparing import bench, paper, pareto
from cosmic.cli.compiled_code import room_for_compiled_code
from cosmic.cli.interrupts import Interrupts
from cosmic.cli.launch_commands import launch, new
from cosmic.cli.studies import export, merge, report, study
from cosmic.cli.timeline_command import timeline
from cosmic.cli.trace import trace
from cosmic.cli.validate_commands import calibrate, validate
from cosmic.errors import CosmicError

_DEFECT, _MISTAKE, _INTERRUPTED = 1, 2, 130  # exit codes

_SCENARIO = "gpt3-175b-1024-devices-v1"
_STUDY = "demo-v1"

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, SI units.")
_scope = click.option("--scope", help="Stacks to search together, such as full_stack.")
_objective = click.option("--objective", help="What to seek, such as perf_per_cost.")
_agent = click.option("--agent", help="Who searches: genetic, random, exhaustive.")
_options = click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="A hyper-parameter of the agent; may be repeated.",
)
_changes = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change the baseline, as dp=16 or 'bandwidth[1]=200 GB/s'; may be repeated.",
)
_workers = click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes that evaluate designs; this one alone by default.",
)
_ray = click.option(
    "--ray",
    metavar="[ADDRESS]",
    is_flag=False,
    flag_value="local",
    help="Evaluate on a Ray cluster; one of this machine without an ADDRESS.",
)
_trials = click.option("--trials", type=click.IntRange(min=1), help="Designs to try.")


@click.group(invoke_without_command=True, subcommand_metavar="COMMAND [ARGS]...")
@click.version_option(__version__, prog_name="cosmic", message="%(prog)s %(version)s")
@click.pass_context
def cosmic(context: click.Context) -> None:
    """Full-stack co-design of distributed machine-learning systems.

    A SCENARIO, STUDY or any other spec is the name of a preset, see `cosmic presets`,
    or a YAML file. A mistake is one line and exit code 2.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cosmic.command("simulate")
@click.argument("reference", metavar="[SCENARIO|FILE]", default=_SCENARIO)
@_changes
@click.option(
    "--simulator",
    default="symmetric",
    show_default=True,
    help="symmetric, or event-driven: every device by itself, for small workloads.",
)
@click.option("--stages", is_flag=True, help="Show each pipeline stage.")
@_as_json
def _simulate(**given: Any) -> None:
    """Simulate one design: where time, memory and money go."""
    from cosmic.cli.simulate import SimulateRequest, simulate

    simulate(SimulateRequest(**given))


@cosmic.command("search")
@click.argument("reference", metavar="[STUDY|SCENARIO|FILE]", default=_STUDY)
@_scope
@_objective
@_agent
@_options
@_trials
@click.option("--seed", type=click.IntRange(min=0), help="One seed, one search.")
@click.option("--batch", type=click.IntRange(min=1), help="Designs tried at a time.")
@click.option("--shard", metavar="I/N", help="Do this part only, then cosmic merge.")
@click.option("--start", metavar="LOG", help="Begin with the best designs of a log.")
@_workers
@_ray
@click.option(
    "--output",
    metavar="LOG.jsonl",
    help="The trial log; runs/STUDY-SCOPE-seedK.jsonl by default.",
)
@click.option("--resume", is_flag=True, help="Go on with the log, or extend it.")
@click.option("--repair", is_flag=True, help="Set a log's damaged end aside; resume.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Designs to show.",
)
@_as_json
def _search(**given: Any) -> None:
    """Search for the best design, or go on with a search."""
    from cosmic.cli.search import SearchRequest, search

    search(SearchRequest(**given))


@cosmic.command("compare")
@click.argument("reference", metavar="[SCENARIO|STUDY|FILE]", default=_SCENARIO)
@_objective
@_agent
@_options
@_trials
@click.option("--seed", type=click.IntRange(min=0), help="The seed of every search.")
@click.option("--seeds", metavar="0,1,2", help="Several seeds: every search once each.")
@_as_json
def _compare(**given: Any) -> None:
    """Compare single-stack with full-stack search.

    Equal budgets, one agent; a scope that the budget covers is searched exhaustively.
    """
    from cosmic.cli.compare import CompareRequest, compare

    compare(CompareRequest(**given))


@cosmic.command("presets")
@click.argument("kind", required=False)
@click.argument("name", required=False)
@_as_json
def _presets(kind: str | None, name: str | None, *, as_json: bool) -> None:
    """List presets, or print one.

    `cosmic presets [KIND]` lists them, `cosmic presets show NAME` prints one, and
    `cosmic presets KIND NAME` the one of that kind.
    """
    from cosmic.cli.presets import list_presets, show_preset

    if kind == "show":
        if name is None:
            raise click.UsageError("name a preset: cosmic presets show NAME")
        show_preset(name, as_json=as_json)
    elif kind is not None and name is not None:
        show_preset(name, kind, as_json=as_json)
    else:
        list_presets(kind, as_json=as_json)


@cosmic.command("check")
@click.argument("reference", metavar="FILE|PRESET")
@_as_json
def _check(reference: str, *, as_json: bool) -> None:
    """Read a spec file or a preset, with all that it refers to."""
    from cosmic.cli.check import check

    check(reference, as_json=as_json)


@cosmic.command("count")
@click.argument("reference", metavar="[SCENARIO|FILE]", default=_SCENARIO)
@_scope
@_as_json
def _count(reference: str, *, scope: str | None, as_json: bool) -> None:
    """Count the points of each scope, exactly."""
    from cosmic.cli.count import count

    count(reference, scope=scope, as_json=as_json)


@cosmic.command("explain")
@click.argument("reference", metavar="[SCENARIO|FILE|LOG.jsonl]", default=_SCENARIO)
@_changes
@_scope
@click.option("--scenario", help="Of a LOG, where it is a file of yours.")
@_as_json
def _explain_space(scenario: str | None, **given: Any) -> None:
    """Explain parameters; with --set, why a design is not feasible; or a study's best.

    Of a LOG: what each change against the baseline gained, what happens if one thing
    is chosen otherwise, and how much each parameter matters.
    """
    from cosmic.cli.explain import ExplainRequest, explain
    from cosmic.cli.explain_study import explain_study

    if given["reference"].endswith(".jsonl"):
        if given["changes"] or given["scope"]:
            raise click.UsageError("a log has a design and a scope of its own")
        explain_study(given["reference"], scenario, as_json=given["as_json"])
    else:
        explain(ExplainRequest(**given))


@cosmic.command("schema")
@click.argument("kind", required=False)
@click.option("--output", metavar="DIR", help="Write files to a folder.")
def _schema(kind: str | None, *, output: str | None) -> None:
    """Print the JSON Schema of spec files, for editors."""
    from cosmic.cli.schema import schema

    schema(kind, output=output)


@cosmic.command("collective")
@click.argument("kind", default="all_reduce", metavar="[COLLECTIVE]")
@click.argument("reference", default="cosmic-1024", metavar="[SYSTEM|FILE]")
@click.option("--from", "smallest", default="1 KiB", show_default=True, metavar="SIZE")
@click.option("--to", "largest", default="1 GiB", show_default=True, metavar="SIZE")
@click.option("--factor", default=4.0, show_default=True, help="From size to size.")
@click.option(
    "--group",
    default="",
    metavar="SIZE[xSTRIDE]",
    help="Devices of a group, and how far apart; all devices by default.",
)
@_changes
@click.option(
    "--algorithms", default="", metavar="A,B", help="Those to find the fastest among."
)
@click.option("--plot", default="", metavar="FILE", help="A picture: .svg, .png, .pdf.")
@click.option(
    "--fidelity",
    type=click.Choice(["model", "link"]),
    default="model",
    show_default=True,
    help="link: also message by message on explicit links, for small systems.",
)
@_as_json
def _collective(**given: Any) -> None:
    """Time a collective by size, next to its bound and to how it is done best.

    COLLECTIVE is all_reduce, all_gather, reduce_scatter, all_to_all, broadcast or
    send_recv. All groups of the system do the same at once.
    """
    from cosmic.cli.collective import CollectiveRequest, collective

    collective(CollectiveRequest(**given))


@cosmic.command("astra-sim")
@click.option(
    "--workload-configuration",
    required=True,
    metavar="PREFIX",
    help="Traces: PREFIX.0.et, PREFIX.1.et, ...",
)
@click.option("--system-configuration", required=True, metavar="FILE", help="JSON.")
@click.option("--network-configuration", required=True, metavar="FILE", help="YAML.")
@click.option(
    "--comm-group-configuration",
    default="empty",
    metavar="FILE",
    help="Communicator groups, JSON.",
)
@click.option("--remote-memory-configuration", metavar="FILE", help="JSON.")
@click.option("--num-queues-per-dim", type=click.IntRange(min=1), default=1)
@click.option("--rendezvous-protocol", type=bool, default=False)
@click.option(
    "--congestion",
    type=click.Choice(["unaware", "aware"]),
    default="unaware",
    show_default=True,
    help="Which analytical back end.",
)
@_as_json
def _astra_sim(**given: Any) -> None:
    """Run ASTRA-sim's input files as they are, to the nanosecond.

    Options are those of ASTRA-sim's analytical back ends; where these would crash, hang
    or leave a result to chance, one line says why.
    """
    from cosmic.cli.astra_sim import AstraSimRequest, astra_sim

    astra_sim(AstraSimRequest(**given))


cosmic.add_command(trace)
cosmic.add_command(bench)
cosmic.add_command(pareto)
cosmic.add_command(paper)
cosmic.add_command(validate)
cosmic.add_command(calibrate)
cosmic.add_command(launch)
cosmic.add_command(new)
cosmic.add_command(export)
cosmic.add_command(merge)
cosmic.add_command(study)
cosmic.add_command(report)
cosmic.add_command(timeline)


def run(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Args:
        arguments: What stands after `cosmic`; those of the process, if left out.

    Returns:
        The exit code.
    """
    with Interrupts() as interrupts:
        try:
            with room_for_compiled_code(Path(__file__).parents[1] / "simulation"):
                code = cosmic.main(arguments, prog_name="cosmic", standalone_mode=False)
                sys.stdout.flush()
        except BrokenPipeError:  # whoever reads has read enough, as `head` does
            _drop_output()
            code = 0
        except Exception as error:
            cause = click.Abort() if interrupts.noticed else error
            message, code = _explain(cause)
            click.echo(f"cosmic: {' '.join(message.split())}", err=True)
    return code if isinstance(code, int) else 0


def main() -> None:
    """Carry out the command of this process, and end it."""
    sys.exit(run())


def _explain(error: Exception) -> tuple[str, int]:
    """The line that people read, and the exit code."""
    match error:
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "cosmic"
            return f"{error.format_message().rstrip('.')} (see {path} --help)", _MISTAKE
        case CosmicError():
            return str(error), _MISTAKE
        case OSError():
            _drop_output()
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror or error}", _MISTAKE
        case click.Abort():
            return "interrupted", _INTERRUPTED
        case _:
            return _defect(error), _DEFECT


def _drop_output() -> None:
    """Let what is still to be written to a broken stdout go nowhere."""
    with suppress(OSError, ValueError):  # stdout may be no file, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _defect(error: Exception) -> str:
    """The line for what is no mistake of the user."""
    if os.environ.get("COSMIC_DEBUG"):
        traceback.print_exception(error)
    return (
        f"{type(error).__name__}: {error}; this is a defect of cosmic, please report "
        f"it (COSMIC_DEBUG=1 shows where it happened)"
    )
