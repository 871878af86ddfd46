"""What one device does in the programs that it runs, with a record of it.

The device computes, hands collectives to the network and waits for them, as in
`kernels`, which gives the ends alone. A program that begins and ends with an idle
network does the same in every turn, and is played once; so is a layer of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from cosmic.simulation.communication import TimedRoute
from cosmic.simulation.device_network import DeviceNetwork, LinkUse
from cosmic.system.system import System
from cosmic.trace.execution_graph import Block, Program
from cosmic.trace.node import CollectiveNode, ComputeNode, Instruction, Start, Wait
from cosmic.units import Bytes, Seconds


class Span(NamedTuple):
    """One turn of a block, such as a layer.

    Attributes:
        name: Of the block.
        layer: Which layer it is.
        start: When it begins.
        seconds: How long it takes.
    """

    name: str
    layer: int
    start: Seconds
    seconds: Seconds


class Operation(NamedTuple):
    """An operator at work.

    Attributes:
        node: Which operator.
        start: When it begins.
        seconds: How long it takes.
    """

    node: ComputeNode
    start: Seconds
    seconds: Seconds


class Waiting(NamedTuple):
    """The device waits for a collective: this much of it is exposed.

    Attributes:
        node: Which collective.
        start: When the wait begins.
        seconds: How long it takes.
    """

    node: CollectiveNode
    start: Seconds
    seconds: Seconds


class Exchange(NamedTuple):
    """A collective from its first chunk to its end.

    Attributes:
        node: Which collective.
        issued: When it is handed to the network.
        start: When its first chunk gets links.
        seconds: From then to its end.
        exposed: How long the device waits for it.
    """

    node: CollectiveNode
    issued: Seconds
    start: Seconds
    seconds: Seconds
    exposed: Seconds


class Sending(NamedTuple):
    """The links of a dimension at work for one collective.

    Attributes:
        node: Which collective.
        dimension: Whose links.
        start: When its chunks get the links.
        seconds: From then until they let go of them.
        busy: How much of that they have the links; the rest is latency.
        sent: Bytes that the device sends.
        chunks: How many passages of a chunk these are.
    """

    node: CollectiveNode
    dimension: int
    start: Seconds
    seconds: Seconds
    busy: Seconds
    sent: Bytes
    chunks: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inside:
    """What a device does in one turn of a program; times count from its start.

    Attributes:
        seconds: How long it takes.
        spans: Its blocks, turn by turn.
        operations: Operators, one after the other.
        waits: Waiting for collectives, one after the other, where there is any.
        exchanges: The collectives that it starts; these may end after it.
        sendings: How links are used for them.
    """

    seconds: Seconds
    spans: tuple[Span, ...]
    operations: tuple[Operation, ...]
    waits: tuple[Waiting, ...]
    exchanges: tuple[Exchange, ...]
    sendings: tuple[Sending, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """How long things take, on the grid that all simulators share.

    Attributes:
        computes: Of each operator.
        routes: The ways of each collective's chunks.
    """

    computes: dict[ComputeNode, Seconds]
    routes: dict[CollectiveNode, Sequence[TimedRoute]]


@dataclass(slots=True)
class _Issued:
    """A collective that was handed over, and how long it was waited for."""

    node: CollectiveNode
    issued: Seconds
    exposed: Seconds = 0.0


@dataclass(slots=True)
class _Record:
    """What has been noted of one turn of a program, in times of the run."""

    start: Seconds
    spans: list[Span]
    operations: list[Operation]
    waits: list[Waiting]
    numbers: list[int]  # of collectives
    end: Seconds = 0.0

    def marks(self) -> tuple[int, int, int, int]:
        """How much has been noted of each kind."""
        noted = len(self.spans), len(self.operations), len(self.waits)
        return (*noted, len(self.numbers))


Known = dict[int, Inside]
"""What was found out on programs by their identity; for all stages of a graph."""


class DeviceRun:
    """One device, from program to program; lives for one run.

    Args:
        costs: How long things take.
        system: Whose network it is.
        known: Programs that begin and end with an idle network; added to.
    """

    def __init__(self, costs: Costs, system: System, known: Known) -> None:
        self._costs, self._known = costs, known
        dimensions = len(system.cluster.topology.dimensions)
        self._network = DeviceNetwork(system.policy, dimensions)
        self._now: Seconds = 0.0
        self._tokens: dict[tuple[str, int], int] = {}
        self._issued: dict[int, _Issued] = {}
        self._done: list[_Record | Inside] = []

    def run(self, program: Program, start: Seconds) -> Seconds:
        """Run a program from then on, or later if the device is still at work.

        Returns:
            When it ends.
        """
        self._network.advance(self._now, start)
        self._now = start
        alone = self._network.idle
        if alone and id(program) in self._known:
            inside = self._known[id(program)]
            self._done.append(inside)
            self._now = start + inside.seconds
            return self._now
        record = self._play(program)
        if alone and self._network.idle:
            self._known[id(program)] = self._seal(record)
            self._done.append(self._known[id(program)])
        else:
            self._done.append(record)
        return self._now

    def insides(self) -> list[Inside]:
        """What was done in each program that was run, when all is over."""
        return [
            self._seal(done) if isinstance(done, _Record) else done
            for done in self._done
        ]

    def _play(self, program: Program) -> _Record:
        record = _Record(self._now, [], [], [], [])
        for block in program:
            self._block(block, record)
        record.end = self._now
        return record

    def _block(self, block: Block, record: _Record) -> None:
        """All turns of a block; equal ones from an idle network to one are copied."""
        layers = block.layers()
        for turn, layer in enumerate(layers):
            alone, start = self._network.idle, self._now
            marks = record.marks()
            uses = len(self._network.uses)
            for instruction in block.instructions:
                self._instruction(instruction, layer, record)
            record.spans.append(Span(block.name, layer, start, self._now - start))
            if alone and self._network.idle:
                rest = layers[turn + 1 :]
                self._copy(record, marks, uses, (rest, self._now - start))
                return

    def _copy(
        self,
        record: _Record,
        marks: tuple[int, int, int, int],
        uses: int,
        what: tuple[range, Seconds],
    ) -> None:
        """Note what a block did since then once more for each of the layers left."""
        layers, seconds = what
        spans, operations = record.spans[marks[0] :], record.operations[marks[1] :]
        waits, numbers = record.waits[marks[2] :], record.numbers[marks[3] :]
        used = self._network.uses[uses:]
        for turn, layer in enumerate(layers, start=1):
            by = turn * seconds
            record.spans += [s._replace(layer=layer, start=s.start + by) for s in spans]
            record.operations += [o._replace(start=o.start + by) for o in operations]
            record.waits += [w._replace(start=w.start + by) for w in waits]
            again = {number: self._again(number, by) for number in numbers}
            record.numbers += again.values()
            self._network.uses += [
                replace(u, number=again[u.number], start=u.start + by, end=u.end + by)
                for u in used
            ]
        self._now += len(layers) * seconds

    def _again(self, number: int, by: Seconds) -> int:
        """A collective once more, so much later."""
        new, old = len(self._issued), self._issued[number]
        self._issued[new] = _Issued(old.node, old.issued + by, old.exposed)
        self._network.began[new] = self._network.began[number] + by
        self._network.ended[new] = self._network.ended[number] + by
        return new

    def _instruction(
        self, instruction: Instruction, layer: int, record: _Record
    ) -> None:
        now = self._now
        match instruction:
            case ComputeNode():
                seconds = self._costs.computes[instruction]
                self._now = now + seconds
                self._network.advance(now, self._now)
                record.operations.append(Operation(instruction, now, seconds))
            case Start(node, token):
                number = len(self._issued)
                self._issued[number] = _Issued(node, now)
                self._tokens[token.label, layer + token.offset] = number
                record.numbers.append(number)
                self._network.issue(number, self._costs.routes[node], now)
            case Wait(token):
                self._wait((token.label, layer + token.offset), record)

    def _wait(self, token: tuple[str, int], record: _Record) -> None:
        """Go on when a token's collective has ended; one of a copied turn has."""
        number = self._tokens.pop(token, None)
        if number is None:
            return
        now = self._now
        self._now = self._network.finish(number, now)
        if self._now > now:
            issued = self._issued[number]
            issued.exposed += self._now - now
            record.waits.append(Waiting(issued.node, now, self._now - now))

    def _seal(self, record: _Record) -> Inside:
        """What is noted, in times that count from the start of the program."""
        start, own = record.start, set(record.numbers)
        used = [use for use in self._network.uses if use.number in own]
        return Inside(
            seconds=record.end - start,
            spans=tuple(s._replace(start=s.start - start) for s in record.spans),
            operations=tuple(
                o._replace(start=o.start - start) for o in record.operations
            ),
            waits=tuple(w._replace(start=w.start - start) for w in record.waits),
            exchanges=tuple(self._exchange(n, start) for n in record.numbers),
            sendings=tuple(self._sending(use, start) for use in used),
        )

    def _exchange(self, number: int, start: Seconds) -> Exchange:
        issued, began = self._issued[number], self._network.began[number]
        return Exchange(
            issued.node,
            issued.issued - start,
            began - start,
            self._network.ended[number] - began,
            issued.exposed,
        )

    def _sending(self, use: LinkUse, start: Seconds) -> Sending:
        return Sending(
            self._issued[use.number].node,
            use.dimension,
            use.start - start,
            use.end - use.start,
            use.busy,
            use.sent,
            use.chunks,
        )
