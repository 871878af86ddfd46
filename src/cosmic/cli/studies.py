"""What is done with trial logs: verbs and their arguments only.

A verb loads what it needs when it is called, so that help stays fast.
"""

from typing import Any

import click


@click.command("export")
@click.argument("log", metavar="LOG.jsonl")
@click.option(
    "--output", required=True, metavar="FILE", help="The table: .parquet or .csv."
)
@click.option(
    "--format", "file_format", help="parquet or csv; by the name of FILE by default."
)
def export(**given: Any) -> None:
    """Write a study as a flat table: a row a trial, for pandas, Polars or a sheet.

    Columns are number, digest, each parameter, each metric, feasible, violations and
    score. Needs the extra cosmic[export].
    """
    from cosmic.cli.export import export_log

    export_log(**given)


@click.command("study")
@click.argument("log", metavar="LOG.jsonl")
@click.option("--objective", help="Rank by this one, such as perf_per_cost.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Designs to show.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, SI units.")
def study(**given: Any) -> None:
    """Summarize a study from its log, also while it is being written.

    With --objective its trials are ranked anew, and nothing is simulated again. A
    million trials take seconds with the extra cosmic[export], else a minute or two.
    """
    from cosmic.cli.study import StudyRequest, show_study

    show_study(StudyRequest(**given))


@click.command("merge")
@click.argument("logs", metavar="LOG.jsonl...", nargs=-1, required=True)
@click.option("--output", required=True, metavar="FILE", help="The log, a new file.")
def merge(**given: Any) -> None:
    """Merge the logs of all shards of a study into one.

    An agent that learns nothing (random, exhaustive) leaves the very log that one
    search of the whole study would have written; any other one, searches of their own.
    """
    from cosmic.cli.merge import merge_logs

    merge_logs(**given)


@click.command("report")
@click.argument("log", metavar="LOG.jsonl")
@click.option(
    "--scenario", metavar="FILE", help="Its scenario, where that is no preset."
)
@click.option(
    "--to", metavar="FILE.html", help="The report; beside the log by default."
)
def report(**given: Any) -> None:
    """Write a study as one HTML file that needs no network to be looked at.

    The best design beside the baseline, where time and memory go, the Pareto front,
    what matters, and all trials to filter. Needs the extra cosmic[report].
    """
    from cosmic.cli.report import report as write

    write(**given)
