"""`cosmic bench agents`, `cosmic pareto` and `cosmic paper`: what may be asked."""

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


@click.command("paper")
@click.argument(
    "reference",
    metavar="[COMPARISON|FILE]",
    default="paper-single-against-full-v1",
    required=False,
)
@click.option("--quick", is_flag=True, help="A small part of it, within a minute.")
@click.option(
    "--as-published", "published", is_flag=True, help="As the authors ran it."
)
@click.option(
    "--model", "models", multiple=True, metavar="NAME", help="Only this, as gpt3-13b."
)
@click.option(
    "--system", "systems", multiple=True, metavar="SIZE", help="Only this, as 512."
)
@click.option("--trials", type=click.IntRange(min=1), help="Designs of each search.")
@click.option("--seeds", type=click.IntRange(min=1), help="How many seeds, from 0.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that search.",
)
@click.option(
    "--to", metavar="FOLDER", help="Logs and tables; runs/COMPARISON by default."
)
@click.option(
    "--surprising",
    type=click.IntRange(min=0),
    default=8,
    show_default=True,
    help="Surprising designs to show.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def paper(**given: Any) -> None:
    """Compare single-stack with full-stack search, as the paper does.

    Equal budgets and several seeds; what is recorded in the folder is not run again.
    """
    from cosmic.cli.paper import PaperRequest
    from cosmic.cli.paper import paper as compare_stacks

    compare_stacks(PaperRequest(**given))
