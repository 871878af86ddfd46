"""What the compiled device works on: programs, collectives, its end of the network."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Collectives(NamedTuple):
    """The collectives of a graph on a system, and how they are served.

    Attributes:
        phase_start: First phase of each collective, and the end of the last one.
        phases: Dimension, phase that follows (counted from the collective's first, or
            -1) and chunks that begin with it, of each phase.
        phase_seconds: How long a chunk is in the dimension, and how long it has the
            links there, which is no longer.
        group_of: Group of each collective.
        groups: How many groups there are.
        dimensions: How many dimensions the network has.
        chunks: Chunks of a collective.
        active_chunks: Chunks that a dimension serves at once.
        lifo: Whether the latest collective goes first.
    """

    phase_start: Ints
    phases: Ints
    phase_seconds: Floats
    group_of: Ints
    groups: int
    dimensions: int
    chunks: int
    active_chunks: int
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


class Network(NamedTuple):
    """One device's end of the network. A token's place is its collective's slot.

    Attributes:
        links: When each dimension's links are free, or have been since.
        inside: Chunks in each dimension.
        leaving: When these leave, in the order of their coming, shape (dimensions,
            active chunks).
        serving: Slot and phase of each, shape (dimensions, active chunks, 2).
        order: Slots under way, in the order of their start.
        under_way: How many these are, shape (1,).
        pending: Chunks that wait for each dimension.
        collective: Collective of each slot.
        waiting: Chunks of each slot that wait for each phase.
        waiting_at: Chunks of each slot that wait for each dimension.
        left: Chunks of each slot that have not passed all phases.
        ended: Whether the slot's collective has ended.
        lone: Slot of a collective that started on the idle network, and that nothing
            has joined since, so that it need not be played; or -1. Shape (1,).
        since: When it started, shape (1,).
    """

    links: Floats
    inside: Ints
    leaving: Floats
    serving: Ints
    order: Ints
    under_way: Ints
    pending: Ints
    collective: Ints
    waiting: Ints
    waiting_at: Ints
    left: Ints
    ended: NDArray[np.bool_]
    lone: Ints
    since: Floats


class Device(NamedTuple):
    """One device, with all that it does and its end of the network.

    Attributes:
        programs: What its programs do.
        collectives: What their collectives do.
        alone_seconds: Duration of each collective on an idle network.
        network: Its end of the network.
    """

    programs: Programs
    collectives: Collectives
    alone_seconds: Floats
    network: Network


class PhaseTable(NamedTuple):
    """Phases without their times: the coefficients of `PhaseCost`, row by row.

    A way of a collective is some rows behind each other.

    Attributes:
        first: First row of each way.
        rows: How many rows it has.
        dimension: Dimension of each row.
        fraction: The phase's buffer over the chunk's.
        steps: How many steps, one after the other.
        hops: Links on the longest path through the steps.
        load: What the busiest link carries, over the phase's buffer.
        reduced: What a device adds up, over the phase's buffer.
    """

    first: Ints
    rows: Ints
    dimension: Ints
    fraction: Floats
    steps: Ints
    hops: Ints
    load: Floats
    reduced: Floats


class Designs(NamedTuple):
    """Machines on which one graph is run, a row each.

    Attributes:
        ways: Way of each collective, by its place in the table, shape (designs,
            collectives).
        messages: Way from each stage to the next one, and then those from the next
            stage to each, shape (designs, 2 (stages - 1)).
        bandwidth: Of a link of each dimension, shape (designs, dimensions).
        latency: The same.
        endpoint_delay: Time to take up a message, shape (designs,).
        memory_bandwidth: Of a device, shape (designs,).
        chunks: Equal parts of a collective, shape (designs,).
        active_chunks: Chunks that a dimension serves at once, shape (designs,).
        lifo: Whether the latest collective goes first, shape (designs,).
        computes: Duration of each compute node, shape (designs, computes).
    """

    ways: Ints
    messages: Ints
    bandwidth: Floats
    latency: Floats
    endpoint_delay: Floats
    memory_bandwidth: Floats
    chunks: Ints
    active_chunks: Ints
    lifo: NDArray[np.bool_]
    computes: Floats
