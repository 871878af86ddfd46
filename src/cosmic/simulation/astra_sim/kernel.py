"""The compiled event loop: ASTRA-sim's timing on one plain memory.

All state of a run is one array of integers, `m`, so that the loop can stop, be given
more memory or let an interruption through, and go on. Records stand in it one after
the other; a record is known by its address, the place of its first field, and 0 is no
record. Where a field holds a float, `f` is the same memory seen as floats.

Time is in ns. Events of one time run in the order in which they were scheduled, those
scheduled for the present time too. The delays of one rank that end at one time are one
event, which stands where the first of them was scheduled. What follows from an event
at another rank or time is scheduled, never called at once, so that nothing recurs.

All that the kernel calls stands in this module: numba's cache does not see a change in
another one.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_numbers: Any = np.arange  # of numpy's, since plain ones compile anew for each value

# Scalars of a run, at fixed addresses from 1 on.
# What is under way: the present time, pending times, ranks begun, the list of delays
# that is being run, ranks finished, what went wrong and at which node, first free place
NOW, PENDING, BEGUN, LIST, FINISHED, STATUS, WHERE, TOP = _numbers(1, 9)
# Free records, by the first of them
FREE_ITEM, FREE_QUEUE, FREE_MESSAGE, FREE_STREAM = _numbers(9, 13)
# Options: queues a dimension, chunks a queue, whether congestion-aware and rendezvous,
# the local memory's bytes a second (a float), places that a step may take
LANES, CONCURRENT, AWARE, RENDEZVOUS, RATE, MARGIN = _numbers(13, 19)
# Where tables begin, and how long some are
RANKS, RANK_COUNT, DIMENSIONS, DIMENSION_COUNT, LANE_QUEUES, LINK_QUEUES = _numbers(
    19, 25
)
NODES, NODE_COUNT, TIMES, TIMES_COUNT, CHAINS, CHAIN_COUNT, OPEN = _numbers(25, 32)
SCALARS = 32

# A queue: its key if it is found by one, the next queue of its hash chain, first and
# last item, and how many are being served
Q_A, Q_B, Q_C, Q_CHAIN, Q_HEAD, Q_TAIL, Q_BUSY, QUEUE = _numbers(8)
# Something in a queue: an event, a message, a chunk, or who waits
I_NEXT, I_KIND, I_WHAT, I_MORE, ITEM = _numbers(5)
# A message: on behalf of which node, where it is now, which way round a ring it goes,
# and who is told when it is delivered
M_SOURCE, M_TARGET, M_TAG, M_SIZE, M_NODE, M_AT, M_STEP, M_ARRIVED = _numbers(8)
M_SENT_KIND, M_SENT_WHAT, M_GOT_KIND, M_GOT_WHAT, MESSAGE = _numbers(8, 13)
# A chunk on its way through its phases, as one rank sees it: packets made, ready, sent
# and received in this phase, its direction round the ring, which of two trees it takes
S_RANK, S_NODE, S_NUMBER, S_PHASE, S_QUEUE, S_TAG, S_DIRECTION, S_PARITY = _numbers(8)
S_MADE, S_READY, S_SENT, S_RECEIVED, STREAM = _numbers(8, 13)
# A phase: ranks in the ring and the stride between them (0 for a group), bytes of a
# message, messages to send, packets at once, packets until it is again unreduced ones'
# turn, reductions (0 never, 1 every other turn, 2 always), messages to await halfway
# (-1 for none), endpoint delay, which queues, distances and bytes of halving, trees
# that a chunk takes of the dimension, and which of them this is
P_ALGORITHM, P_DIMENSION, P_SIZE, P_STRIDE, P_BYTES, P_STEPS, P_WINDOW = _numbers(7)
P_CYCLE, P_REDUCES, P_BARRIER, P_ENDPOINT, P_LANE, P_HALVING, P_TREES, P_TREE, PHASE = (
    _numbers(7, 16)
)
# A plan: its first phase and the place after its last one, chunks, whose trees
L_FIRST, L_END, L_CHUNKS, L_KIND, PLAN = _numbers(5)
# A member of a group: its rank, and streams counted so far by the one whose trace it is
G_RANK, G_COUNT, MEMBER = _numbers(3)
# A node: its rank, action, resource and statistic, dependencies left (-1 issued, -2
# ended), its first follower. DELAY: ns. MEMORY: ns, queue. SEND, RECEIVE: bytes, other
# rank, tag. COLLECTIVE: plan, first member of its group (0 for all ranks), place in it
N_RANK, N_ACTION, N_RESOURCE, N_STATISTIC, N_WAITING, N_FOLLOWERS = _numbers(6)
N_X, N_Y, N_Z, NODE = _numbers(6, 10)
# A rank: nodes left, time of finish (-1), chunks left of its collective, its group and
# place there, nodes computing and communicating, time of the last change of these, time
# communicating, time of both, whether it has nodes that ASTRA-sim's statistics refuse,
# ranks finished before, its streams so far, its number, busy resources, heaps of ready
# nodes and their sizes; then turns of queues and of trees, for each dimension
R_LEFT, R_FINISH, R_LIVE, R_GROUP, R_PLACE, R_COMPUTING, R_COMMUNICATING = _numbers(7)
R_SINCE, R_COMMUNICATION, R_OVERLAP, R_MIXED, R_ORDER, R_COUNT, R_NUMBER = _numbers(
    7, 14
)
R_BUSY, R_HEAP, R_READY, R_TURNS = 14, 17, 21, 25
KINDS = 4  # of collectives; a dimension has 3 turns of queues and one of each tree kind
TURNS = 3 + KINDS
# A dimension: ranks along it, how they are joined, ns a hop and bytes a ns (floats)
D_SIZE, D_JOINT, D_LATENCY, D_BANDWIDTH, DIMENSION = _numbers(5)

# What `run` gives
ENDED, LONGER, PAUSED = _numbers(3)
EMPTY_MESSAGE, AT_ZERO, TOO_LATE, NO_BANDWIDTH, MIXED = _numbers(3, 8)

DELAY, SKIP, MEMORY, SEND, RECEIVE, COLLECTIVE = _numbers(6)  # actions
CPU, COMPUTE, COMMUNICATION, UNLIMITED = _numbers(4)  # resources
NO_STATISTIC, COMPUTING, COMMUNICATING = _numbers(3)  # statistics
RING_JOINT, FULLY_JOINT, SWITCH_JOINT = _numbers(3)
RING, DIRECT, HALVING, TREE = _numbers(4)  # algorithms

_RANK, _ARRIVE, _LATE, _HOP, _FREE = _numbers(5)  # events
_DONE, _PACKET, _SERVED = _numbers(3)  # delays of a rank
_NOBODY, _NODE, _STREAM, _POST, _LAUNCH, _MESSAGE = _numbers(6)  # who is told, or waits

_NONE, _ONE, _NO = _numbers(2)[0], _numbers(2)[1], _numbers(-1, 0)[0]
_LATEST = 2**53  # ASTRA-sim keeps its clock in a float64
_CONTROL: Any = np.int64(8192)  # bytes of a rendezvous message
_CONTROL_TAG = 1_000_000_000
_TAGS = 500_000_000  # the first ones are of sends, the next ones of collectives
_STEPS = 1 << 22  # after which an interruption is let through

# Called by compiled code only, which spares a third of the time to compile
_compiled = njit(
    cache=True,
    error_model="numpy",
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
)


# Memory, queues, time


@_compiled
def _take(free: int, width: int, m: Ints) -> int:
    """Room for a record."""
    record = m[free]
    if record == 0:
        record = m[TOP]
        m[TOP] += width
    else:
        m[free] = m[record]
    return record


@_compiled
def _give(free: int, record: int, m: Ints) -> None:
    m[record] = m[free]
    m[free] = record


@_compiled
def _fail(status: int, node: int, m: Ints) -> None:
    if m[STATUS] == ENDED:
        m[STATUS] = status
        m[WHERE] = node


@_compiled
def _chain(a: int, b: int, c: int, m: Ints) -> int:
    """Where the chain of a key begins; there are a power of 2 of them."""
    x = a * 0x1E3779B97F4A7C15 + b * 0x42B2AE3D27D4EB4F + c * 0x165667B19E3779F9
    x ^= x >> 29
    x *= 0x3F58476D1CE4E5B9
    return m[CHAINS] + ((x >> 32) & (m[CHAIN_COUNT] - 1))


@_compiled
def _find(a: int, b: int, c: int, m: Ints) -> int:
    """The queue of a key, or 0."""
    queue = m[_chain(a, b, c, m)]
    while queue and not (m[queue] == a and m[queue + Q_B] == b and m[queue + Q_C] == c):
        queue = m[queue + Q_CHAIN]
    return queue


@_compiled
def _open(a: int, b: int, c: int, m: Ints) -> int:
    """A new queue for a key that has none."""
    chain = _chain(a, b, c, m)
    queue = _take(FREE_QUEUE, QUEUE, m)
    m[queue], m[queue + Q_B], m[queue + Q_C] = a, b, c
    m[queue + Q_CHAIN] = m[chain]
    m[queue + Q_HEAD], m[queue + Q_TAIL], m[queue + Q_BUSY] = 0, 0, 0
    m[chain] = queue
    m[OPEN] += 1
    return queue


@_compiled
def _close(queue: int, m: Ints) -> None:
    """Forget a queue that was found by key."""
    link = _chain(m[queue], m[queue + Q_B], m[queue + Q_C], m)
    while m[link] != queue:
        link = m[link] + Q_CHAIN
    m[link] = m[queue + Q_CHAIN]
    m[OPEN] -= 1
    _give(FREE_QUEUE, queue, m)


@_compiled
def _append(queue: int, kind: int, what: int, more: int, m: Ints) -> None:
    item = _take(FREE_ITEM, ITEM, m)
    m[item], m[item + I_KIND], m[item + I_WHAT], m[item + I_MORE] = 0, kind, what, more
    if m[queue + Q_HEAD]:
        m[m[queue + Q_TAIL]] = item
    else:
        m[queue + Q_HEAD] = item
    m[queue + Q_TAIL] = item


@_compiled
def _pop(queue: int, m: Ints) -> tuple[int, int, int]:
    """Kind, what and more of a queue's first item, which it loses."""
    item = m[queue + Q_HEAD]
    m[queue + Q_HEAD] = m[item]
    _give(FREE_ITEM, item, m)
    return m[item + I_KIND], m[item + I_WHAT], m[item + I_MORE]


@_compiled
def _schedule(delay: int, kind: int, what: int, node: int, m: Ints) -> None:
    """An event some time from now, on behalf of a node."""
    time = m[NOW] + delay
    if time == 0:
        _fail(AT_ZERO, node, m)
    if delay < 0 or time > _LATEST:
        _fail(TOO_LATE, node, m)
        return
    queue = _find(time, _NO, _NO, m)
    if not queue:
        queue = _open(time, _NO, _NO, m)
        at = m[PENDING]
        m[PENDING] += 1
        _sift_up(at, time, queue, m)
    _append(queue, kind, what, _NONE, m)


@_compiled
def _sift_up(at: int, time: int, queue: int, m: Ints) -> None:
    """Put a time into the heap of pending ones, from a free place up."""
    times = m[TIMES]
    while at > 0 and m[times + 2 * ((at - 1) >> 1)] > time:
        above = times + 2 * ((at - 1) >> 1)
        m[times + 2 * at], m[times + 2 * at + 1] = m[above], m[above + 1]
        at = (at - 1) >> 1
    m[times + 2 * at], m[times + 2 * at + 1] = time, queue


@_compiled
def _drop_time(m: Ints) -> None:
    """Take the earliest time off the heap."""
    m[PENDING] -= 1
    times, count = m[TIMES], m[PENDING]
    time, queue = m[times + 2 * count], m[times + 2 * count + 1]
    at = 0
    while 2 * at + 1 < count:
        below = 2 * at + 1
        if below + 1 < count and m[times + 2 * below + 2] < m[times + 2 * below]:
            below += 1
        if m[times + 2 * below] >= time:
            break
        m[times + 2 * at] = m[times + 2 * below]
        m[times + 2 * at + 1] = m[times + 2 * below + 1]
        at = below
    m[times + 2 * at], m[times + 2 * at + 1] = time, queue


@_compiled
def _delay(node: int, delay: int, kind: int, what: int, more: int, m: Ints) -> None:
    """Something that a node's rank does some time from now."""
    time, rank = m[NOW] + delay, m[node]
    queue = _find(time, rank, _NO, m)
    if not queue:
        queue = _open(time, rank, _NO, m)
        _schedule(delay, _RANK, queue, node, m)
    _append(queue, kind, what, more, m)


# Messages


@_compiled
def _message(source: int, target: int, tag: int, size: int, node: int, m: Ints) -> int:
    """A new message, about which nobody is told."""
    message = _take(FREE_MESSAGE, MESSAGE, m)
    m[message], m[message + M_TARGET], m[message + M_TAG] = source, target, tag
    m[message + M_SIZE], m[message + M_NODE], m[message + M_ARRIVED] = size, node, 0
    m[message + M_SENT_KIND], m[message + M_GOT_KIND] = _NOBODY, _NOBODY
    return message


@_compiled
def _send(message: int, kind: int, what: int, m: Ints, f: Floats) -> None:
    """Send; with rendezvous, when the receiver asks for it."""
    if m[message + M_SIZE] == 0:
        _fail(EMPTY_MESSAGE, m[message + M_NODE], m)
    m[message + M_SENT_KIND], m[message + M_SENT_WHAT] = kind, what
    if m[RENDEZVOUS]:
        source, target = m[message + M_TARGET], m[message]
        tag, node = m[message + M_TAG] + _CONTROL_TAG, m[message + M_NODE]
        asking = _message(source, target, tag, _CONTROL, node, m)
        _post(asking, _LAUNCH, message, m)
    else:
        _launch(message, m, f)


@_compiled
def _receive(message: int, kind: int, what: int, m: Ints, f: Floats) -> None:
    """Wait for a message like this one; with rendezvous, ask for it before."""
    if m[RENDEZVOUS]:
        source, target = m[message + M_TARGET], m[message]
        tag, node = m[message + M_TAG] + _CONTROL_TAG, m[message + M_NODE]
        m[message + M_GOT_KIND], m[message + M_GOT_WHAT] = kind, what
        asking = _message(source, target, tag, _CONTROL, node, m)
        m[asking + M_SENT_KIND], m[asking + M_SENT_WHAT] = _POST, message
        _launch(asking, m, f)
    else:
        _post(message, kind, what, m)


@_compiled
def _post(like: int, kind: int, what: int, m: Ints) -> None:
    """Someone waits for a message like this one, which may have been sent already."""
    pair = m[like] * m[RANK_COUNT] + m[like + M_TARGET]
    queue = _find(m[like + M_TAG], pair, m[like + M_SIZE], m)
    if queue and m[m[queue + Q_HEAD] + I_KIND] == _MESSAGE:
        _, message, _ = _pop(queue, m)
        if not m[queue + Q_HEAD]:
            _close(queue, m)
        m[message + M_GOT_KIND], m[message + M_GOT_WHAT] = kind, what
        if m[message + M_ARRIVED]:
            _schedule(_NONE, _LATE, message, m[like + M_NODE], m)
    else:
        if not queue:
            queue = _open(m[like + M_TAG], pair, m[like + M_SIZE], m)
        _append(queue, kind, what, _NONE, m)
    _give(FREE_MESSAGE, like, m)


@_compiled
def _launch(message: int, m: Ints, f: Floats) -> None:
    """A message leaves; someone may be waiting for it."""
    source, target, size = m[message], m[message + M_TARGET], m[message + M_SIZE]
    pair = source * m[RANK_COUNT] + target
    queue = _find(m[message + M_TAG], pair, size, m)
    if queue and m[m[queue + Q_HEAD] + I_KIND] != _MESSAGE:
        m[message + M_GOT_KIND], m[message + M_GOT_WHAT], _ = _pop(queue, m)
        if not m[queue + Q_HEAD]:
            _close(queue, m)
    else:
        if not queue:
            queue = _open(m[message + M_TAG], pair, size, m)
        _append(queue, _MESSAGE, message, _NONE, m)
    if m[AWARE]:
        m[message + M_AT] = source
        away = (target - source) % m[RANK_COUNT]
        m[message + M_STEP] = -1 if 2 * away > m[RANK_COUNT] else 1
        _hop(message, m, f)
    else:
        flight = _flight(source, target, size, m, f)
        _schedule(flight, _ARRIVE, message, m[message + M_NODE], m)


@_compiled
def _flight(source: int, target: int, size: int, m: Ints, f: Floats) -> int:
    """How long a message takes where links are not shared."""
    d, hops = m[DIMENSIONS], 1
    while source % m[d] == target % m[d]:
        source, target = source // m[d], target // m[d]
        d += DIMENSION
    if m[d + D_JOINT] == RING_JOINT:
        hops = (target - source) % m[d]
        hops = min(hops, m[d] - hops)
    elif m[d + D_JOINT] == SWITCH_JOINT:
        hops = 2
    return int(hops * f[d + D_LATENCY] + size / f[d + D_BANDWIDTH])


@_compiled
def _hop(message: int, m: Ints, f: Floats) -> None:
    """A message enters the link to its next device, or waits for it."""
    at, target, ranks = m[message + M_AT], m[message + M_TARGET], m[RANK_COUNT]
    joint = m[m[DIMENSIONS] + D_JOINT]
    if joint == RING_JOINT:
        link = at if m[message + M_STEP] > 0 else ranks + at
        m[message + M_AT] = (at + m[message + M_STEP]) % ranks
    elif joint == FULLY_JOINT:
        link = at * ranks + target
        m[message + M_AT] = target
    else:  # the switch is the device after the last rank
        link = ranks + target if at == ranks else at
        m[message + M_AT] = target if at == ranks else ranks
    queue = m[LINK_QUEUES] + link * QUEUE
    if m[queue + Q_BUSY]:
        _append(queue, _MESSAGE, message, _NONE, m)
    else:
        _transmit(queue, message, m, f)


@_compiled
def _transmit(queue: int, message: int, m: Ints, f: Floats) -> None:
    """A link carries a message, and then the next one."""
    d, node = m[DIMENSIONS], m[message + M_NODE]
    m[queue + Q_BUSY] = 1
    serial = m[message + M_SIZE] / f[d + D_BANDWIDTH]
    _schedule(int(f[d + D_LATENCY] + serial), _HOP, message, node, m)
    _schedule(int(serial), _FREE, queue, node, m)


@_compiled
def _deliver(message: int, m: Ints, f: Floats) -> None:
    """Tell the sender, then the receiver if there is one yet."""
    awaited = m[message + M_GOT_KIND] != _NOBODY
    _tell(m[message + M_SENT_KIND], m[message + M_SENT_WHAT], m, f)
    if awaited:
        _tell(m[message + M_GOT_KIND], m[message + M_GOT_WHAT], m, f)
        _give(FREE_MESSAGE, message, m)
    else:
        m[message + M_ARRIVED] = 1


@_compiled
def _tell(kind: int, what: int, m: Ints, f: Floats) -> None:
    if kind == _STREAM:
        _arrived(what, m, f)
    elif kind == _NODE:
        _end(what, m, f)
    elif kind == _LAUNCH:
        _launch(what, m, f)
    elif kind == _POST:
        _post(what, m[what + M_GOT_KIND], m[what + M_GOT_WHAT], m)


# Chunks on their way through their phases


@_compiled
def _enter(stream: int, m: Ints) -> None:
    """A chunk takes its place in a queue of its phase's dimension."""
    rank, phase, queues = m[stream], m[stream + S_PHASE], m[LANES]
    half, lane, dimension = queues // 2, m[phase + P_LANE], m[phase + P_DIMENSION]
    turns = rank + R_TURNS + dimension * TURNS
    turn = m[turns + lane] + m[stream + S_NUMBER]
    direction = 1
    if lane == 0:
        turn %= queues
        if queues > 1 and turn >= half:
            direction = -1
    elif lane == 1:
        turn %= max(1, half)
    else:
        turn = half + turn % (queues - half)
        direction = -1
    tree = m[turns + 3 + m[m[m[stream + S_NODE] + N_X] + L_KIND]] + m[phase + P_TREE]
    m[stream + S_PARITY] = (tree + m[stream + S_NUMBER] * m[phase + P_TREES]) & 1
    m[stream + S_DIRECTION] = direction
    m[stream + S_MADE], m[stream + S_READY] = 0, 0
    m[stream + S_SENT], m[stream + S_RECEIVED] = 0, 0
    lanes = (m[rank + R_NUMBER] * m[DIMENSION_COUNT] + dimension) * queues
    m[stream + S_QUEUE] = m[LANE_QUEUES] + (lanes + turn) * QUEUE
    _append(m[stream + S_QUEUE], _STREAM, stream, _NONE, m)


@_compiled
def _begin(queue: int, m: Ints, f: Floats) -> None:
    """Chunks that wait in a queue begin their phase, as many as may at once."""
    while m[queue + Q_HEAD] and m[queue + Q_BUSY] < m[CONCURRENT]:
        _, stream, _ = _pop(queue, m)
        m[queue + Q_BUSY] += 1
        if m[m[stream + S_PHASE]] == TREE:
            _begin_tree(stream, m, f)
        else:
            for _ in range(m[m[stream + S_PHASE] + P_WINDOW]):
                _make(stream, m)


@_compiled
def _leave(stream: int, m: Ints, f: Floats) -> None:
    """A chunk has ended a phase: it goes on to the next, or its collective may end."""
    rank, node, queue = m[stream], m[stream + S_NODE], m[stream + S_QUEUE]
    m[stream + S_PHASE] += PHASE
    if m[stream + S_PHASE] == m[m[node + N_X] + L_END]:
        m[rank + R_LIVE] -= 1
        if m[rank + R_LIVE] == 0:
            _count(node, m)
            _end(node, m, f)
        m[queue + Q_BUSY] -= 1
        _give(FREE_STREAM, stream, m)
        _begin(queue, m, f)
    else:
        _enter(stream, m)
        m[queue + Q_BUSY] -= 1
        _begin(queue, m, f)
        _begin(m[stream + S_QUEUE], m, f)


@_compiled
def _make(stream: int, m: Ints) -> None:
    """Another packet of a chunk: ready after a delay, and a reduction if it is one."""
    phase, made = m[stream + S_PHASE], m[stream + S_MADE]
    reduced = _NO
    if made % m[phase + P_CYCLE] >= m[phase + P_WINDOW]:
        turn = made // m[phase + P_CYCLE] % 2
        if m[phase + P_REDUCES] == 2 or (m[phase + P_REDUCES] == 1 and turn == 0):
            reduced = _bytes(phase, made, m)
    m[stream + S_MADE] += 1
    _delay(m[stream + S_NODE], m[phase + P_ENDPOINT], _PACKET, stream, reduced, m)


@_compiled
def _bytes(phase: int, packet: int, m: Ints) -> int:
    """Bytes of a packet."""
    if m[phase] == HALVING:
        return m[m[phase + P_HALVING] + 2 * packet + 1]
    return m[phase + P_BYTES]


@_compiled
def _ready(stream: int, reduced: int, m: Ints, f: Floats) -> None:
    """A packet has been delayed; one to be reduced is then written and read twice."""
    node, phase = m[stream + S_NODE], m[stream + S_PHASE]
    if reduced >= 0:
        if not f[RATE] > 0:
            _fail(NO_BANDWIDTH, node, m)
        else:
            delay = 3 * int(reduced / f[RATE] * 1e9)
            _delay(node, delay, _PACKET, stream, _NO, m)
        return
    m[stream + S_READY] += 1
    if m[phase] == TREE:
        _ready_tree(stream, m, f)
        return
    barrier, left = m[phase + P_BARRIER], m[phase + P_STEPS] - m[stream + S_SENT]
    if left <= barrier:
        if m[stream + S_RECEIVED] < barrier:
            return
        for _ in range(m[phase + P_WINDOW]):
            _forward(stream, m, f)
    else:
        _forward(stream, m, f)
    sent = m[stream + S_SENT]
    if sent == m[phase + P_STEPS] and m[stream + S_READY] - sent == m[phase + P_WINDOW]:
        _leave(stream, m, f)


@_compiled
def _forward(stream: int, m: Ints, f: Floats) -> None:
    """Send a chunk's next packet, if it is ready and not the last; await its like."""
    phase, sent = m[stream + S_PHASE], m[stream + S_SENT]
    if sent == m[phase + P_STEPS] or sent == m[stream + S_READY]:
        return
    n, here, step = m[phase + P_SIZE], _index(stream, m), m[stream + S_DIRECTION]
    if m[phase] == DIRECT:
        step *= 1 + sent % (n - 1)
    to, source = here + step, here - step
    if m[phase] == HALVING:
        step = m[m[phase + P_HALVING] + 2 * sent]
        to = here - step if here // step % 2 else here + step
        source = to
    m[stream + S_SENT] += 1
    nbytes = _bytes(phase, sent, m)
    _send_to(stream, to % n, nbytes, m, f)
    _await_from(stream, source % n, nbytes, m, f)


@_compiled
def _index(stream: int, m: Ints) -> int:
    """Where a chunk's rank stands in the ring of its phase."""
    phase = m[stream + S_PHASE]
    if m[phase + P_STRIDE] == 0:
        return m[m[stream] + R_PLACE]
    return m[m[stream] + R_NUMBER] // m[phase + P_STRIDE] % m[phase + P_SIZE]


@_compiled
def _peer(stream: int, index: int, m: Ints) -> int:
    """The rank that stands somewhere in the ring of a chunk's phase."""
    stride = m[m[stream + S_PHASE] + P_STRIDE]
    if stride == 0:
        return m[m[m[stream] + R_GROUP] + index * MEMBER]
    return m[m[stream] + R_NUMBER] + (index - _index(stream, m)) * stride


@_compiled
def _send_to(stream: int, index: int, nbytes: int, m: Ints, f: Floats) -> None:
    rank, peer = m[m[stream] + R_NUMBER], _peer(stream, index, m)
    tag, node = m[stream + S_TAG], m[stream + S_NODE]
    _send(_message(rank, peer, tag, nbytes, node, m), _NOBODY, _NONE, m, f)


@_compiled
def _await_from(stream: int, index: int, nbytes: int, m: Ints, f: Floats) -> None:
    rank, peer = m[m[stream] + R_NUMBER], _peer(stream, index, m)
    tag, node = m[stream + S_TAG], m[stream + S_NODE]
    _receive(_message(peer, rank, tag, nbytes, node, m), _STREAM, stream, m, f)


@_compiled
def _arrived(stream: int, m: Ints, f: Floats) -> None:
    """A message has reached a chunk."""
    m[stream + S_RECEIVED] += 1
    phase = m[stream + S_PHASE]
    if m[phase] == TREE:
        reduced = m[phase + P_BYTES] if _tree(stream, m)[1] > 1 else _NO
        _delay(m[stream + S_NODE], m[phase + P_ENDPOINT], _PACKET, stream, reduced, m)
    else:
        _make(stream, m)


# Double binary trees. Ranks count from 1 to n, or the first one counts as n in the
# other tree. An odd count is a leaf, n the root; the lowest bit of a count is how far
# away its parent is, and half of it how far its children are.


@_compiled
def _tree(stream: int, m: Ints) -> tuple[int, int]:
    """What a chunk's rank counts as in its tree, and its lowest bit."""
    x = _index(stream, m) + 1 - m[stream + S_PARITY]
    if x == 0:
        x = m[m[stream + S_PHASE] + P_SIZE]
    return x, x & -x


@_compiled
def _begin_tree(stream: int, m: Ints, f: Floats) -> None:
    """Leaves make a packet ready, others await their children."""
    phase, (x, low) = m[stream + S_PHASE], _tree(stream, m)
    n, nbytes = m[phase + P_SIZE], m[phase + P_BYTES]
    shift = m[stream + S_PARITY] - 1
    if low == 1:
        _delay(m[stream + S_NODE], m[phase + P_ENDPOINT], _PACKET, stream, _NO, m)
    else:
        _await_from(stream, (x - low // 2 + shift) % n, nbytes, m, f)
        if x < n:
            _await_from(stream, (x + low // 2 + shift) % n, nbytes, m, f)


@_compiled
def _ready_tree(stream: int, m: Ints, f: Floats) -> None:
    """What a packet that is ready sets off: up the tree first, then down."""
    phase, (x, low) = m[stream + S_PHASE], _tree(stream, m)
    n, nbytes, ready = m[phase + P_SIZE], m[phase + P_BYTES], m[stream + S_READY]
    shift = m[stream + S_PARITY] - 1
    if x < n and ready == (1 if low == 1 else 2):
        parent = x - low if x & (2 * low) else x + low
        _send_to(stream, (parent + shift) % n, nbytes, m, f)
        _await_from(stream, (parent + shift) % n, nbytes, m, f)
    elif low == 1:
        _leave(stream, m, f)
    elif x == n or ready == 3:
        _send_to(stream, (x - low // 2 + shift) % n, nbytes, m, f)
        if x < n:
            _send_to(stream, (x + low // 2 + shift) % n, nbytes, m, f)
        _leave(stream, m, f)


# Nodes


@_compiled
def _mark(rank: int, statistic: int, change: int, m: Ints) -> None:
    """A node begins or ends: count the time since the last time one did."""
    passed = m[NOW] - m[rank + R_SINCE]
    if m[rank + R_COMMUNICATING] > 0:
        m[rank + R_COMMUNICATION] += passed
        if m[rank + R_COMPUTING] > 0:
            m[rank + R_OVERLAP] += passed
    m[rank + R_SINCE] = m[NOW]
    if statistic == COMPUTING:
        m[rank + R_COMPUTING] += change
    elif statistic == COMMUNICATING:
        m[rank + R_COMMUNICATING] += change


@_compiled
def _make_ready(node: int, m: Ints) -> None:
    """Put a node into the heap of its rank and resource; the lowest goes first."""
    rank, resource = m[node], m[node + N_RESOURCE]
    heap, at = m[rank + R_HEAP + resource], m[rank + R_READY + resource]
    m[rank + R_READY + resource] += 1
    while at > 0 and m[heap + ((at - 1) >> 1)] > node:
        m[heap + at] = m[heap + ((at - 1) >> 1)]
        at = (at - 1) >> 1
    m[heap + at] = node


@_compiled
def _take_ready(rank: int, resource: int, m: Ints) -> None:
    """Take the lowest node out of the heap of a rank and resource."""
    m[rank + R_READY + resource] -= 1
    heap, count = m[rank + R_HEAP + resource], m[rank + R_READY + resource]
    node = m[heap + count]
    at = 0
    while 2 * at + 1 < count:
        below = 2 * at + 1
        if below + 1 < count and m[heap + below + 1] < m[heap + below]:
            below += 1
        if m[heap + below] >= node:
            break
        m[heap + at] = m[heap + below]
        at = below
    m[heap + at] = node


@_compiled
def _next(rank: int, m: Ints) -> int:
    """The lowest ready node of a rank whose resource is free, or 0."""
    node = _NONE
    for r in range(4):
        if m[rank + R_READY + r] and (r == UNLIMITED or not m[rank + R_BUSY + r]):
            first = m[m[rank + R_HEAP + r]]
            node = min(node, first) if node else first
    return node


@_compiled
def _issue(rank: int, m: Ints, f: Floats) -> None:
    """Issue what is ready, lowest first, and has its resource free.

    Nodes that end at once make others ready, but these wait for the next time.
    """
    freed, node = _NONE, _next(rank, m)
    while node and m[STATUS] == ENDED:
        resource = m[node + N_RESOURCE]
        _take_ready(rank, resource, m)
        m[node + N_WAITING] = -1
        if m[node + N_ACTION] == SKIP:
            freed = _finish(node, freed, m)
        else:
            if resource < UNLIMITED:
                m[rank + R_BUSY + resource] = 1
            _mark(rank, m[node + N_STATISTIC], _ONE, m)
            _act(node, m, f)
        node = _next(rank, m)
    _release(freed, m)
    if m[rank + R_LEFT] == 0 and m[rank + R_FINISH] < 0:
        m[rank + R_FINISH] = m[NOW]
        m[rank + R_ORDER] = m[FINISHED]
        m[FINISHED] += 1
        if m[rank + R_MIXED] and not m[LIST]:
            _fail(MIXED, rank, m)


@_compiled
def _finish(node: int, freed: int, m: Ints) -> int:
    """A node has ended; chain those that wait no longer before those freed already."""
    m[node + N_WAITING] = -2
    m[m[node] + R_LEFT] -= 1
    for place in range(m[node + N_FOLLOWERS], m[node + NODE + N_FOLLOWERS]):
        follower = m[place]
        m[follower + N_WAITING] -= 1
        if m[follower + N_WAITING] == 0:
            m[follower + N_WAITING] = freed
            freed = follower
    return freed


@_compiled
def _release(freed: int, m: Ints) -> None:
    """Make ready what was chained."""
    while freed:
        node = freed
        freed = m[node + N_WAITING]
        m[node + N_WAITING] = 0
        _make_ready(node, m)


@_compiled
def _end(node: int, m: Ints, f: Floats) -> None:
    """A node that took time has ended: free its resource, issue what is ready."""
    rank = m[node]
    if m[node + N_RESOURCE] < UNLIMITED:
        m[rank + R_BUSY + m[node + N_RESOURCE]] = 0
    _mark(rank, m[node + N_STATISTIC], -_ONE, m)
    _release(_finish(node, _NONE, m), m)
    _issue(rank, m, f)


@_compiled
def _act(node: int, m: Ints, f: Floats) -> None:
    """Start what a node does."""
    action, x, y = m[node + N_ACTION], m[node + N_X], m[node + N_Y]
    if action == DELAY:
        _delay(node, x, _DONE, node, _NONE, m)
    elif action == SEND:
        message = _message(m[m[node] + R_NUMBER], y, m[node + N_Z], x, node, m)
        _send(message, _NODE, node, m, f)
    elif action == RECEIVE:
        message = _message(y, m[m[node] + R_NUMBER], m[node + N_Z], x, node, m)
        _receive(message, _NODE, node, m, f)
    elif action == COLLECTIVE:
        _split(node, m, f)
    elif m[y + Q_BUSY]:
        _append(y, _NODE, node, _NONE, m)
    else:
        _serve(node, m)


@_compiled
def _serve(node: int, m: Ints) -> None:
    """A memory that serves one node at a time serves this one."""
    queue = m[node + N_Y]
    m[queue + Q_BUSY] = 1
    _delay(node, m[node + N_X], _DONE, node, _NONE, m)
    _delay(node, m[node + N_X], _SERVED, queue, _NONE, m)


@_compiled
def _counter(node: int, m: Ints) -> int:
    """Where a rank counts the streams of a node's group."""
    if m[node + N_Y] == 0:
        return m[node] + R_COUNT
    return m[node + N_Y] + m[node + N_Z] * MEMBER + G_COUNT


@_compiled
def _split(node: int, m: Ints, f: Floats) -> None:
    """A collective begins: its chunks enter their first queues."""
    rank, plan = m[node], m[node + N_X]
    m[rank + R_LIVE] = m[plan + L_CHUNKS]
    m[rank + R_GROUP], m[rank + R_PLACE] = m[node + N_Y], m[node + N_Z]
    counted = m[_counter(node, m)]
    for number in range(m[plan + L_CHUNKS]):
        stream = _take(FREE_STREAM, STREAM, m)
        m[stream], m[stream + S_NODE], m[stream + S_NUMBER] = rank, node, number
        m[stream + S_PHASE] = m[plan]
        signed = (counted + number + 2**31) % 2**32 - 2**31  # a C int
        tag = abs(signed) % _TAGS
        m[stream + S_TAG] = _TAGS + (tag if signed >= 0 else -tag)
        _enter(stream, m)
        _begin(m[stream + S_QUEUE], m, f)


@_compiled
def _count(node: int, m: Ints) -> None:
    """A collective has ended: the next one takes queues and trees in turn after it."""
    rank, plan = m[node], m[node + N_X]
    m[rank + R_COUNT] += m[plan + L_CHUNKS]  # streams of groups count here too
    if m[node + N_Y]:
        m[_counter(node, m)] += m[plan + L_CHUNKS]
    for phase in range(m[plan], m[plan + L_END], PHASE):
        turns = rank + R_TURNS + m[phase + P_DIMENSION] * TURNS
        m[turns + m[phase + P_LANE]] += m[plan + L_CHUNKS]
        m[turns + 3 + m[plan + L_KIND]] += m[plan + L_CHUNKS]


# The loop


@_compiled
def _run_event(kind: int, what: int, m: Ints, f: Floats) -> None:
    if kind == _RANK:
        m[LIST] = what
    elif kind == _ARRIVE:
        _deliver(what, m, f)
    elif kind == _LATE:
        _tell(m[what + M_GOT_KIND], m[what + M_GOT_WHAT], m, f)
        _give(FREE_MESSAGE, what, m)
    elif kind == _FREE:
        m[what + Q_BUSY] = 0
        if m[what + Q_HEAD]:
            _, message, _ = _pop(what, m)
            _transmit(what, message, m, f)
    elif m[what + M_AT] == m[what + M_TARGET]:
        _deliver(what, m, f)
    else:
        _hop(what, m, f)


@_compiled
def _run_delay(kind: int, what: int, more: int, m: Ints, f: Floats) -> None:
    if kind == _DONE:
        _end(what, m, f)
    elif kind == _PACKET:
        _ready(what, more, m, f)
    elif m[what + Q_HEAD]:
        _, node, _ = _pop(what, m)
        _serve(node, m)
    else:
        m[what + Q_BUSY] = 0


@_compiled
def _step(m: Ints, f: Floats) -> bool:
    """Do the next thing; whether there was one."""
    if m[BEGUN] < m[RANK_COUNT]:
        m[BEGUN] += 1
        width = R_TURNS + m[DIMENSION_COUNT] * TURNS
        _issue(m[RANKS] + (m[BEGUN] - 1) * width, m, f)
    elif m[LIST]:
        if m[m[LIST] + Q_HEAD]:
            kind, what, more = _pop(m[LIST], m)
            _run_delay(kind, what, more, m, f)
        else:
            _close(m[LIST], m)
            m[LIST] = 0
    elif m[PENDING]:
        m[NOW] = m[m[TIMES]]
        queue = m[m[TIMES] + 1]
        if m[queue + Q_HEAD]:
            kind, what, _ = _pop(queue, m)
            _run_event(kind, what, m, f)
        else:
            _close(queue, m)
            _drop_time(m)
    else:
        return False
    return True


@njit(cache=True, error_model="numpy")
def run(m: Ints, f: Floats) -> int:
    """Go on with a run.

    Args:
        m: The memory of the run.
        f: The same, seen as floats.

    Returns:
        `ENDED` when nothing is left to happen, `LONGER` where the memory must be made
        longer before the next call, `PAUSED` after many steps, or what went wrong at
        the node, or for `MIXED` the rank, in `m[WHERE]`.
    """
    for _ in range(_STEPS):
        room = len(m) - m[TOP] >= m[MARGIN]
        if not room or m[TIMES_COUNT] - m[PENDING] < m[MARGIN] // QUEUE:
            return LONGER
        if not _step(m, f):
            return ENDED
        if m[STATUS] != ENDED:
            return m[STATUS]
    return PAUSED


@njit(cache=True, error_model="numpy")
def rehash(chains: int, count: int, m: Ints) -> None:
    """Move all queues found by key to the chains that `m` now names.

    Args:
        chains: Where the chains began before.
        count: How many there were.
        m: The memory of the run; its new chains are empty.
    """
    for link in range(chains, chains + count):
        queue = m[link]
        while queue:
            following = m[queue + Q_CHAIN]
            chain = _chain(m[queue], m[queue + Q_B], m[queue + Q_C], m)
            m[queue + Q_CHAIN] = m[chain]
            m[chain] = queue
            queue = following
