"""The compiled device: plain arrays in and out.

`run_programs` is one device: it computes, hands collectives to the network and waits.
Each dimension of the network serves one chunk at a time. When one is free, it takes
the lowest phase that has a chunk waiting there, of the collective that the scheduling
policy puts first. At any instant all that ends is taken note of, and all that the
device can do at that instant is done, before a dimension takes its next chunk.

All that the kernel calls stands in this module: numba's cache does not see a change in
another one.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cosmic.simulation.columns import Collectives, Programs

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_COMPUTE, _START, _WAIT = 0, 1, 2  # as in flat_graph
_IDLE = np.inf
_MOST_COMPARED = 16  # collectives under way, beyond which turns are all played


class _Network(NamedTuple):
    """One device's end of the network. A token's place is its collective's slot.

    Attributes:
        busy: When each dimension's chunk ends.
        serving: Slot and phase of that chunk, shape (dimensions, 2).
        order: Slots under way, in the order of their start.
        active: How many these are, shape (1,).
        pending: Chunks that wait for each dimension.
        collective: Collective of each slot.
        waiting: Chunks of each slot that wait for each phase.
        left: Chunks of each slot that have not passed all phases.
        ended: Whether the slot's collective has ended.
    """

    busy: Floats
    serving: Ints
    order: Ints
    active: Ints
    pending: Ints
    collective: Ints
    waiting: Ints
    left: Ints
    ended: NDArray[np.bool_]


@njit(cache=True)
def _network(slots: int, collectives: Collectives) -> _Network:
    most_phases = 1
    for c in range(len(collectives.phase_start) - 1):
        phases = collectives.phase_start[c + 1] - collectives.phase_start[c]
        most_phases = max(most_phases, phases)
    return _Network(
        np.full(collectives.dimensions, _IDLE),
        np.zeros((collectives.dimensions, 2), np.int64),
        np.zeros(slots + 1, np.int64),
        np.zeros(1, np.int64),
        np.zeros(collectives.dimensions, np.int64),
        np.zeros(slots, np.int64),
        np.zeros((slots, most_phases), np.int64),
        np.zeros(slots, np.int64),
        np.ones(slots, np.bool_),
    )


@njit(cache=True)
def _start(slot: int, what: int, collectives: Collectives, network: _Network) -> None:
    """Hand a collective to the network; one without phases has ended at once."""
    network.collective[slot] = what
    if collectives.phase_start[what + 1] == collectives.phase_start[what]:
        network.ended[slot] = True
        return
    network.waiting[slot, :] = 0
    network.waiting[slot, 0] = collectives.chunks
    first = collectives.phase_start[what]
    network.pending[collectives.phase_dimension[first]] += collectives.chunks
    network.left[slot] = collectives.chunks
    network.ended[slot] = False
    network.order[network.active[0]] = slot
    network.active[0] += 1


@njit(cache=True)
def _waiting_chunk(
    dimension: int, collectives: Collectives, network: _Network
) -> tuple[int, int]:
    """Slot and phase of the chunk that the dimension takes next; one waits."""
    for k in range(network.active[0]):
        place = network.active[0] - 1 - k if collectives.lifo else k
        slot = network.order[place]
        what = network.collective[slot]
        first = collectives.phase_start[what]
        for phase in range(collectives.phase_start[what + 1] - first):
            here = collectives.phase_dimension[first + phase] == dimension
            if here and network.waiting[slot, phase] > 0:
                return slot, phase
    return -1, -1


@njit(cache=True)
def _take_chunks(now: float, collectives: Collectives, network: _Network) -> None:
    """Every free dimension takes its next chunk, if one waits."""
    for dimension in range(collectives.dimensions):
        if network.pending[dimension] == 0 or network.busy[dimension] != _IDLE:
            continue
        slot, phase = _waiting_chunk(dimension, collectives, network)
        first = collectives.phase_start[network.collective[slot]]
        network.waiting[slot, phase] -= 1
        network.pending[dimension] -= 1
        network.busy[dimension] = now + collectives.phase_seconds[first + phase]
        network.serving[dimension, 0] = slot
        network.serving[dimension, 1] = phase


@njit(cache=True)
def _end_chunks(now: float, collectives: Collectives, network: _Network) -> None:
    """Chunks that end now go on to their next phase, or are done."""
    for dimension in range(collectives.dimensions):
        if network.busy[dimension] > now:
            continue
        network.busy[dimension] = _IDLE
        slot, phase = network.serving[dimension, 0], network.serving[dimension, 1]
        what = network.collective[slot]
        following = collectives.phase_start[what] + phase + 1
        if following < collectives.phase_start[what + 1]:
            network.waiting[slot, phase + 1] += 1
            network.pending[collectives.phase_dimension[following]] += 1
            continue
        network.left[slot] -= 1
        if network.left[slot] == 0:
            _forget(slot, network)


@njit(cache=True)
def _forget(slot: int, network: _Network) -> None:
    """Take an ended collective out of the order."""
    network.ended[slot] = True
    place = 0
    while network.order[place] != slot:
        place += 1
    for moved in range(place, network.active[0] - 1):
        network.order[moved] = network.order[moved + 1]
    network.active[0] -= 1


@njit(cache=True)
def _advance(
    now: float, until: float, collectives: Collectives, network: _Network
) -> float:
    """The network from now until then; what starts then is left to the next call."""
    while network.active[0] > 0 and now < until:
        _take_chunks(now, collectives, network)
        following = network.busy.min()
        if following > until:
            break
        now = following
        _end_chunks(now, collectives, network)
    return until


@njit(cache=True)
def _await(now: float, slot: int, collectives: Collectives, network: _Network) -> float:
    """The network from now until a collective has ended: that time."""
    while not network.ended[slot]:
        _take_chunks(now, collectives, network)
        now = network.busy.min()
        _end_chunks(now, collectives, network)
    return now


@njit(cache=True)
def alone(collectives: Collectives) -> Floats:
    """Duration of each collective on an idle network, shape (collectives,)."""
    count = len(collectives.phase_start) - 1
    seconds = np.zeros(count)
    network = _network(1, collectives)
    for what in range(count):
        _start(0, what, collectives, network)
        seconds[what] = _await(0.0, 0, collectives, network)
    return seconds


@njit(cache=True)
def _run_turn(
    now: float,
    first: int,
    end: int,
    layer: int,
    programs: Programs,
    collectives: Collectives,
    alone_seconds: Floats,
    network: _Network,
    waits: Floats,
) -> float:
    """One turn of a block from now on: when it ends. Adds to `waits` by group."""
    instructions = programs.instructions
    i = first
    while i < end:
        kind, what = instructions[i, 0], instructions[i, 1]
        above = layer + instructions[i, 3] - programs.lowest_layer
        slot = instructions[i, 2] * programs.layers + above
        i += 1
        if kind == _COMPUTE:
            until = now + programs.segment_seconds[what]
            now = _advance(now, until, collectives, network)
        elif kind == _START:
            # alone on the network and awaited at once: its duration is known
            awaited = (
                i < end
                and instructions[i, 0] == _WAIT
                and instructions[i, 2] == instructions[i - 1, 2]
                and instructions[i, 3] == instructions[i - 1, 3]
            )
            if awaited and network.active[0] == 0:
                now += alone_seconds[what]
                waits[collectives.group_of[what]] += alone_seconds[what]
                i += 1
            else:
                _start(slot, what, collectives, network)
        else:
            since = now
            now = _await(now, slot, collectives, network)
            waits[collectives.group_of[network.collective[slot]]] += now - since
    return now


@njit(cache=True)
def _run_block(
    now: float,
    block: Ints,
    programs: Programs,
    collectives: Collectives,
    alone_seconds: Floats,
    network: _Network,
    waits: Floats,
) -> float:
    """All turns of a block from now on: when they end. Adds to `waits` by group.

    Where a turn leaves the network as it found it, but for the time and the layer, all
    the turns that follow are like it and need not be played.
    """
    first, end, repeat = block[0], block[0] + block[1], block[2]
    layer, step = block[3], block[4]
    found = _snapshot(now, layer, collectives, network)
    for turn in range(1, repeat + 1):
        start, before = now, waits.copy()
        now = _run_turn(
            now,
            first,
            end,
            layer,
            programs,
            collectives,
            alone_seconds,
            network,
            waits,
        )
        layer += step
        rest = repeat - turn
        if rest == 0:
            break
        left = _snapshot(now, layer, collectives, network)
        if len(left) > 0 and np.array_equal(found, left):
            _skip(rest, (now - start) * rest, block, layer, programs, network)
            waits += (waits - before) * rest
            return now + (now - start) * rest
        found = left
    return now


@njit(cache=True)
def _snapshot(
    now: float, layer: int, collectives: Collectives, network: _Network
) -> Floats:
    """The network as seen from a time and a layer; empty if too much is under way."""
    active, dimensions = network.active[0], collectives.dimensions
    if active > _MOST_COMPARED:
        return np.zeros(0)
    phases = network.waiting.shape[1]
    state = np.full(1 + active * (3 + phases) + dimensions * 3, -1.0)
    state[0] = active
    at = 1
    for k in range(active):
        slot = network.order[k]
        state[at] = slot - layer
        state[at + 1] = network.collective[slot]
        state[at + 2] = network.left[slot]
        for phase in range(phases):
            state[at + 3 + phase] = network.waiting[slot, phase]
        at += 3 + phases
    for dimension in range(dimensions):
        if network.busy[dimension] != _IDLE:
            state[at] = network.busy[dimension] - now
            state[at + 1] = network.serving[dimension, 0] - layer
            state[at + 2] = network.serving[dimension, 1]
        at += 3
    return state


@njit(cache=True)
def _skip(
    turns: int,
    seconds: float,
    block: Ints,
    layer: int,
    programs: Programs,
    network: _Network,
) -> None:
    """Bring the network to where it is after some more turns, all like the last one."""
    step = block[4]
    for i in range(block[0], block[0] + block[1]):
        if programs.instructions[i, 0] == _START:
            label, offset = programs.instructions[i, 2], programs.instructions[i, 3]
            for turn in range(turns):
                above = layer + turn * step + offset - programs.lowest_layer
                slot = label * programs.layers + above
                network.collective[slot] = programs.instructions[i, 1]
    active = network.active[0]
    moved = network.order[:active].copy()
    left, waiting = network.left[moved], network.waiting[moved]
    network.ended[moved] = True
    for k in range(active):
        slot = moved[k] + turns * step
        network.order[k] = slot
        network.left[slot] = left[k]
        network.waiting[slot] = waiting[k]
    for k in range(active):
        network.ended[moved[k] + turns * step] = False
    for dimension in range(len(network.busy)):
        if network.busy[dimension] != _IDLE:
            network.busy[dimension] += seconds
            network.serving[dimension, 0] += turns * step


@njit(cache=True)
def run_programs(
    sequence: Ints,
    release: Floats,
    programs: Programs,
    collectives: Collectives,
    alone_seconds: Floats,
) -> tuple[Floats, Floats]:
    """Run programs one after the other on one device and its network, from time 0.

    Args:
        sequence: First block and number of blocks of each program, shape (runs, 2).
        release: Earliest start of each, shape (runs,).
        programs: What the programs do.
        collectives: What their collectives do.
        alone_seconds: What `alone` gives for them.

    Returns:
        The end of each program, shape (runs,), and its waiting by group, shape
        (runs, groups).
    """
    network = _network(programs.labels * programs.layers, collectives)
    ends = np.zeros(len(sequence))
    waits = np.zeros((len(sequence), collectives.groups))
    now = 0.0
    for p in range(len(sequence)):
        now = _advance(now, max(now, release[p]), collectives, network)
        for b in range(sequence[p, 0], sequence[p, 0] + sequence[p, 1]):
            now = _run_block(
                now,
                programs.blocks[b],
                programs,
                collectives,
                alone_seconds,
                network,
                waits[p],
            )
        ends[p] = now
    return ends, waits
