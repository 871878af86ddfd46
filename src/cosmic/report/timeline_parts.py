"""The events of what is inside a run, and of the communication that it starts."""

import heapq
from collections.abc import Iterable, Iterator, Sequence

from cosmic.simulation.device_run import Exchange, Inside, Operation, Sending, Span
from cosmic.simulation.timeline import Idle, Run, Timeline, Work
from cosmic.system.placement import spans
from cosmic.trace.execution_graph import ExecutionGraph, compute_nodes
from cosmic.trace.node import CollectiveNode, ComputeNode, OperatorKind
from cosmic.units import Seconds

Event = dict[str, object]
Timed = tuple[Seconds, Seconds]
"""When something begins, and how long it takes."""


def complete(name: str, kind: str, timed: Timed, told: dict[str, object]) -> Event:
    """A complete event, on whole nanoseconds.

    Args:
        name: What people read.
        kind: Its category.
        timed: When it begins, and how long it takes.
        told: What explains it.
    """
    start, seconds = timed
    begins, ends = round(start * 1e9), round((start + seconds) * 1e9)
    return {
        "name": name,
        "cat": kind,
        "ph": "X",
        "ts": begins / 1e3,
        "dur": (ends - begins) / 1e3,
        "args": told,
    }


def run_name(run: Run, *, several: bool) -> str:
    """What a run is called, such as `forward 3`; with its part if there are several."""
    match run.work:
        case Work.FINISH:
            return "finish"
        case Work.UPDATE:
            return "update, and forward 0 of the next step"
        case _:
            part = f", part {run.part}" if several else ""
            return f"{run.work.value} {run.micro_batch}{part}"


def computed_again(graph: ExecutionGraph) -> frozenset[ComputeNode]:
    """Operators of forward programs: what a backward has of them, it recomputes."""
    return frozenset(
        node
        for stage in set(graph.stages)
        for part in stage.parts
        for node, _ in compute_nodes(part.forward)
    )


class Parts:
    """Makes events of what is inside the runs of one timeline.

    Args:
        timeline: Whose they are.
        operators: Whether each operator is told, or only layers.
    """

    def __init__(self, timeline: Timeline, *, operators: bool) -> None:
        self._timeline, self._operators = timeline, operators
        self._numbered = _numbered(timeline.graph)
        self._again = computed_again(timeline.graph)
        self._collectives: dict[CollectiveNode, Event] = {}
        self._sums: dict[int, Event] = {}

    def size(self, inside: Inside) -> int:
        """How many events it makes, those of communication among them."""
        operations = len(inside.operations) if self._operators else 0
        own = len(inside.spans) + operations + len(inside.waits)
        return own + len(inside.exchanges) + len(inside.sendings)

    def sums(self, inside: Inside) -> Event:
        """What a run does in all."""
        if id(inside) not in self._sums:
            self._sums[id(inside)] = _summed(inside)
        return self._sums[id(inside)]

    def inside(self, run: Run) -> Iterator[Event]:
        """Layers, waits and, if they are told, operators of a run."""
        for span in run.inside.spans:
            timed = run.start + span.start, span.seconds
            yield complete(self._span_name(span), "layer", timed, {})
        for wait in run.inside.waits:
            timed = run.start + wait.start, wait.seconds
            name, told = f"wait for {wait.node.group}", self._collective(wait.node)
            yield complete(name, "exposed", timed, {"name": wait.node.name, **told})
        for operation in run.inside.operations if self._operators else ():
            yield self._operation(run, operation)

    def idle(self, stage: int, idle: Idle) -> Event:
        """Waiting for another stage."""
        why = "the end of the step on the last stage"
        if idle.before is not None:
            run = self._timeline.stages[stage].runs[idle.before]
            several = self._timeline.graph.chunks > 1
            why = f"what another stage sends for {run_name(run, several=several)}"
        timed = idle.start, idle.seconds
        return complete("idle", "idle", timed, {"waits_for": why})

    def communication(self, runs: Sequence[Run]) -> Iterator[tuple[str, list[Event]]]:
        """Threads with their names: collectives by group, then links by dimension."""
        for group in self._timeline.graph.groups:
            own = [
                (run.start + exchange.start, exchange)
                for run in runs
                for exchange in run.inside.exchanges
                if exchange.node.group == group.name
            ]
            for number, lane in enumerate(_lanes(own), start=1):
                further = f" ({number})" if number > 1 else ""
                events = [self._exchange(start, what) for start, what in lane]
                yield f"{group.name} group{further}", events
        dimensions = self._timeline.system.cluster.topology.dimensions
        for number, dimension in enumerate(dimensions):
            sent = [
                self._sending(run.start + sending.start, sending)
                for run in runs
                for sending in run.inside.sendings
                if sending.dimension == number
            ]
            if sent:
                shape = f"{dimension.shape.value} of {dimension.size}"
                yield f"links of dimension {number}, {shape}", sent

    def _operation(self, run: Run, operation: Operation) -> Event:
        node = operation.node
        again = run.work is not Work.FORWARD and run.work is not Work.UPDATE
        told: Event = {
            "kind": node.kind.value,
            "flops": node.flops,
            "bytes": node.nbytes,
            "precision": node.precision.value,
        }
        if again and node in self._again:
            told["recomputed"] = True
        timed = run.start + operation.start, operation.seconds
        return complete(node.name, node.kind.value, timed, told)

    def _exchange(self, start: Seconds, exchange: Exchange) -> Event:
        told = self._collective(exchange.node) | {
            "queued_seconds": exchange.start - exchange.issued,
            "exposed_seconds": exchange.exposed,
            "exposure": _exposure(exchange),
        }
        timed = start, exchange.seconds
        return complete(exchange.node.name, exchange.node.group, timed, told)

    def _sending(self, start: Seconds, sending: Sending) -> Event:
        told: Event = {
            "group": sending.node.group,
            "bytes_sent": sending.sent,
            "chunks": sending.chunks,
            "links_busy_seconds": sending.busy,
        }
        timed = start, sending.seconds
        return complete(sending.node.name, sending.node.group, timed, told)

    def _collective(self, node: CollectiveNode) -> Event:
        if node not in self._collectives:
            group = self._timeline.graph.group(node.group)
            system = self._timeline.system
            algorithms = [
                "ring"
                if span.flat
                else system.policy.algorithm(node.kind, span.dimension)
                for span in spans(group, system)
            ]
            self._collectives[node] = {
                "collective": node.kind.value,
                "group": f"{node.group}, {group.size} devices",
                "algorithm": ", ".join(algorithms),
                "bytes": node.nbytes,
            }
        return self._collectives[node]

    def _span_name(self, span: Span) -> str:
        return f"{span.name} {span.layer}" if span.name in self._numbered else span.name


def _exposure(exchange: Exchange) -> str:
    """How much of a collective the device waits for, in a word."""
    lasts = exchange.start - exchange.issued + exchange.seconds
    if exchange.exposed == 0:
        return "hidden"
    return "exposed" if exchange.exposed == lasts else "partly exposed"


def _summed(inside: Inside) -> Event:
    """Time by use, operations and bytes of a run."""
    updating = OperatorKind.OPTIMIZER
    exposed: dict[str, float] = {}
    for wait in inside.waits:
        exposed[wait.node.group] = exposed.get(wait.node.group, 0.0) + wait.seconds
    operations = inside.operations
    optimizer = sum(o.seconds for o in operations if o.node.kind is updating)
    told: Event = {
        "flops": sum(o.node.flops for o in operations),
        "bytes": sum(o.node.nbytes for o in operations),
        "compute_seconds": sum(o.seconds for o in operations) - optimizer,
        "exposed_seconds": exposed,
    }
    return told | ({"optimizer_seconds": optimizer} if optimizer else {})


def _numbered(graph: ExecutionGraph) -> frozenset[str]:
    """Names of blocks that stand for several layers."""
    layers: dict[str, set[int]] = {}
    for stage in set(graph.stages):
        for program in stage.programs:
            for block in program:
                layers.setdefault(block.name, set()).update(block.layers())
    return frozenset(name for name, found in layers.items() if len(found) > 1)


def _lanes(
    exchanges: Iterable[tuple[Seconds, Exchange]],
) -> list[list[tuple[Seconds, Exchange]]]:
    """Collectives in as few rows as there are under way at once."""
    lanes: list[list[tuple[Seconds, Exchange]]] = []
    free: list[int] = []  # lanes whose last one has ended
    under_way: list[tuple[Seconds, int]] = []
    for start, exchange in sorted(exchanges, key=lambda timed: timed[0]):
        while under_way and under_way[0][0] <= start:
            heapq.heappush(free, heapq.heappop(under_way)[1])
        if not free:
            heapq.heappush(free, len(lanes))
            lanes.append([])
        lane = heapq.heappop(free)
        lanes[lane].append((start, exchange))
        heapq.heappush(under_way, (start + exchange.seconds, lane))
    return lanes
