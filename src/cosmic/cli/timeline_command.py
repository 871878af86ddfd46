"""The verb that shows one step from its start to its end: `timeline`.

As in the front, a verb loads what it needs when it is called.
"""

from typing import Any

import click

_SCENARIO = "gpt3-175b-1024-devices-v1"


@click.command("timeline")
@click.argument("reference", metavar="[SCENARIO|STUDY|FILE]", default=_SCENARIO)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change the design, as dp=16; may be repeated.",
)
@click.option(
    "--from",
    "log",
    metavar="LOG.jsonl",
    help="The best trial of this log; a study has its own log.",
)
@click.option("--trial", type=click.IntRange(min=0), help="Another trial of the log.")
@click.option(
    "--pass",
    "part",
    metavar="PASS",
    help="Of an inference: prefill, or decode; the first that there is by default.",
)
@click.option(
    "--detail",
    default="layers",
    show_default=True,
    help="What is written of the inside of a micro-batch: steps, layers, operators.",
)
@click.option("--to", "trace", metavar="STEP.json", help="For ui.perfetto.dev.")
@click.option("--svg", "picture", metavar="STEP.svg", help="Draw a picture.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, SI units.")
def timeline(**given: Any) -> None:
    """Show what each pipeline stage does when in one simulated step.

    Prints where each stage's time goes; --to writes it all as a trace that
    ui.perfetto.dev and chrome://tracing open, --svg draws it.
    """
    from cosmic.cli.timeline import TimelineRequest, show_timeline

    show_timeline(TimelineRequest(**given))
