"""Which layers each stage of a pipeline holds.

Layers are shared out to virtual stages in the order of the model: the first parts of
all stages, then the second ones, and so on.
"""

from itertools import accumulate, pairwise

from cosmic.errors import ConsistencyError, SpecError
from cosmic.trace.execution_graph import Schedule
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism


def shared_out(
    layers: int, split: Parallelism, first: int = 0, last: int = 0
) -> tuple[int, ...]:
    """Layers of each virtual stage, where the first or the last stage has its own.

    Args:
        layers: How many there are.
        split: Into how many stages.
        first: Layers of the first stage, over all of its parts; 0 for an even share.
        last: The same of the last stage.

    Returns:
        The layers of each virtual stage; nothing where all have an even share.

    Raises:
        SpecError: A number is negative.
        ConsistencyError: What is left does not divide evenly.

    >>> shared_out(62, Parallelism(pipeline=4), first=15, last=15)
    (15, 16, 16, 15)
    >>> shared_out(10, Parallelism(pipeline=2, virtual_stages=2), first=4)
    (2, 3, 2, 3)
    """
    if first < 0 or last < 0:
        raise SpecError(
            "first_stage_layers and last_stage_layers must not be negative, but are "
            f"{first} and {last}"
        )
    if not first and not last:
        return ()
    stages = split.pipeline
    if stages == 1:
        raise ConsistencyError(
            "first_stage_layers and last_stage_layers need a pipeline, and pp is 1"
        )
    between = stages - bool(first) - bool(last)
    left = layers - first - last
    even = left // max(1, between)
    if left < between or even * between != left:
        raise ConsistencyError(
            f"layers beside those of first_stage_layers and last_stage_layers: "
            f"{between} stages cannot share out {left} evenly"
        )
    shares = [first or even, *[even] * (stages - 2), last or even]
    parts = split.virtual_stages
    for share in shares:
        if share % parts:
            raise ConsistencyError(
                f"layers of a stage over virtual_stages: {parts} does not divide "
                f"{share}"
            )
    return tuple(share // parts for share in shares) * parts


def check_stages(
    model: TransformerModel,
    split: Parallelism,
    schedule: Schedule,
    micro_batches: int,
    stage_layers: tuple[int, ...],
) -> None:
    """Check that stages make up the model, and that the schedule can serve them.

    Raises:
        SpecError: A stage has no layer.
        ConsistencyError: They do not, or it cannot.
    """
    parts = split.virtual_stages
    places = split.pipeline * parts
    if stage_layers:
        if min(stage_layers) < 1:
            raise SpecError("stage_layers must be at least 1 each")
        if len(stage_layers) != places or sum(stage_layers) != model.layers:
            raise ConsistencyError(
                f"stage_layers must share out {model.layers} layers over {places} "
                f"stages, not {sum(stage_layers)} over {len(stage_layers)}"
            )
    elif model.layers % places:
        over = "pipeline" if parts == 1 else "pipeline x virtual_stages"
        raise ConsistencyError(
            f"layers over {over}: {places} does not divide {model.layers}"
        )
    if parts == 1:
        return
    if schedule is not Schedule.ONE_F_ONE_B:
        raise ConsistencyError(
            f"virtual_stages is for the schedule 1f1b, not {schedule.value}"
        )
    if micro_batches % split.pipeline:
        raise ConsistencyError(
            "micro-batches over pipeline, with virtual_stages: "
            f"{split.pipeline} does not divide {micro_batches}"
        )


def layer_ranges(
    layers: int, split: Parallelism, stage_layers: tuple[int, ...]
) -> tuple[range, ...]:
    """Which layers of the model each virtual stage holds.

    >>> layer_ranges(7, Parallelism(pipeline=3), (2, 3, 2))
    (range(0, 2), range(2, 5), range(5, 7))
    """
    places = split.pipeline * split.virtual_stages
    counts = stage_layers or (layers // places,) * places
    return tuple(range(a, b) for a, b in pairwise((0, *accumulate(counts))))
