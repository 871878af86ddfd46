"""What the compiled device is given: the columns of programs and of collectives."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Collectives(NamedTuple):
    """The collectives of a graph on a system, and how they are served.

    Attributes:
        phase_start: First phase of each collective, and the end of the last one.
        phase_dimension: Dimension of each phase.
        phase_seconds: Duration of one chunk's phase.
        group_of: Group of each collective.
        groups: How many groups there are.
        dimensions: How many dimensions the network has.
        chunks: Chunks of a collective.
        lifo: Whether the latest collective goes first.
    """

    phase_start: Ints
    phase_dimension: Ints
    phase_seconds: Floats
    group_of: Ints
    groups: int
    dimensions: int
    chunks: int
    lifo: bool


class Programs(NamedTuple):
    """The programs of a graph, as `FlatGraph` holds them.

    Attributes:
        instructions: Kind, segment or collective, label, offset of each.
        blocks: First instruction, instructions, repeat, first layer, step.
        segment_seconds: Duration of each run of operators.
        labels: How many token labels there are.
        lowest_layer: The lowest layer that a token counts.
        layers: How many layers tokens count.
    """

    instructions: Ints
    blocks: Ints
    segment_seconds: Floats
    labels: int
    lowest_layer: int
    layers: int
