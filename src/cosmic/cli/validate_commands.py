"""`cosmic validate`: predictions held against what others measured. Verbs only.

A verb loads what it needs when it is called, so that help stays fast.
"""

from typing import Any

import click

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, SI units.")
_file = click.option(
    "--file", default="", help="Your own table, of the same schema as ours."
)
_bulk = click.option(
    "--bulk", is_flag=True, help="The dense single-node sweeps instead."
)
_rows = click.option("--rows", is_flag=True, help="Show every row.")
_worst = click.option(
    "--worst",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many of the worst rows to show.",
)


@click.group("validate")
def validate() -> None:
    """Hold predictions against what others measured."""


@validate.command("collectives")
@_file
@click.option("--source", default="", help="One source only, such as aws-nccl.")
@_worst
@_rows
@_as_json
def _validate_collectives(**given: Any) -> None:
    """Predict the bus bandwidth of published collectives, and say how far off."""
    from cosmic.cli.validate import ValidateRequest, validate_collectives

    validate_collectives(ValidateRequest(**given))


@validate.command("training")
@_file
@click.option("--source", default="", help="One source only, such as internevo.")
@_bulk
@_worst
@_rows
@click.option("--plot", default="", metavar="FILE", help="A picture: .svg, .png, .pdf.")
@_as_json
def _validate_training(**given: Any) -> None:
    """Predict the step time of published training runs, and say how far off."""
    from cosmic.cli.validate_training import TrainingRequest, validate_training

    validate_training(TrainingRequest(**given))


@validate.command("memory")
@_file
@click.option("--source", default="", help="One source only, such as torchtitan.")
@_bulk
@_worst
@click.option("--rows", is_flag=True, help="Show every row that says its memory.")
@_as_json
def _validate_memory(**given: Any) -> None:
    """Predict the memory of published runs by part, and which of them fit."""
    from cosmic.cli.validate_memory import MemoryRequest, validate_memory

    validate_memory(MemoryRequest(**given))


@validate.command("kernels")
@click.option("--file", default="", help="Your own table, .jsonl or .csv.")
@click.option("--source", default="", help="One source only, such as aic-gemm.")
@_worst
@_as_json
def _validate_kernels(**given: Any) -> None:
    """Predict the time of measured kernels, and say how far off."""
    from cosmic.cli.validate_kernels import KernelsRequest, validate_kernels

    validate_kernels(KernelsRequest(**given))


@click.command("calibrate")
@click.argument("device", metavar="DEVICE|FILE")
@click.option("--file", default="", help="Measured kernels, .jsonl or .csv.")
@click.option("--sources", default="", metavar="A,B", help="All of them by default.")
@click.option("--processors", type=click.IntRange(min=1), help="Of the device.")
@click.option("--like", default="", metavar="CALIBRATION", help="That of a relative.")
@click.option("--about", default="", help="One sentence for the file.")
@click.option("--output", default="", metavar="FILE", help="DEVICE.yaml by default.")
@click.option("--held-out", is_flag=True, help="Try it on each source left out.")
def calibrate(**given: Any) -> None:
    """Fit the curves of a device to measured kernels, and write them as a file.

    Give --file with times of your own device; name the file written as `calibration`
    in the device's file.
    """
    from cosmic.cli.validate_kernels import CalibrateRequest, calibrate_device

    calibrate_device(CalibrateRequest(**given))


@validate.command("inference")
@_file
@click.option("--source", default="", help="One source only, such as lmdeploy.")
@_worst
@_rows
@click.option("--plot", default="", metavar="FILE", help="A picture: .svg, .png, .pdf.")
@_as_json
def _validate_inference(**given: Any) -> None:
    """Predict published times and rates of inference, and say how far off."""
    from cosmic.cli.validate_inference import InferenceRequest, validate_inference

    validate_inference(InferenceRequest(**given))


@validate.command("astra-sim")
@_as_json
def _validate_astra_sim(*, as_json: bool) -> None:
    """Hold our times of collectives against ASTRA-sim's, by reason to differ."""
    from cosmic.cli.validate_astra_sim import validate_astra_sim

    validate_astra_sim(as_json=as_json)
