"""`cosmic trace`: execution traces out and in. Verbs and their arguments only.

A verb loads what it needs when it is called, so that help stays fast.
"""

from typing import Any

import click

_SCENARIO = "vit-base-512-devices-v1"  # 3 million nodes; larger ones take gigabytes

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, SI units.")
_changes = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change it, as chunks=16 or 'bandwidth[1]=200 GB/s'; may be repeated.",
)


@click.group("trace")
def trace() -> None:
    """Chakra execution traces: write, look at and run them."""


@trace.command("export")
@click.argument("reference", metavar="[SCENARIO|FILE]", default=_SCENARIO)
@_changes
@click.option("--output", required=True, metavar="DIR", help="A new or empty folder.")
@_as_json
def _export(**given: Any) -> None:
    """Write a design as one trace a device, with ASTRA-sim's other input files.

    What ASTRA-sim counts in another way is printed, and stands in DIR/README.md.
    """
    from cosmic.cli.trace_export import ExportRequest, export

    export(ExportRequest(**given))


@trace.command("show")
@click.argument("reference", metavar="FILE|PREFIX")
@_as_json
def _show(reference: str, *, as_json: bool) -> None:
    """Summarize one trace FILE, or all of PREFIX.0.et, PREFIX.1.et, ..."""
    from cosmic.cli.trace_show import show

    show(reference, as_json=as_json)


@trace.command("run")
@click.argument("prefix", metavar="PREFIX")
@click.option("--system", required=True, metavar="SYSTEM|FILE", help="What to run on.")
@_changes
@click.option(
    "--comm-group-configuration",
    "groups",
    metavar="FILE",
    help="The ranks of each group, JSON, as for cosmic astra-sim.",
)
@_as_json
def _run(**given: Any) -> None:
    """Run the traces PREFIX.0.et, PREFIX.1.et, ... on a system, by our own model.

    One trace for each device. For ASTRA-sim's times, see cosmic astra-sim.
    """
    from cosmic.cli.trace_run import RunRequest, run

    run(RunRequest(**given))
