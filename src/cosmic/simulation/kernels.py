"""The compiled device: plain arrays in and out.

`run_programs` is one device: it computes, hands collectives to the network and waits.
Each dimension of the network has so many chunks in it at once, of which only the latest
still has the links. When these are free and there is room, the dimension takes the
lowest phase that has a chunk waiting there, of the collective that the scheduling
policy puts first. At any instant all that ends is taken note of, and all that the
device can do at that instant is done, before a dimension takes its next chunk.

All that the kernel calls stands in this module: numba's cache does not see a change in
another one. What every event calls is inlined, since a call hands over each array of
its tuples piece by piece, which takes longer than the work itself.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cosmic.simulation.columns import Collectives, Device, Network, Programs

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_COMPUTE, _START, _WAIT = 0, 1, 2  # as in flat_graph
_DIMENSION, _FOLLOWING, _CHUNKS = 0, 1, 2  # columns of a collective's phases
_MOST_COMPARED = 16  # collectives under way, beyond which turns are all played


@njit(cache=True)
def _network(slots: int, collectives: Collectives) -> Network:
    most_phases = 1
    for c in range(len(collectives.phase_start) - 1):
        phases = collectives.phase_start[c + 1] - collectives.phase_start[c]
        most_phases = max(most_phases, phases)
    dimensions = collectives.dimensions
    most_inside = min(collectives.active_chunks, slots * collectives.chunks)
    return Network(
        np.zeros(dimensions),
        np.zeros(dimensions, np.int64),
        np.zeros((dimensions, most_inside)),
        np.zeros((dimensions, most_inside, 2), np.int64),
        np.zeros(slots + 1, np.int64),
        np.zeros(1, np.int64),
        np.zeros(dimensions, np.int64),
        np.zeros(slots, np.int64),
        np.zeros((slots, most_phases), np.int64),
        np.zeros((slots, dimensions), np.int64),
        np.zeros(slots, np.int64),
        np.ones(slots, np.bool_),
    )


@njit(cache=True, inline="always")
def _start(slot: int, what: int, collectives: Collectives, network: Network) -> None:
    """Hand a collective to the network; one without phases has ended at once."""
    network.collective[slot] = what
    first, end = collectives.phase_start[what], collectives.phase_start[what + 1]
    if first == end:
        network.ended[slot] = True
        return
    for phase in range(end - first):
        chunks = collectives.phases[first + phase, _CHUNKS]
        dimension = collectives.phases[first + phase, _DIMENSION]
        network.waiting[slot, phase] = chunks
        network.waiting_at[slot, dimension] += chunks
        network.pending[dimension] += chunks
    network.left[slot] = collectives.chunks
    network.ended[slot] = False
    network.order[network.under_way[0]] = slot
    network.under_way[0] += 1


@njit(cache=True, inline="always")
def _waiting_chunk(
    dimension: int, collectives: Collectives, network: Network
) -> tuple[int, int]:
    """Slot and phase of the chunk that the dimension takes next; one waits."""
    for k in range(network.under_way[0]):
        place = network.under_way[0] - 1 - k if collectives.lifo else k
        slot = network.order[place]
        if network.waiting_at[slot, dimension] == 0:
            continue
        what = network.collective[slot]
        first = collectives.phase_start[what]
        for phase in range(collectives.phase_start[what + 1] - first):
            here = collectives.phases[first + phase, _DIMENSION] == dimension
            if here and network.waiting[slot, phase] > 0:
                return slot, phase
    return -1, -1


@njit(cache=True, inline="always")
def _take_chunks(now: float, collectives: Collectives, network: Network) -> None:
    """Every dimension with free links and room takes its next chunk, if one waits."""
    for dimension in range(collectives.dimensions):
        place = network.inside[dimension]
        if (
            network.pending[dimension] == 0
            or place == collectives.active_chunks
            or network.links[dimension] > now
        ):
            continue
        slot, phase = _waiting_chunk(dimension, collectives, network)
        which = collectives.phase_start[network.collective[slot]] + phase
        network.waiting[slot, phase] -= 1
        network.waiting_at[slot, dimension] -= 1
        network.pending[dimension] -= 1
        network.links[dimension] = now + collectives.phase_seconds[which, 1]
        network.leaving[dimension, place] = now + collectives.phase_seconds[which, 0]
        network.serving[dimension, place, 0] = slot
        network.serving[dimension, place, 1] = phase
        network.inside[dimension] = place + 1


@njit(cache=True, inline="always")
def _following(collectives: Collectives, network: Network) -> float:
    """When a chunk next leaves a dimension, or finds free links where there is room."""
    following = np.inf
    for dimension in range(collectives.dimensions):
        inside = network.inside[dimension]
        for place in range(inside):
            following = min(following, network.leaving[dimension, place])
        if network.pending[dimension] > 0 and inside < collectives.active_chunks:
            following = min(following, network.links[dimension])
    return following


@njit(cache=True, inline="always")
def _end_chunks(now: float, collectives: Collectives, network: Network) -> None:
    """Chunks that leave now go on to their next phase, or are done."""
    for dimension in range(collectives.dimensions):
        inside = network.inside[dimension]
        staying = 0
        for place in range(inside):
            slot = network.serving[dimension, place, 0]
            phase = network.serving[dimension, place, 1]
            if network.leaving[dimension, place] > now:
                network.leaving[dimension, staying] = network.leaving[dimension, place]
                network.serving[dimension, staying, 0] = slot
                network.serving[dimension, staying, 1] = phase
                staying += 1
            else:
                _go_on(slot, phase, collectives, network)
        network.inside[dimension] = staying


@njit(cache=True, inline="always")
def _go_on(slot: int, phase: int, collectives: Collectives, network: Network) -> None:
    """A chunk has passed a phase."""
    first = collectives.phase_start[network.collective[slot]]
    following = collectives.phases[first + phase, _FOLLOWING]
    if following >= 0:
        dimension = collectives.phases[first + following, _DIMENSION]
        network.waiting[slot, following] += 1
        network.waiting_at[slot, dimension] += 1
        network.pending[dimension] += 1
        return
    network.left[slot] -= 1
    if network.left[slot] == 0:
        _forget(slot, network)


@njit(cache=True, inline="always")
def _forget(slot: int, network: Network) -> None:
    """Take an ended collective out of the order."""
    network.ended[slot] = True
    place = 0
    while network.order[place] != slot:
        place += 1
    for moved in range(place, network.under_way[0] - 1):
        network.order[moved] = network.order[moved + 1]
    network.under_way[0] -= 1


@njit(cache=True, inline="always")
def _advance(
    now: float, until: float, collectives: Collectives, network: Network
) -> float:
    """The network from now until then; what starts then is left to the next call."""
    while network.under_way[0] > 0 and now < until:
        _take_chunks(now, collectives, network)
        following = _following(collectives, network)
        if following > until:
            break
        now = following
        _end_chunks(now, collectives, network)
    return until


@njit(cache=True, inline="always")
def _await(now: float, slot: int, collectives: Collectives, network: Network) -> float:
    """The network from now until a collective has ended: that time."""
    while not network.ended[slot]:
        _take_chunks(now, collectives, network)
        now = _following(collectives, network)
        _end_chunks(now, collectives, network)
    return now


@njit(cache=True)
def alone(collectives: Collectives) -> Floats:
    """Duration of each collective on an idle network, shape (collectives,)."""
    count = len(collectives.phase_start) - 1
    seconds = np.zeros(count)
    network = _network(1, collectives)
    for what in range(count):
        network.links[:] = 0.0
        _start(0, what, collectives, network)
        seconds[what] = _await(0.0, 0, collectives, network)
    return seconds


@njit(cache=True, inline="always")
def _run_turn(
    now: float, first: int, end: int, layer: int, device: Device, waits: Floats
) -> float:
    """One turn of a block from now on: when it ends. Adds to `waits` by group."""
    programs, collectives, alone_seconds, network = device
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
            if awaited and network.under_way[0] == 0:
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
def _run_block(now: float, block: Ints, device: Device, waits: Floats) -> float:
    """All turns of a block from now on: when they end. Adds to `waits` by group.

    Where a turn leaves the network as it found it, but for the time and the layer, all
    the turns that follow are like it and need not be played.
    """
    first, end, repeat = block[0], block[0] + block[1], block[2]
    layer, step = block[3], block[4]
    found = _snapshot(now, layer, device.network)
    for turn in range(1, repeat + 1):
        start, before = now, waits.copy()
        now = _run_turn(now, first, end, layer, device, waits)
        layer += step
        rest = repeat - turn
        if rest == 0:
            break
        left = _snapshot(now, layer, device.network)
        if len(left) > 0 and np.array_equal(found, left):
            _skip(rest, (now - start) * rest, block, layer, device)
            waits += (waits - before) * rest
            return now + (now - start) * rest
        found = left
    return now


@njit(cache=True)
def _snapshot(now: float, layer: int, network: Network) -> Floats:
    """The network as seen from a time and a layer; empty if too much is under way.

    For how long the links are taken follows from the latest chunk inside.
    """
    under_way, dimensions = network.under_way[0], len(network.links)
    if under_way > _MOST_COMPARED:
        return np.zeros(0)
    phases, places = network.waiting.shape[1], network.leaving.shape[1]
    size = 1 + under_way * (3 + phases) + dimensions * 3 * places
    state = np.full(size, -1.0)
    state[0] = under_way
    at = 1
    for k in range(under_way):
        slot = network.order[k]
        state[at] = slot - layer
        state[at + 1] = network.collective[slot]
        state[at + 2] = network.left[slot]
        for phase in range(phases):
            state[at + 3 + phase] = network.waiting[slot, phase]
        at += 3 + phases
    for dimension in range(dimensions):
        for place in range(network.inside[dimension]):
            here = at + 3 * place
            state[here] = network.leaving[dimension, place] - now
            state[here + 1] = network.serving[dimension, place, 0] - layer
            state[here + 2] = network.serving[dimension, place, 1]
        at += 3 * places
    return state


@njit(cache=True)
def _skip(turns: int, seconds: float, block: Ints, layer: int, device: Device) -> None:
    """Bring the network to where it is after some more turns, all like the last one."""
    programs, network, step = device.programs, device.network, block[4]
    for i in range(block[0], block[0] + block[1]):
        if programs.instructions[i, 0] == _START:
            label, offset = programs.instructions[i, 2], programs.instructions[i, 3]
            for turn in range(turns):
                above = layer + turn * step + offset - programs.lowest_layer
                slot = label * programs.layers + above
                network.collective[slot] = programs.instructions[i, 1]
    under_way = network.under_way[0]
    moved = network.order[:under_way].copy()
    left, waiting = network.left[moved], network.waiting[moved]
    waiting_at = network.waiting_at[moved]
    _clear(moved, network)
    for k in range(under_way):
        slot = moved[k] + turns * step
        network.order[k] = slot
        network.left[slot] = left[k]
        network.waiting[slot] = waiting[k]
        network.waiting_at[slot] = waiting_at[k]
    for k in range(under_way):
        network.ended[moved[k] + turns * step] = False
    for dimension in range(len(network.links)):
        network.links[dimension] += seconds
        for place in range(network.inside[dimension]):
            network.leaving[dimension, place] += seconds
            network.serving[dimension, place, 0] += turns * step


@njit(cache=True)
def _clear(slots: Ints, network: Network) -> None:
    """Let slots be as if what is under way there had ended."""
    for slot in slots:
        network.ended[slot] = True
        network.waiting[slot, :] = 0
        network.waiting_at[slot, :] = 0


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
    device = Device(programs, collectives, alone_seconds, network)
    ends = np.zeros(len(sequence))
    waits = np.zeros((len(sequence), collectives.groups))
    now = 0.0
    for p in range(len(sequence)):
        now = _advance(now, max(now, release[p]), collectives, network)
        for b in range(sequence[p, 0], sequence[p, 0] + sequence[p, 1]):
            now = _run_block(now, programs.blocks[b], device, waits[p])
        ends[p] = now
    return ends, waits
