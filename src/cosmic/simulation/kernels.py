"""The compiled device and the compiled step: plain arrays in and out.

`run_steps` is a training step of many designs of one workload, of which it also times
the phases; `run_step` is one of them, from its durations on. Each kind of stage is run
program by program, the schedule puts micro-batches in order, and then each stage is run
on from where its last backward has left it.

`run_programs` is one device: it computes, hands collectives to the network and waits.
Each dimension of the network has so many chunks in it at once, of which only the latest
still has the links. When these are free and there is room, the dimension takes the
lowest phase that has a chunk waiting there, of the collective that the scheduling
policy puts first. At any instant all that ends is taken note of, and all that the
device can do at that instant is done, before a dimension takes its next chunk.

All that the kernel calls stands in this module: numba's cache does not see a change in
another one. What every event calls is inlined, since a call hands over each array of
its tuples piece by piece, which takes longer than the work itself. What plays many
events is called, and stands once in what is compiled.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cosmic.simulation.columns import (
    Collectives,
    Designs,
    Device,
    Network,
    PhaseTable,
    Programs,
)
from cosmic.simulation.step_columns import StepColumns

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_COMPUTE, _START, _WAIT = 0, 1, 2  # as in flat_graph
_DIMENSION, _FOLLOWING, _CHUNKS = 0, 1, 2  # columns of a collective's phases
_LAST_BACKWARD, _UPDATE, _FINISH = 2, 3, 4  # as in slot_columns
_BITS = 52  # as in clock
_MOST_COMPARED = 16  # collectives under way, beyond which turns are all played


@njit(cache=True)
def _most_phases(collectives: Collectives) -> int:
    """Phases of the collective that has most, at least 1."""
    most = 1
    for c in range(len(collectives.phase_start) - 1):
        phases = collectives.phase_start[c + 1] - collectives.phase_start[c]
        most = max(most, phases)
    return most


@njit(cache=True)
def _network(slots: int, collectives: Collectives) -> Network:
    """An idle network."""
    inside = min(collectives.active_chunks, slots * collectives.chunks)
    phases = _most_phases(collectives)
    return _networks(1, slots, collectives.dimensions, phases, inside)


@njit(cache=True)
def _networks(
    count: int, slots: int, dimensions: int, phases: int, inside: int
) -> Network:
    """So many idle networks behind each other, for `_one_of`."""
    return Network(
        np.zeros(count * dimensions),
        np.zeros(count * dimensions, np.int64),
        np.zeros((count * dimensions, inside)),
        np.zeros((count * dimensions, inside, 2), np.int64),
        np.zeros(count * (slots + 1), np.int64),
        np.zeros(count, np.int64),
        np.zeros(count * dimensions, np.int64),
        np.zeros(count * slots, np.int64),
        np.zeros((count * slots, phases), np.int64),
        np.zeros((count * slots, dimensions), np.int64),
        np.zeros(count * slots, np.int64),
        np.ones(count * slots, np.bool_),
        np.full(count, -1),
        np.zeros(count),
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
def _take_chunks(now: float, collectives: Collectives, network: Network) -> float:
    """Every dimension with free links and room takes its next chunk, if one waits.

    Returns:
        When a chunk next leaves a dimension, or finds free links where there is room.
    """
    following = np.inf
    for dimension in range(collectives.dimensions):
        inside = network.inside[dimension]
        if network.pending[dimension] > 0 and inside < collectives.active_chunks:
            if network.links[dimension] <= now:
                slot, phase = _waiting_chunk(dimension, collectives, network)
                which = collectives.phase_start[network.collective[slot]] + phase
                network.waiting[slot, phase] -= 1
                network.waiting_at[slot, dimension] -= 1
                network.pending[dimension] -= 1
                free = now + collectives.phase_seconds[which, 1]
                network.links[dimension] = free
                network.leaving[dimension, inside] = (
                    now + collectives.phase_seconds[which, 0]
                )
                network.serving[dimension, inside, 0] = slot
                network.serving[dimension, inside, 1] = phase
                inside += 1
                network.inside[dimension] = inside
            if network.pending[dimension] > 0 and inside < collectives.active_chunks:
                following = min(following, network.links[dimension])
        for place in range(inside):
            following = min(following, network.leaving[dimension, place])
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
def _advance(now: float, until: float, device: Device) -> float:
    """The network from now until then; what starts then is left to the next call."""
    network = device.network
    if network.lone[0] >= 0:
        _end_lone(until, device)
    elif network.under_way[0] > 0:
        _play(now, until, device.collectives, network)
    return until


@njit(cache=True)
def _play(now: float, until: float, collectives: Collectives, network: Network) -> None:
    """All that happens on the network from now until then."""
    while network.under_way[0] > 0 and now < until:
        following = _take_chunks(now, collectives, network)
        if following > until:
            break
        now = following
        _end_chunks(now, collectives, network)


@njit(cache=True, inline="always")
def _join_if_lone(now: float, device: Device) -> None:
    """Have all that is under way played until now."""
    if device.network.lone[0] >= 0:
        _join_lone(now, device)


@njit(cache=True, inline="always")
def _end_lone(now: float, device: Device) -> None:
    """Let the lone collective have ended, if it has by now."""
    network = device.network
    slot = network.lone[0]
    if network.since[0] + device.alone_seconds[network.collective[slot]] <= now:
        network.ended[slot] = True
        network.lone[0] = -1


@njit(cache=True)
def _join_lone(now: float, device: Device) -> None:
    """Play what the lone collective has done until now, if it has not ended."""
    network = device.network
    slot = network.lone[0]
    network.lone[0] = -1
    _start(slot, network.collective[slot], device.collectives, network)
    _play(network.since[0], now, device.collectives, network)


@njit(cache=True, inline="always")
def _await(now: float, slot: int, device: Device) -> float:
    """The network from now until a collective has ended: that time."""
    network = device.network
    if network.lone[0] == slot:
        end = network.since[0] + device.alone_seconds[network.collective[slot]]
        network.ended[slot] = True
        network.lone[0] = -1
        return max(now, end)
    if network.ended[slot]:
        return now
    return _played_until(now, slot, device.collectives, network)


@njit(cache=True)
def _played_until(
    now: float, slot: int, collectives: Collectives, network: Network
) -> float:
    """The same, played."""
    while not network.ended[slot]:
        now = _take_chunks(now, collectives, network)
        _end_chunks(now, collectives, network)
    return now


@njit(cache=True, inline="always")
def _hand_over(now: float, slot: int, what: int, device: Device) -> None:
    """A collective starts, by itself or beside others."""
    network = device.network
    _join_if_lone(now, device)
    if network.under_way[0] > 0:
        _start(slot, what, device.collectives, network)
    else:
        network.lone[0], network.since[0] = slot, now
        network.collective[slot] = what
        network.ended[slot] = False


@njit(cache=True)
def alone(collectives: Collectives) -> Floats:
    """Duration of each collective on an idle network, shape (collectives,)."""
    count = len(collectives.phase_start) - 1
    seconds = np.zeros(count)
    network = _network(1, collectives)
    for what in range(count):
        network.links[:] = 0.0
        _start(0, what, collectives, network)
        seconds[what] = _played_until(0.0, 0, collectives, network)
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
            now = _advance(now, now + programs.segment_seconds[what], device)
        elif kind == _START:
            # alone on the network: how long it takes is known
            awaited = (
                i < end
                and instructions[i, 0] == _WAIT
                and instructions[i, 2] == instructions[i - 1, 2]
                and instructions[i, 3] == instructions[i - 1, 3]
            )
            if awaited and network.under_way[0] == 0 and network.lone[0] < 0:
                now += alone_seconds[what]
                waits[collectives.group_of[what]] += alone_seconds[what]
                i += 1
            else:
                _hand_over(now, slot, what, device)
        else:
            since, now = now, _await(now, slot, device)
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
    watched = repeat > 1 and not _only_waits(first, end, device.programs)
    found = np.zeros(0)
    if watched:
        found = _joined_snapshot(now, layer, device)
    for turn in range(1, repeat + 1):
        start, before = now, waits.copy()
        now = _run_turn(now, first, end, layer, device, waits)
        layer += step
        rest = repeat - turn
        if rest == 0:
            break
        if watched:
            left = _joined_snapshot(now, layer, device)
            if len(left) > 0 and np.array_equal(found, left):
                _skip(rest, (now - start) * rest, block, layer, device)
                waits += (waits - before) * rest
                return now + (now - start) * rest
            found = left
    return now


@njit(cache=True)
def _joined_snapshot(now: float, layer: int, device: Device) -> Floats:
    """The network, all that is under way played until now; see `_snapshot`."""
    if device.network.lone[0] >= 0:
        _join_lone(now, device)
    return _snapshot(now, layer, device.network)


@njit(cache=True)
def _only_waits(first: int, end: int, programs: Programs) -> bool:
    """Whether a block does nothing but wait, so that no turn is like the one before."""
    for i in range(first, end):  # noqa: SIM110 - numba has no `all` of a generator
        if programs.instructions[i, 0] != _WAIT:
            return False
    return True


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
def _run_program(now: float, blocks: Ints, device: Device, waits: Floats) -> float:
    """A program from now on: when it ends. Adds to `waits` by group."""
    for b in range(blocks[0], blocks[0] + blocks[1]):
        now = _run_block(now, device.programs.blocks[b], device, waits)
    return now


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
        now = _advance(now, max(now, release[p]), device)
        now = _run_program(now, sequence[p], device, waits[p])
        ends[p] = now
    return ends, waits


@njit(cache=True)
def _slot(position: int, ahead: int, micro_batches: int) -> tuple[bool, int]:
    """Whether a stage's slot goes forward, and its micro-batch; see `schedule`."""
    steady = position - ahead
    if steady < 0:
        return True, position
    if steady >= 2 * (micro_batches - ahead):
        return False, position - micro_batches
    return steady % 2 == 0, (ahead if steady % 2 == 0 else 0) + steady // 2


@njit(cache=True)
def run_schedule(  # noqa: C901, PLR0915 - one loop over the slots of all stages
    warm_up: Ints,
    micro_batches: int,
    forward: Floats,
    backward: Floats,
    last_backward: Floats,
    onward: Floats,
    back: Floats,
) -> tuple[Floats, Floats]:
    """Run the micro-batches of one step over the stages of a pipeline.

    A stage takes its slots in order, each as soon as it is free and its input is there.
    Transfers of one direction go one after the other, beside the slots.

    Args:
        warm_up: Forward slots of each stage before it alternates.
        micro_batches: How many.
        forward: Duration of a forward slot of each stage.
        backward: Duration of a backward slot.
        last_backward: Duration of the last backward slot.
        onward: Duration of the transfer from each stage to the next.
        back: Duration of the transfer from the next stage to each.

    Returns:
        For each stage the end of its first forward and the start of its last backward.
    """
    stages = len(forward)
    arrived = np.full((stages, micro_batches), np.inf)
    returned = np.full((stages, micro_batches), np.inf)
    arrived[0, :] = 0.0
    returned[stages - 1, :] = 0.0
    now, sent, answered = np.zeros(stages), np.zeros(stages), np.zeros(stages)
    first_end, last_start = np.zeros(stages), np.zeros(stages)
    position = np.zeros(stages, np.int64)
    while position.min() < 2 * micro_batches:
        for stage in range(stages):
            while position[stage] < 2 * micro_batches:
                ahead, m = _slot(position[stage], warm_up[stage], micro_batches)
                start = max(now[stage], (arrived if ahead else returned)[stage, m])
                if start == np.inf:
                    break
                position[stage] += 1
                if ahead:
                    now[stage] = start + forward[stage]
                    if m == 0:
                        first_end[stage] = now[stage]
                    if stage + 1 < stages:
                        sent[stage] = max(sent[stage], now[stage]) + onward[stage]
                        arrived[stage + 1, m] = sent[stage]
                    continue
                last = m == micro_batches - 1
                if last:
                    last_start[stage] = start
                now[stage] = start + (last_backward[stage] if last else backward[stage])
                if stage > 0:
                    before = max(answered[stage], now[stage])
                    answered[stage] = before + back[stage - 1]
                    returned[stage - 1, m] = answered[stage]
    return first_end, last_start


@njit(cache=True)
def _one_of(networks: Network, index: int, count: int) -> Network:
    """One of so many networks."""
    d, s = len(networks.links) // count, len(networks.left) // count
    here, slots = slice(index * d, index * d + d), slice(index * s, index * s + s)
    return Network(
        networks.links[here],
        networks.inside[here],
        networks.leaving[here],
        networks.serving[here],
        networks.order[index * (s + 1) : (index + 1) * (s + 1)],
        networks.under_way[index : index + 1],
        networks.pending[here],
        networks.collective[slots],
        networks.waiting[slots],
        networks.waiting_at[slots],
        networks.left[slots],
        networks.ended[slots],
        networks.lone[index : index + 1],
        networks.since[index : index + 1],
    )


@njit(cache=True)
def _copy(source: Network, target: Network) -> None:
    """What is under way in a network, in another one where nothing is."""
    target.links[:] = source.links
    target.inside[:] = source.inside
    target.leaving[:] = source.leaving
    target.serving[:] = source.serving
    target.under_way[:] = source.under_way
    target.pending[:] = source.pending
    for k in range(source.under_way[0]):
        slot = source.order[k]
        target.order[k] = slot
        target.collective[slot] = source.collective[slot]
        target.waiting[slot] = source.waiting[slot]
        target.waiting_at[slot] = source.waiting_at[slot]
        target.left[slot] = source.left[slot]
        target.ended[slot] = False


@njit(cache=True)
def _empty(network: Network) -> None:
    """Take out whatever is under way."""
    for k in range(network.under_way[0]):
        slot = network.order[k]
        network.waiting[slot] = 0
        network.waiting_at[slot] = 0
        network.left[slot] = 0
        network.ended[slot] = True
    network.links[:] = 0.0
    network.inside[:] = 0
    network.pending[:] = 0
    network.under_way[0] = 0
    if network.lone[0] >= 0:
        network.ended[network.lone[0]] = True
        network.lone[0] = -1


@njit(cache=True)
def _device(
    step: StepColumns, computes: Floats, collectives: Collectives, network: Network
) -> Device:
    """A device at the end of a network."""
    segments = np.zeros(step.segments)
    for i in range(len(step.segment_of)):
        segments[step.segment_of[i]] += computes[step.segment_node[i]]
    programs = Programs(
        step.instructions,
        step.blocks,
        segments,
        step.labels,
        step.lowest_layer,
        step.layers,
    )
    return Device(programs, collectives, alone(collectives), network)


@njit(cache=True)
def _run_update(
    now: float,
    kind: int,
    seconds: Floats,
    waits: Floats,
    step: StepColumns,
    device: Device,
    waited: Floats,
) -> float:
    """The update from now on; where it ends with a forward alone, that is known."""
    first, count = step.programs[kind, _UPDATE]
    head = step.update_head[kind]
    now = _run_program(now, np.array([first, head]), device, waited)
    if head == count:
        return now
    network = device.network
    if network.under_way[0] == 0 and network.lone[0] < 0:
        waited += waits[kind, 0]
        return now + seconds[kind, 0]
    return _run_program(now, np.array([first + head, count - head]), device, waited)


@njit(cache=True)
def _scheduled(
    step: StepColumns, seconds: Floats, onward: Floats, back: Floats
) -> tuple[Floats, Floats]:
    """What `run_schedule` gives; one stage has all behind each other."""
    if len(step.stage_of) == 1:
        forward, backward = seconds[0, 0], seconds[0, 1]
        count = step.micro_batches
        start = count * forward + (count - 1) * backward
        return np.full(1, forward), np.full(1, start)
    of_stage = seconds[step.stage_of]
    return run_schedule(
        step.warm_up,
        step.micro_batches,
        of_stage[:, 0].copy(),
        of_stage[:, 1].copy(),
        of_stage[:, 2].copy(),
        onward,
        back,
    )


@njit(cache=True)
def idle_networks(step: StepColumns, collectives: Collectives) -> Network:
    """The networks that `run_step` works with."""
    slots, dimensions = step.labels * step.layers, collectives.dimensions
    inside = min(collectives.active_chunks, slots * collectives.chunks)
    phases = _most_phases(collectives)
    return _networks(len(step.like) + 1, slots, dimensions, phases, inside)


@njit(cache=True)
def run_step(
    step: StepColumns,
    computes: Floats,
    collectives: Collectives,
    transfers: tuple[Floats, Floats],
    networks: Network,
) -> tuple[float, Floats]:
    """Run one training step.

    Args:
        step: What the stages do.
        computes: Duration of each compute node.
        collectives: What the collectives do.
        transfers: Duration of the transfers from each stage to the next, and of those
            from the next stage to each.
        networks: What `idle_networks` gives for these: one to play with, and one for
            each kind of stage, to hold what its last backward leaves under way. They
            are idle again at the end.

    Returns:
        Time from the end of the first forward to the end of the next step's; and for
        each stage what it computes, what its optimizer does, its waiting for other
        stages and that by group, shape (stages, 3 + groups).
    """
    kinds, stages = len(step.like), len(step.stage_of)
    network = _one_of(networks, kinds, kinds + 1)
    device = _device(step, computes, collectives, network)
    seconds, waits = _run_alone(step, device, networks)
    first_end, last_start = _scheduled(step, seconds, transfers[0], transfers[1])
    found = np.zeros((stages, 3 + step.groups))
    arrival = end = 0.0
    for stage in range(stages):
        kind = step.stage_of[stage]
        waited = np.zeros(step.groups)
        _leave(kind, step, networks, network)
        now = seconds[kind, _LAST_BACKWARD]
        now = _run_program(now, step.programs[kind, _FINISH], device, waited)
        now = _advance(now, max(now, arrival - last_start[stage]), device)
        now = _run_update(now, kind, seconds, waits, step, device, waited)
        _empty(network)
        end = last_start[stage] + now
        if stage + 1 < stages:
            arrival = end + transfers[0][stage]
        for group in range(step.groups):
            for program in range(_UPDATE):
                waited[group] += step.turns[program] * waits[kind, program, group]
            found[stage, 3 + group] = waited[group]
    for kind in range(kinds):
        _empty(_one_of(networks, kind, kinds + 1))
    makespan = end - first_end[stages - 1]
    _account(step, computes, makespan, found)
    return makespan, found


@njit(cache=True)
def _run_alone(
    step: StepColumns, device: Device, networks: Network
) -> tuple[Floats, Floats]:
    """Durations of programs, and their waiting by group; equal ones are run once."""
    kinds, count = step.like.shape
    seconds = np.zeros((kinds, count))
    waits = np.zeros((kinds, count, step.groups))
    for kind in range(kinds):
        for program in range(count):
            like = step.like[kind, program]
            if like == kind * count + program:
                blocks, waited = step.programs[kind, program], waits[kind, program]
                now = _run_program(0.0, blocks, device, waited)
                seconds[kind, program] = now
                if program == _LAST_BACKWARD:
                    _join_if_lone(now, device)
                    _copy(device.network, _one_of(networks, kind, kinds + 1))
                _empty(device.network)
            elif like >= 0:
                seconds[kind, program] = seconds[like // count, like % count]
                waits[kind, program] = waits[like // count, like % count]
    return seconds, waits


@njit(cache=True)
def _leave(kind: int, step: StepColumns, networks: Network, network: Network) -> None:
    """The idle network as the last backward of a kind of stage leaves it."""
    kinds, count = step.like.shape
    like = step.like[kind, _LAST_BACKWARD]
    if like >= 0 and like % count == _LAST_BACKWARD:
        _copy(_one_of(networks, like // count, kinds + 1), network)


@njit(cache=True)
def _account(
    step: StepColumns, computes: Floats, makespan: float, found: Floats
) -> None:
    """What stages compute, and the waiting that is left."""
    for stage in range(len(found)):
        kind = step.stage_of[stage]
        for c in range(len(computes)):
            place = 1 if step.is_optimizer[c] else 0
            found[stage, place] += step.computes[kind, c] * computes[c]
        found[stage, 2] = makespan - found[stage].sum()


@njit(cache=True)
def _tick(bound: float) -> float:
    """As `clock.tick`."""
    if bound <= 0:
        return 2.0**-1000
    return 2.0 ** (math.ceil(math.log2(bound)) - _BITS)


@njit(cache=True)
def _timed(
    step: StepColumns, table: PhaseTable, designs: Designs, d: int
) -> tuple[Ints, Ints, Floats]:
    """The phases of a design's collectives and their times, off the grid."""
    count = len(step.nbytes)
    starts = np.zeros(count + 1, np.int64)
    for c in range(count):
        starts[c + 1] = starts[c] + table.rows[designs.ways[d, c]]
    phases = np.empty((starts[count], 3), np.int64)
    seconds = np.empty((starts[count], 2))
    chunks, memory = designs.chunks[d], designs.memory_bandwidth[d]
    at = 0
    for c in range(count):
        way = designs.ways[d, c]
        rows = table.rows[way]
        for place in range(rows):
            row = table.first[way] + place
            dimension = table.dimension[row]
            nbytes = step.nbytes[c] / chunks * table.fraction[row]
            latency = table.hops[row] * designs.latency[d, dimension]
            transfer = table.load[row] * nbytes / designs.bandwidth[d, dimension]
            alone_ = (table.steps[row] + 1) * designs.endpoint_delay[d] + latency
            adding = 3 * table.reduced[row] * nbytes / memory
            seconds[at, 0] = alone_ + transfer + adding
            seconds[at, 1] = max(transfer, adding)
            phases[at, _DIMENSION] = dimension
            phases[at, _FOLLOWING] = place + 1 if place + 1 < rows else -1
            phases[at, _CHUNKS] = chunks if place == 0 else 0
            at += 1
    return starts, phases, seconds


@njit(cache=True)
def _transfers(
    ways: Ints, nbytes: float, table: PhaseTable, designs: Designs, d: int
) -> Floats:
    """Duration of transfers between stages, off the grid."""
    found = np.empty(len(ways))
    for pair in range(len(ways)):
        total = designs.endpoint_delay[d]
        first = table.first[ways[pair]]
        for row in range(first, first + table.rows[ways[pair]]):
            dimension = table.dimension[row]
            latency = table.hops[row] * designs.latency[d, dimension]
            transfer = table.load[row] * nbytes / designs.bandwidth[d, dimension]
            total += latency + transfer
        found[pair] = total
    return found


@njit(cache=True)
def _bound(
    step: StepColumns,
    computes: Floats,
    serial: Floats,
    transfers: float,
) -> float:
    """As `durations`: everything after everything else."""
    most = 0.0
    for kind in range(len(step.like)):
        whole = 0.0
        for c in range(len(computes)):
            whole += step.most_computes[kind, c] * computes[c]
        for c in range(len(serial)):
            whole += step.most_collectives[kind, c] * serial[c]
        most = max(most, whole)
    return most * len(step.stage_of) + (step.micro_batches + 1) * transfers


@njit(cache=True)
def _to_grid(seconds: Floats, unit: float) -> None:
    """As `clock.on_grid`, in place; a loop compiles sooner than an expression."""
    for i in range(len(seconds)):
        seconds[i] = np.rint(seconds[i] / unit) * unit


@njit(cache=True)
def run_steps(
    step: StepColumns, table: PhaseTable, designs: Designs
) -> tuple[Floats, Floats]:
    """Run one training step on many machines.

    Args:
        step: What the stages do.
        table: Ways of collectives and of messages between stages.
        designs: The machines.

    Returns:
        Time of each step, shape (designs,), and the means over stages of what
        `run_step` gives for each, shape (designs, 3 + groups).
    """
    count, stages = len(designs.chunks), len(step.stage_of)
    slots, dimensions = step.labels * step.layers, designs.bandwidth.shape[1]
    phases = max(1, table.rows.max())
    inside = min(designs.active_chunks.max(), slots * designs.chunks.max())
    kinds = len(step.like)
    networks = _networks(kinds + 1, slots, dimensions, phases, inside)
    makespans = np.empty(count)
    parts = np.zeros((count, 3 + step.groups))
    for d in range(count):
        starts, phases, seconds = _timed(step, table, designs, d)
        serial = np.zeros(len(step.nbytes))
        for c in range(len(serial)):
            whole = 0.0
            for at in range(starts[c], starts[c + 1]):
                whole += seconds[at, 0]
            serial[c] = designs.chunks[d] * whole
        nbytes = step.boundary_bytes
        ways = designs.messages[d]
        onward = _transfers(ways[: stages - 1], nbytes, table, designs, d)
        back = _transfers(ways[stages - 1 :], nbytes, table, designs, d)
        computes = designs.computes[d].copy()
        unit = _tick(_bound(step, computes, serial, onward.sum() + back.sum()))
        for times in (computes, onward, back):
            _to_grid(times, unit)
        for at in range(len(seconds)):
            _to_grid(seconds[at], unit)
        collectives = Collectives(
            starts,
            phases,
            seconds,
            step.group_of,
            step.groups,
            dimensions,
            designs.chunks[d],
            designs.active_chunks[d],
            designs.lifo[d],
        )
        makespan, found = run_step(
            step, computes, collectives, (onward, back), networks
        )
        makespans[d] = makespan
        for part in range(parts.shape[1]):
            for stage in range(stages):
                parts[d, part] += found[stage, part]
            parts[d, part] /= stages
    return makespans, parts
