"""The verbs that lead from a user's own cluster to a run: `new scenario` and `launch`.

As in the front, a verb loads what it needs when it is called.
"""

from typing import Any

import click

_changes = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change the design, as dp=16; may be repeated.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, SI units.")


@click.command("launch")
@click.argument("reference", metavar="SCENARIO|STUDY|FILE")
@_changes
@click.option(
    "--for",
    "framework",
    required=True,
    metavar="FRAMEWORK",
    help="megatron, torchtitan or deepspeed.",
)
@click.option(
    "--from",
    "log",
    metavar="LOG.jsonl",
    help="Launch the best trial of this log; a study has its own log.",
)
@click.option("--trial", type=click.IntRange(min=0), help="Another trial of the log.")
@click.option(
    "--devices-per-node",
    type=click.IntRange(min=1),
    help="Where the system does not say it.",
)
@click.option("--out", "output", metavar="FILE", help="Write to a file.")
@click.option(
    "--force", is_flag=True, help="Also what is not feasible, or the framework refuses."
)
@_as_json
def launch(**given: Any) -> None:
    """Write a design as arguments of a framework that trains models.

    A scenario means its baseline, with --set; a study means the best trial of its log.
    stdout is the framework's file; what it cannot be told is said on stderr.
    """
    from cosmic.cli.launch import LaunchRequest
    from cosmic.cli.launch import launch as write_launch

    write_launch(LaunchRequest(**given))


@click.group("new")
def new() -> None:
    """Write a new spec file, to be edited."""


@new.command("scenario")
@click.option("--model", required=True, metavar="MODEL|FILE", help="What is trained.")
@click.option("--system", required=True, metavar="SYSTEM|FILE", help="The machine.")
@click.option("--devices", type=click.IntRange(min=1), help="As many of its devices.")
@click.option(
    "--batch", type=click.IntRange(min=1), required=True, help="Sequences in a step."
)
@click.option("--sequence", type=click.IntRange(min=1), help="Tokens in a sequence.")
@click.option("--objective", default="runtime", show_default=True, help="What to seek.")
@click.option("--out", "output", metavar="FILE", help="Write to a new file.")
def new_scenario(**given: Any) -> None:
    """Write a scenario of a model on a cluster, for simulate, search and launch."""
    from cosmic.cli.new_scenario import NewScenarioRequest
    from cosmic.cli.new_scenario import new_scenario as write_scenario

    write_scenario(NewScenarioRequest(**given))
