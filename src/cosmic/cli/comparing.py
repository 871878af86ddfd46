"""`cosmic bench agents` and `cosmic pareto`: what may be asked of them."""

from typing import Any

import click


@click.group("bench")
def bench() -> None:
    """Hold agents against each other."""


@bench.command("agents")
@click.argument(
    "reference",
    metavar="[SCENARIO|STUDY|FILE]",
    default="vit-base-512-devices-v1",
    required=False,
)
@click.option("--agents", default="", metavar="A,B", help="All of them by default.")
@click.option("--scope", help="Search only this scope, as network_only.")
@click.option("--objective", help="What is sought, as perf_per_bandwidth.")
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Designs that each agent may try with each seed.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How many seeds, from 0.",
)
@click.option(
    "--exhaust",
    type=click.IntRange(min=0),
    default=20_000,
    show_default=True,
    help="Try every design where there are no more than this, to know the best.",
)
@click.option("--plot", default="", metavar="FILE", help="A picture: .svg, .png, .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def _agents(**given: Any) -> None:
    """Compare agents: equal budgets, several seeds, quartiles and time."""
    from cosmic.cli.bench_agents import BenchRequest, bench_agents

    bench_agents(BenchRequest(**given))


@click.command("pareto")
@click.argument("log", metavar="LOG.jsonl")
@click.option(
    "--objectives",
    default="runtime,network_cost",
    show_default=True,
    metavar="A,B",
    help="Metrics that are better low, or objectives.",
)
@click.option("--plot", default="", metavar="FILE", help="A picture: .svg, .png, .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def pareto(**given: Any) -> None:
    """Show the designs of a study that no other one beats in everything."""
    from cosmic.cli.pareto import ParetoRequest, show_front

    show_front(ParetoRequest(**given))
