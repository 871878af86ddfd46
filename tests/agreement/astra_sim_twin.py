"""ASTRA-sim's timing once more, slow and plain: the twin of the compiled event loop.

Callbacks on a heap, dictionaries and lists; nothing is worked out in advance. It takes
sound inputs only, and leaves ranks that never finish at None.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from math import log2

from cosmic.simulation.astra_sim.inputs import Inputs
from cosmic.simulation.astra_sim.network_input import Congestion, Joint
from cosmic.simulation.astra_sim.system_input import (
    Algorithm,
    Implementation,
    Optimization,
)
from cosmic.trace.rank_trace import CommType, NodeKind, RankTrace

Act = Callable[[], None]

REDUCE_SCATTER, ALL_GATHER = CommType.REDUCE_SCATTER, CommType.ALL_GATHER
ALL_REDUCE, ALL_TO_ALL = CommType.ALL_REDUCE, CommType.ALL_TO_ALL


@dataclass
class Ring:
    """Ranks in a circle, where one of them stands, and the queues they take."""

    members: list[int]
    here: int
    dimension: int
    entry: Implementation
    local: bool = False


@dataclass
class Phase:
    """What a chunk does on one ring."""

    kind: CommType
    ring: Ring
    size: int
    queue: int
    direction: int
    smallest_root: bool
    made: int = 0
    fired: int = 0
    sent: int = 0
    got: int = 0


@dataclass
class Chunk:
    """A chunk of a collective on one rank."""

    rank: int
    tag: int
    phases: list[Phase]
    ended: Act


@dataclass
class Lane:
    """A queue of chunks on one rank."""

    running: int = 0
    waiting: list[Chunk] = field(default_factory=list)


@dataclass
class Message:
    """The n-th message of a key: whom to tell, and whether it is there."""

    sender: Act | None = None
    receiver: Act | None = None
    arrived: bool = False


class Twin:
    """One run."""

    def __init__(self, traces: Sequence[RankTrace], inputs: Inputs) -> None:
        self.traces, self.inputs = traces, inputs
        self.system, self.network = inputs.system, inputs.network
        self.now = self.count = 0
        self.heap: list[tuple[int, int, Act]] = []
        self.lists: dict[tuple[int, int], list[Act]] = {}
        self.sent: dict[tuple[int, ...], int] = defaultdict(int)
        self.awaited: dict[tuple[int, ...], int] = defaultdict(int)
        self.messages: dict[tuple[int, ...], Message] = defaultdict(Message)
        self.links: dict[object, list[Act]] = {}
        self.lanes: dict[tuple[int, int, int], Lane] = defaultdict(Lane)
        self.turns: dict[tuple[int, int, str], int] = defaultdict(int)
        self.streams: dict[tuple[int, int], int] = defaultdict(int)
        self.finish: list[int | None] = [None] * len(traces)
        self.busy: set[tuple[int, str]] = set()
        self.ready: list[list[int]] = []
        self.left: list[list[set[int]]] = []
        self.followers: list[dict[int, list[int]]] = []
        for trace in traces:
            self._read(trace)

    def _read(self, trace: RankTrace) -> None:
        bounds = trace.offsets.tolist()
        before = [set(trace.dependencies[a:b].tolist()) for a, b in pairwise(bounds)]
        self.left.append(before)
        self.ready.append([row for row, rows in enumerate(before) if not rows])
        self.followers.append(defaultdict(list))
        for row, rows in enumerate(before):
            for earlier in rows:
                self.followers[-1][earlier].append(row)

    def run(self) -> list[int | None]:
        for rank in range(len(self.traces)):
            self.issue(rank)
        while self.heap:
            self.now, _, act = heappop(self.heap)
            act()
        return self.finish

    def at(self, delay: int, act: Act) -> None:
        self.count += 1
        heappush(self.heap, (self.now + delay, self.count, act))

    def after(self, rank: int, delay: int, act: Act) -> None:
        """What a rank does later stands in one list for each time."""
        key = (rank, self.now + delay)
        if key not in self.lists:
            self.lists[key] = []
            self.at(delay, lambda: self._run_list(key))
        self.lists[key].append(act)

    def _run_list(self, key: tuple[int, int]) -> None:
        for act in self.lists[key]:  # which may grow meanwhile
            act()
        del self.lists[key]

    # Nodes

    def issue(self, rank: int) -> None:
        for row in list(self.ready[rank]):
            resource = self.resource(rank, row)
            if resource and (rank, resource) in self.busy:
                continue
            self.ready[rank].remove(row)
            self.busy |= {(rank, resource)} if resource else set()
            self.start(rank, row)
        if not self.ready[rank] and self.left[rank] == [{-1}] * len(self.left[rank]):
            self.finish[rank] = self.now

    def resource(self, rank: int, row: int) -> str:
        node = self.traces[rank].nodes[row]
        if node["is_cpu"]:
            return "cpu"
        kinds = {NodeKind.COMPUTE: "compute", NodeKind.RECEIVE: ""}
        return kinds.get(NodeKind(node["kind"]), "communication")

    def end(self, rank: int, row: int, *, issue: bool = True) -> None:
        self.busy.discard((rank, self.resource(rank, row)))
        self.left[rank][row] = {-1}
        for follower in self.followers[rank][row]:
            self.left[rank][follower].discard(row)
            if not self.left[rank][follower]:
                insort(self.ready[rank], follower)
        if issue:
            self.issue(rank)

    def start(self, rank: int, row: int) -> None:
        node = self.traces[rank].nodes[row]
        kind, size = NodeKind(node["kind"]), int(node["comm_size"])
        peer, tag = int(node["peer"]), int(node["tag"])
        done = lambda: self.end(rank, row)  # noqa: E731 - short beside its uses
        replayed = int(node["duration_micros"]) * 1000 or 1
        if kind is NodeKind.COMPUTE and self.system.roofline and not node["is_cpu"]:
            if node["tensor_size"] == 0:
                self.end(rank, row, issue=False)
            else:
                self.after(rank, self.roofline(rank, row), done)
        elif kind is NodeKind.COMPUTE or node["comm_type"] == CommType.BROADCAST:
            self.after(rank, replayed, done)
        elif kind is NodeKind.SEND:
            self.send((tag, rank, peer, size), done)
        elif kind is NodeKind.RECEIVE:
            self.receive((tag, peer, rank, size), done)
        else:
            self.collect(rank, row, done)

    def roofline(self, rank: int, row: int) -> int:
        node = self.traces[rank].nodes[row]
        ops, size = float(node["num_ops"]), float(node["tensor_size"])
        bandwidth = self.system.local_memory_bandwidth * 1e9
        return int(ops / min(bandwidth * (ops / size), self.system.peak * 1e12) * 1e9)

    # Messages: key is tag, source, target, size

    def send(self, key: tuple[int, int, int, int], told: Act | None) -> None:
        if self.inputs.rendezvous:
            tag, source, target, _ = key
            control = (tag + 1_000_000_000, target, source, 8192)
            self.post(control, lambda: self.launch(key, told))
        else:
            self.launch(key, told)

    def receive(self, key: tuple[int, int, int, int], told: Act) -> None:
        if self.inputs.rendezvous:
            tag, source, target, _ = key
            control = (tag + 1_000_000_000, target, source, 8192)
            self.launch(control, lambda: self.post(key, told))
        else:
            self.post(key, told)

    def post(self, key: tuple[int, int, int, int], told: Act) -> None:
        message = self.messages[(*key, self.awaited[key])]
        self.awaited[key] += 1
        if message.arrived:
            self.at(0, told)
        else:
            message.receiver = told

    def launch(self, key: tuple[int, int, int, int], told: Act | None) -> None:
        message = self.messages[(*key, self.sent[key])]
        self.sent[key] += 1
        message.sender = told
        if self.network.congestion is Congestion.AWARE:
            self.hop(self.route(key[1], key[2]), key[3], message)
        else:
            self.at(self.flight(*key[1:]), lambda: self.deliver(message))

    def deliver(self, message: Message) -> None:
        receiver = message.receiver
        if message.sender:
            message.sender()
        if receiver:
            receiver()
        else:
            message.arrived = True

    def flight(self, source: int, target: int, size: int) -> int:
        for dimension in self.network.dimensions:
            n = dimension.size
            if source % n != target % n:
                around = (target - source) % n
                hops = {
                    Joint.RING: min(around, n - around),
                    Joint.FULLY_CONNECTED: 1,
                    Joint.SWITCH: 2,
                }[dimension.joint]
                serial = size / (dimension.bandwidth * 2**30 / 1e9)
                return int(hops * dimension.latency + serial)
            source, target = source // n, target // n
        raise AssertionError("a message to itself")

    def route(self, source: int, target: int) -> list[object]:
        """Devices on the way."""
        dimension = self.network.dimensions[0]
        if dimension.joint is Joint.SWITCH:
            return [source, "switch", target]
        if dimension.joint is Joint.FULLY_CONNECTED:
            return [source, target]
        n = dimension.size
        step = 1 if 2 * ((target - source) % n) <= n else -1
        way: list[object] = [source]
        while source != target:
            source = (source + step) % n
            way.append(source)
        return way

    def hop(self, way: list[object], size: int, message: Message) -> None:
        if len(way) == 1:
            self.deliver(message)
            return
        link = (way[0], way[1])
        dimension = self.network.dimensions[0]
        serial = size / (dimension.bandwidth * 2**30 / 1e9)

        def transmit() -> None:
            self.at(
                int(dimension.latency + serial),
                lambda: self.hop(way[1:], size, message),
            )
            self.at(int(serial), free)

        def free() -> None:
            waiting = self.links[link]
            if waiting:
                waiting.pop(0)()
            else:
                del self.links[link]

        if link in self.links:
            self.links[link].append(transmit)
        else:
            self.links[link] = []
            transmit()

    # Collectives

    def collect(self, rank: int, row: int, done: Act) -> None:
        node, trace = self.traces[rank].nodes[row], self.traces[rank]
        kind, size = CommType(node["comm_type"]), int(node["comm_size"])
        name = trace.groups[node["group"]] if node["group"] >= 0 else ""
        group = int(name) if name not in ("", "0") else 0
        rings = self.rings(rank, kind, group, int(node["involved_dim"]))
        splits, ranks = self.system.splits or 0, len(self.traces)
        chunk = size // splits
        if kind is not ALL_GATHER and chunk < ranks:
            chunk, size = ranks, ranks * splits
        chunks = -(-size // chunk)
        left = [chunks]

        def ended() -> None:
            left[0] -= 1
            if not left[0]:
                done()

        for _ in range(chunks):
            stream = self.streams[rank, 0]
            self.streams[rank, 0] += 1
            if group:
                stream = group * 1_000_000 + self.streams[rank, group]
                self.streams[rank, group] += 1
            phases = self.phases(rank, kind, chunk, rings)
            self.enter(Chunk(rank, 500_000_000 + stream % 500_000_000, phases, ended))

    def rings(self, rank: int, kind: CommType, group: int, mask: int) -> list[Ring]:
        entries = self.system.implementations[kind]
        members = list(self.inputs.groups.get(group, ()))
        if group and len(members) < len(self.traces):
            entry = Implementation(algorithm=Algorithm.RING)
            if len(entries) == 1:
                entry = entries[0]
            return [Ring(members, members.index(rank), 0, entry, local=True)]
        found, stride = [], 1
        for d, entry in enumerate(entries):
            n = self.network.dimensions[d].size
            here = rank // stride % n
            ring = [rank + (i - here) * stride for i in range(n)]
            if entry.one:
                ring, here = list(range(len(self.traces))), rank
            if group or mask < 0 or mask >> d & 1:
                found.append(Ring(ring, here, d, entry))
            if entry.one:
                break
            stride *= n
        return found

    def phases(
        self, rank: int, kind: CommType, size: int, rings: list[Ring]
    ) -> list[Phase]:
        plan = [(kind, ring, "all") for ring in rings]
        if kind is ALL_GATHER:
            plan.reverse()
        if kind is ALL_REDUCE and self.system.optimization is not Optimization.BASELINE:
            plan = [(REDUCE_SCATTER, ring, "first") for ring in rings[:-1]]
            plan += [(ALL_REDUCE, rings[-1], "first")]
            plan += [(ALL_GATHER, ring, "last") for ring in rings[-2::-1]]
        found = []
        for part, ring, which in plan:
            queue, direction = self.turn(rank, ring.dimension, which)
            tree = (rank, ring.dimension, f"tree {kind}")
            is_tree = ring.entry.algorithm is Algorithm.DOUBLE_BINARY_TREE
            smallest = self.turns[tree] % 2 == 1
            self.turns[tree] += is_tree
            found.append(Phase(part, ring, size, queue, direction, smallest))
            if not is_tree and part is REDUCE_SCATTER:
                size //= len(ring.members)
            elif not is_tree and part is ALL_GATHER:
                size *= len(ring.members)
        return found

    def turn(self, rank: int, dimension: int, which: str) -> tuple[int, int]:
        """The next queue, and the direction of what goes through it."""
        queues = self.inputs.queues
        half = queues // 2
        choice = {
            "all": range(queues),
            "first": range(max(1, half)),
            "last": range(half, queues),
        }[which]
        place = self.turns[rank, dimension, which]
        self.turns[rank, dimension, which] += 1
        queue = choice[place % len(choice)]
        backward = which == "last" or (which == "all" and queues > 1 and queue >= half)
        return queue, -1 if backward else 1

    def lane(self, chunk: Chunk) -> Lane:
        phase = chunk.phases[0]
        return self.lanes[chunk.rank, phase.ring.dimension, phase.queue]

    def enter(self, chunk: Chunk) -> None:
        self.lane(chunk).waiting.append(chunk)
        self.begin(self.lane(chunk))

    def begin(self, lane: Lane) -> None:
        most = -(-self.system.active_chunks // self.inputs.queues)
        while lane.waiting and lane.running < most:
            lane.running += 1
            chunk = lane.waiting.pop(0)
            if chunk.phases[0].ring.entry.algorithm is Algorithm.DOUBLE_BINARY_TREE:
                Tree(self, chunk).begin()
            else:
                for _ in range(window(chunk.phases[0])):
                    self.make(chunk)

    def leave(self, chunk: Chunk) -> None:
        old = self.lane(chunk)
        del chunk.phases[0]
        if not chunk.phases:
            chunk.ended()
        else:
            self.lane(chunk).waiting.append(chunk)
        old.running -= 1
        self.begin(old)
        if chunk.phases:
            self.begin(self.lane(chunk))

    def packet(self, chunk: Chunk, reduced: int, act: Act) -> None:
        """A packet made ready: the endpoint delay, then three passes over memory."""
        local = chunk.phases[0].ring.local
        delay = 10 if local else self.system.endpoint_delay
        bandwidth = self.system.local_memory_bandwidth * 1e9

        def process() -> None:
            passes = 3 * int(reduced / bandwidth * 1e9)
            self.after(chunk.rank, passes, act)

        self.after(chunk.rank, delay, process if reduced else act)

    def make(self, chunk: Chunk) -> None:
        phase = chunk.phases[0]
        at_once, n = window(phase), len(phase.ring.members)
        reduced_in_turn = {
            Algorithm.RING: n - 1,
            Algorithm.DIRECT: at_once * (n - 1 if phase.ring.local else 1),
            Algorithm.HALVING_DOUBLING: int(log2(n) - 1),
        }[phase.ring.entry.algorithm]
        turn, place = divmod(phase.made, at_once + reduced_in_turn)
        reduces = phase.kind is REDUCE_SCATTER or (
            phase.kind is ALL_REDUCE and turn % 2 == 0
        )
        size = exchanges(phase)[min(phase.made, steps(phase) - 1)][2]
        phase.made += 1
        self.packet(
            chunk, size if reduces and place >= at_once else 0, lambda: self.fire(chunk)
        )

    def fire(self, chunk: Chunk) -> None:
        phase = chunk.phases[0]
        phase.fired += 1
        half = len(phase.ring.members) - 1
        direct = phase.ring.entry.algorithm is Algorithm.DIRECT
        if direct and phase.kind is ALL_REDUCE and steps(phase) - phase.sent <= half:
            if phase.got < half:
                return
            for _ in range(window(phase)):
                self.forward(chunk)
        else:
            self.forward(chunk)
        if phase.sent == steps(phase) and phase.fired - phase.sent == window(phase):
            self.leave(chunk)

    def forward(self, chunk: Chunk) -> None:
        phase = chunk.phases[0]
        if phase.sent in (steps(phase), phase.fired):
            return
        to, source, size = exchanges(phase)[phase.sent]
        phase.sent += 1
        self.send((chunk.tag, chunk.rank, to, size), None)
        self.receive((chunk.tag, source, chunk.rank, size), lambda: self.arrive(chunk))

    def arrive(self, chunk: Chunk) -> None:
        chunk.phases[0].got += 1
        self.make(chunk)


def window(phase: Phase) -> int:
    """Packets at once."""
    if phase.ring.entry.algorithm is not Algorithm.DIRECT:
        return 1
    most = len(phase.ring.members) - 1
    return min(phase.ring.entry.window or most, most)


def steps(phase: Phase) -> int:
    """Messages that a rank sends."""
    n = len(phase.ring.members)
    if phase.ring.entry.algorithm is Algorithm.HALVING_DOUBLING:
        return int(log2(n)) * (2 if phase.kind is ALL_REDUCE else 1)
    if phase.kind is ALL_TO_ALL and phase.ring.entry.algorithm is Algorithm.RING:
        return n * (n - 1) // 2
    return (n - 1) * (2 if phase.kind is ALL_REDUCE else 1)


def exchanges(phase: Phase) -> list[tuple[int, int, int]]:
    """Whom each message goes to, whom one is awaited from, and its bytes."""
    ring, n = phase.ring, len(phase.ring.members)
    if ring.entry.algorithm is Algorithm.HALVING_DOUBLING:
        return halving(phase)
    size = phase.size if phase.kind is ALL_GATHER else phase.size // n
    found = []
    for step in range(steps(phase)):
        away = 1 + step % (n - 1) if ring.entry.algorithm is Algorithm.DIRECT else 1
        away *= phase.direction
        to, source = (ring.here + away) % n, (ring.here - away) % n
        found.append((ring.members[to], ring.members[source], size))
    return found


def halving(phase: Phase) -> list[tuple[int, int, int]]:
    """Partners at doubling distances with half the bytes each, or the other way."""
    ring, n = phase.ring, len(phase.ring.members)
    distance, size, inward = 1, phase.size // 2, phase.kind is not ALL_GATHER
    if not inward:
        distance, size = n // 2, phase.size
    found = []
    for _ in range(steps(phase)):
        partner = ring.members[ring.here ^ distance]
        found.append((partner, partner, size))
        if inward and distance == n // 2 and phase.kind is ALL_REDUCE:
            size, inward = 2 * (size // 2), False  # an odd byte is lost here
        elif inward:
            distance, size = distance * 2, size // 2
        else:
            distance, size = distance // 2, size * 2
    return found


class Tree:
    """A chunk in a double binary tree: up to the root, and down again."""

    def __init__(self, twin: Twin, chunk: Chunk) -> None:
        self.twin, self.chunk = twin, chunk
        phase = chunk.phases[0]
        self.size, members = phase.size, phase.ring.members
        self.parents: dict[int, int] = {}
        self.children: dict[int, list[int]] = defaultdict(list)
        order = members[::-1] if phase.smallest_root else members
        self._join(order[:-1], order[-1])
        if phase.smallest_root:
            for children in self.children.values():
                children.reverse()
        self.reduced = 0

    def _join(self, members: list[int], parent: int) -> None:
        """Hang a complete tree, in order, under a parent."""
        middle = members[len(members) // 2]
        self.parents[middle] = parent
        self.children[parent].append(middle)
        if len(members) > 1:
            self._join(members[: len(members) // 2], middle)
            self._join(members[len(members) // 2 + 1 :], middle)

    def begin(self) -> None:
        children = self.children[self.chunk.rank]
        if not children:
            self.twin.packet(self.chunk, 0, self.ascend)
        for child in children:
            self.receive(child, self.reduce)

    def receive(self, source: int, act: Act) -> None:
        self.twin.receive((self.chunk.tag, source, self.chunk.rank, self.size), act)

    def send(self, target: int) -> None:
        self.twin.send((self.chunk.tag, self.chunk.rank, target, self.size), None)

    def reduce(self) -> None:
        self.twin.packet(self.chunk, self.size, self.reduced_one)

    def reduced_one(self) -> None:
        self.reduced += 1
        if self.reduced == len(self.children[self.chunk.rank]):
            self.ascend()

    def ascend(self) -> None:
        parent = self.parents.get(self.chunk.rank)
        if parent is None:
            self.descend()
            return
        self.send(parent)
        size = self.size if self.children[self.chunk.rank] else 0
        self.receive(parent, lambda: self.twin.packet(self.chunk, size, self.descend))

    def descend(self) -> None:
        for child in self.children[self.chunk.rank]:
            self.send(child)
        self.twin.leave(self.chunk)


def finish_times(traces: Sequence[RankTrace], inputs: Inputs) -> list[int | None]:
    """When each rank finishes, in ns; None if it never does."""
    return Twin(traces, inputs).run()
